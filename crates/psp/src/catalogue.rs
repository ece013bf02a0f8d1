//! The classes of the newest manifest, as the PSP needs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use specie_core::class::{Class, Info, Kind};
use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, Manifest};
use specie_core::{Amount, ClassId, Timestamp};

use crate::service::Psp;
use crate::store::{Records, StoreError};

/// The classes of a manifest that was checked when it was stored.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Sequence of the manifest; 0 for none.
    pub sequence: u64,
    classes: BTreeMap<ClassId, Info>,
}

impl Catalogue {
    fn of(manifest: &Manifest<'_>) -> Self {
        let classes = manifest.entries().filter_map(|(entry, _)| match entry {
            Entry::Class(class) => Some((class.id(), *Class::info(&class))),
            _ => None,
        });
        Self { sequence: manifest.signed.header.sequence, classes: classes.collect() }
    }

    /// What a class is, if it is issued at `now`: the bank issues the newest epoch that has begun.
    pub fn issued(&self, id: &ClassId, now: Timestamp) -> Option<&Info> {
        let epoch = self.issuing_epoch(now)?;
        self.classes.get(id).filter(|info| info.epoch == epoch && is_issued(info, now))
    }

    /// Epochs of the blanks that are issued at `now` and have caps up to `cap_max`, each with its largest such cap.
    pub fn blank_epochs(&self, cap_max: Amount, now: Timestamp) -> BTreeMap<u32, Amount> {
        let mut epochs = BTreeMap::new();
        let issuing = self.issuing_epoch(now);
        for info in self.classes.values().filter(|info| Some(info.epoch) == issuing && is_issued(info, now)) {
            if info.kind == Kind::Blank && info.amount <= cap_max {
                let largest = epochs.entry(info.epoch).or_insert(info.amount);
                *largest = info.amount.max(*largest);
            }
        }
        epochs
    }

    fn issuing_epoch(&self, now: Timestamp) -> Option<u32> {
        self.classes.values().filter(|info| info.issue_from <= now).map(|info| info.epoch).max()
    }
}

fn is_issued(info: &Info, now: Timestamp) -> bool {
    info.issue_from <= now && now <= info.spend_until
}

impl<S, B> Psp<S, B> {
    /// The classes of the newest manifest in the store. Deriving them costs a hash to a point each, so they are kept.
    pub(crate) fn catalogue(&self, records: &mut dyn Records) -> Result<Arc<Catalogue>, StoreError> {
        let cached = self.cached_catalogue();
        if records.newest_sequence()? == cached.sequence {
            return Ok(cached);
        }
        let Some(bytes) = records.manifest()? else { return Ok(Arc::default()) };
        let manifest = Manifest::decode(&bytes).map_err(|error| StoreError::Damaged(format!("manifest: {error}")))?;
        let catalogue = Arc::new(Catalogue::of(&manifest));
        self.cache_catalogue(catalogue.clone());
        Ok(catalogue)
    }
}
