//! `specie bank rotate`, `specie bank publish` and `specie bank classes`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_core::class::Class;
use specie_server::bank::{CentralBank, ClassTable, EpochTerms, NextEpoch, Notice, Planned, Rotation};

use super::root_key::{Root, write_new};
use super::signer::kind;
use super::{DAY, Terms, Which};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{moment, money};

/// Publish the next epoch: new issuing keys, a new manifest. It begins by itself at its date
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank rotate bank --root-key /media/root.key
  specie bank rotate bank --ahead-days 45 --spend-days 200 --redeem-days 400
  specie bank rotate bank --at-once 'signer taken from its rack, ticket 21'
  specie bank rotate bank --ahead-days 35 --draft next.draft

With --draft the root key stays where it is: sign the file there (`specie bank root-key sign`) and publish it here (`specie bank publish`), \
30 days before it begins. The next epoch begins at midnight (UTC), 30 days from now or later, so that every device can hear of it; where one is published that has \
not begun, nothing is done. --at-once is for an issuing key that is in other hands: the new epoch begins now, nothing of earlier ones is \
issued any more, and the reason is in the audit log. Notes that are out stay good until their dates.")]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    root: Root,
    /// How many days from now it begins; not fewer than 30
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(30..))]
    ahead_days: u32,
    /// Begin it now, for this reason
    #[arg(long, value_name = "REASON", conflicts_with = "ahead_days")]
    at_once: Option<String>,
    /// Write what is to be signed to this file, and publish nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["root_key", "token"])]
    draft: Option<PathBuf>,
    #[command(flatten)]
    terms: Terms,
}

/// Publish a manifest that was signed where the root key is
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank publish bank next.manifest
  specie bank publish bank next.manifest --at-once 'signer taken from its rack, ticket 21'

Everything is checked as if it had been made here. The newest one again changes nothing.")]
pub(super) struct Publish {
    #[command(flatten)]
    which: Which,
    /// The manifest
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// Its epoch begins without notice, for this reason
    #[arg(long, value_name = "REASON")]
    at_once: Option<String>,
}

/// Show every class: where it stands, what comes next and when
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank classes bank
  specie bank classes bank --expired

pending: published, not issued yet. issuing: issued, spent, redeemed. spend-only: a newer epoch is issued. redeem-only: wallets accept \
it no more. expired: worth nothing. Dates never change once they are published.")]
pub(super) struct Classes {
    #[command(flatten)]
    which: Which,
    /// Show those that are worth nothing, too
    #[arg(long)]
    expired: bool,
}

impl Rotate {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let bank = self.which.open()?;
        let terms = self.terms.of(bank.bank.settings().currency)?;
        let notice = match &self.at_once {
            Some(reason) => Notice::Waived(reason),
            None => Notice::Given(u64::from(self.ahead_days) * DAY),
        };
        if let Some(file) = &self.draft {
            return draft(&bank, &terms, notice, file);
        }
        let root = self.which.root(&self.root)?;
        let progress = Progress::begin("making the keys of the next epoch");
        let next = bank.rotate(root.as_ref(), &terms, notice)?;
        drop(progress);
        let from = moment::show(next.issue_from);
        let human = match (next.is_new, &self.at_once) {
            (true, None) => {
                format!("Manifest {} has epoch {}; it begins at {from}.\n", next.manifest_sequence, next.epoch)
            }
            (true, Some(_)) => {
                format!("Manifest {} has epoch {}, which has begun.\n", next.manifest_sequence, next.epoch)
            }
            (false, _) => {
                format!("Epoch {} is published already and begins at {from}; nothing was done.\n", next.epoch)
            }
        };
        Ok(Answer::new(human, shown(&next)))
    }
}

impl Publish {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let name = self.manifest.display().to_string();
        let manifest = fs::read(&self.manifest).map_err(|error| Failure::file(&name, &error))?;
        let header = self.which.open()?.publish_signed(&manifest, self.at_once.as_deref())?;
        let human = format!("Manifest {} is published.\n", header.sequence);
        Ok(Answer::new(human, json!({ "manifest_sequence": header.sequence })))
    }
}

