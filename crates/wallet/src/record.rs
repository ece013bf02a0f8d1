//! How the wallet's records are keyed and encoded: one small record for each thing, so that no transition rewrites more than it touches.

use alloc::vec::Vec;
use core::convert::Infallible;

use specie_core::amount::{Amount, Timestamp};
use specie_core::encoding::{DecodeError, Reader, Writer};
use specie_core::hash;
use specie_core::text::{Currency, Memo, Name};
use zeroize::Zeroizing;

use crate::step::{Change, Step};

/// What a record is about: the first byte of its key. Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    /// One record: version, root key, element, account.
    Identity = 1,
    /// The owner's choices, without an id; and until when payments were forgotten.
    Settings = 2,
    /// Manifest, limits, descriptor, mandate, by [`Document`]; and the pages of the revocation list, by their numbers too.
    Document = 3,
    /// Manifest headers followed, by sequence.
    Header = 4,
    /// Notes and blanks, by the element's index.
    Note = 5,
    /// Outputs owned, by the index of the blank that owns them.
    Coin = 6,
    /// Requests, by their id.
    Request = 7,
    /// Payments, by the request's hash.
    Payment = 8,
    /// What is handed over, by the request's hash.
    PaymentMessage = 9,
    /// Redemptions, by the index of the note or blank shown.
    Redemption = 10,
    /// Withdrawals, by their id.
    Withdrawal = 11,
    /// Notes of a withdrawal, by its id and their number.
    Withdrawn = 12,
    /// What the element is to be told, by index.
    Task = 13,
    /// History, by sequence.
    History = 14,
    /// Evidence of double spends, by note.
    Evidence = 15,
}

/// Which published document a record of [`Table::Document`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Document {
    Manifest = 0,
    Limits = 2,
    Descriptor = 3,
    RevocationPage = 4,
    Mandate = 5,
}

impl Table {
    /// The key of record `id` of this table.
    pub(crate) fn key(self, id: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + id.len());
        key.push(self as u8);
        key.extend_from_slice(id);
        key
    }

    /// The table that a key belongs to, and the rest of the key.
    pub(crate) fn of(key: &[u8]) -> Option<(Self, &[u8])> {
        const ALL: [Table; 15] = [
            Table::Identity,
            Table::Settings,
            Table::Document,
            Table::Header,
            Table::Note,
            Table::Coin,
            Table::Request,
            Table::Payment,
            Table::PaymentMessage,
            Table::Redemption,
            Table::Withdrawal,
            Table::Withdrawn,
            Table::Task,
            Table::History,
            Table::Evidence,
        ];
        let (&first, rest) = key.split_first()?;
        ALL.into_iter().find(|table| *table as u8 == first).map(|table| (table, rest))
    }
}

/// The changes of one transition, in order.
#[derive(Default)]
pub(crate) struct Changes(Vec<Change>);

impl Changes {
    pub(crate) fn put(&mut self, table: Table, id: &[u8], value: Vec<u8>) {
        self.0.push(Change::Put { key: table.key(id), value: Zeroizing::new(value) });
    }

    /// For what is meant for others, or opens nothing: it is not wiped.
    pub(crate) fn put_open(&mut self, table: Table, id: &[u8], value: Vec<u8>) {
        self.0.push(Change::PutOpen { key: table.key(id), value });
    }

    pub(crate) fn delete(&mut self, table: Table, id: &[u8]) {
        self.0.push(Change::Delete { key: table.key(id) });
    }

    pub(crate) fn step<T>(self, output: T) -> Step<T> {
        Step::new(self.0, output)
    }
}

/// Builds a record: one CBOR array.
pub(crate) struct Fields(Writer<Vec<u8>>);

impl Fields {
    /// A record of `count` fields of about `capacity` bytes. Enough capacity leaves no half-grown copies of secrets behind.
    pub(crate) fn new(count: usize, capacity: usize) -> Self {
        let mut fields = Self(Writer::new(Vec::with_capacity(capacity)));
        written(fields.0.array(count));
        fields
    }

    /// The head of an array of `count` fields, as one field.
    pub(crate) fn array(mut self, count: usize) -> Self {
        written(self.0.array(count));
        self
    }

