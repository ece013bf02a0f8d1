//! Limits documents (§4): a PSP tells an element what it may do until it synchronises again.

use minicbor::encode::Write;

use crate::amount::{Amount, Timestamp};
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::label;
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::Name;

/// The longest encoding of a [`Limits`].
pub const LIMITS_LENGTH_MAX: usize = 208;

/// What an element may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitsBody {
    /// The PSP that says so.
    pub psp: Name,
    /// `A` of the element.
    pub device: PublicKey,
    /// Counts documents for this element.
    pub sequence: u64,
    /// When it was made; a floor for clocks.
    pub issued_at: Timestamp,
    /// Last moment at which the element may pay.
    pub valid_until: Timestamp,
    /// The most that may leave in one transfer.
    pub max_payment: Amount,
    /// The most that may leave until the next document.
    pub max_cumulative: Amount,
    /// The most that the element may hold.
    pub max_holding: Amount,
}

/// A limits document with its PSP's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// What is allowed.
    pub body: LimitsBody,
    /// By the PSP.
    pub signature: [u8; 64],
}

impl Limits {
    /// A PSP signs `body`.
    pub fn sign(body: LimitsBody, key: &SigningKey) -> Self {
        let mut buffer = [0; LIMITS_LENGTH_MAX];
        let signature = key.sign(label::LIMITS, &[body.encoded(&mut buffer)]);
        Self { body, signature }
    }

    /// Whether the PSP of key `psp` signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, psp: &PublicKey) -> Result<(), BadSignature> {
        let mut buffer = [0; LIMITS_LENGTH_MAX];
        psp.verify(label::LIMITS, &[self.body.encoded(&mut buffer)], &self.signature)
    }
}

impl LimitsBody {
    fn encoded<'b>(&self, buffer: &'b mut [u8; LIMITS_LENGTH_MAX]) -> &'b [u8] {
        self.encode(buffer).expect("the buffer holds the longest body")
    }
}

impl Encode for LimitsBody {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(8)?;
        self.psp.write(w)?;
        w.bytes(&self.device.0)?;
        w.uint(self.sequence)?;
        self.issued_at.write(w)?;
        self.valid_until.write(w)?;
        self.max_payment.write(w)?;
        self.max_cumulative.write(w)?;
        self.max_holding.write(w)
    }
}

impl Encode for Limits {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::Limits.number())?;
        self.body.write(w)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Limits {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::Limits.number())?;
        r.array_of(8)?;
        let body = LimitsBody {
            psp: Name::read(r)?,
            device: PublicKey(r.bytes_of()?),
            sequence: r.uint()?,
            issued_at: Timestamp::read(r)?,
            valid_until: Timestamp::read(r)?,
            max_payment: Amount::read(r)?,
            max_cumulative: Amount::read(r)?,
            max_holding: Amount::read(r)?,
        };
        Ok(Self { body, signature: r.bytes_of()? })
    }
}
