//! Manifests (§3): what the bank publishes, signed by a root key that the serving process never sees.
//!
//! A new manifest is drafted from what is known here, carried to wherever the root key is, signed, and brought back to be
//! published. Publishing checks everything again: the chain of headers, that no living class is dropped or changed, that new ones
//! give notice, and that the entries are the PSPs and keys of this bank.

use std::collections::{BTreeMap, BTreeSet};

use specie_audit::Kind as Decided;
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, ManifestId};
use specie_core::class::{Class, Classes, Info, Kind};
use specie_core::encoding::{Decode, DecodeError, Encode, Writer};
use specie_core::manifest::{Entry, Manifest, ManifestHeader, SignedHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::{BadSignature, PublicKey, SIGNATURE_LENGTH, SigningKey};
use specie_core::text::Name;
use thiserror::Error;

use crate::audit::{self, hex};
use crate::bank::Bank;
use crate::classes::{ClassTable, NOTICE_SECONDS};
use crate::settings::Settings;
use crate::signer::{Signer, SignerError};
use crate::storage::{Storage, StorageError, View};
use crate::supervision;

/// What an epoch's classes have in common, and their amounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpochPlan {
    /// Counts epochs; higher than all before.
    pub epoch: u32,
    /// First moment of issue.
    pub issue_from: Timestamp,
    /// Last moment at which wallets accept its notes.
    pub spend_until: Timestamp,
    /// Last moment at which the bank redeems them.
    pub redeem_until: Timestamp,
    /// The most transfers in one chain.
    pub max_hops: u8,
    /// Face values of value notes.
    pub faces: Vec<Amount>,
    /// The most that blanks may own.
    pub caps: Vec<Amount>,
}

/// A manifest that waits for the root key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    header: ManifestHeader,
    entries: Vec<Vec<u8>>,
}

/// Why an epoch cannot be planned so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the plan of the epoch contradicts itself ({0}): check its dates, hops and amounts")]
pub struct BadPlan(DecodeError);

/// Why a manifest is not published.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are no manifest.
    #[error("this is no manifest: {0}")]
    Malformed(#[from] DecodeError),
    /// The root key did not sign it.
    #[error("the manifest is not signed by this bank's root key")]
    Signature(#[from] BadSignature),
    /// It does not follow the newest one.
    #[error("the manifest does not follow the newest one: draft it anew")]
    NotNext,
    /// A class is not this bank's.
    #[error("class {0} is of another issuer or currency")]
    ForeignClass(ClassId),
    /// A class is missing that is still redeemed.
    #[error("class {0} is still redeemed and must stay in the manifest")]
    DroppedClass(ClassId),
    /// A new class belongs to an epoch that is not newer than all before.
    #[error("epoch {0} is not newer than those published: number it higher")]
    OldEpoch(u32),
    /// A new class begins or ends before one that it takes over from: wallets would go on asking for that one.
    #[error("a class of {0} begins or ends before one of an earlier epoch: let it begin and end no earlier")]
    EarlyEnd(Amount),
    /// A new class begins before those who hold older ones can have heard of it.
    #[error(
        "epoch {0} begins less than 30 days from now: devices must have the time to hear of it; let it begin later"
    )]
    NoNotice(u32),
    /// A new class is spent or redeemed for too short a time.
    #[error("epoch {0} is spent for less than 30 days, or redeemed for less than 30 days after that: set later dates")]
    ShortLife(u32),
    /// The signer does not hold the key of a new class.
    #[error("the signer does not hold the key of class {0}: give it the keys of this epoch")]
    NoKey(ClassId),
    /// PSPs, the ledger's key or what is said of disclosures differ from what is registered here.
    #[error("the manifest's PSPs, ledger key or supervisory keys are not those registered here: draft it anew")]
    OtherEntries,
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The 1-2-5 series up to `largest`: 1, 2, 5, 10, 20, 50, …
pub fn series(largest: Amount) -> Vec<Amount> {
    let decades = std::iter::successors(Some(1_u64), |decade| decade.checked_mul(10));
    let all = decades.flat_map(|decade| [1, 2, 5].map(|step| decade.checked_mul(step).and_then(Amount::new)));
    all.map_while(|amount| amount.filter(|amount| *amount <= largest)).collect()
}

