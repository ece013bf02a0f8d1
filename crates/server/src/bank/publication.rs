//! What the bank shows to everyone: who it is, its manifests, revocations and evidence, and that its books hold.

use specie_api::bank as api;
use specie_api::hexadecimal::Hex;
use specie_bank::conservation::{ClassLine, Conservation};
use specie_bank::detection::DoubleSpendRecord;
use specie_bank::storage::Storage;
use specie_bank::watch::{Alarm, Watched};
use specie_core::Amount;
use specie_core::encoding::Encode;
use specie_core::manifest::SignedHeader;

use super::setup::CentralBank;
use crate::reply::Refusal;

impl CentralBank {
    /// Who the bank is and how it does.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn status(&self) -> Result<api::Status, Refusal> {
        let now = self.clock.now();
        let settings = self.bank.settings();
        self.bank.storage().read(|view| {
            let counts = view.device_counts()?;
            Ok(api::Status {
                service: "bank".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                issuer: settings.issuer.as_str().into(),
                currency: settings.currency.as_str().into(),
                root_key: settings.root_key.0.into(),
                time: now.seconds(),
                manifest_sequence: view.manifest_sequence()?,
                revocation_sequence: view.newest_revocation()?.map_or(0, |newest| newest.sequence),
                revocations_waiting: view.notes_waiting(now)?,
                issuing_epoch: self.bank.class_table(view)?.issuing_epoch(now),
                devices: counts.registered,
                struck_off: counts.struck_off,
                double_spends: view.double_spend_sequence()?,
                alarms: view.alarm_count()?,
            })
        })
    }

    /// Signed headers after `after`, and the newest manifest.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn manifests(&self, after: u64) -> Result<api::Manifests, Refusal> {
        let header = |signed: SignedHeader| api::SignedHeader {
            header: signed.header.to_vec().into(),
            signature: signed.signature.into(),
        };
        self.bank.storage().read(|view| {
            let headers = view.headers_after(after)?.into_iter().map(header).collect();
            Ok(api::Manifests { headers, manifest: view.newest_manifest()?.map(Hex::from) })
        })
    }

    /// Of the newest `pages` pages of the revocation list those signed after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn revocations(&self, after: u64, pages: u32) -> Result<api::Revocations, Refusal> {
        let newer = self.bank.storage().read(|view| view.revocations_after(after, pages).map_err(Refusal::from))?;
        Ok(api::Revocations { pages: newer.into_iter().map(Hex::from).collect() })
    }

    /// A page of the evidence after sequence `after`.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn evidence(&self, after: u64) -> Result<api::EvidencePage, Refusal> {
        let found = self.bank.storage().read(|view| {
            let found = view.double_spends_after(after, api::PAGE_LENGTH_MAX + 1)?;
            let with_loss = found.into_iter().map(|one| view.loss_of_root(&one.root).map(|loss| (one, loss)));
            with_loss.collect::<Result<Vec<_>, _>>().map_err(Refusal::from)
        })?;
        let more = found.len() > api::PAGE_LENGTH_MAX as usize;
        let page = found.into_iter().take(api::PAGE_LENGTH_MAX as usize);
        Ok(api::EvidencePage { items: page.filter_map(evidence).collect(), more })
    }

    /// Whether the books hold.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn conservation(&self) -> Result<api::Conservation, Refusal> {
        let books = self.bank.storage().read(|view| self.bank.conservation(view).map_err(Refusal::from))?;
        Ok(conservation(books))
    }

    /// The same, raising the alarm if they do not: with the alarm that stands then.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn watch_conservation(&self) -> Result<(api::Conservation, Option<Alarm>), Refusal> {
        let Watched { conservation: books, alarm, .. } = self.bank.watch_conservation(self.clock.now())?;
        Ok((conservation(books), alarm))
    }
}

fn conservation(books: Conservation) -> api::Conservation {
    let holds = books.holds();
    let Conservation { classes, postings_sum, reserves, fraud_loss, fraud_loss_ledger, findings } = books;
    api::Conservation {
        holds,
        classes: classes.iter().map(class).collect(),
        postings_sum: narrow(postings_sum),
        reserves: narrow(reserves),
        fraud_loss: whole(fraud_loss),
        fraud_loss_ledger,
        findings: findings.iter().map(ToString::to_string).collect(),
    }
}

/// Evidence that convicts somebody; the rest is an alarm, not for publication.
fn evidence((found, loss): (DoubleSpendRecord, Amount)) -> Option<api::EvidenceItem> {
    Some(api::EvidenceItem {
        sequence: found.sequence,
        at: found.at.seconds(),
        note_id: found.note_id.0.into(),
        device: found.culprit?.into(),
        registered: found.registered,
        loss: loss.minor(),
        evidence: found.evidence.into(),
    })
}

fn class(line: &ClassLine) -> api::ClassConservation {
    api::ClassConservation {
        class_id: line.class_id.0.into(),
        epoch: line.epoch,
        face: line.face.minor(),
        issued: whole(line.issued),
        redeemed: whole(line.redeemed),
        expired: whole(line.expired),
        outstanding: narrow(line.outstanding()),
        ledger: line.ledger,
    }
}

/// Sums of the whole bank fit 64 bits unless something is very wrong, which the findings say.
fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

fn whole(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
