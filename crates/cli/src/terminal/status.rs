//! `specie terminal status`.

use clap::Args;
use serde_json::json;
use specie_core::text::Currency;
use specie_device::gateway::{Command, Reply};

use super::talk::{Risk, Talk};
use super::{Which, events, show_minor};
use crate::answer::Answer;
use crate::device::parse_currency;
use crate::failure::Failure;

/// Show what the device holds and what is under way
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal status --line serial:/dev/ttyACM0
  specie terminal status --line serial:/dev/ttyACM0 --currency EUR --json

What happened since anybody last listened is shown too, once.")]
pub(super) struct Status {
    #[command(flatten)]
    which: Which,
    /// Show amounts in this currency, not in minor units
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Option<Currency>,
}

impl Status {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut talk = Talk::begin(&self.which)?;
        let status = match talk.tell(&Command::Status, Risk::None)? {
            Reply::Status(status) => status,
            _ => return Err(other_reply()),
        };
        let machine = json!({
            "wallet": status.wallet,
            "enrolled": status.enrolled,
            "spendable": status.spendable,
            "total": status.total,
            "blanks": status.blanks,
            "undelivered": status.undelivered,
            "pending": status.pending,
            "manifest_sequence": status.manifest,
            "limits_sequence": status.limits,
            "flash": { "used": status.live, "capacity": status.capacity },
            "earlier": events::machines(&talk.earlier),
        });
        let earlier = events::earlier(&talk.earlier, self.currency);
        if !status.wallet {
            return Ok(Answer::new(
                format!("There is no wallet: make one with `specie terminal new`.\n{earlier}"),
                machine,
            ));
        }
        let (spendable, total) = (show_minor(status.spendable, self.currency), show_minor(status.total, self.currency));
        let enrolled = if status.enrolled { "yes" } else { "no" };
        let human = format!(
            "Spendable {spendable}, held {total} in all.\n  \
             blanks        {} free\n  \
             enrolled      {enrolled}\n  \
             under way     {} payments that neither the payee nor the bank has, {} other things\n  \
             knows         manifest {}, limits {}\n  \
             flash         {} of {} bytes used\n{earlier}",
            status.blanks,
            status.undelivered,
            status.pending,
            status.manifest,
            status.limits,
            status.live,
            status.capacity
        );
        Ok(Answer::new(human, machine))
    }
}

/// A reply that does not fit what was asked.
pub(super) fn other_reply() -> Failure {
    Failure::refused(
        "wrong-reply",
        "the device replied to something else than it was told",
        "do the same again; if it goes on, its program and this one are of different versions",
    )
    .with_money(None)
}
