//! Deterministic CBOR (RFC 8949 §4.2.1), read strictly: shortest heads, definite lengths, nothing trailing.

use core::convert::Infallible;
use core::fmt;

use minicbor::data::Type;
use minicbor::encode::Write;
use minicbor::{Decoder, Encoder};

use crate::bytes;

/// The version of `docs/spec/specie.cddl` that this crate speaks.
pub const VERSION: u64 = 1;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not CBOR, cut short, or another type than the schema has in this place.
    Malformed,
    /// CBOR, but not in its one deterministic form.
    NotCanonical,
    /// More bytes after the end.
    TrailingBytes,
    /// Another version than [`VERSION`].
    UnknownVersion,
    /// Another type of message.
    UnexpectedMessage,
    /// An array, byte string or text of another length than the schema allows.
    WrongLength,
    /// A value outside the range that the schema allows.
    OutOfRange,
    /// A scalar that is not in its canonical encoding.
    BadScalar,
    /// A point that is not in its canonical encoding.
    BadPoint,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not the CBOR that the schema asks for, or cut short",
            Self::NotCanonical => "CBOR in another than its one deterministic form",
            Self::TrailingBytes => "bytes after the end",
            Self::UnknownVersion => "unknown version",
            Self::UnexpectedMessage => "another type of message",
            Self::WrongLength => "wrong length",
            Self::OutOfRange => "value out of range",
            Self::BadScalar => "scalar not canonical",
            Self::BadPoint => "point not canonical",
        })
    }
}

impl core::error::Error for DecodeError {}

/// The buffer given is too small for the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferTooSmall;

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is too small for the encoding")
    }
}

impl core::error::Error for BufferTooSmall {}

/// Something with one canonical encoding.
pub trait Encode {
    /// Writes the encoding.
    ///
    /// # Errors
    /// Those of the place written to.
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error>;

    /// Encodes into `buffer` and gives the part used.
    ///
    /// # Errors
    /// When `buffer` is too small.
    fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let mut w = Writer::new(Slice { buffer, used: 0 });
        self.write(&mut w)?;
        let Slice { buffer, used } = w.into_inner();
        Ok(&buffer[..used])
    }

    /// Length of the encoding in bytes.
    fn encoded_length(&self) -> usize {
        let mut w = Writer::new(Count(0));
        match self.write(&mut w) {
            Ok(()) => w.into_inner().0,
            Err(never) => match never {},
        }
    }

    /// The encoding on the heap.
    #[cfg(feature = "alloc")]
    fn to_vec(&self) -> alloc::vec::Vec<u8> {
        let mut w = Writer::new(alloc::vec::Vec::with_capacity(self.encoded_length()));
        match self.write(&mut w) {
            Ok(()) => w.into_inner(),
            Err(never) => match never {},
        }
    }
}

/// Something that can be read from its canonical encoding.
pub trait Decode<'b>: Sized {
    /// Reads one from where `r` stands.
    ///
    /// # Errors
    /// When the bytes are not a canonical encoding of one.
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError>;

    /// Decodes `bytes`, all of them.
    ///
    /// # Errors
    /// When `bytes` are not exactly the canonical encoding of one.
    fn decode(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let value = Self::read(&mut r)?;
        r.finish()?;
        Ok(value)
    }
}

