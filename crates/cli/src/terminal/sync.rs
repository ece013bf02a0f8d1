//! `specie terminal sync`.

use clap::Args;
use serde_json::Value;
use specie_core::Amount;
use specie_core::text::Currency;
use specie_device::gateway::{Command, Event, Keep, Summary};

use super::talk::{Risk, Talk};
use super::{ToPsp, Which, events, show_minor};
use crate::answer::Answer;
use crate::device::{parse_amount, parse_currency};
use crate::failure::Failure;
use crate::progress::Progress;

/// Synchronise with the PSP: deliver, claim, redeem, withdraw
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal sync --line serial:/dev/ttyACM0 \\
      --psp http://127.0.0.1:7002 --keep-value 50.00 --currency EUR --keep-blanks 16
  specie terminal sync --line serial:/dev/ttyACM0 --psp http://127.0.0.1:7002   # withdraw nothing

This program only carries what the device signed to the PSP and back. Where it breaks off, the next one goes on. The exit status \
is 1 when a part of it did not work out.")]
pub(super) struct Sync {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    psp: ToPsp,
    /// How much to be able to spend offline afterwards; nothing without it
    #[arg(long, value_name = "AMOUNT", requires = "currency")]
    keep_value: Option<String>,
    /// How many free blanks to have afterwards, as far as the PSP's ration allows
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    keep_blanks: u16,
    /// What each blank may at least own; the largest that the ration allows without it
    #[arg(long, value_name = "AMOUNT", requires = "currency")]
    blank_cap: Option<String>,
    /// The currency of amounts, given and shown; minor units are shown without it
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Option<Currency>,
}

impl Sync {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let keep = Keep {
            value: self.amount(self.keep_value.as_ref())?.unwrap_or(Amount::ZERO),
            blanks: self.keep_blanks,
            blank_cap: self.amount(self.blank_cap.as_ref())?,
        };
        let psp = self.psp.http()?;
        let mut talk = Talk::begin(&self.which)?;
        let progress = Progress::begin("synchronising");
        talk.tell(&Command::Synchronise(keep), Risk::Money)?;
        let summary = loop {
            match talk.serve(&psp, &progress, "synchronising")? {
                Event::Synchronised(summary) => break summary,
                other => talk.earlier.push(other),
            }
        };
        drop(progress);
        Ok(describe(&summary, &talk.earlier, self.currency))
    }

    fn amount(&self, text: Option<&String>) -> Result<Option<Amount>, Failure> {
        text.zip(self.currency).map(|(text, currency)| parse_amount(text, currency)).transpose()
    }
}

fn describe(summary: &Summary, earlier: &[Event], currency: Option<Currency>) -> Answer {
    let amount = |minor| show_minor(minor, currency);
    let mut human = "Synchronised.\n".to_owned();
    for (count, what) in [
        (summary.uploaded, "payments uploaded for their payees"),
        (summary.claimed, "payments fetched from the bank"),
        (summary.withdrawn, "notes and blanks withdrawn"),
        (summary.refused, "coins REFUSED by the bank for good"),
    ] {
        if count > 0 {
            human.push_str(&format!("  {count} {what}\n"));
        }
    }
    if summary.redeemed > 0 {
        human.push_str(&format!("  {} redeemed to the account\n", amount(summary.redeemed)));
    }
    if let Some(balance) = summary.account_balance {
        human.push_str(&format!("  {} in the account\n", amount(balance)));
    }
    for failure in &summary.failures {
        human.push_str(&format!("  NOT DONE: {}\n", events::failure(failure)));
    }
    human.push_str(&events::earlier(earlier, currency));
    let mut machine = events::summary_fields(summary);
    if let Value::Object(fields) = &mut machine {
        fields.insert("earlier".to_owned(), events::machines(earlier));
    }
    Answer::verdict(summary.failures.is_empty() && summary.refused == 0, human, machine)
}
