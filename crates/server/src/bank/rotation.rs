//! Epochs: the first one, the next one ahead of its date, and what is to be done when one has begun.

use std::sync::Arc;

use specie_aml::calendar;
use specie_bank::classes::{ClassTable, NOTICE_SECONDS};
use specie_bank::epochs::Rotation;
use specie_bank::manifest::{Draft, EpochPlan, ManifestError, check_notice, series};
use specie_bank::settings::Settings;
use specie_bank::storage::Storage;
use specie_core::manifest::ManifestHeader;
use specie_core::{Amount, Timestamp};

use super::operation::OperationError;
use super::setup::CentralBank;
use crate::root_key::RootKey;

const DAY: u64 = 24 * 3_600;

/// The terms of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochTerms {
    /// How long wallets accept its notes from its beginning on, in seconds; at least 30 days.
    pub spend_seconds: u64,
    /// How long the bank redeems them from its beginning on, in seconds; at least 30 days more.
    pub redeem_seconds: u64,
    /// The most transfers in one chain.
    pub max_hops: u8,
    /// The largest face of the 1-2-5 series of value notes.
    pub largest_face: Amount,
    /// The most that a large blank may own; a small one may own a tenth of it.
    pub largest_cap: Amount,
}

/// How long ahead of its beginning an epoch is published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice<'a> {
    /// It begins at the first midnight (UTC) after so many seconds; at least 30 days.
    Given(u64),
    /// It begins now, for this reason, which the audit log keeps: an issuing key is in other hands, say.
    Waived(&'a str),
}

/// The epoch that comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextEpoch {
    /// Which.
    pub epoch: u32,
    /// First moment of its issue.
    pub issue_from: Timestamp,
    /// Sequence of the newest manifest.
    pub manifest_sequence: u64,
    /// Whether it was published now; it was before, otherwise.
    pub is_new: bool,
}

/// What is to be published next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Planned {
    /// Nothing: an epoch that has not begun is published.
    Published(NextEpoch),
    /// A manifest with this epoch, which waits for the root key.
    Drafted(NextEpoch, Draft),
}

/// What was done when time had passed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Kept {
    /// Epochs that the audit log says now to have begun.
    pub begun: Vec<u32>,
    /// Epochs whose issuing keys were destroyed.
    pub destroyed: Vec<u32>,
    /// What an operator should know.
    pub warning: Option<String>,
}

impl Default for EpochTerms {
    /// 180 days to spend, a year to redeem, 8 hops, faces and caps to 50,000 minor units.
    fn default() -> Self {
        let largest = Amount::new(50_000).expect("small");
        Self {
            spend_seconds: 180 * DAY,
            redeem_seconds: 365 * DAY,
            max_hops: 8,
            largest_face: largest,
            largest_cap: largest,
        }
    }
}

impl Default for Notice<'_> {
    /// As long as it has to be.
    fn default() -> Self {
        Self::Given(NOTICE_SECONDS)
    }
}

impl EpochTerms {
    fn plan(&self, epoch: u32, issue_from: Timestamp) -> EpochPlan {
        let tenth = Amount::new(self.largest_cap.minor() / 10).filter(|cap| !cap.is_zero());
        EpochPlan {
            epoch,
            issue_from,
            spend_until: issue_from.saturating_add(self.spend_seconds),
            redeem_until: issue_from.saturating_add(self.redeem_seconds),
            max_hops: self.max_hops,
            faces: series(self.largest_face),
            caps: tenth.into_iter().chain([self.largest_cap]).collect(),
        }
    }

    /// Whether a first epoch could have these terms.
    ///
    /// # Errors
    /// When they contradict themselves, or leave too little time.
    pub(super) fn check(&self, settings: &Settings, now: Timestamp) -> Result<(), OperationError> {
        let none = ClassTable::default();
        let infos = self.plan(1, now).infos(settings)?;
        Ok(infos.iter().try_for_each(|info| check_notice(info, &none, false, now))?)
    }
}

impl CentralBank {
    /// Publishes a bank's first epoch, which begins now.
    ///
    /// # Errors
    /// When the terms make no sense, or the signer fails. Nothing is published then.
    pub(super) fn first_epoch(&self, root: &dyn RootKey, terms: &EpochTerms) -> Result<ManifestHeader, OperationError> {
        let infos = terms.plan(1, self.clock.now()).infos(self.bank.settings())?;
        self.publish(root, &self.bank.signer().make_classes(&infos)?)
    }

