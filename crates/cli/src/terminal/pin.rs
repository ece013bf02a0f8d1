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

/// Tell the device the PIN of its secure element, until it loses its power; or set another one
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal pin --line serial:/dev/ttyACM0                  # asks for the PIN
  printf '567890\\n' | specie terminal pin --line serial:/dev/ttyACM0
  specie terminal pin --line serial:/dev/ttyACM0 --change         # asks for the old PIN, empty while none is set, and the new one

The PIN is taken from the environment variable SPECIE_PIN where that is set. Three wrong ones block the element.")]
pub(super) struct Pin {
    #[command(flatten)]
    which: Which,
    /// Set a new PIN, of 4 to 12 characters
    #[arg(long)]
    change: bool,
}

impl Pin {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        if self.change {
            return self.change();
        }
        let pin = match std::env::var("SPECIE_PIN") {
            Ok(pin) => Zeroizing::new(pin),
            Err(_) => ask("PIN")?,
        };
        let mut talk = Talk::begin(&self.which)?;
        // A try that got no reply may be used up; money it does not move.
        talk.tell(&Command::Pin(pin.as_bytes().to_vec()), Risk::None)?;
        Ok(Answer::new("The PIN is right.\n", json!({ "pin": "right" })))
    }

    fn change(&self) -> Result<Answer, Failure> {
        let (old, new) = (ask("old PIN, empty while none is set")?, ask("new PIN")?);
        let mut talk = Talk::begin(&self.which)?;
        let [old, new] = [old, new].map(|pin| pin.as_bytes().to_vec());
        talk.tell(&Command::ChangePin { old, new }, Risk::None)?;
        Ok(Answer::new("The new PIN is set.\n", json!({ "pin": "set" })))
    }
}
