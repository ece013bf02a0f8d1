//! `specie terminal stop`.

use clap::Args;
use serde_json::json;
use specie_device::gateway::Command;

use super::talk::{Risk, Talk};
use super::{Which, events};
use crate::answer::Answer;
use crate::failure::Failure;

/// Neither pay nor ask any more
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal stop --line serial:/dev/ttyACM0

A request that was being offered is withdrawn: a payment of it is not accepted any more, and falls back to its payer in the end. \
A device that holds a mandate pays nothing by itself either, until it is told something else to do or loses its power.")]
pub(super) struct Stop {
    #[command(flatten)]
    which: Which,
}

impl Stop {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut talk = Talk::begin(&self.which)?;
        talk.tell(&Command::Stop, Risk::None)?;
        let human = format!("The device neither pays nor asks.\n{}", events::earlier(&talk.earlier, None));
        Ok(Answer::new(human, json!({ "stopped": true, "earlier": events::machines(&talk.earlier) })))
    }
}