    /// Publishes the next epoch ahead of time: has the signer make its keys, and signs its classes. Where the next one is published, it
    /// stays as it is; of two operators who do this at once, one does it.
    ///
    /// # Errors
    /// When it is not this bank's root key, the terms make no sense or leave too little time, or the signer fails. Nothing is made or
    /// published then.
    pub fn rotate(
        &self,
        root: &dyn RootKey,
        terms: &EpochTerms,
        notice: Notice<'_>,
    ) -> Result<NextEpoch, OperationError> {
        self.check_root(root)?;
        let (next, draft) = match self.draft_epoch(terms, notice)? {
            Planned::Published(next) => return Ok(next),
            Planned::Drafted(next, draft) => (next, draft),
        };
        let manifest = draft.under(&root.sign_header(draft.header())?);
        let reason = if let Notice::Waived(reason) = notice { Some(reason) } else { None };
        match (self.publish_signed(&manifest, reason), reason) {
            (Ok(_), _) => Ok(next),
            // Another operator was faster.
            (Err(OperationError::Manifest(error @ (ManifestError::NotNext | ManifestError::OldEpoch(_)))), None) => {
                let known = self.class_table()?;
                next_epoch(&known, self.clock.now()).ok_or_else(|| error.into())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// The next epoch, to be signed where the root key is and published with [`CentralBank::publish_signed`]: has the signer make its keys.
    ///
    /// # Errors
    /// When the terms make no sense or leave too little time, or the signer fails. Nothing is made then.
    pub fn draft_epoch(&self, terms: &EpochTerms, notice: Notice<'_>) -> Result<Planned, OperationError> {
        let now = self.clock.now();
        let (issue_from, hurried) = match notice {
            Notice::Given(seconds) => (midnight_from(now.saturating_add(seconds)), false),
            Notice::Waived(reason) if reason.trim().is_empty() => return Err(OperationError::NoReason),
            Notice::Waived(_) => (now, true),
        };
        // Of one moment: whoever looked twice could take what another operator publishes in between for an epoch to come after.
        let known = self.class_table()?;
        if let (false, Some(next)) = (hurried, next_epoch(&known, now)) {
            return Ok(Planned::Published(next));
        }
        let mut plan = terms.plan(known.newest_epoch().map_or(1, |epoch| epoch.saturating_add(1)), issue_from);
        if hurried {
            plan.end_no_earlier_than(&known);
        }
        let infos = plan.infos(self.bank.settings())?;
        infos.iter().try_for_each(|info| check_notice(info, &known, hurried, now))?;
        let draft = self.bank.draft_manifest(&self.bank.signer().make_classes(&infos)?, now)?;
        let manifest_sequence = draft.header().sequence;
        Ok(Planned::Drafted(NextEpoch { epoch: plan.epoch, issue_from, manifest_sequence, is_new: true }, draft))
    }

    /// Publishes a manifest that was signed elsewhere; with a reason, also one whose epoch begins without notice. The newest one again
    /// changes nothing.
    ///
    /// # Errors
    /// When it is not what this bank may publish next.
    pub fn publish_signed(&self, manifest: &[u8], reason: Option<&str>) -> Result<ManifestHeader, OperationError> {
        let now = self.clock.now();
        Ok(match reason {
            None => self.bank.publish_manifest(manifest, now)?,
            Some(reason) if reason.trim().is_empty() => return Err(OperationError::NoReason),
            Some(reason) => self.bank.publish_at_once(manifest, reason, now)?,
        })
    }

    /// Says in the audit log which epochs have begun, has the signer destroy the issuing keys that nobody needs any more, and looks whether
    /// the next epoch has to be published. A bank that is served does it by itself.
    ///
    /// # Errors
    /// When signer or storage fail. What was done stays done.
    pub fn keep_epochs(&self) -> Result<Kept, OperationError> {
        let now = self.clock.now();
        let begun = self.bank.record_begun_epochs(now)?;
        let mut destroyed = Vec::new();
        for (epoch, classes) in self.bank.keys_to_destroy(now)? {
            self.bank.signer().destroy_keys(&classes)?;
            self.bank.record_destroyed_keys(epoch, classes.len(), now)?;
            destroyed.push(epoch);
        }
        let warning = self.bank.rotation(now)?.warning(now).map(|warning| warning.text(calendar::show));
        Ok(Kept { begun, destroyed, warning })
    }

    /// Every class that was ever published.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn class_table(&self) -> Result<Arc<ClassTable>, OperationError> {
        Ok(self.bank.storage().read(|view| self.bank.class_table(view))?)
    }
}

/// The epoch that is published and has not begun.
fn next_epoch(known: &ClassTable, now: Timestamp) -> Option<NextEpoch> {
    let (epoch, issue_from) = Rotation::of(known, now).next?;
    Some(NextEpoch { epoch, issue_from, manifest_sequence: known.sequence(), is_new: false })
}

/// The first midnight (UTC) that is not before `moment`: who publishes the same epoch again on the same day publishes the same.
fn midnight_from(moment: Timestamp) -> Timestamp {
    moment.saturating_add((DAY - moment.seconds() % DAY) % DAY)
}
