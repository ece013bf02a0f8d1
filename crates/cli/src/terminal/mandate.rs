//! `specie terminal mandate`: what a microcontroller may pay by itself.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use specie_core::encoding::Decode;
use specie_core::mandate::Mandate as Signed;
use specie_device::gateway::{Command as Told, Reply};
use zeroize::Zeroizing;

use super::Which;
use super::status::other_reply;
use super::talk::{Risk, Talk};
use crate::answer::Answer;
use crate::device::mandate::{describe, lines};
use crate::failure::Failure;

/// Let a microcontroller pay by itself, inside what its owner signed
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal pin --line serial:/dev/ttyACM0 --change          # without a PIN it pays whatever it is told to
  specie terminal mandate show --line serial:/dev/ttyACM0          # its key
  specie device mandate make alice --for 3d40… --per-payment 5 --per-period 20 --in-all 200 --until 2027-12-31 --anyone \
--redeem-to meter-account --out meter.mandate
  SPECIE_PIN=2468 specie terminal mandate give --line serial:/dev/ttyACM0 meter.mandate

From then on the device pays each request inside the mandate that comes over its other line, as long as it is not asking to be paid \
itself, and was told the time since it has power. `specie terminal stop` lasts until it loses its power, or is given the same mandate \
again; a later mandate that allows nothing ends it for good.")]
pub(super) struct Mandate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Give(Give),
    Show(Show),
}

impl Mandate {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match &self.command {
            Command::Give(give) => give.run(),
            Command::Show(show) => show.run(),
        }
    }
}

/// Give a mandate to the device that it names
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  SPECIE_PIN=2468 specie terminal mandate give --line serial:/dev/ttyACM0 meter.mandate   # an owner's first one
  specie terminal mandate give --line serial:/dev/ttyACM0 newer.mandate                   # the same owner's next one
  specie terminal mandate give --line serial:/dev/ttyACM0 end.mandate                     # one that allows nothing ends it

The device needs a PIN: without one it pays whatever it is told to. `specie device mandate make` makes mandates.")]
struct Give {
    #[command(flatten)]
    which: Which,
    /// The mandate
    #[arg(value_name = "FILE")]
    mandate: PathBuf,
}

impl Give {
    fn run(&self) -> Result<Answer, Failure> {
        let name = self.mandate.display().to_string();
        let bytes = fs::read(&self.mandate).map_err(|error| Failure::file(&name, &error))?;
        let mut talk = Talk::begin(&self.which)?;
        if let Ok(pin) = std::env::var("SPECIE_PIN") {
            let pin = Zeroizing::new(pin);
            talk.tell(&Told::Pin(pin.as_bytes().to_vec()), Risk::None)?;
        }
        talk.tell(&Told::Mandate(bytes), Risk::None)?;
        Ok(Answer::new("The device pays by itself inside this mandate from now on.\n", json!({ "mandate": "held" })))
    }
}

/// Show what a device may pay by itself, and what was used of it
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal mandate show --line serial:/dev/ttyACM0
  specie terminal mandate show --line serial:/dev/ttyACM0 --json

Without a mandate it shows the device's key, which a mandate has to name.")]
struct Show {
    #[command(flatten)]
    which: Which,
}

impl Show {
    fn run(&self) -> Result<Answer, Failure> {
        let held = match Talk::begin(&self.which)?.tell(&Told::MandateHeld, Risk::None)? {
            Reply::Mandate(held) => held,
            _ => return Err(other_reply()),
        };
        let key = held.device.to_string();
        let Some(mandate) = held.mandate else {
            let human = format!("The device {key} has no mandate.\n");
            return Ok(Answer::new(human, json!({ "key": key, "mandate": null })));
        };
        let mandate = Signed::decode(&mandate).map_err(|_| other_reply())?;
        let unused = match held.used {
            Some(_) => "",
            None => "Its element holds another mandate: give it this one again, or the newer one.\n",
        };
        let human = format!("{}{unused}", lines(&mandate, held.used));
        Ok(Answer::new(human, json!({ "key": key, "mandate": describe(&mandate, held.used) })))
    }
}