impl EpochPlan {
    /// Moves its dates so that none of its classes ends before one of the same use.
    pub fn end_no_earlier_than(&mut self, known: &ClassTable) {
        let latest = known.iter().map(|class| class.info().spend_until).max().unwrap_or(Timestamp::EPOCH);
        let redeemed = self.redeem_until.seconds().saturating_sub(self.spend_until.seconds());
        self.spend_until = self.spend_until.max(latest);
        self.redeem_until = self.spend_until.saturating_add(redeemed);
    }

    /// What its classes will be for: a signer makes their keys.
    ///
    /// # Errors
    /// When the plan contradicts itself.
    pub fn infos(&self, settings: &Settings) -> Result<Vec<Info>, BadPlan> {
        let kinds = [(Kind::Value, &self.faces, self.max_hops), (Kind::Blank, &self.caps, 0)];
        let infos = kinds.into_iter().flat_map(|(kind, amounts, max_hops)| {
            amounts.iter().map(move |amount| Info {
                issuer: settings.issuer,
                currency: settings.currency,
                kind,
                amount: *amount,
                epoch: self.epoch,
                issue_from: self.issue_from,
                spend_until: self.spend_until,
                redeem_until: self.redeem_until,
                max_hops,
            })
        });
        // Read again, it is checked.
        infos.map(|info| Info::decode(&info.to_vec()).map_err(BadPlan)).collect()
    }
}

impl Draft {
    /// What will be signed.
    pub fn header(&self) -> &ManifestHeader {
        &self.header
    }

    /// The encoded entries.
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Signs it with the root key and gives the manifest, encoded.
    pub fn sign(&self, root: &SigningKey) -> Vec<u8> {
        self.under(&self.header.sign(root))
    }

    /// As a manifest that nobody signed: to be carried to where the root key is.
    pub fn unsigned(&self) -> Vec<u8> {
        self.under(&SignedHeader { header: self.header, signature: [0; SIGNATURE_LENGTH] })
    }

    /// The manifest of its entries under its header, which the root key signed somewhere else; encoded.
    pub fn under(&self, signed: &SignedHeader) -> Vec<u8> {
        let entries: Vec<&[u8]> = self.entries.iter().map(Vec::as_slice).collect();
        let mut w = Writer::new(Vec::new());
        match write_manifest(signed, &entries, &mut w) {
            Ok(()) => w.into_inner(),
            Err(never) => match never {},
        }
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Drafts the next manifest: every class that is still redeemed, the `new` ones, all PSPs, the ledger's key, the supervisory keys.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn draft_manifest(&self, new: &[Class], now: Timestamp) -> Result<Draft, ManifestError> {
        self.storage().read(|view| {
            let newest = newest_header(view)?;
            let issued_at = newest.map_or(now, |header| header.issued_at.max(now));
            let classes = self.class_table(view)?;
            let living = classes.iter().filter(|class| class.info().redeem_until >= issued_at);
            let new = new.iter().filter(|class| Classes::class(&*classes, &class.id()).is_none());
            let classes = living.chain(new).map(|class| Entry::Class(class.clone()).to_vec());
            let psps = view.psps()?;
            let psps = psps.iter().map(|psp| Entry::Psp { name: psp.name, key: psp.key }.to_vec());
            let ledger = Entry::Ledger { key: self.settings().ledger_key }.to_vec();
            let supervision = supervision::entries(view, self.settings())?;
            let supervision = supervision.into_iter().map(|one| Entry::Supervision(one).to_vec());
            let entries: Vec<_> = classes.chain(psps).chain([ledger]).chain(supervision).collect();
            let header = ManifestHeader {
                issuer: self.settings().issuer,
                sequence: newest.map_or(1, |header| header.sequence + 1),
                previous: newest.map_or(ManifestId([0; 32]), |header| header.id()),
                issued_at,
                entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
                entry_count: u32::try_from(entries.len()).expect("far fewer entries than 2^32"),
            };
            Ok(Draft { header, entries })
        })
    }

