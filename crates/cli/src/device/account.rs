//! `specie device account`.

use clap::Args;
use serde_json::json;
use specie_api::psp::{Account as Statement, Movement};
use specie_core::text::Currency;
use specie_core::{Amount, Timestamp};

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::printable::printable;
use crate::progress::Progress;
use crate::{moment, money};

/// Show the account at the PSP: balance, rations, movements (needs a network)
#[derive(Args, Debug)]
#[command(after_help = "EXAMPLES:\n  specie device account alice")]
pub(super) struct Account {
    #[command(flatten)]
    which: Which,
}

impl Account {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let progress = Progress::begin("asking the PSP");
        let statement = device.account()?;
        drop(progress);
        let human = describe(&statement);
        Ok(Answer::new(human, json!(statement)))
    }
}

fn describe(statement: &Statement) -> String {
    let currency = Currency::new(&statement.currency);
    let show = |minor: u64| match (currency, Amount::new(minor)) {
        (Some(currency), Some(amount)) => money::show(amount, currency),
        _ => format!("{minor} minor units"),
    };
    let mut text = format!(
        "{} at {}, tier {}\n  {:>16}  in the account\n  {:>16}  may be withdrawn now\n",
        statement.account,
        statement.psp,
        statement.tier,
        show(statement.balance),
        show(statement.withdrawable)
    );
    for ration in &statement.rations {
        let (epoch, blanks, cap) = (ration.epoch, ration.blanks, show(ration.cap_max));
        text.push_str(&format!("  {blanks:>16}  blanks left in epoch {epoch}, for at most {cap} each\n"));
    }
    for Movement { at, kind, amount, reference, .. } in &statement.history {
        let at = moment::show(Timestamp::new(*at).unwrap_or(Timestamp::EPOCH));
        let sign = if *amount < 0 { "−" } else { "" };
        let reference = printable(reference);
        text.push_str(&format!(
            "  {at}  {kind:<18}{:>16}  {reference}\n",
            format!("{sign}{}", show(amount.unsigned_abs()))
        ));
    }
    text
}