/// Writes CBOR, always in its deterministic form.
pub struct Writer<W>(Encoder<W>);

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(Encoder::new(out))
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.0.into_writer()
    }

    /// An array of `length` items follows.
    pub fn array(&mut self, length: usize) -> Result<(), W::Error> {
        let length = u64::try_from(length).expect("lengths fit 64 bits");
        sink(self.0.array(length))
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> Result<(), W::Error> {
        sink(self.0.u64(value))
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), W::Error> {
        sink(self.0.bytes(bytes))
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> Result<(), W::Error> {
        sink(self.0.str(text))
    }

    /// Nothing where something optional may stand.
    pub fn null(&mut self) -> Result<(), W::Error> {
        sink(self.0.null())
    }

    /// Bytes that are canonical CBOR already.
    pub fn raw(&mut self, encoded: &[u8]) -> Result<(), W::Error> {
        self.0.writer_mut().write_all(encoded)
    }
}

/// Minicbor's encoder fails only when its writer does, and says so in an error of its own.
fn sink<W: Write>(result: Result<&mut Encoder<W>, minicbor::encode::Error<W::Error>>) -> Result<(), W::Error> {
    match result {
        Ok(_) => Ok(()),
        Err(error) => Err(error.into_write().expect("integers, strings and heads fail only in the writer")),
    }
}

/// Reads CBOR and refuses every form but the deterministic one.
#[derive(Clone)]
pub struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    /// Reads from `bytes`.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    /// Checks that nothing follows.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.0.position() == self.0.input().len() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.0.position()
    }

    /// The bytes read since `start`, which an earlier [`Reader::position`] gave.
    pub fn since(&self, start: usize) -> &'b [u8] {
        &self.0.input()[start..self.0.position()]
    }

    /// The head of an array: its length.
    pub fn array(&mut self) -> Result<usize, DecodeError> {
        let start = self.position();
        let length = self.0.array().map_err(|_| DecodeError::Malformed)?.ok_or(DecodeError::NotCanonical)?;
        self.shortest(start, length, 0)?;
        usize::try_from(length).map_err(|_| DecodeError::WrongLength)
    }

    /// The head of an array of exactly `length` items.
    pub fn array_of(&mut self, length: usize) -> Result<(), DecodeError> {
        if self.array()? == length { Ok(()) } else { Err(DecodeError::WrongLength) }
    }

    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        let start = self.position();
        let value = self.0.u64().map_err(|_| DecodeError::Malformed)?;
        self.shortest(start, value, 0)?;
        Ok(value)
    }

    /// An unsigned integer that fits `T`.
    pub fn uint_as<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.uint()?).map_err(|_| DecodeError::OutOfRange)
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        let start = self.position();
        if self.datatype()? == Type::BytesIndef {
            return Err(DecodeError::NotCanonical);
        }
        let bytes = self.0.bytes().map_err(|_| DecodeError::Malformed)?;
        self.shortest(start, bytes.len() as u64, bytes.len())?;
        Ok(bytes)
    }

    /// A byte string of exactly `N` bytes.
    pub fn bytes_of<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.bytes()?.try_into().map_err(|_| DecodeError::WrongLength)
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'b str, DecodeError> {
        let start = self.position();
        if self.datatype()? == Type::StringIndef {
            return Err(DecodeError::NotCanonical);
        }
        let text = self.0.str().map_err(|_| DecodeError::Malformed)?;
        self.shortest(start, text.len() as u64, text.len())?;
        Ok(text)
    }

    /// Something, or `None` for a null.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.datatype()? == Type::Null {
            self.0.null().map_err(|_| DecodeError::Malformed)?;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// The version, which must be [`VERSION`].
    pub fn version(&mut self) -> Result<(), DecodeError> {
        if self.uint()? == VERSION { Ok(()) } else { Err(DecodeError::UnknownVersion) }
    }

    /// Version and type of a message.
    pub fn message(&mut self, kind: u64) -> Result<(), DecodeError> {
        self.version()?;
        if self.uint()? == kind { Ok(()) } else { Err(DecodeError::UnexpectedMessage) }
    }

    fn datatype(&self) -> Result<Type, DecodeError> {
        self.0.datatype().map_err(|_| DecodeError::Malformed)
    }

    /// The head read since `start`, before `payload` bytes of content, must be the shortest for `value`.
    fn shortest(&self, start: usize, value: u64, payload: usize) -> Result<(), DecodeError> {
        let shortest = match value {
            0..=0x17 => 1,
            0x18..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        if self.position() - start - payload == shortest { Ok(()) } else { Err(DecodeError::NotCanonical) }
    }
}

