//! A payee's request (§7): how much, until when, and which blanks may own it.

use minicbor::encode::Write;

use crate::amount::{Amount, Timestamp};
use crate::bytes::{Context, OwnerTag};
use crate::descriptor::Descriptor;
use crate::disclosure::SupervisoryKey;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::message::Message;
use crate::signature::BadSignature;
use crate::text::{Currency, Memo};
use crate::{hash, label};

/// The most owner tags in one request, and so the most notes in one payment.
pub const TAGS_MAX: usize = 8;

/// The longest encoding of a [`Request`].
pub const REQUEST_LENGTH_MAX: usize = 1024;

/// One to eight owner tags, all different.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnerTags {
    tags: [OwnerTag; TAGS_MAX],
    length: usize,
}

/// What a payee asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestBody {
    /// In which currency.
    pub currency: Currency,
    /// How much, exactly; more than zero.
    pub amount: Amount,
    /// Makes requests differ.
    pub payee_nonce: [u8; 16],
    /// Last moment at which the payee accepts a payment.
    pub expiry: Timestamp,
    /// One fresh blank each.
    pub owner_tags: OwnerTags,
    /// The receipt is its preimage.
    pub receipt_hash: [u8; 32],
    /// Sequence of the newest manifest that the payee has.
    pub manifest_sequence: u64,
    /// Sequence of the newest page of the revocation list that the payee has; 0 for none.
    pub revocation_sequence: u64,
    /// The supervisory key to which the payer has to disclose itself: set when the amount is above the threshold of the payee's
    /// manifest (§7.1). Not checked here; a payer discloses itself to none but a key of its own manifest.
    pub disclose_to: Option<SupervisoryKey>,
    /// Who the payee is, if it says.
    pub descriptor: Option<Descriptor>,
    /// What the payment is for.
    pub memo: Option<Memo>,
}

/// A request as it travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// What is asked for.
    pub body: RequestBody,
    /// By the descriptor's key, present exactly when there is a descriptor.
    pub signature: Option<[u8; 64]>,
}

impl OwnerTags {
    /// `tags`, if they are one to eight and all different.
    pub fn new(tags: &[OwnerTag]) -> Option<Self> {
        let mut all = Self { tags: [OwnerTag([0; 32]); TAGS_MAX], length: tags.len() };
        all.tags.get_mut(..tags.len())?.copy_from_slice(tags);
        let twice = tags.iter().enumerate().any(|(i, tag)| tags[..i].contains(tag));
        (!tags.is_empty() && !twice).then_some(all)
    }

    /// The tags.
    pub fn as_slice(&self) -> &[OwnerTag] {
        &self.tags[..self.length]
    }
}

impl RequestBody {
    /// What the payee's element is asked to sign: `H32("specie/v1/request-body", body)`.
    pub fn digest(&self) -> [u8; 32] {
        let mut buffer = [0; REQUEST_LENGTH_MAX];
        let body = self.encode(&mut buffer).expect("the buffer holds the longest request");
        hash::h32(label::REQUEST_BODY, &[body])
    }
}

impl Request {
    /// The context of every transfer that pays this: `H32("specie/v1/request", request)`.
    pub fn context(&self) -> Context {
        let mut buffer = [0; REQUEST_LENGTH_MAX];
        request_context(self.encode(&mut buffer).expect("the buffer holds the longest request"))
    }

    /// Whether the one whom the descriptor describes made this request. Whether the descriptor itself is good is
    /// for [`Descriptor::verify`].
    ///
    /// # Errors
    /// When it did not.
    pub fn verify_signature(&self) -> Result<(), BadSignature> {
        match (&self.body.descriptor, &self.signature) {
            (None, None) => Ok(()),
            (Some(descriptor), Some(signature)) => {
                descriptor.body.key.verify(label::PAYEE, &[&self.body.digest()], signature)
            }
            _ => Err(BadSignature),
        }
    }
}

/// [`Request::context`] of an encoded request.
pub fn request_context(request: &[u8]) -> Context {
    Context(hash::h32(label::REQUEST, &[request]))
}

impl Encode for RequestBody {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(11)?;
        self.currency.write(w)?;
        self.amount.write(w)?;
        w.bytes(&self.payee_nonce)?;
        self.expiry.write(w)?;
        w.array(self.owner_tags.length)?;
        self.owner_tags.as_slice().iter().try_for_each(|tag| tag.write(w))?;
        w.bytes(&self.receipt_hash)?;
        w.uint(self.manifest_sequence)?;
        w.uint(self.revocation_sequence)?;
        match &self.disclose_to {
            Some(key) => w.bytes(&key.0)?,
            None => w.null()?,
        }
        match &self.descriptor {
            Some(descriptor) => descriptor.write(w)?,
            None => w.null()?,
        }
        match &self.memo {
            Some(memo) => memo.write(w),
            None => w.null(),
        }
    }
}

impl Decode<'_> for RequestBody {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(11)?;
        Ok(Self {
            currency: Currency::read(r)?,
            amount: Some(Amount::read(r)?).filter(|amount| !amount.is_zero()).ok_or(DecodeError::OutOfRange)?,
            payee_nonce: r.bytes_of()?,
            expiry: Timestamp::read(r)?,
            owner_tags: read_tags(r)?,
            receipt_hash: r.bytes_of()?,
            manifest_sequence: r.uint()?,
            revocation_sequence: r.uint()?,
            disclose_to: r.optional(|r| r.bytes_of().map(SupervisoryKey))?,
            descriptor: r.optional(Descriptor::read)?,
            memo: r.optional(Memo::read)?,
        })
    }
}

fn read_tags(r: &mut Reader<'_>) -> Result<OwnerTags, DecodeError> {
    let length = r.array()?;
    let mut tags = [OwnerTag([0; 32]); TAGS_MAX];
    for tag in tags.get_mut(..length).ok_or(DecodeError::WrongLength)? {
        *tag = OwnerTag::read(r)?;
    }
    OwnerTags::new(&tags[..length]).ok_or(DecodeError::OutOfRange)
}

impl Encode for Request {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::Request.number())?;
        self.body.write(w)?;
        match &self.signature {
            Some(signature) => w.bytes(signature),
            None => w.null(),
        }
    }
}

impl Decode<'_> for Request {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::Request.number())?;
        let request = Self { body: RequestBody::read(r)?, signature: r.optional(Reader::bytes_of)? };
        if request.body.descriptor.is_some() == request.signature.is_some() {
            Ok(request)
        } else {
            Err(DecodeError::OutOfRange)
        }
    }
}
