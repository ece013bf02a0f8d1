//! Withdrawals under way, and how they are stored.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::encoding::{DecodeError, Reader};
use specie_core::issuance::{Blinded, Blinding, Commitment};
use zeroize::Zeroizing;

use super::{Item, WithdrawalId};
use crate::purse::Place;
use crate::record::{Changes, Fields, ReadField, Table, derive, read};
use crate::sorted::Boxes;
use crate::wallet::{Wallet, bytes_of};

/// How far a withdrawal got.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Nonces are being drawn from the element.
    Drawing = 0,
    /// W1 is to be sent.
    Opening = 1,
    /// W3 is to be sent.
    Challenging = 2,
    /// The notes are there and are being registered in the element.
    Registering = 3,
    /// The PSP is to be told.
    Acknowledging = 4,
}

const STAGES: [Stage; 5] =
    [Stage::Drawing, Stage::Opening, Stage::Challenging, Stage::Registering, Stage::Acknowledging];

/// Withdrawals by name.
#[derive(Default)]
pub(crate) struct Withdrawals(pub(crate) Boxes<WithdrawalId, Withdrawal>);

/// One withdrawal.
pub(crate) struct Withdrawal {
    pub(super) items: Vec<Item>,
    pub(super) at: Timestamp,
    /// Erased with the blinding factors that come of it, once the notes are there.
    pub(super) seed: Option<Zeroizing<[u8; 32]>>,
    /// First index and count of the nonces that are being drawn: stored before the element is asked, so that the same is asked again.
    pub(super) draw: Option<(u32, u8)>,
    pub(super) remote: Option<String>,
    /// How many notes are registered.
    pub(super) registered: usize,
    pub(super) stage: Stage,
    pub(super) notes: Vec<Drawn>,
}

/// A note to be: an index of the element with its nonce, and what was made of them.
pub(super) struct Drawn {
    pub(super) index: u32,
    pub(super) K3: [u8; 32],
    pub(super) blinded: Option<(Commitment, Blinded)>,
}

impl Withdrawal {
    pub(super) fn new(items: Vec<Item>, at: Timestamp, seed: Zeroizing<[u8; 32]>) -> Self {
        Self {
            items,
            at,
            seed: Some(seed),
            draw: None,
            remote: None,
            registered: 0,
            stage: Stage::Drawing,
            notes: Vec::new(),
        }
    }

    /// Class of each note, in order.
    pub(super) fn classes(&self) -> impl Iterator<Item = &ClassId> {
        self.items.iter().flat_map(|item| core::iter::repeat_n(&item.class_id, item.count.into()))
    }

    /// How many notes there will be.
    pub(super) fn count(&self) -> usize {
        self.items.iter().map(|item| usize::from(item.count)).sum()
    }

    /// Class of each note that cannot be used yet.
    pub(super) fn expected(&self) -> impl Iterator<Item = &ClassId> {
        self.classes().skip(self.registered)
    }

