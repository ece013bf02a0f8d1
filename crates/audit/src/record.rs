//! Records: decisions in their place in the chain.

use minicbor::encode::Write;
use specie_core::Timestamp;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use specie_core::{hash, label};

use crate::decision::{Actor, Decision, Details, Subject, check_details};
use crate::kind::Kind;

/// A decision with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Counts records from 1.
    pub sequence: u64,
    /// What was decided.
    pub decision: Decision,
    /// Hash of the record before; zeros in the first.
    pub previous: [u8; 32],
}

impl Record {
    /// The record of `decision` that comes after `newest`, or the first one.
    pub fn after(newest: Option<&Self>, decision: Decision) -> Self {
        let (sequence, previous) = newest.map_or((0, [0; 32]), |newest| (newest.sequence, newest.hash()));
        Self { sequence: sequence + 1, decision, previous }
    }

    /// `H32("specie/v1/audit-record", record)`: what the next record and heads know it by.
    pub fn hash(&self) -> [u8; 32] {
        hash::h32(label::AUDIT_RECORD, &[&self.to_vec()])
    }
}

impl Encode for Record {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        let Decision { by, at, kind, subject, details } = &self.decision;
        w.array(8)?;
        w.uint(VERSION)?;
        w.uint(self.sequence)?;
        w.uint(at.seconds())?;
        w.text(by.as_str())?;
        w.text(kind.as_str())?;
        w.text(subject.as_str())?;
        w.array(details.len())?;
        for (name, value) in details {
            w.array(2)?;
            w.text(name)?;
            w.text(value)?;
        }
        w.bytes(&self.previous)
    }
}

impl Decode<'_> for Record {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(8)?;
        r.version()?;
        let sequence = r.uint()?;
        let at = Timestamp::new(r.uint()?).ok_or(DecodeError::OutOfRange)?;
        let by = Actor::parse(r.text()?).ok_or(DecodeError::OutOfRange)?;
        let kind = Kind::parse(r.text()?).ok_or(DecodeError::OutOfRange)?;
        let subject = Subject::new(r.text()?).ok_or(DecodeError::WrongLength)?;
        let details = read_details(r)?;
        let decision = Decision { by, at, kind, subject, details };
        Ok(Self { sequence, decision, previous: r.bytes_of()? })
    }
}

fn read_details(r: &mut Reader<'_>) -> Result<Details, DecodeError> {
    let mut details = Details::new();
    for _ in 0..r.array()? {
        r.array_of(2)?;
        let (name, value) = (r.text()?, r.text()?);
        if details.last_key_value().is_some_and(|(last, _)| last.as_str() >= name) {
            return Err(DecodeError::NotCanonical);
        }
        details.insert(name.to_owned(), value.to_owned());
    }
    check_details(&details).map_err(|_| DecodeError::OutOfRange)?;
    Ok(details)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn record() -> Record {
        let details = [("to", "standard"), ("from", "basic")];
        let at = Timestamp::new(1_767_225_599).unwrap();
        let by = Actor::operator("anna").unwrap();
        Record::after(None, Decision::new(by, at, Kind::TierChanged, "alice", &details).unwrap())
    }

    #[test]
    fn a_record_has_one_encoding() {
        let bytes = record().to_vec();
        assert_eq!(Record::decode(&bytes).unwrap(), record());
        let expected = "8801011a6955b8ff64616e6e616c746965722d6368616e67656465616c69636582826466726f6d65\
                        62617369638262746f687374616e646172645820";
        let expected = expected.to_owned() + &"00".repeat(32);
        assert_eq!(hex::encode(&bytes), expected);
        let decoded = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            Record::decode(&bytes).map(|_| ())
        };
        assert_eq!(decoded(&|bytes| bytes[1] = 2), Err(DecodeError::UnknownVersion));
        assert_eq!(decoded(&|bytes| bytes.push(0)), Err(DecodeError::TrailingBytes));
        assert_eq!(decoded(&|bytes| bytes[14] = b'x'), Err(DecodeError::OutOfRange), "no kind");
    }

    #[test]
    fn details_come_in_one_order() {
        let mut bytes = record().to_vec();
        let text = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).position(|found| found == word).unwrap();
        let from = text(&bytes, b"from");
        bytes[from..from + 4].copy_from_slice(b"zzzz");
        assert_eq!(Record::decode(&bytes), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn the_hash_covers_place_and_content() {
        let first = record();
        let second = Record::after(Some(&first), first.decision.clone());
        assert_eq!((second.sequence, second.previous), (2, first.hash()));
        assert_ne!(first.hash(), second.hash());
        let mut changed = first.clone();
        changed.decision.by = Actor::service();
        assert_ne!(first.hash(), changed.hash());
    }
}
