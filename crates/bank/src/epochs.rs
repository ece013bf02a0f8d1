//! Epochs as time passes: which one is issued, by when the next has to be published, whose keys nobody needs any more.
//!
//! Nothing here makes an epoch begin: its date does, in every process at the same moment. What is done here is to say so.

use std::collections::BTreeMap;

use specie_audit::{Actor, Kind};
use specie_core::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info};

use crate::audit;
use crate::bank::Bank;
use crate::classes::{ClassTable, NOTICE_SECONDS};
use crate::issuance::LIFETIME_SECONDS;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError};

/// How the change to the next epoch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The epoch that is issued, and the last moment at which all of its notes are spent.
    pub issuing: Option<(u32, Timestamp)>,
    /// The next one that is published, and the first moment of its issue.
    pub next: Option<(u32, Timestamp)>,
    /// By when the next one has to be published, where none is: wallets renew notes from [`NOTICE_SECONDS`] before their end on, so
    /// others have to be issued by then, and to be known as long before.
    pub publish_by: Option<Timestamp>,
}

/// What an operator should know of the change to the next epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// The next epoch has to be published soon.
    Soon(Timestamp),
    /// It had to be published by then.
    Late(Timestamp),
    /// Nothing is issued, until then if an epoch is published.
    NothingIssued(Option<Timestamp>),
}

impl Rotation {
    /// As of `now`.
    pub fn of(classes: &ClassTable, now: Timestamp) -> Self {
        let issued = classes.issuing_epoch(now);
        let last = |epoch| of_epoch(classes, epoch).map(|class| class.info().spend_until).min();
        let issuing = issued.and_then(|epoch| Some((epoch, last(epoch)?))).filter(|(_, until)| now <= *until);
        let pending = classes.iter().map(Class::info).filter(|info| info.issue_from > now && Some(info.epoch) > issued);
        let next = pending.map(|info| (info.issue_from, info.epoch)).min().map(|(from, epoch)| (epoch, from));
        let ahead = |until: Timestamp| {
            Timestamp::new(until.seconds().saturating_sub(2 * NOTICE_SECONDS)).unwrap_or(Timestamp::EPOCH)
        };
        let publish_by = if next.is_some() { None } else { issuing.map(|(_, until)| ahead(until)) };
        Self { issuing, next, publish_by }
    }

    /// What should be known: from [`NOTICE_SECONDS`] before the next epoch has to be published on.
    pub fn warning(&self, now: Timestamp) -> Option<Warning> {
        match (self.issuing, self.publish_by) {
            (None, _) => Some(Warning::NothingIssued(self.next.map(|(_, from)| from))),
            (Some(_), Some(by)) if now > by => Some(Warning::Late(by)),
            (Some(_), Some(by)) if now.saturating_add(NOTICE_SECONDS) > by => Some(Warning::Soon(by)),
            (Some(_), _) => None,
        }
    }
}

impl Warning {
    /// In words, with moments as `show` has them.
    pub fn text(&self, show: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::Soon(by) => format!("publish the next epoch by {} (`specie bank rotate`)", show(*by)),
            Self::Late(by) => {
                format!("the next epoch had to be published by {}: publish it now (`specie bank rotate`)", show(*by))
            }
            Self::NothingIssued(Some(from)) => format!("no class is issued until {}", show(*from)),
            Self::NothingIssued(None) => "no class is issued: publish an epoch (`specie bank rotate`)".into(),
        }
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// How the change to the next epoch stands.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn rotation(&self, now: Timestamp) -> Result<Rotation, StorageError> {
        self.storage().read(|view| Ok(Rotation::of(&*self.class_table(view)?, now)))
    }

    /// Writes into the audit log that an epoch has begun, once for each, and gives those of which it was news.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn record_begun_epochs(&self, now: Timestamp) -> Result<Vec<u32>, StorageError> {
        self.storage().transact(|tx| {
            let classes = self.class_table(tx)?;
            let mut begun = BTreeMap::new();
            // Not one that a newer epoch took the place of before it began.
            let has_begun =
                |info: &&Info| info.issue_from <= now && classes.issuing_epoch(info.issue_from) == Some(info.epoch);
            for info in classes.iter().map(Class::info).filter(has_begun) {
                let from: &mut Timestamp = begun.entry(info.epoch).or_insert(info.issue_from);
                *from = info.issue_from.min(*from);
            }
            let mut news = Vec::new();
            for (epoch, from) in begun {
                let details = [("issue_from", from.seconds().to_string())];
                if audit::append_news(tx, Actor::service(), now, Kind::EpochBegun, &epoch.to_string(), &details)? {
                    news.push(epoch);
                }
            }
            Ok(news)
        })
    }

    /// The epochs whose issuing keys nobody needs any more and whose destruction is not in the audit log, with all of their classes: a
    /// batch that was opened on the last day of issue is void by then.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn keys_to_destroy(&self, now: Timestamp) -> Result<Vec<(u32, Vec<ClassId>)>, StorageError> {
        self.storage().read(|view| {
            let classes = self.class_table(view)?;
            let mut epochs = BTreeMap::<u32, Vec<ClassId>>::new();
            classes.iter().for_each(|class| epochs.entry(class.info().epoch).or_default().push(class.id()));
            let over = |class: &Class| classes.issue_end(class.info()).saturating_add(LIFETIME_SECONDS) < now;
            epochs.retain(|epoch, _| of_epoch(&classes, *epoch).all(over));
            let mut kept = Vec::new();
            for (epoch, ids) in epochs {
                if view.audit_newest_about(Kind::KeysDestroyed, &epoch.to_string())?.is_none() {
                    kept.push((epoch, ids));
                }
            }
            Ok(kept)
        })
    }

    /// Writes into the audit log that the signer has none of an epoch's keys any more.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn record_destroyed_keys(&self, epoch: u32, keys: usize, now: Timestamp) -> Result<(), StorageError> {
        let details = [("keys", keys.to_string())];
        self.storage().transact(|tx| {
            if tx.audit_newest_about(Kind::KeysDestroyed, &epoch.to_string())?.is_some() {
                return Ok(());
            }
            audit::append(tx, self.actor(), now, Kind::KeysDestroyed, &epoch.to_string(), &details)
        })
    }
}

fn of_epoch(classes: &ClassTable, epoch: u32) -> impl Iterator<Item = &Class> {
    classes.iter().filter(move |class| class.info().epoch == epoch)
}
