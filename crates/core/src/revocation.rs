//! Revocation lists (§8): the notes known to have been shown twice, signed by the ledger.

use minicbor::encode::Write;

use crate::amount::Timestamp;
use crate::bytes::NoteId;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::hash::Hasher;
use crate::label;
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::Name;

/// A revocation list, read where it lies.
#[derive(Clone, Copy)]
pub struct RevocationList<'b> {
    /// Whose list.
    pub issuer: Name,
    /// Counts lists from 1.
    pub sequence: u64,
    /// When it was made; a floor for clocks.
    pub issued_at: Timestamp,
    body: &'b [u8],
    notes: &'b [u8],
    length: usize,
    signature: [u8; 64],
}

/// What a revocation list says, for the one who writes it.
#[derive(Clone, Copy)]
pub struct RevocationBody<'a> {
    /// Whose list.
    pub issuer: Name,
    /// Counts lists from 1.
    pub sequence: u64,
    /// When it is made.
    pub issued_at: Timestamp,
    /// The notes, in ascending order.
    pub notes: &'a [NoteId],
}

/// A body with its signature, for the one who writes it.
pub struct SignedRevocation<'a> {
    body: RevocationBody<'a>,
    signature: [u8; 64],
}

impl<'a> RevocationBody<'a> {
    /// Signs the body with the ledger's key, over its encoding in `buffer`.
    ///
    /// # Errors
    /// When `buffer` is too small for it.
    pub fn sign(
        self,
        key: &SigningKey,
        buffer: &mut [u8],
    ) -> Result<SignedRevocation<'a>, crate::encoding::BufferTooSmall> {
        let signature = key.sign(label::REVOCATION, &[self.encode(buffer)?]);
        Ok(SignedRevocation { body: self, signature })
    }
}

impl RevocationList<'_> {
    /// Whether the ledger of key `ledger` signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, ledger: &PublicKey) -> Result<(), BadSignature> {
        ledger.verify(label::REVOCATION, &[self.body], &self.signature)
    }

    /// The notes, in ascending order.
    pub fn notes(&self) -> impl Iterator<Item = NoteId> {
        let mut r = Reader::new(self.notes);
        (0..self.length).map(move |_| NoteId::read(&mut r).expect("checked when the whole was read"))
    }

    /// A name for this list: `H32` of its body.
    pub fn id(&self) -> [u8; 32] {
        Hasher::new(label::REVOCATION).part(self.body).h32()
    }
}

impl Encode for RevocationBody<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        self.issuer.write(w)?;
        w.uint(self.sequence)?;
        self.issued_at.write(w)?;
        w.array(self.notes.len())?;
        self.notes.iter().try_for_each(|note| note.write(w))
    }
}

impl Encode for SignedRevocation<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::RevocationList.number())?;
        self.body.write(w)?;
        w.bytes(&self.signature)
    }
}

impl<'b> Decode<'b> for RevocationList<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::RevocationList.number())?;
        let start = r.position();
        r.array_of(4)?;
        let (issuer, sequence, issued_at) = (Name::read(r)?, r.uint()?, Timestamp::read(r)?);
        let length = r.array()?;
        let first = r.position();
        let mut before: Option<NoteId> = None;
        for _ in 0..length {
            let note = NoteId::read(r)?;
            if before.is_some_and(|before| before >= note) {
                return Err(DecodeError::NotCanonical);
            }
            before = Some(note);
        }
        let (body, notes) = (r.since(start), r.since(first));
        Ok(Self { issuer, sequence, issued_at, body, notes, length, signature: r.bytes_of()? })
    }
}