    /// Every index that was drawn, or may have been.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        let drawing = self.draw.map(|(first, count)| first..first.saturating_add(count.into()));
        self.notes.iter().map(|note| note.index).chain(drawing.into_iter().flatten())
    }

    /// The challenges `e`, in order.
    pub(super) fn challenges(&self) -> Vec<[u8; 32]> {
        self.notes.iter().filter_map(|note| note.blinded.as_ref()).map(|(_, blinded)| blinded.e().to_bytes()).collect()
    }

    /// Blinding factors of note `number`.
    pub(super) fn blinding(&self, number: usize) -> Option<Blinding> {
        self.seed.as_ref().map(|seed| Blinding::derive(&derive(seed, "note", number)))
    }

    /// Stores all but the notes.
    pub(super) fn store(&self, id: &WithdrawalId, changes: &mut Changes) {
        let record = Fields::new(7, 128 + self.items.len() * 24)
            .each(self.items.iter(), |fields, item| fields.array(2).bytes(&item.class_id.0).uint(item.count))
            .time(self.at)
            .optional(self.seed.as_ref(), |fields, seed| fields.bytes(&seed[..]))
            .optional(self.draw, |fields, (first, count)| fields.array(2).uint(first).uint(count))
            .optional(self.remote.as_ref(), |fields, remote| fields.text(remote))
            .uint(self.registered as u64)
            .uint(self.stage as u8)
            .done();
        changes.put(Table::Withdrawal, &id.0, record);
    }

    /// Stores note `number`.
    pub(super) fn store_note(&self, id: &WithdrawalId, number: usize, changes: &mut Changes) {
        let note = &self.notes[number];
        let record = Fields::new(3, 512)
            .uint(note.index)
            .bytes(&note.K3)
            .optional(note.blinded.as_ref(), |fields, (commitment, blinded)| {
                fields.array(2).bytes(&commitment.to_bytes()).bytes(&blinded.to_bytes())
            })
            .done();
        changes.put(Table::Withdrawn, &note_key(id, number), record);
    }

    /// Deletes all records.
    pub(super) fn delete(&self, id: &WithdrawalId, changes: &mut Changes) {
        (0..self.notes.len()).for_each(|number| changes.delete(Table::Withdrawn, &note_key(id, number)));
        changes.delete(Table::Withdrawal, &id.0);
    }
}

fn note_key(id: &WithdrawalId, number: usize) -> [u8; 18] {
    let mut key = [0; 18];
    key[..16].copy_from_slice(&id.0);
    // At most `NOTES_MAX`.
    key[16..].copy_from_slice(&(number as u16).to_be_bytes());
    key
}

fn read_withdrawal(record: &[u8]) -> Result<Withdrawal, DecodeError> {
    read(record, 7, |r| {
        Ok(Withdrawal {
            items: r.each(|r| {
                r.array_of(2)?;
                Ok(Item { class_id: ClassId(r.bytes_of()?), count: r.uint_as()? })
            })?,
            at: r.time()?,
            seed: r.optional(|r| r.bytes_of().map(Zeroizing::new))?,
            draw: r.optional(|r| {
                r.array_of(2)?;
                Ok((r.uint_as()?, r.uint_as()?))
            })?,
            remote: r.optional(Reader::text)?.map(ToString::to_string),
            registered: r.uint_as()?,
            stage: STAGES.get(r.uint_as::<usize>()?).copied().ok_or(DecodeError::OutOfRange)?,
            notes: Vec::new(),
        })
    })
}

impl Wallet {
    #[inline(never)]
    pub(crate) fn load_withdrawal(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        self.withdrawals.0.insert(WithdrawalId(bytes_of(id)?), Box::new(read_withdrawal(record)?));
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn load_withdrawn(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let (id, number) = id.split_first_chunk::<16>().ok_or(DecodeError::WrongLength)?;
        let id = WithdrawalId(*id);
        let withdrawal = self.withdrawals.0.get_mut(&id).ok_or(DecodeError::OutOfRange)?;
        if usize::from(u16::from_be_bytes(bytes_of(number)?)) != withdrawal.notes.len() {
            return Err(DecodeError::OutOfRange);
        }
        let drawn = read(record, 3, |r| {
            Ok(Drawn {
                index: r.uint_as()?,
                K3: r.bytes_of()?,
                blinded: r.optional(|r| {
                    r.array_of(2)?;
                    Ok((Commitment::from_bytes(&r.bytes_of()?), Blinded::from_bytes(&r.bytes_of()?)?))
                })?,
            })
        })?;
        let registered = withdrawal.notes.len() < withdrawal.registered;
        if withdrawal.stage == Stage::Registering && !registered {
            self.purse.place(drawn.index, Place::Arriving(id));
        }
        withdrawal.notes.push(drawn);
        Ok(())
    }
}
