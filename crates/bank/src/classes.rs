//! Every class that the bank ever published, and which of them it issues.

use std::collections::BTreeMap;

use specie_core::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Classes, Kind};

use crate::storage::{StorageError, View};

/// The classes as of one manifest. Those past all their dates stay: evidence is about them.
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

    /// The class named, if it may be issued now.
    pub fn issued(&self, id: &ClassId, now: Timestamp) -> Option<&Class> {
        let epoch = self.issuing_epoch(now)?;
        self.class(id).filter(|class| class.info().epoch == epoch && in_dates(class, now))
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
