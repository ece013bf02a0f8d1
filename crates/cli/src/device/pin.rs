//! `specie device pin`.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;

/// Set, change or unblock the PIN of the secure element
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device pin alice              # asks for the old PIN, if one is set, and for the new one
  printf '1234\\n567890\\n' | specie device pin alice
  specie device pin alice --unblock    # asks for the PUK and a new PIN

PINs have 4 to 12 characters. Three wrong ones block the element until it is unblocked with the PUK.")]
pub(super) struct Pin {
    #[command(flatten)]
    which: Which,
    /// Unblock with the PUK
    #[arg(long)]
    unblock: bool,
}

impl Pin {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.look()?;
        let set = device.element_status()?.pin_tries_left.is_some();
        if self.unblock {
            let puk = ask("PUK")?;
            let puk = <[u8; 8]>::try_from(puk.as_bytes()).map(Zeroizing::new);
            let puk = puk.map_err(|_| {
                Failure::usage("a PUK has 8 digits", "type the PUK that was told when the device was made")
            })?;
            device.unblock_pin(&puk, ask("new PIN")?.as_bytes())?;
        } else {
            let old = if set { ask("old PIN")? } else { Zeroizing::new(String::new()) };
            device.change_pin(old.as_bytes(), ask("new PIN")?.as_bytes())?;
        }
        Ok(Answer::new("The new PIN is set.\n", json!({ "pin": "set" })))
    }
}

/// One line of standard input, asked for where somebody sits at a terminal.
pub(crate) fn ask(what: &str) -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        eprint!("{what}: ");
    }
    let mut line = Zeroizing::new(String::new());
    let read = io::stdin().lock().read_line(&mut line);
    if !matches!(read, Ok(length) if length > 0) {
        return Err(Failure::usage(format!("there is no {what} on standard input"), "type it, or pipe it in"));
    }
    let trimmed = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(trimmed);
    Ok(line)
}
