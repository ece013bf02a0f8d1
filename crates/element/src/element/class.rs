//! CLASS: classes proven against the manifest, in volatile memory.

use embedded_storage::nor_flash::NorFlash;
use specie_core::ClassId;
use specie_core::class::{Class, Kind};
use specie_core::group::RistrettoPoint;
use specie_core::manifest::Entry;

use super::Element;
use super::answer::Answer;
use crate::command::EntryProof;
use crate::platform::Platform;
use crate::status::StatusWord;

/// Classes kept at a time.
const KEPT: usize = 4;

/// What REGISTER needs of a class.
#[derive(Clone, Copy)]
pub(super) struct LoadedClass {
    pub(super) id: ClassId,
    pub(super) kind: Kind,
    /// Face value or cap, in minor units.
    pub(super) amount: u64,
    pub(super) z: RistrettoPoint,
}

/// The classes loaded last.
pub(super) struct Classes {
    loaded: [Option<LoadedClass>; KEPT],
    oldest: usize,
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self { loaded: [None; KEPT], oldest: 0 }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    pub(super) fn find(&self, id: &ClassId) -> Option<&LoadedClass> {
        self.loaded.iter().flatten().find(|class| class.id == *id)
    }

    fn load(&mut self, class: &Class) {
        if self.find(&class.id()).is_some() {
            return;
        }
        let info = class.info();
        let (kind, amount) = (info.kind, info.amount.minor());
        self.loaded[self.oldest] = Some(LoadedClass { id: class.id(), kind, amount, z: *class.Z() });
        self.oldest = (self.oldest + 1) % KEPT;
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn class(&mut self, proof: &EntryProof<'_>, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let Entry::Class(class) = self.prove_entry(proof)? else { return Err(StatusWord::WRONG_DATA) };
        self.classes.load(&class);
        answer.push(&class.id().0)
    }
}