    /// Publishes a signed manifest. The newest one again changes nothing.
    ///
    /// # Errors
    /// When it is not what this bank may publish next.
    pub fn publish_manifest(&self, bytes: &[u8], now: Timestamp) -> Result<ManifestHeader, ManifestError> {
        self.publish(bytes, None, now)
    }

    /// The same, for an emergency: its new classes may begin without notice, and before those of an epoch that has not begun. The audit
    /// log says for which `reason`.
    ///
    /// # Errors
    /// When it is not what this bank may publish next.
    pub fn publish_at_once(&self, bytes: &[u8], reason: &str, now: Timestamp) -> Result<ManifestHeader, ManifestError> {
        self.publish(bytes, Some(reason), now)
    }

    fn publish(&self, bytes: &[u8], hurry: Option<&str>, now: Timestamp) -> Result<ManifestHeader, ManifestError> {
        let manifest = Manifest::decode(bytes)?;
        manifest.verify(&self.settings().root_key)?;
        let signed = manifest.signed;
        self.storage().transact(|tx| {
            if tx.newest_manifest()?.as_deref() == Some(bytes) {
                return Ok(signed.header);
            }
            let newest = newest_header(tx)?;
            let next = match newest {
                Some(newest) => signed.header.follows(&newest),
                None => signed.header.sequence == 1 && signed.header.previous == ManifestId([0; 32]),
            };
            if !next || signed.header.issuer != self.settings().issuer {
                return Err(ManifestError::NotNext);
            }
            let classes = self.check_entries(tx, &manifest, hurry.is_some(), now)?;
            let hurried: BTreeSet<u32> = classes.iter().map(|class| class.info().epoch).collect();
            for (epoch, reason) in hurry.iter().flat_map(|reason| hurried.iter().map(move |epoch| (epoch, reason))) {
                let details = [("reason", *reason)];
                audit::append(tx, self.actor(), now, Decided::NoticeWaived, &epoch.to_string(), &details)?;
            }
            for class in classes {
                tx.insert_class(&class.id(), class.Y_bytes(), class.info_bytes())?;
                let (id, details) = (class.id().to_string(), class_details(&class));
                audit::append(tx, self.actor(), now, Decided::ClassPublished, &id, &details)?;
            }
            tx.insert_manifest(&signed, bytes)?;
            let details =
                [("manifest", hex(&signed.header.id().0)), ("entries", signed.header.entry_count.to_string())];
            let sequence = signed.header.sequence.to_string();
            audit::append(tx, self.actor(), now, Decided::ManifestPublished, &sequence, &details)?;
            Ok(signed.header)
        })
    }

    /// Checks the entries, and gives the classes that are new.
    fn check_entries(
        &self,
        view: &mut (impl View + ?Sized),
        manifest: &Manifest<'_>,
        hurried: bool,
        now: Timestamp,
    ) -> Result<Vec<Class>, ManifestError> {
        let (mut classes, mut psps, mut ledgers) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut supervision = Vec::new();
        for (entry, _) in manifest.entries() {
            match entry {
                Entry::Class(class) => drop(classes.insert(class.id(), class)),
                Entry::Psp { name, key } => psps.push((name, key)),
                Entry::Ledger { key } => ledgers.push(key),
                Entry::Supervision(one) => supervision.push(one),
            }
        }
        let mut registered: Vec<(Name, PublicKey)> = view.psps()?.iter().map(|psp| (psp.name, psp.key)).collect();
        registered.sort();
        psps.sort();
        if supervision != supervision::entries(view, self.settings())? {
            return Err(ManifestError::OtherEntries);
        }
        if psps != registered || ledgers != [self.settings().ledger_key] {
            return Err(ManifestError::OtherEntries);
        }
        let known = self.class_table(view)?;
        let living = known.iter().filter(|class| class.info().redeem_until >= manifest.signed.header.issued_at);
        let mut living = living.map(Class::id);
        if let Some(dropped) = living.find(|id| !classes.contains_key(id)) {
            return Err(ManifestError::DroppedClass(dropped));
        }
        classes.retain(|id, _| !known.iter().any(|class| class.id() == *id));
        // Nobody hears of it before it is out, whatever its header says.
        let out = now.max(manifest.signed.header.issued_at);
        for class in classes.values() {
            self.check_new_class(class, &known)?;
            check_notice(class.info(), &known, hurried, out)?;
            if self.signer().issuing_key(&class.id())? != Some(*class.Y_bytes()) {
                return Err(ManifestError::NoKey(class.id()));
            }
        }
        Ok(classes.into_values().collect())
    }

