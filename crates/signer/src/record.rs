//! The signer's log: what it made and answered, in a chain of hashes.
//!
//! ```text
//! hash_0 = 0,  hash_n = H32("specie/v1/signer-record", "record", hash_(n−1), body_n)
//! ```

use std::collections::BTreeMap;

use minicbor::encode::Write;
use specie_bank::issuance::BatchKey;
use specie_core::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use specie_core::signature::PublicKey;
use specie_core::{hash, label};
use specie_store::signer_journal::Entry;
use thiserror::Error;

use crate::field::{moment, name};

/// What the signer did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When, by its clock, which never goes back: not before the record before.
    pub at: Timestamp,
    /// Notes that it signed until then, and with it.
    pub signed: u64,
    /// What.
    pub deed: Deed,
}

/// One deed of a signer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It was made, with this ledger key.
    Made(PublicKey),
    /// It made issuing keys of these classes.
    Classes(Vec<ClassId>),
    /// It destroyed the issuing keys of these classes.
    Destroyed(Vec<ClassId>),
    /// It answered a batch.
    Answered {
        /// Which.
        batch: BatchKey,
        /// Hash of its sealed sessions and challenges.
        challenges: [u8; 32],
        /// How many notes of which class, in order of the classes' names.
        notes: Vec<(ClassId, u64)>,
    },
}

/// Where the log is not what a signer wrote.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("record {sequence} of the signer's log {what}")]
pub struct BrokenLog {
    /// Which record.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// A log, read record by record from its beginning.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Chain {
    /// Records so far.
    pub sequence: u64,
    /// The chain's hash.
    pub hash: [u8; 32],
    /// Time of the newest.
    pub at: Timestamp,
    /// Notes signed.
    pub signed: u64,
    /// Notes signed of each class.
    pub notes: BTreeMap<ClassId, u64>,
}

impl Record {
    /// As the record after `before` (its sequence and hash; zeros for the first).
    pub fn after(&self, (sequence, hash): (u64, [u8; 32])) -> Entry {
        let body = self.to_vec();
        Entry { sequence: sequence + 1, hash: chained(&hash, &body), body }
    }
}

impl Chain {
    /// Checks that `entry` follows, and takes it in.
    ///
    /// # Errors
    /// When it does not follow, is not what its hash says, or says what cannot be.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), BrokenLog> {
        let broken = |what| BrokenLog { sequence: entry.sequence, what };
        if entry.sequence != self.sequence + 1 {
            return Err(broken("does not follow the one before: one is missing"));
        }
        if entry.hash != chained(&self.hash, &entry.body) {
            return Err(broken("is not what its hash says: it was changed, or one before it"));
        }
        let record = Record::decode(&entry.body).map_err(|_| broken("is no record"))?;
        if record.at < self.at {
            return Err(broken("is older than the one before"));
        }
        if (entry.sequence == 1) != matches!(record.deed, Deed::Made(_)) {
            return Err(broken("is not in its place: a log begins when its signer is made, and then only"));
        }
        let mut signed = self.signed;
        if let Deed::Answered { notes, .. } = &record.deed {
            for (class, count) in notes {
                signed = signed.checked_add(*count).ok_or_else(|| broken("counts more notes than there can be"))?;
                *self.notes.entry(*class).or_default() += count;
            }
        }
        if record.signed != signed {
            return Err(broken("does not count the notes that were signed"));
        }
        let (sequence, hash) = (entry.sequence, entry.hash);
        (self.sequence, self.hash, self.at, self.signed) = (sequence, hash, record.at, signed);
        Ok(())
    }
}

fn chained(before: &[u8; 32], body: &[u8]) -> [u8; 32] {
    hash::h32(label::SIGNER_RECORD, &[b"record", before, body])
}

impl Encode for Record {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(5)?;
        w.uint(VERSION)?;
        w.uint(self.at.seconds())?;
        w.uint(self.signed)?;
        match &self.deed {
            Deed::Made(key) => {
                w.uint(0)?;
                w.bytes(&key.0)
            }
            Deed::Classes(classes) => {
                w.uint(1)?;
                names(w, classes)
            }
            Deed::Destroyed(classes) => {
                w.uint(3)?;
                names(w, classes)
            }
            Deed::Answered { batch, challenges, notes } => {
                w.uint(2)?;
                w.array(4)?;
                w.text(batch.psp.as_str())?;
                w.bytes(&batch.id)?;
                w.bytes(challenges)?;
                w.array(notes.len())?;
                notes.iter().try_for_each(|(class, count)| {
                    w.array(2)?;
                    w.bytes(&class.0)?;
                    w.uint(*count)
                })
            }
        }
    }
}

