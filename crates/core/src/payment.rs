//! Payments (§7) and the chains in them (§6), read where they lie: a payment may hold many transfers, and no
//! reader has to hold them all.

use minicbor::encode::Write;

use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::message::Message;
use crate::request::TAGS_MAX;
use crate::transfer::Transfer;

/// The most chains in one payment: one for each owner tag.
pub const CHAINS_MAX: usize = TAGS_MAX;

/// The most transfers in one chain: as many hops as a class can allow, and the redemption after them.
pub const TRANSFERS_MAX: usize = 256;

/// The transfers from an issued note to the output handed over; checked for form, not for truth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chain<'b> {
    bytes: &'b [u8],
    length: usize,
}

/// One chain for each note used; checked for form, not for truth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payment<'b> {
    bytes: &'b [u8],
    length: usize,
}

impl<'b> Chain<'b> {
    /// The encoding.
    pub fn as_bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// How many transfers; at least one.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The transfers, oldest first.
    pub fn transfers(&self) -> impl Iterator<Item = Transfer> + use<'b> {
        items(self.bytes, 0, self.length)
    }

    /// The newest transfer.
    pub fn last(&self) -> Transfer {
        self.transfers().last().expect("a chain has at least one transfer")
    }
}

impl<'b> Payment<'b> {
    /// The encoding.
    pub fn as_bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The chains.
    pub fn chains(&self) -> impl Iterator<Item = Chain<'b>> + use<'b> {
        items(self.bytes, 2, self.length)
    }
}

/// The items of an array that was read once already: `skip` integers first; the array of a payment is nested.
fn items<'b, T: Decode<'b>>(bytes: &'b [u8], skip: usize, length: usize) -> impl Iterator<Item = T> + use<'b, T> {
    let mut r = Reader::new(bytes);
    let known = "checked when the whole was read";
    r.array().expect(known);
    for _ in 0..skip {
        r.uint().expect(known);
    }
    if skip > 0 {
        r.array().expect(known);
    }
    (0..length).map(move |_| T::read(&mut r).expect(known))
}

impl<'b> Decode<'b> for Chain<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        let start = r.position();
        let length = r.array()?;
        if length == 0 || length > TRANSFERS_MAX {
            return Err(DecodeError::WrongLength);
        }
        for _ in 0..length {
            Transfer::read(r)?;
        }
        Ok(Self { bytes: r.since(start), length })
    }
}

impl<'b> Decode<'b> for Payment<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        let start = r.position();
        r.array_of(3)?;
        r.message(Message::Payment.number())?;
        let length = r.array()?;
        if length == 0 || length > CHAINS_MAX {
            return Err(DecodeError::WrongLength);
        }
        for _ in 0..length {
            Chain::read(r)?;
        }
        Ok(Self { bytes: r.since(start), length })
    }
}

/// Writes a chain: the transfers of an older one, which is canonical already, and one more, if any.
#[derive(Clone, Copy)]
pub struct ChainParts<'b> {
    /// The transfers before.
    pub before: Option<Chain<'b>>,
    /// The new transfer.
    pub last: Option<&'b Transfer>,
}

impl Encode for ChainParts<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        let before = self.before.map_or(0, |chain| chain.length);
        w.array(before + usize::from(self.last.is_some()))?;
        if let Some(chain) = self.before {
            w.raw(contents(chain.bytes))?;
        }
        self.last.map_or(Ok(()), |transfer| transfer.write(w))
    }
}

/// Writes a payment of encoded chains.
pub fn write_payment<W: Write>(chains: &[&[u8]], w: &mut Writer<W>) -> Result<(), W::Error> {
    w.array(3)?;
    w.uint(VERSION)?;
    w.uint(Message::Payment.number())?;
    w.array(chains.len())?;
    chains.iter().try_for_each(|chain| w.raw(chain))
}

/// What follows the head of an array.
fn contents(array: &[u8]) -> &[u8] {
    let mut r = Reader::new(array);
    r.array().expect("checked when it was read");
    &array[r.position()..]
}

impl core::fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Chain").field("length", &self.length).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Payment<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Payment").field("chains", &self.length).finish_non_exhaustive()
    }
}