    fn check_new_class(&self, class: &Class, known: &ClassTable) -> Result<(), ManifestError> {
        let info = class.info();
        if info.issuer != self.settings().issuer || info.currency != self.settings().currency {
            return Err(ManifestError::ForeignClass(class.id()));
        }
        if known.newest_epoch().is_some_and(|newest| info.epoch <= newest) {
            return Err(ManifestError::OldEpoch(info.epoch));
        }
        Ok(())
    }
}

/// Whether a class that is published at `out` leaves everyone the time to hear of it, to spend it and to redeem it.
///
/// # Errors
/// When it does not; `hurried`: for an emergency it may begin without notice, and in the place of an epoch that has not begun.
pub fn check_notice(info: &Info, known: &ClassTable, hurried: bool, out: Timestamp) -> Result<(), ManifestError> {
    // Wallets ask for the class that ends last (§3), the bank issues that of the newest epoch: it must be the same.
    let mut before = known.iter().map(Class::info).filter(|old| (old.kind, old.amount) == (info.kind, info.amount));
    let begun = |old: &Info| !hurried || old.issue_from <= out;
    if before.any(|old| old.spend_until > info.spend_until || (begun(old) && old.issue_from > info.issue_from)) {
        return Err(ManifestError::EarlyEnd(info.amount));
    }
    // Before a bank's first class nobody holds anything.
    let noticed = hurried || known.newest_epoch().is_none();
    if !noticed && info.issue_from < out.saturating_add(NOTICE_SECONDS) {
        return Err(ManifestError::NoNotice(info.epoch));
    }
    let spent_from = info.issue_from.max(out);
    let redeemed_from = info.spend_until.saturating_add(NOTICE_SECONDS);
    if info.spend_until < spent_from.saturating_add(NOTICE_SECONDS) || info.redeem_until < redeemed_from {
        return Err(ManifestError::ShortLife(info.epoch));
    }
    Ok(())
}

/// What the audit log says of a new class.
fn class_details(class: &Class) -> [(&'static str, String); 8] {
    let info = class.info();
    let kind = match info.kind {
        Kind::Value => "value",
        Kind::Blank => "blank",
    };
    [
        ("issuing_key", hex(class.Y_bytes())),
        ("kind", kind.into()),
        ("amount", info.amount.minor().to_string()),
        ("epoch", info.epoch.to_string()),
        ("issue_from", info.issue_from.seconds().to_string()),
        ("spend_until", info.spend_until.seconds().to_string()),
        ("redeem_until", info.redeem_until.seconds().to_string()),
        ("max_hops", info.max_hops.to_string()),
    ]
}

fn newest_header(view: &mut (impl View + ?Sized)) -> Result<Option<ManifestHeader>, StorageError> {
    let Some(bytes) = view.newest_manifest()? else { return Ok(None) };
    let manifest = Manifest::decode(&bytes);
    let manifest = manifest.map_err(|error| StorageError::Failed(format!("the newest manifest: {error}")))?;
    Ok(Some(manifest.signed.header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_1_2_5() {
        let up_to =
            |largest| series(Amount::new(largest).expect("small")).iter().map(|a| a.minor()).collect::<Vec<_>>();
        assert_eq!(up_to(100), [1, 2, 5, 10, 20, 50, 100]);
        assert_eq!(up_to(7), [1, 2, 5]);
        assert!(up_to(0).is_empty());
        assert_eq!(series(Amount::MAX).len(), 57);
    }
}