fn names<W: Write>(w: &mut Writer<W>, classes: &[ClassId]) -> Result<(), W::Error> {
    w.array(classes.len())?;
    classes.iter().try_for_each(|class| w.bytes(&class.0))
}

fn read_names(r: &mut Reader<'_>) -> Result<Vec<ClassId>, DecodeError> {
    (0..r.array()?).map(|_| r.bytes_of().map(ClassId)).collect()
}

impl Decode<'_> for Record {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(5)?;
        r.version()?;
        let (at, signed) = (moment(r)?, r.uint()?);
        let deed = match r.uint()? {
            0 => Deed::Made(PublicKey(r.bytes_of()?)),
            1 => Deed::Classes(read_names(r)?),
            3 => Deed::Destroyed(read_names(r)?),
            2 => {
                r.array_of(4)?;
                let batch = BatchKey { psp: name(r)?, id: r.bytes_of()? };
                let challenges = r.bytes_of()?;
                let note = |r: &mut Reader<'_>| {
                    r.array_of(2)?;
                    Ok((ClassId(r.bytes_of()?), r.uint()?))
                };
                let notes = (0..r.array()?).map(|_| note(r)).collect::<Result<_, DecodeError>>()?;
                Deed::Answered { batch, challenges, notes }
            }
            _ => return Err(DecodeError::OutOfRange),
        };
        Ok(Self { at, signed, deed })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_core::text::Name;

    use super::*;

    fn log() -> Vec<Entry> {
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [1; 16] };
        let answered = |count| Deed::Answered { batch, challenges: [2; 32], notes: vec![(ClassId([3; 16]), count)] };
        let deeds = [
            (0, Deed::Made(PublicKey([9; 32]))),
            (0, Deed::Classes(vec![ClassId([3; 16])])),
            (2, answered(2)),
            (5, answered(3)),
            (5, Deed::Destroyed(vec![ClassId([3; 16])])),
        ];
        let mut before = (0, [0; 32]);
        let entries = (0..).zip(deeds).map(|(at, (signed, deed))| {
            let entry = Record { at: Timestamp::new(at).unwrap(), signed, deed }.after(before);
            before = (entry.sequence, entry.hash);
            entry
        });
        entries.collect()
    }

    fn follow(log: &[Entry]) -> Result<Chain, BrokenLog> {
        let mut chain = Chain::default();
        log.iter().try_for_each(|entry| chain.follow(entry)).map(|()| chain)
    }

    #[test]
    fn a_log_is_counted_and_no_record_of_it_can_be_changed_moved_or_left_out() {
        let chain = follow(&log()).unwrap();
        assert_eq!((chain.sequence, chain.signed, chain.notes[&ClassId([3; 16])]), (5, 5, 5));
        for at in 0..5 {
            for byte in 0..log()[at].body.len() {
                let mut changed = log();
                changed[at].body[byte] ^= 1;
                assert_eq!(follow(&changed).unwrap_err().sequence, at as u64 + 1);
            }
            if at < 4 {
                let mut missing = log();
                missing.remove(at);
                assert!(follow(&missing).is_err(), "without record {}", at + 1);
                let mut moved = log();
                moved.swap(at, at + 1);
                assert!(follow(&moved).is_err());
            }
        }
    }

    #[test]
    fn a_log_that_was_hashed_anew_has_to_count_rightly_and_to_go_forward_in_time() {
        let rechained = |change: &dyn Fn(usize, &mut Record)| {
            let mut before = (0, [0; 32]);
            let records = log().into_iter().map(|entry| Record::decode(&entry.body).unwrap()).enumerate();
            let entries = records.map(|(at, mut record)| {
                change(at, &mut record);
                let entry = record.after(before);
                before = (entry.sequence, entry.hash);
                entry
            });
            follow(&entries.collect::<Vec<_>>())
        };
        assert!(rechained(&|_, _| ()).is_ok());
        assert!(rechained(&|at, record| record.signed += u64::from(at == 3)).is_err());
        assert!(
            rechained(&|at, record| if at == 3 {
                record.at = Timestamp::EPOCH
            })
            .is_err()
        );
        assert!(
            rechained(&|at, record| if at == 2 {
                record.deed = Deed::Made(PublicKey([9; 32]))
            })
            .is_err()
        );
    }
}
