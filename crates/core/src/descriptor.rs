//! Descriptors (§7): a PSP vouches for a payee, so that a payer sees whom it pays.

use minicbor::encode::Write;

use crate::amount::Timestamp;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::label;
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::Name;

/// Who a payee is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DescriptorBody {
    /// The PSP that says so.
    pub psp: Name,
    /// The payee's name, for people.
    pub payee: Name,
    /// Its account at the PSP, for online payments.
    pub account: Name,
    /// ISO 18245 merchant category code.
    pub category: u16,
    /// Key of the payee's element: signs its requests.
    pub key: PublicKey,
    /// Last moment of validity.
    pub valid_until: Timestamp,
}

/// A descriptor with its PSP's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// What is vouched for.
    pub body: DescriptorBody,
    /// By the PSP.
    pub signature: [u8; 64],
}

const BODY_LENGTH_MAX: usize = 192;

impl Descriptor {
    /// A PSP vouches for `body`.
    pub fn sign(body: DescriptorBody, key: &SigningKey) -> Self {
        let mut buffer = [0; BODY_LENGTH_MAX];
        let signature = key.sign(label::DESCRIPTOR, &[body.encoded(&mut buffer)]);
        Self { body, signature }
    }

    /// Whether the PSP of key `psp` signed it. Dates and the PSP's name are for the caller to check.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, psp: &PublicKey) -> Result<(), BadSignature> {
        let mut buffer = [0; BODY_LENGTH_MAX];
        psp.verify(label::DESCRIPTOR, &[self.body.encoded(&mut buffer)], &self.signature)
    }
}

impl DescriptorBody {
    fn encoded<'b>(&self, buffer: &'b mut [u8; BODY_LENGTH_MAX]) -> &'b [u8] {
        self.encode(buffer).expect("the buffer holds the longest body")
    }
}

impl Encode for DescriptorBody {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(6)?;
        self.psp.write(w)?;
        self.payee.write(w)?;
        self.account.write(w)?;
        w.uint(self.category.into())?;
        w.bytes(&self.key.0)?;
        self.valid_until.write(w)
    }
}

impl Encode for Descriptor {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::Descriptor.number())?;
        self.body.write(w)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Descriptor {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::Descriptor.number())?;
        r.array_of(6)?;
        let body = DescriptorBody {
            psp: Name::read(r)?,
            payee: Name::read(r)?,
            account: Name::read(r)?,
            category: r.uint_as()?,
            key: PublicKey(r.bytes_of()?),
            valid_until: Timestamp::read(r)?,
        };
        Ok(Self { body, signature: r.bytes_of()? })
    }
}