    pub(crate) fn uint(mut self, value: impl Into<u64>) -> Self {
        written(self.0.uint(value.into()));
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        written(self.0.bytes(bytes));
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        written(self.0.text(text));
        self
    }

    pub(crate) fn amount(self, amount: Amount) -> Self {
        self.uint(amount.minor())
    }

    pub(crate) fn time(self, time: Timestamp) -> Self {
        self.uint(time.seconds())
    }

    /// A field that may be missing.
    pub(crate) fn optional<T>(mut self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => {
                written(self.0.null());
                self
            }
        }
    }

    /// One field for each of `items`, in an array.
    pub(crate) fn each<T>(self, items: impl ExactSizeIterator<Item = T>, write: impl FnMut(Self, T) -> Self) -> Self {
        let fields = self.array(items.len());
        items.fold(fields, write)
    }

    /// The record.
    pub(crate) fn done(self) -> Vec<u8> {
        self.0.into_inner()
    }
}

fn written(result: Result<(), Infallible>) {
    match result {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// Reads a record that [`Fields`] built.
pub(crate) fn read<'b, T>(
    record: &'b [u8],
    fields: usize,
    read: impl FnOnce(&mut Reader<'b>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let mut r = Reader::new(record);
    r.array_of(fields)?;
    let value = read(&mut r)?;
    r.finish()?;
    Ok(value)
}

/// Reads what only the wallet's own records hold.
pub(crate) trait ReadField<'b> {
    fn amount(&mut self) -> Result<Amount, DecodeError>;
    fn time(&mut self) -> Result<Timestamp, DecodeError>;
    fn name(&mut self) -> Result<Name, DecodeError>;
    fn memo(&mut self) -> Result<Memo, DecodeError>;
    fn currency(&mut self) -> Result<Currency, DecodeError>;
    fn flag(&mut self) -> Result<bool, DecodeError>;
    fn each<T>(&mut self, read: impl FnMut(&mut Reader<'b>) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError>;
}

impl<'b> ReadField<'b> for Reader<'b> {
    fn amount(&mut self) -> Result<Amount, DecodeError> {
        Amount::new(self.uint()?).ok_or(DecodeError::OutOfRange)
    }

    fn time(&mut self) -> Result<Timestamp, DecodeError> {
        Timestamp::new(self.uint()?).ok_or(DecodeError::OutOfRange)
    }

    fn name(&mut self) -> Result<Name, DecodeError> {
        Name::new(self.text()?).ok_or(DecodeError::WrongLength)
    }

    fn memo(&mut self) -> Result<Memo, DecodeError> {
        Memo::new(self.text()?).ok_or(DecodeError::WrongLength)
    }

    fn currency(&mut self) -> Result<Currency, DecodeError> {
        Currency::new(self.text()?).ok_or(DecodeError::OutOfRange)
    }

    fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.uint()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::OutOfRange),
        }
    }

    fn each<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
        let length = self.array()?;
        (0..length).map(|_| read(self)).collect()
    }
}

/// Label of everything that the wallet derives from the seed of one call.
const SEED: &str = "specie/v1/wallet-seed";

/// 32 bytes for one purpose, from the seed of one call.
pub(crate) fn derive(seed: &[u8; 32], purpose: &str, number: usize) -> Zeroizing<[u8; 32]> {
    let number = u32::try_from(number).expect("few things come of one seed").to_be_bytes();
    Zeroizing::new(hash::h32(SEED, &[seed, purpose.as_bytes(), &number]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_which_table_they_belong_to() {
        for number in 1..=15u8 {
            let key = [number, 7, 8];
            let (table, rest) = Table::of(&key).unwrap();
            assert_eq!(table.key(rest), key);
        }
        assert_eq!(Table::of(&[0, 1]), None);
        assert_eq!(Table::of(&[16]), None);
        assert_eq!(Table::of(&[]), None);
    }

    #[test]
    fn what_comes_of_a_seed_differs_by_purpose_and_number() {
        assert_ne!(derive(&[1; 32], "a", 0), derive(&[1; 32], "a", 1));
        assert_ne!(derive(&[1; 32], "a", 0), derive(&[1; 32], "b", 0));
        assert_ne!(derive(&[1; 32], "a", 0), derive(&[2; 32], "a", 0));
    }
}
