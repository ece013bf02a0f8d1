//! `specie bank supervise` and `specie bank disclosed`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_core::bytes::TransferId;
use specie_core::disclosure::{DisclosedTransfer, SupervisoryKey};
use specie_core::encoding::Encode;
use specie_server::bank::SupervisionRecord;
use specie_supervision::opening::Opening;
use specie_supervision::outcome::Outcome;

use super::{Root, Which};
use crate::answer::Answer;
use crate::device::parse_amount;
use crate::failure::Failure;
use crate::money;
use crate::supervision::read;

/// Have payments above an amount disclosed to the supervisory authorities, from the next manifest on
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank supervise bank --above 1000.00 --key 5f0c…
  # a new key; the old one is still accepted
  specie bank supervise bank --above 1000.00 --key 77ab… --key 5f0c…
  specie bank supervise bank --never

The key comes out of the authorities' ceremony. Payers above the amount encrypt their device's identity to it; it takes as many of \
the officers as the ceremony laid down to read one.")]
pub(super) struct Supervise {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    root: Root,
    /// The largest payment without a disclosure
    #[arg(long, value_name = "AMOUNT", required_unless_present = "never", conflicts_with = "never")]
    above: Option<String>,
    /// The supervisory key, in hex; then those before it that are still accepted
    #[arg(long = "key", value_name = "KEY", value_parser = parse_supervisory_key, required_unless_present = "never", conflicts_with = "never")]
    keys: Vec<SupervisoryKey>,
    /// No payment is disclosed any more
    #[arg(long)]
    never: bool,
}

/// Write a disclosed transfer to a file, for the officers who can read its payer
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank disclosed bank 9a31… --key 5f0c… --case order-7 --out payment.disclosed
  specie inspect payment.disclosed

The id stands in `specie inspect FILE.payment`, above what each transfer spends: for what somebody was paid with, the payee's \
copy has it. The bank has a transfer when a payee has redeemed what came of it, or its payer has uploaded it.")]
pub(super) struct Disclosed {
    #[command(flatten)]
    which: Which,
    /// The transfer's id, in hex
    #[arg(value_name = "TRANSFER", value_parser = parse_transfer_id)]
    transfer: TransferId,
    /// The supervisory key to which it is disclosed, in hex; `specie supervision show` tells it
    #[arg(long, value_name = "KEY", value_parser = parse_supervisory_key)]
    key: SupervisoryKey,
    /// The case for which officers ask, as they name it; it stands in the audit log
    #[arg(long, value_name = "TEXT")]
    case: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// File the opening of a payment: the audit log says for which case, and which officers opened it
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank opened bank 7.opening --outcome first.outcome --disclosed payment.disclosed

The opening is verified first. A payment that the bank handed out is opened for a case for which it was handed out. Who paid does not \
stand in the log.")]
pub(super) struct Opened {
    #[command(flatten)]
    which: Which,
    /// The opening, as `specie supervision open` writes it
    #[arg(value_name = "OPENING")]
    opening: PathBuf,
    /// The ceremony's outcome
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
    /// The disclosed transfer
    #[arg(long, value_name = "FILE")]
    disclosed: PathBuf,
}

impl Opened {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let outcome: Outcome = read(&self.outcome, "outcome")?;
        let disclosed: DisclosedTransfer = read(&self.disclosed, "disclosed transfer")?;
        let opening: Opening = read(&self.opening, "opening")?;
        opening.verify(&outcome, &disclosed)?;
        let (id, case, officers) = (disclosed.transfer.id(), opening.case(), opening.officers().collect::<Vec<_>>());
        self.which.open()?.file_opening(&id, disclosed.key, case.as_str(), &officers)?;
        let human = format!("The audit log says that transfer {id} was opened for: {case}\n");
        Ok(Answer::new(human, json!({ "transfer": id.to_string(), "case": case.as_str(), "officers": officers })))
    }
}

impl Supervise {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let bank = self.which.open()?;
        let root = self.which.root(&self.root)?;
        let currency = bank.bank.settings().currency;
        let Some(above) = &self.above else {
            let header = bank.supervise(root.as_ref(), None)?;
            let human = format!("No payment is disclosed any more; manifest {} says so.\n", header.sequence);
            return Ok(Answer::new(
                human,
                json!({ "manifest_sequence": header.sequence, "threshold": null, "keys": [] }),
            ));
        };
        let threshold = parse_amount(above, currency)?;
        let record = SupervisionRecord::new(threshold, self.keys.clone()).map_err(|error| {
            Failure::refused("supervisory-key", error, "name the key that the ceremony gave; nothing was changed")
        })?;
        let header = bank.supervise(root.as_ref(), Some(&record))?;
        let human = format!(
            "Payments above {} are disclosed; manifest {} says so. Devices hear of it when they synchronise or meet one that has.\n",
            money::show(threshold, currency),
            header.sequence
        );
        let keys: Vec<String> = record.keys.iter().map(|key| hex::encode(key.0)).collect();
        let machine = json!({
            "manifest_sequence": header.sequence,
            "threshold": threshold.minor(),
            "currency": currency.as_str(),
            "keys": keys,
        });
        Ok(Answer::new(human, machine))
    }
}

impl Disclosed {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let name = self.out.display().to_string();
        let failed = |error: std::io::Error| Failure::file(&name, &error);
        // Before anything stands in the log: what is there may be another case's.
        if self.out.exists() {
            return Err(Failure::refused(
                "exists",
                format!("{name} exists already: nothing was handed out, and nothing stands in the log"),
                "name a file that does not exist",
            ));
        }
        let disclosed = self.which.open()?.disclosed_transfer(&self.transfer, self.key, &self.case)?.to_vec();
        let mut file = fs::File::create_new(&self.out).map_err(failed)?;
        file.write_all(&disclosed).and_then(|()| file.sync_all()).map_err(failed)?;
        let human = format!("Wrote transfer {} to {name}, {} bytes.\n", self.transfer, disclosed.len());
        Ok(Answer::new(human, json!({ "file": name, "bytes": disclosed.len(), "transfer": self.transfer.to_string() })))
    }
}

fn parse_supervisory_key(text: &str) -> Result<SupervisoryKey, String> {
    let key = SupervisoryKey(parse_bytes(text)?);
    key.point().map_err(|_| "not a supervisory key: no point, or the identity".to_owned())?;
    Ok(key)
}

fn parse_transfer_id(text: &str) -> Result<TransferId, String> {
    parse_bytes(text).map(TransferId)
}

fn parse_bytes(text: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(text.trim()).map_err(|error| format!("not hex: {error}"))?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| format!("{length} bytes instead of 32"))
}
