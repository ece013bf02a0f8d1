//! `specie device balance`.

use clap::Args;
use serde_json::{Value, json};
use specie_core::Amount;
use specie_device::device::Holdings;

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;

/// Show what the device holds, and why it is so much
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device balance alice
  specie --json device balance alice | jq '.holdings[0].spendable'")]
pub(super) struct Balance {
    #[command(flatten)]
    which: Which,
}

impl Balance {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let device = self.which.look()?;
        let overview = device.overview();
        let human: String = overview.holdings.iter().map(lines).collect();
        let human = if human.is_empty() { "Nothing: the device never synchronised.\n".to_owned() } else { human };
        let holdings: Vec<Value> = overview.holdings.iter().map(to_json).collect();
        Ok(Answer::new(human, json!({ "holdings": holdings })))
    }
}

/// The parts of a balance with their names, for people and for machines.
fn parts(holdings: &Holdings) -> [(&'static str, &'static str, Amount); 11] {
    let balance = &holdings.balance;
    [
        ("notes", "notes of the bank, ready to pay", balance.notes),
        ("received", "received, ready to pay", balance.received),
        ("change_spendable", "change, ready to pay", balance.change_spendable),
        ("change_kept", "change, kept until the next synchronisation", balance.change_kept),
        ("redeem_only", "good at the bank only: synchronise", balance.redeem_only),
        ("in_withdrawal", "being withdrawn", balance.in_withdrawal),
        ("in_redemption", "being redeemed", balance.in_redemption),
        ("in_planned_payments", "set aside for payments under way", balance.in_planned_payments),
        ("undelivered", "paid, no receipt yet", balance.undelivered),
        ("expiring", "of these, to be renewed soon", balance.expiring),
        ("lost", "lost: past its date, or refused by the bank", balance.lost),
    ]
}

fn lines(holdings: &Holdings) -> String {
    let currency = holdings.currency;
    let mut text = format!("{} can be paid now\n", money::show(holdings.balance.spendable(), currency));
    for (_, name, amount) in parts(holdings).iter().filter(|(_, _, amount)| !amount.is_zero()) {
        text.push_str(&format!("  {:>14}  {name}\n", money::decimal(*amount, currency)));
    }
    text.push_str(&format!("  {:>14}  yours in all\n", money::decimal(holdings.balance.total(), currency)));
    let blanks = holdings.blanks;
    text.push_str(&format!(
        "blanks: {} free, {} in open requests, {} own something\n",
        blanks.free, blanks.reserved, blanks.owning
    ));
    text
}

fn to_json(holdings: &Holdings) -> Value {
    let mut value = json!({
        "currency": holdings.currency.as_str(),
        "spendable": holdings.balance.spendable().minor(),
        "total": holdings.balance.total().minor(),
        "blanks": {
            "free": holdings.blanks.free,
            "reserved": holdings.blanks.reserved,
            "owning": holdings.blanks.owning,
        },
    });
    for (name, _, amount) in parts(holdings) {
        value[name] = json!(amount.minor());
    }
    value
}
