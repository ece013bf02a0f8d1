//! `specie bank status`.

use serde_json::json;
use specie_api::bank::{ClassConservation, Conservation};
use specie_core::Amount;
use specie_core::text::Currency;
use specie_server::bank::CentralBank;

use super::epochs;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;
use crate::printable::printable;

/// Who the bank is, and whether its books hold.
pub(super) fn show(bank: &CentralBank) -> Result<Answer, Failure> {
    let (status, books) = (bank.status()?, bank.conservation()?);
    let currency = bank.bank.settings().currency;
    let mut human = format!(
        "{} issues {}\n  root key          {}\n  manifest          {}\n  revocation list   {} ({} notes wait)\n  devices           {} ({} struck off)\n  double spends     {}\n  alarms            {}\n",
        status.issuer,
        status.currency,
        status.root_key,
        status.manifest_sequence,
        status.revocation_sequence,
        status.revocations_waiting,
        status.devices,
        status.struck_off,
        status.double_spends,
        status.alarms,
    );
    let (classes, now) = (bank.class_table()?, bank.clock.now());
    human.push_str(&epochs::rotation_text(&classes, now));
    human.push_str(&books_text(&books, currency));
    human.push_str("\nReserves\n");
    let reserves = bank.reserves()?;
    for (psp, reserve) in &reserves {
        human.push_str(&format!("  {:<32}  {}\n", printable(psp.as_str()), money::show(*reserve, currency)));
    }
    let psps = reserves.iter().map(|(psp, reserve)| json!({ "name": psp.as_str(), "reserve": reserve.minor() }));
    let psps: Vec<_> = psps.collect();
    let holds = books.holds && status.alarms == 0;
    let rotation = epochs::rotation(&classes, now);
    let machine = json!({ "status": status, "rotation": rotation, "conservation": books, "psps": psps });
    Ok(Answer::verdict(holds, human, machine))
}

/// Each class, and whether the books hold.
pub(super) fn books_text(books: &Conservation, currency: Currency) -> String {
    let mut human = format!(
        "\n  {:>5} {:>14} {:>16} {:>16} {:>16} {:>16}\n",
        "epoch", "note of", "issued", "redeemed", "expired", "outstanding"
    );
    let mut classes: Vec<&ClassConservation> = books.classes.iter().filter(|class| class.issued > 0).collect();
    classes.sort_by_key(|class| (class.epoch, class.face));
    for class in classes {
        human.push_str(&line(class, currency));
    }
    human.push_str(&format!(
        "\n  reserves of PSPs  {} {currency}\n  fraud loss        {}\n",
        signed(books.reserves, currency),
        money::show(amount(books.fraud_loss), currency)
    ));
    books.findings.iter().for_each(|finding| human.push_str(&format!("  WRONG: {finding}\n")));
    human.push_str(if books.holds {
        "The books hold: issued − redeemed − expired = outstanding, class by class.\n"
    } else {
        "THE BOOKS DO NOT HOLD.\n"
    });
    human
}

fn line(class: &ClassConservation, currency: Currency) -> String {
    let decimal = |minor: u64| money::decimal(amount(minor), currency);
    format!(
        "  {:>5} {:>14} {:>16} {:>16} {:>16} {:>16}\n",
        class.epoch,
        decimal(class.face),
        decimal(class.issued),
        decimal(class.redeemed),
        decimal(class.expired),
        signed(class.outstanding, currency)
    )
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap_or(Amount::MAX)
}

/// A balance that ought not to be negative, and would show if it were.
fn signed(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    format!("{sign}{}", money::decimal(amount(minor.unsigned_abs()), currency))
}
