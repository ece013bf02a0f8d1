//! A manifest as it is held: read once, looked up often.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::OnceCell;
use core::ops::Range;

use specie_core::amount::Amount;
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Classes, Info};
use specie_core::disclosure::{Supervision, SupervisoryKey};
use specie_core::encoding::{Decode, DecodeError};
use specie_core::manifest::{Entry, Manifest, SignedHeader};
use specie_core::merkle;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};

use crate::sorted::Map;

/// A manifest whose signature was checked.
pub(crate) struct HeldManifest {
    pub(super) bytes: Vec<u8>,
    pub(super) signed: SignedHeader,
    classes: Map<ClassId, HeldClass>,
    psps: Map<Name, (PublicKey, usize)>,
    pub(super) ledgers: Vec<PublicKey>,
    supervision: Vec<Supervision>,
    /// Where each entry lies in `bytes`.
    entries: Vec<Range<usize>>,
    leaves: Vec<[u8; 32]>,
}

/// A class of a manifest. A wallet deals with few of them, and one is large: it is read where it is looked at first.
struct HeldClass {
    info: Info,
    position: usize,
    class: OnceCell<Box<Class>>,
}

/// An entry with the path that proves it to the element.
pub(crate) struct Proof<'m> {
    pub(crate) position: u32,
    pub(crate) path: Vec<[u8; 32]>,
    pub(crate) entry: &'m [u8],
}

impl HeldManifest {
    /// Reads a manifest that was checked.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        let manifest = Manifest::decode(bytes)?;
        let mut held = Self {
            bytes: bytes.to_vec(),
            signed: manifest.signed,
            classes: Map::new(),
            psps: Map::new(),
            ledgers: Vec::new(),
            supervision: Vec::new(),
            entries: Vec::with_capacity(manifest.entry_count()),
            leaves: Vec::with_capacity(manifest.entry_count()),
        };
        // The entries are the last thing in a manifest.
        let mut start = bytes.len() - manifest.entries().map(|(_, entry)| entry.len()).sum::<usize>();
        for (position, (entry, encoded)) in manifest.entries().enumerate() {
            held.entries.push(start..start + encoded.len());
            held.leaves.push(merkle::leaf(encoded));
            start += encoded.len();
            match entry {
                Entry::Class(class) => {
                    let (id, info) = (class.id(), *class.info());
                    held.classes.insert(id, HeldClass { info, position, class: OnceCell::new() });
                }
                Entry::Psp { name, key } => drop(held.psps.insert(name, (key, position))),
                Entry::Ledger { key } => held.ledgers.push(key),
                Entry::Supervision(supervision) => held.supervision.push(supervision),
            }
        }
        Ok(held)
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = (ClassId, &Info)> {
        self.classes.iter().map(|(id, held)| (*id, &held.info))
    }

    pub(crate) fn info(&self, id: &ClassId) -> Option<&Info> {
        self.classes.get(id).map(|held| &held.info)
    }

    pub(crate) fn psp(&self, name: &Name) -> Option<PublicKey> {
        self.psps.get(name).map(|(key, _)| *key)
    }

    /// To whom a payment of `amount` is disclosed, if it is (§7.1).
    pub(crate) fn disclosed_to(&self, currency: Currency, amount: Amount) -> Option<SupervisoryKey> {
        let current = self.supervision.iter().find(|supervision| supervision.currency == currency)?;
        (amount > current.threshold).then_some(current.key)
    }

    /// Whether payments may be disclosed to `key`: the current supervisory key, or another of the manifest while keys change.
    pub(crate) fn supervises(&self, currency: Currency, key: &SupervisoryKey) -> bool {
        self.supervision.iter().any(|supervision| supervision.currency == currency && supervision.key == *key)
    }

    pub(crate) fn class_proof(&self, id: &ClassId) -> Option<Proof<'_>> {
        self.classes.get(id).and_then(|held| self.proof(held.position))
    }

    pub(crate) fn psp_proof(&self, name: &Name) -> Option<Proof<'_>> {
        self.psps.get(name).and_then(|(_, position)| self.proof(*position))
    }

    /// Frees what [`Classes::class`] read, until it is looked at again.
    pub(crate) fn forget_classes(&mut self) {
        self.classes.iter_mut().for_each(|(_, held)| drop(held.class.take()));
    }

    fn proof(&self, position: usize) -> Option<Proof<'_>> {
        let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
        let length = merkle::path(position, self.leaves.len(), &|index| self.leaves[index], &mut path)?;
        let entry = &self.bytes[self.entries.get(position)?.clone()];
        Some(Proof { position: u32::try_from(position).ok()?, path: path[..length].to_vec(), entry })
    }
}

impl Classes for HeldManifest {
    fn class(&self, id: &ClassId) -> Option<&Class> {
        let held = self.classes.get(id)?;
        if held.class.get().is_none() {
            let range = self.entries.get(held.position)?.clone();
            // It was read once already.
            let Ok(Entry::Class(class)) = Entry::decode(&self.bytes[range]) else { return None };
            // Nobody else is here.
            let _ = held.class.set(Box::new(class));
        }
        held.class.get().map(Box::as_ref)
    }
}