fn draft(bank: &CentralBank, terms: &EpochTerms, notice: Notice<'_>, file: &Path) -> Result<Answer, Failure> {
    let name = file.display().to_string();
    match bank.draft_epoch(terms, notice)? {
        Planned::Published(next) => {
            let from = moment::show(next.issue_from);
            let human =
                format!("Epoch {} is published already and begins at {from}; nothing was written.\n", next.epoch);
            Ok(Answer::new(human, shown(&next)))
        }
        Planned::Drafted(next, draft) => {
            write_new(file, &draft.unsigned()).map_err(|error| Failure::file(&name, &error))?;
            let human = format!(
                "Manifest {} with epoch {} waits in {name} for the root key.\n",
                next.manifest_sequence, next.epoch
            );
            Ok(Answer::new(human, shown(&next)))
        }
    }
}

fn shown(next: &NextEpoch) -> Value {
    json!({
        "epoch": next.epoch,
        "issue_from": next.issue_from.seconds(),
        "manifest_sequence": next.manifest_sequence,
        "new": next.is_new,
    })
}

impl Classes {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let central = self.which.open()?;
        let now = central.clock.now();
        let table = central.class_table()?;
        let mut classes: Vec<&Class> = table.iter().collect();
        if !self.expired {
            classes.retain(|class| class.info().redeem_until >= now);
        }
        classes.sort_by_key(|class| (class.info().epoch, class.info().kind, class.info().amount));
        let mut human = rotation_text(&table, now);
        classes.iter().for_each(|class| human.push_str(&line(&table, class, now)));
        let classes: Vec<Value> = classes.iter().map(|class| machine(&table, class, now)).collect();
        Ok(Answer::new(human, json!({ "rotation": rotation(&table, now), "classes": classes })))
    }
}

/// How the change to the next epoch stands, for people.
pub(super) fn rotation_text(classes: &ClassTable, now: Timestamp) -> String {
    let rotation = Rotation::of(classes, now);
    let issuing = rotation
        .issuing
        .map_or_else(|| "none".to_owned(), |(epoch, until)| format!("{epoch}, spent until {}", moment::show(until)));
    let next = match (rotation.next, rotation.publish_by) {
        (Some((epoch, from)), _) => format!("{epoch}, from {}", moment::show(from)),
        (None, Some(by)) => format!("none yet; publish it by {}", moment::show(by)),
        (None, None) => "none".to_owned(),
    };
    let warning = rotation.warning(now).map(|warning| format!("  WARNING: {}\n", warning.text(moment::show)));
    format!("  epoch issued      {issuing}\n  next epoch        {next}\n{}", warning.unwrap_or_default())
}

/// The same for machines.
pub(super) fn rotation(classes: &ClassTable, now: Timestamp) -> Value {
    let rotation = Rotation::of(classes, now);
    let epoch = |name: &str, epoch: Option<(u32, Timestamp)>| {
        epoch.map(|(epoch, moment)| json!({ "epoch": epoch, name: moment.seconds() }))
    };
    json!({
        "issuing": epoch("spend_until", rotation.issuing),
        "next": epoch("issue_from", rotation.next),
        "publish_by": rotation.publish_by.map(Timestamp::seconds),
        "warning": rotation.warning(now).map(|warning| warning.text(moment::show)),
    })
}

fn line(classes: &ClassTable, class: &Class, now: Timestamp) -> String {
    let info = class.info();
    let next = classes.next_state(info, now);
    let next = next.map(|(state, moment)| format!("  {} from {}", state.name(), moment::show(moment)));
    format!(
        "  {}  epoch {:>3} {} {:>14}  {:<11}{}\n",
        class.id(),
        info.epoch,
        kind(info.kind),
        money::show(info.amount, info.currency),
        classes.state(info, now).name(),
        next.unwrap_or_default()
    )
}

fn machine(classes: &ClassTable, class: &Class, now: Timestamp) -> Value {
    let info = class.info();
    let next = classes.next_state(info, now);
    json!({
        "class": class.id().to_string(),
        "epoch": info.epoch,
        "kind": kind(info.kind),
        "amount": info.amount.minor(),
        "state": classes.state(info, now).name(),
        "next": next.map(|(state, moment)| json!({ "state": state.name(), "from": moment.seconds() })),
        "issue_from": info.issue_from.seconds(),
        "spend_until": info.spend_until.seconds(),
        "redeem_until": info.redeem_until.seconds(),
    })
}
