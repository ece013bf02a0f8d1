//! Receipts (§7): the preimage of the hash in the request that was paid.

use minicbor::encode::Write;

use crate::bytes::Context;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::message::Message;
use crate::request::Request;
use crate::{hash, label};

/// The longest encoding of a [`Receipt`].
pub const RECEIPT_LENGTH_MAX: usize = 72;

/// A payee's word that a request was paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which request.
    pub request: Context,
    /// Known to the payee alone until it was paid.
    pub preimage: [u8; 32],
}

/// What goes into the request: `H32("specie/v1/receipt", preimage)`.
pub fn receipt_hash(preimage: &[u8; 32]) -> [u8; 32] {
    hash::h32(label::RECEIPT, &[preimage])
}

impl Receipt {
    /// Whether this is the receipt for `request`.
    pub fn is_for(&self, request: &Request) -> bool {
        self.request == request.context() && receipt_hash(&self.preimage) == request.body.receipt_hash
    }
}

impl Encode for Receipt {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::Receipt.number())?;
        self.request.write(w)?;
        w.bytes(&self.preimage)
    }
}

impl Decode<'_> for Receipt {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::Receipt.number())?;
        Ok(Self { request: Context::read(r)?, preimage: r.bytes_of()? })
    }
}
