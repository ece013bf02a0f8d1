//! Every class that the bank ever published, and where each stands: what it says follows from dates that never change.

use std::collections::BTreeMap;

use specie_core::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Classes, Info, Kind};

use crate::storage::{StorageError, View};

/// What a change of rules leaves to those who hold notes, in seconds: between a class being published and its issue, between the
/// beginning of its issue and the last moment at which it is spent, between that and the last at which it is redeemed (ADR 0034).
pub const NOTICE_SECONDS: u64 = 30 * 24 * 3_600;

/// What may be done with notes of a class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Published, and not issued yet.
    Pending,
    /// Issued, spent and redeemed.
    Issuing,
    /// A newer epoch is issued; spent and redeemed.
    SpendOnly,
    /// Not accepted by wallets any more; redeemed.
    RedeemOnly,
    /// Worth nothing.
    Expired,
}

impl State {
    /// All states, in their order.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Issuing, Self::SpendOnly, Self::RedeemOnly, Self::Expired];

    /// Its name, as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Issuing => "issuing",
            Self::SpendOnly => "spend-only",
            Self::RedeemOnly => "redeem-only",
            Self::Expired => "expired",
        }
    }
}

/// The classes as of one manifest. Those past all their dates stay: evidence is about them.
#[derive(Default)]
pub struct ClassTable {
    sequence: u64,
    classes: BTreeMap<ClassId, Class>,
}

impl ClassTable {
    /// Reads the classes; each costs a hash to the curve.
    pub(crate) fn load(view: &mut (impl View + ?Sized), sequence: u64) -> Result<Self, StorageError> {
        let decode = |(key, info): ([u8; 32], Vec<u8>)| {
            let class = Class::decode(&key, &info);
            class.map(|class| (class.id(), class)).map_err(|error| StorageError::Failed(format!("a class: {error}")))
        };
        Ok(Self { sequence, classes: view.classes()?.into_iter().map(decode).collect::<Result<_, _>>()? })
    }

    /// Sequence of the newest manifest.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The classes, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Class> {
        self.classes.values()
    }

    /// The newest epoch whose issue has begun: the only one that is issued.
    pub fn issuing_epoch(&self, now: Timestamp) -> Option<u32> {
        let begun = self.iter().map(Class::info).filter(|info| info.issue_from <= now);
        begun.map(|info| info.epoch).max()
    }

    /// The newest epoch of all.
    pub fn newest_epoch(&self) -> Option<u32> {
        self.iter().map(|class| class.info().epoch).max()
    }

    /// The class named, if it may be issued now.
    pub fn issued(&self, id: &ClassId, now: Timestamp) -> Option<&Class> {
        self.class(id).filter(|class| self.state(class.info(), now) == State::Issuing)
    }

    /// Where a class stands. It only ever moves on, whatever is published.
    pub fn state(&self, info: &Info, now: Timestamp) -> State {
        if now > info.redeem_until {
            State::Expired
        } else if now > info.spend_until {
            State::RedeemOnly
        } else if now < info.issue_from {
            State::Pending
        } else if self.issuing_epoch(now) == Some(info.epoch) {
            State::Issuing
        } else {
            State::SpendOnly
        }
    }

    /// The state that a class enters next, as far as is published, and the first moment of it.
    pub fn next_state(&self, info: &Info, now: Timestamp) -> Option<(State, Timestamp)> {
        let ends = [info.issue_from, info.spend_until.saturating_add(1), info.redeem_until.saturating_add(1)];
        let begins = self.iter().map(|class| class.info().issue_from);
        let mut moments: Vec<Timestamp> = ends.into_iter().chain(begins).filter(|moment| *moment > now).collect();
        moments.sort_unstable();
        let state = self.state(info, now);
        moments.into_iter().map(|moment| (self.state(info, moment), moment)).find(|(next, _)| *next != state)
    }

    /// The first moment at which a class is not issued any more, as far as is published.
    pub fn issue_end(&self, info: &Info) -> Timestamp {
        let newer = self.iter().map(Class::info).filter(|other| other.epoch > info.epoch);
        newer.map(|other| other.issue_from).chain([info.spend_until.saturating_add(1)]).min().expect("one of them")
    }
}

impl Classes for ClassTable {
    fn class(&self, id: &ClassId) -> Option<&Class> {
        self.classes.get(id)
    }
}

/// Whether notes of the class may come into the world: `issue_from ≤ now ≤ spend_until`.
pub(crate) fn in_dates(class: &Class, now: Timestamp) -> bool {
    let info = class.info();
    info.issue_from <= now && now <= info.spend_until
}

/// Whether notes of the class are worth something.
pub(crate) fn is_value(class: &Class) -> bool {
    class.info().kind == Kind::Value
}
