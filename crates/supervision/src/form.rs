//! How messages begin, and their common parts: deterministic CBOR like everything that travels (`docs/spec/specie.cddl`).

use minicbor::encode::Write;
use specie_core::encoding::{DecodeError, Reader, Writer};
use specie_core::text::Name;

/// Kinds of messages. They continue the protocol's, so that no message is ever taken for another.
pub(crate) mod kind {
    pub(crate) const CARD: u64 = 32;
    pub(crate) const INVITATION: u64 = 33;
    pub(crate) const DEALING: u64 = 34;
    pub(crate) const COMPLAINT: u64 = 35;
    pub(crate) const OUTCOME: u64 = 36;
    pub(crate) const SIGNATURE: u64 = 37;
    pub(crate) const PARTIAL: u64 = 38;
    pub(crate) const OPENING: u64 = 39;
}

const VERSION: u64 = 1;

/// Begins a message of `length` items, version and kind included.
pub(crate) fn begin<W: Write>(w: &mut Writer<W>, length: usize, kind: u64) -> Result<(), W::Error> {
    w.array(length)?;
    w.uint(VERSION)?;
    w.uint(kind)
}

pub(crate) fn expect(r: &mut Reader<'_>, length: usize, kind: u64) -> Result<(), DecodeError> {
    r.array_of(length)?;
    r.message(kind)
}

pub(crate) fn points<W: Write>(w: &mut Writer<W>, points: &[[u8; 32]]) -> Result<(), W::Error> {
    w.array(points.len())?;
    points.iter().try_for_each(|point| w.bytes(point))
}

/// At most `most` strings of 32 bytes.
pub(crate) fn read_points(r: &mut Reader<'_>, most: usize) -> Result<Vec<[u8; 32]>, DecodeError> {
    let length = r.array()?;
    if length > most {
        return Err(DecodeError::WrongLength);
    }
    (0..length).map(|_| r.bytes_of()).collect()
}

pub(crate) fn read_name(r: &mut Reader<'_>) -> Result<Name, DecodeError> {
    Name::new(r.text()?).ok_or(DecodeError::WrongLength)
}
