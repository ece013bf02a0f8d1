//! REGISTER and FORGET: which notes and blanks the element knows.

use embedded_storage::nor_flash::NorFlash;
use specie_core::class::Kind;
use specie_core::group::{RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::note::note_id;
use specie_core::{ClassId, NoteId, hash, label};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::{Element, Secrets};
use crate::command::Register;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{IndexRecord, NoteRecord, Stake};
use crate::status::StatusWord;

/// Points and scalars of a note, canonical and not degenerate.
struct Opened {
    zeta: [u8; 32],
    k0: Zeroizing<Scalar>,
    k1: Zeroizing<Scalar>,
}

impl Opened {
    fn of(note: &Register<'_>, z: &RistrettoPoint) -> Option<Self> {
        let scalar = |bytes| decode_scalar(bytes).ok().map(Zeroizing::new);
        let gamma = scalar(note.gamma).filter(|gamma| **gamma != Scalar::ZERO)?;
        decode_point(note.zeta1).ok().filter(|point| *point != RistrettoPoint::default())?;
        let zeta = encode_point(&(*gamma * z));
        (zeta != *note.zeta1).then_some(Self { zeta, k0: scalar(note.k0)?, k1: scalar(note.k1)? })
    }
}

impl Secrets {
    /// What ties an index to class, γ, ζ and ζ1. Keyed, so that no host can look for others with the same.
    pub(super) fn binding(&self, class: &ClassId, gamma: &[u8; 32], zeta: &[u8; 32], zeta1: &[u8; 32]) -> [u8; 16] {
        // In one part, so that it takes two blocks of the hash. All have their fixed length.
        let mut bound = Zeroizing::new([0; 32 + 16 + 3 * 32]);
        bound[..32].copy_from_slice(&*self.seed);
        bound[32..48].copy_from_slice(&class.0);
        bound[48..80].copy_from_slice(gamma);
        bound[80..112].copy_from_slice(zeta);
        bound[112..].copy_from_slice(zeta1);
        let digest = Zeroizing::new(hash::h32(label::ELEMENT_NOTE, &[&*bound]));
        let mut binding = [0; 16];
        binding.copy_from_slice(&digest[..16]);
        binding
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn register(&mut self, note: &Register<'_>, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let known = match self.records.index(note.index)? {
            Some(IndexRecord::Open) => None,
            Some(IndexRecord::Note(known)) => Some(known),
            Some(IndexRecord::Spent(_) | IndexRecord::Burnt) => return Err(StatusWord::WRONG_STATE),
            None if note.index < self.handed_out()?.next => return Err(StatusWord::WRONG_STATE),
            None => return Err(StatusWord::UNKNOWN_INDEX),
        };
        let class = *self.classes.find(&note.class_id).ok_or(StatusWord::CLASS_NOT_LOADED)?;
        let opened = Opened::of(note, &class.z).ok_or(StatusWord::WRONG_DATA)?;
        let binding = self.secrets()?.binding(&class.id, note.gamma, &opened.zeta, note.zeta1);
        let id = self.note_id(note, &opened, &class.z)?;
        match known {
            Some(known) if known.binding == binding && known.note_id == id => {}
            Some(_) => return Err(StatusWord::WRONG_STATE),
            None => {
                let stake = if class.kind == Kind::Value { Stake::Face } else { Stake::Empty };
                let record = NoteRecord { binding, note_id: id, amount: class.amount, stake };
                let mut batch = Batch::new();
                record.put(note.index, &mut batch);
                self.records.commit(&batch, record.held().into(), 0)?;
            }
        }
        answer.push(&id.0)
    }

    /// `ζ = γ·Z`, `N0 = k0·Z`, `N1 = k1·G + k3·K`, and the note's name.
    fn note_id(&self, note: &Register<'_>, opened: &Opened, z: &RistrettoPoint) -> Result<NoteId, StatusWord> {
        let k3 = self.secrets()?.k3(note.index);
        let n0 = encode_point(&(*opened.k0 * z));
        let n1 = encode_point(&(RistrettoPoint::mul_base(&opened.k1) + *k3 * self.generators.K));
        Ok(note_id(&opened.zeta, note.zeta1, &n0, &n1))
    }

    #[inline(never)]
    pub(super) fn forget(&mut self, index: u32) -> Result<(), StatusWord> {
        match self.records.index(index)? {
            None if index < self.handed_out()?.next => return Ok(()),
            None => return Err(StatusWord::UNKNOWN_INDEX),
            Some(IndexRecord::Note(NoteRecord { stake: Stake::Empty, .. })) => {}
            Some(IndexRecord::Note(_)) => return Err(StatusWord::WRONG_STATE),
            Some(IndexRecord::Open | IndexRecord::Burnt | IndexRecord::Spent(_)) => {}
        }
        let mut batch = Batch::new();
        batch.remove(index);
        Ok(self.records.commit(&batch, 0, 0)?)
    }
}
