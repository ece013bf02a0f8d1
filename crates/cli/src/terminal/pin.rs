//! `specie terminal pin`.

use clap::Args;
use serde_json::json;
use specie_device::gateway::Command;
use zeroize::Zeroizing;

use super::Which;
use super::talk::{Risk, Talk};
use crate::answer::Answer;
use crate::device::pin::ask;
use crate::failure::Failure;

/// Tell the device the PIN of its secure element, until it loses its power
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal pin --line serial:/dev/ttyACM0                  # asks for the PIN
  printf '567890\\n' | specie terminal pin --line serial:/dev/ttyACM0

The PIN is taken from the environment variable SPECIE_PIN where that is set. Three wrong ones block the element.")]
pub(super) struct Pin {
    #[command(flatten)]
    which: Which,
}

impl Pin {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let pin = match std::env::var("SPECIE_PIN") {
            Ok(pin) => Zeroizing::new(pin),
            Err(_) => ask("PIN")?,
        };
        let mut talk = Talk::begin(&self.which)?;
        // A try that got no reply may be used up; money it does not move.
        talk.tell(&Command::Pin(pin.as_bytes().to_vec()), Risk::None)?;
        Ok(Answer::new("The PIN is right.\n", json!({ "pin": "right" })))
    }
}
