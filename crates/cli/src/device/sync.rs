//! `specie device sync`.

use clap::Args;
use serde_json::{Value, json};
use specie_core::Amount;
use specie_core::text::Currency;
use specie_device::device::SyncReport;

use super::{InCurrency, Which, watch};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;
use crate::progress::Progress;

/// Synchronise with the PSP: deliver, claim, redeem, renew
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device sync alice
  specie device sync alice --everything   # redeem all notes too, before giving the device up
  # agree, once, that payments are uploaded (see specie device setting)
  specie device sync alice --accept-uploads

What was received, change, and notes close to their end are redeemed to the account; payments that did not arrive are \
uploaded or fetched; manifest, revocation list, limits and blanks are renewed. Where it breaks off, the next one goes on. \
The exit status is 1 when a part of it was refused.")]
pub(super) struct Sync {
    #[command(flatten)]
    which: Which,
    /// Redeem everything that the device holds, notes included
    #[arg(long)]
    everything: bool,
    /// Agree that this device's payments are uploaded where its tier asks for it, now and later
    #[arg(long)]
    accept_uploads: bool,
    #[command(flatten)]
    currency: InCurrency,
}

impl Sync {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        if self.accept_uploads {
            device.accept_uploads()?;
        }
        let progress = Progress::begin("synchronising");
        let report = if self.everything {
            device.redeem_everything(&mut watch(&progress))?
        } else {
            device.synchronise(&mut watch(&progress))?
        };
        drop(progress);
        Ok(describe(&report, self.currency.of(&device).ok(), device.has_recovery_code()))
    }
}

fn describe(report: &SyncReport, currency: Option<Currency>, has_code: bool) -> Answer {
    let amount = |minor: u64| {
        let amount = Amount::new(minor).unwrap_or(Amount::MAX);
        currency.map_or_else(|| format!("{minor} minor units"), |currency| money::show(amount, currency))
    };
    let mut human = format!("Synchronised, manifest {}.\n", report.manifest_sequence);
    if report.transfers > 0 {
        human.push_str(&format!("  online payments finished   {}\n", report.transfers));
    }
    if report.uploaded > 0 {
        human.push_str(&format!("  uploaded for their payees  {}\n", report.uploaded));
    }
    for received in &report.claimed {
        human.push_str(&format!("  fetched from the bank      {}\n", money::show(received.amount, received.currency)));
    }
    if report.coins_redeemed > 0 {
        let coins = report.coins_redeemed;
        human.push_str(&format!("  redeemed to the account    {} in {coins} coins\n", amount(report.redeemed)));
    }
    let withdrawn = &report.withdrawn;
    if withdrawn.notes + withdrawn.blanks > 0 {
        let (value, notes, blanks) = (amount(withdrawn.amount), withdrawn.notes, withdrawn.blanks);
        human.push_str(&format!("  withdrawn                  {value} in {notes} notes, {blanks} blanks\n"));
    }
    if let Some(balance) = report.account_balance {
        human.push_str(&format!("  account                    {}\n", amount(balance)));
    }
    if report.backed_up {
        human.push_str("  backup                     left with the PSP\n");
    } else if !has_code {
        human.push_str(
            "  backup                     none: the money is lost with the device (specie device recovery-code)\n",
        );
    }
    for (coin, code) in &report.coins_refused {
        human.push_str(&format!("  REFUSED by the bank        coin {} [{code}]\n", coin.0));
    }
    let mut said = Vec::new();
    for failure in &report.failures {
        let (what, code, advice) = (failure.what(), failure.code(), failure.advice());
        let line = format!("  NOT DONE                   {what} [{code}]; {advice}\n");
        // Several parts fail for one reason.
        if !said.contains(&line) {
            human.push_str(&line);
            said.push(line);
        }
    }
    let holds = report.failures.is_empty() && report.coins_refused.is_empty();
    Answer::verdict(holds, human, to_json(report))
}

fn to_json(report: &SyncReport) -> Value {
    let claimed = report.claimed.iter().map(|received| {
        json!({
            "amount": received.amount.minor(),
            "currency": received.currency.as_str(),
            "id": hex::encode(received.request.0),
            "repeated": received.repeated,
        })
    });
    let refused = report.coins_refused.iter().map(|(coin, code)| json!({ "coin": coin.0, "code": code }));
    let failures = report.failures.iter().map(|failure| {
        json!({
            "code": failure.code(),
            "what": failure.what(),
            "advice": failure.advice(),
            "money_moved": failure.money_moved(),
        })
    });
    json!({
        "manifest_sequence": report.manifest_sequence,
        "transfers": report.transfers,
        "uploaded": report.uploaded,
        "claimed": claimed.collect::<Vec<_>>(),
        "redeemed": report.redeemed,
        "coins_redeemed": report.coins_redeemed,
        "coins_refused": refused.collect::<Vec<_>>(),
        "withdrawn": {
            "amount": report.withdrawn.amount,
            "notes": report.withdrawn.notes,
            "blanks": report.withdrawn.blanks,
        },
        "account_balance": report.account_balance,
        "backed_up": report.backed_up,
        "failures": failures.collect::<Vec<_>>(),
    })
}