/// A short encoding, held in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Buffer<const N: usize> {
    bytes: [u8; N],
    used: usize,
}

impl<const N: usize> Buffer<N> {
    /// The encoding of `value`, which never exceeds `N` bytes.
    ///
    /// # Panics
    /// When it does: `N` is then wrong for this type.
    pub fn of<T: Encode>(value: &T) -> Self {
        let mut bytes = [0; N];
        let used = value.encode(&mut bytes).expect("the capacity is the longest encoding").len();
        Self { bytes, used }
    }

    /// The encoding.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

struct Slice<'b> {
    buffer: &'b mut [u8],
    used: usize,
}

impl Write for Slice<'_> {
    type Error = BufferTooSmall;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), BufferTooSmall> {
        let room = self.buffer.get_mut(self.used..self.used + bytes.len()).ok_or(BufferTooSmall)?;
        room.copy_from_slice(bytes);
        self.used += bytes.len();
        Ok(())
    }
}

struct Count(usize);

impl Write for Count {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

macro_rules! byte_strings {
    ($($name:ident),*) => {$(
        impl bytes::$name {
            #[allow(dead_code, reason = "the same for every identifier")]
            pub(crate) fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
                w.bytes(&self.0)
            }

            #[allow(dead_code, reason = "the same for every identifier")]
            pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                r.bytes_of().map(Self)
            }
        }
    )*};
}

byte_strings!(ClassId, NoteId, TransferId, OwnerTag, Context, ManifestId);

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'b, T>(
        bytes: &'b [u8],
        read: impl FnOnce(&mut Reader<'b>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut r = Reader::new(bytes);
        let value = read(&mut r)?;
        r.finish()?;
        Ok(value)
    }

    #[test]
    fn rejects_longer_heads() {
        for (bytes, value) in [
            (&[0x17][..], Ok(0x17)),
            (&[0x18, 0x18], Ok(0x18)),
            (&[0x18, 0x17], Err(DecodeError::NotCanonical)),
            (&[0x19, 0, 0xff], Err(DecodeError::NotCanonical)),
            (&[0x1a, 0, 0, 0xff, 0xff], Err(DecodeError::NotCanonical)),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], Err(DecodeError::NotCanonical)),
            (&[0x20], Err(DecodeError::Malformed)),
            (&[0x19, 1], Err(DecodeError::Malformed)),
            (&[], Err(DecodeError::Malformed)),
            (&[0, 0], Err(DecodeError::TrailingBytes)),
        ] {
            assert_eq!(read(bytes, Reader::uint), value, "{bytes:02x?}");
        }
    }

    #[test]
    fn rejects_longer_heads_of_strings_and_arrays() {
        assert_eq!(read(&[0x41, 7], |r| r.bytes().map(<[u8]>::len)), Ok(1));
        assert_eq!(read(&[0x58, 1, 7], |r| r.bytes().map(<[u8]>::len)), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x5f, 0x41, 7, 0xff], |r| r.bytes().map(<[u8]>::len)), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x61, b'a'], |r| r.text().map(str::len)), Ok(1));
        assert_eq!(read(&[0x78, 1, b'a'], |r| r.text().map(str::len)), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x7f, 0x61, b'a', 0xff], |r| r.text().map(str::len)), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x61, 0xff], |r| r.text().map(str::len)), Err(DecodeError::Malformed));
        assert_eq!(read(&[0x80], Reader::array), Ok(0));
        assert_eq!(read(&[0x98, 0], Reader::array), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x9f, 0xff], Reader::array), Err(DecodeError::NotCanonical));
        assert_eq!(read(&[0x59, 0xff, 0xff, 0], |r| r.bytes().map(<[u8]>::len)), Err(DecodeError::Malformed));
    }
}
