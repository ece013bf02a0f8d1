//! `specie terminal new`.

use clap::Args;
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_device::gateway::Command;

use super::Which;
use super::talk::{Risk, Talk};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::progress::Progress;

/// Make an empty wallet in a device that has none
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal new --line serial:/dev/ttyACM0 --root 5f0c…

The device's secure element must be personalised already. A wallet that is there is never replaced.")]
pub(super) struct New {
    #[command(flatten)]
    which: Which,
    /// Root key of the central bank that the device obeys, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    root: PublicKey,
}

impl New {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut talk = Talk::begin(&self.which)?;
        let progress = Progress::begin("making a wallet");
        talk.tell(&Command::Create(self.root), Risk::None)?;
        drop(progress);
        let human = "Made an empty wallet.\nNext: enrol it with the claim code that the PSP gave you.\n";
        Ok(Answer::new(human, json!({ "wallet": true, "root_key": self.root.to_string() })))
    }
}
