//! `specie device status` and `specie device manifest`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use specie_core::{Amount, Timestamp};
use specie_device::link::file::{self, Place};
use specie_wallet::Wallet;
use specie_wallet::request::{RequestId, Terms};

use super::Which;
use super::recover::{describe_pending, kind};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::{moment, money};

/// Show who the device is, its limits, and what is under way
#[derive(Args, Debug)]
#[command(after_help = "EXAMPLES:\n  specie device status alice")]
pub(super) struct Status {
    #[command(flatten)]
    which: Which,
}

impl Status {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.look()?;
        let element = device.element_status()?;
        let wallet = device.wallet();
        let certificate = wallet.certificate().body;
        let (identity, key) = (hex::encode(certificate.U), certificate.A.to_string());
        let account = wallet.account().map(|account| (account.psp.to_string(), account.account.to_string()));
        let pending = device.overview().pending;
        let until = Timestamp::new(element.valid_until).unwrap_or(Timestamp::EPOCH);
        let enrolled =
            account.as_ref().map_or("not enrolled".to_owned(), |(psp, account)| format!("{account} at {psp}"));
        let currency = device.currency().ok();
        let amount = |minor: u64| match (currency, Amount::new(minor)) {
            (Some(currency), Some(amount)) => money::show(amount, currency),
            _ => minor.to_string(),
        };
        let life_cycle = format!("{:?}", element.life_cycle).to_lowercase();
        let mut human = format!(
            "{}\n  identity U   {identity}\n  key A        {key}\n  account      {enrolled}\n  element      {life_cycle}, {} of {} records used, PIN {}\n",
            device.config().name,
            element.records_used,
            element.records_used + element.records_free,
            element.pin_tries_left.map_or("not set".to_owned(), |tries| format!("set, {tries} tries left")),
        );
        if element.valid_until == 0 {
            human.push_str("  limits       none yet: synchronise to get them\n");
        } else {
            human.push_str(&format!(
                "  limits       per payment {}, until the next synchronisation {} ({} used), held {} ({} held), valid until {}\n",
                amount(element.max_payment),
                amount(element.max_cumulative),
                amount(element.spent),
                amount(element.max_holding),
                amount(element.held),
                moment::show(until),
            ));
        }
        human.push_str(&format!("  knows        manifest {}, {}\n", wallet.manifest_sequence(), list(wallet)));
        let requests: Vec<(RequestId, Terms)> =
            wallet.open_requests(device.now()).filter_map(|id| Some((id, wallet.request_terms(&id)?))).collect();
        for (id, terms) in &requests {
            human.push_str(&format!(
                "  asks for     {} until {}, request {}\n",
                money::show(terms.amount, terms.currency),
                moment::show(terms.expiry),
                hex::encode(id.0)
            ));
        }
        pending.iter().for_each(|item| human.push_str(&format!("  unfinished   {}\n", describe_pending(item))));
        let pending: Vec<Value> =
            pending.iter().map(|item| json!({ "kind": kind(item), "what": describe_pending(item) })).collect();
        let machine = json!({
            "name": device.config().name,
            "identity": identity,
            "key": key,
            "root_key": wallet.root().to_string(),
            "psp": account.as_ref().map(|(psp, _)| psp),
            "account": account.as_ref().map(|(_, account)| account),
            "manifest_sequence": wallet.manifest_sequence(),
            "revocation_sequence": wallet.revocation_sequence(),
            "revocations": wallet.revocations().map(|list| json!({
                "issued_at": list.issued_at.seconds(),
                "notes": list.notes,
                "all": list.all,
            })),
            "element": {
                "life_cycle": life_cycle,
                "pin_tries_left": element.pin_tries_left,
                "records_used": element.records_used,
                "records_free": element.records_free,
                "max_payment": element.max_payment,
                "max_cumulative": element.max_cumulative,
                "max_holding": element.max_holding,
                "valid_until": element.valid_until,
                "spent": element.spent,
                "held": element.held,
            },
            "requests": requests.iter().map(|(id, terms)| json!({
                "id": hex::encode(id.0),
                "amount": terms.amount.minor(),
                "currency": terms.currency.as_str(),
                "expiry": terms.expiry.seconds(),
            })).collect::<Vec<_>>(),
            "pending": pending,
        });
        Ok(Answer::new(human, machine))
    }
}

/// Write the bank's manifest that the device holds, to inspect with or to pass on
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device manifest alice --out manifest.cbor
  specie inspect --manifest manifest.cbor bob.payment")]
pub(super) struct Manifest {
    #[command(flatten)]
    which: Which,
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Manifest {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        let place = Place::named(&self.out);
        if json && place == Place::Pipe {
            return Err(Failure::usage("--json and --out - both want standard output", "name a file"));
        }
        let device = self.which.look()?;
        let manifest = device
            .wallet()
            .manifest()
            .ok_or_else(|| Failure::refused("no-manifest", "the device holds no manifest yet", "synchronise first"))?;
        file::write(&place, manifest).map_err(super::carry::not_written)?;
        let sequence = device.wallet().manifest_sequence();
        let human = format!("Wrote manifest {sequence} to {place}.\n");
        let answer = Answer::new(human, json!({ "manifest_sequence": sequence, "bytes": manifest.len() }));
        Ok(if place == Place::Pipe { answer.aside() } else { answer })
    }
}

/// What the device knows of the revocation list.
fn list(wallet: &Wallet) -> String {
    let Some(list) = wallet.revocations() else { return "no revocation list: synchronise to get it".to_owned() };
    let (notes, signed) = (list.notes, moment::show(list.issued_at));
    let part = if list.all { "" } else { "the newest " };
    format!("revocation list of {signed} ({part}{notes} notes)")
}
