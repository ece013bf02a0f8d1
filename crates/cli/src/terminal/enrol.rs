//! `specie terminal enrol`.

use clap::Args;
use serde_json::json;
use specie_device::gateway::{Command, Event};

use super::talk::{self, Risk, Talk};
use super::{ToPsp, Which, events};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;

/// Enrol a device with its PSP
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal enrol --line serial:/dev/ttyACM0 --psp http://127.0.0.1:7002 alice 7K3M-9QXD

The claim code comes from the PSP (`specie psp customer claim`) and ties the device to a customer. Where it breaks off, the same \
again goes on.")]
pub(super) struct Enrol {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    psp: ToPsp,
    /// The customer's name at the PSP
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// The claim code that the PSP gave out
    #[arg(value_name = "CLAIM-CODE")]
    code: String,
}

impl Enrol {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let psp = self.psp.http()?;
        let mut talk = Talk::begin(&self.which)?;
        let progress = Progress::begin("enrolling");
        talk.tell(&Command::Enrol { customer: self.customer.clone(), claim_code: self.code.clone() }, Risk::None)?;
        loop {
            match talk.serve(&psp, &progress, "enrolling").map_err(|failure| failure.with_money(Some(false)))? {
                Event::Enrolled => break,
                Event::NotEnrolled(told) => return Err(talk::refused(&told)),
                other => talk.earlier.push(other),
            }
        }
        drop(progress);
        let human = format!(
            "Enrolled for {}.\n{}Next: specie terminal sync.\n",
            self.customer,
            events::earlier(&talk.earlier, None)
        );
        let machine = json!({
            "enrolled": true,
            "customer": self.customer,
            "earlier": events::machines(&talk.earlier),
        });
        Ok(Answer::new(human, machine))
    }
}
