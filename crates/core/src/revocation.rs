//! The revocation list (§8): the notes known to have been shown twice, in the order in which the ledger listed them, cut into pages.
//!
//! A page is the one unit of everything: the ledger signs it, devices hold it, pass it on and drop it. The newest page grows until it is
//! full; after that it never changes, and the next one names it. So a device needs only the pages that are newer than its own, a gap shows,
//! and two pages that cannot both be of one list convict the ledger's key.

use minicbor::encode::Write;

use crate::amount::Timestamp;
use crate::bytes::{NoteId, RevokedNote};
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::hash::Hasher;
use crate::label;
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::Name;

/// The most notes of one page.
pub const NOTES_PER_PAGE: usize = 32;

/// The most pages of a list that are in force; older ones nobody needs to keep.
pub const PAGES_MAX: usize = 2_048;

/// The longest encoding of a page.
pub const PAGE_LENGTH_MAX: usize = 768;

/// A page of the revocation list, read where it lies.
#[derive(Clone, Copy)]
pub struct RevocationPage<'b> {
    /// Whose list.
    pub issuer: Name,
    /// Counts pages from 1.
    pub page: u64,
    /// Counts what the ledger signed from 1: each page, each time it grew.
    pub sequence: u64,
    /// Name of the page before; zeros in the first.
    pub previous: [u8; 32],
    /// The oldest page that is in force.
    pub oldest: u64,
    /// When it was signed; a floor for clocks.
    pub issued_at: Timestamp,
    notes: &'b [[u8; RevokedNote::LENGTH]],
    body: &'b [u8],
    signature: [u8; 64],
}

/// What a page says, for the one who writes it.
#[derive(Clone, Copy)]
pub struct RevocationBody<'a> {
    /// Whose list.
    pub issuer: Name,
    /// Counts pages from 1.
    pub page: u64,
    /// Counts what the ledger signed from 1.
    pub sequence: u64,
    /// Name of the page before; zeros in the first.
    pub previous: [u8; 32],
    /// The oldest page that is in force.
    pub oldest: u64,
    /// When it is signed.
    pub issued_at: Timestamp,
    /// The notes, at most [`NOTES_PER_PAGE`], in ascending order.
    pub notes: &'a [RevokedNote],
}

/// A body with its signature, for the one who writes it.
pub struct SignedRevocation<'a> {
    body: RevocationBody<'a>,
    signature: [u8; 64],
}

impl RevokedNote {
    /// How the list names a note: by the beginning of its name.
    pub fn of(note: &NoteId) -> Self {
        let (beginning, _) = note.0.split_first_chunk().expect("32 bytes are more than 16");
        Self(*beginning)
    }
}

impl<'a> RevocationBody<'a> {
    /// Signs the body with the ledger's key, over its encoding in `buffer`.
    ///
    /// # Errors
    /// When `buffer` is too small for it; [`PAGE_LENGTH_MAX`] is enough.
    pub fn sign(
        self,
        key: &SigningKey,
        buffer: &mut [u8],
    ) -> Result<SignedRevocation<'a>, crate::encoding::BufferTooSmall> {
        let signature = key.sign(label::REVOCATION, &[self.encode(buffer)?]);
        Ok(SignedRevocation { body: self, signature })
    }
}

impl RevocationPage<'_> {
    /// Whether the ledger of key `ledger` signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, ledger: &PublicKey) -> Result<(), BadSignature> {
        ledger.verify(label::REVOCATION, &[self.body], &self.signature)
    }

    /// The notes, in ascending order.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = RevokedNote> {
        self.notes.iter().map(|note| RevokedNote(*note))
    }

    /// Whether nothing is added to it any more.
    pub fn is_full(&self) -> bool {
        self.notes.len() == NOTES_PER_PAGE
    }

    /// A name for this page: `H32` of its body.
    pub fn id(&self) -> [u8; 32] {
        Hasher::new(label::REVOCATION).part(self.body).h32()
    }

    /// Whether nothing is missing between `held` and this: it is the same page, or the one after a full one.
    pub fn connects(&self, held: &Self) -> bool {
        self.page == held.page || (held.is_full() && self.page.checked_sub(1) == Some(held.page))
    }

    /// Whether these two cannot both be of one list: the ledger's key signed two.
    #[inline(never)]
    pub fn contradicts(&self, other: &Self) -> bool {
        let in_order = (self.page, self.sequence) <= (other.page, other.sequence);
        let (older, newer) = if in_order { (self, other) } else { (other, self) };
        if older.page == newer.page && older.sequence == newer.sequence {
            return older.body != newer.body;
        }
        let grew =
            older.sequence < newer.sequence && older.issued_at <= newer.issued_at && older.oldest <= newer.oldest;
        let fits = match newer.page - older.page {
            0 => {
                let keeps = |note| newer.notes.binary_search(note).is_ok();
                !older.is_full() && older.previous == newer.previous && older.notes.iter().all(keeps)
            }
            1 if older.is_full() => newer.previous == older.id(),
            _ => true,
        };
        !(grew && fits)
    }
}

impl Encode for RevocationBody<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        let mut notes = [0; NOTES_PER_PAGE * RevokedNote::LENGTH];
        let places = notes.as_chunks_mut().0.iter_mut();
        let length = places.zip(self.notes).map(|(place, note)| *place = note.0).count() * RevokedNote::LENGTH;
        w.array(7)?;
        self.issuer.write(w)?;
        w.uint(self.page)?;
        w.uint(self.sequence)?;
        w.bytes(&self.previous)?;
        w.uint(self.oldest)?;
        self.issued_at.write(w)?;
        w.bytes(&notes[..length])
    }
}

impl Encode for SignedRevocation<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.uint(VERSION)?;
        w.uint(Message::RevocationPage.number())?;
        self.body.write(w)?;
        w.bytes(&self.signature)
    }
}

impl<'b> Decode<'b> for RevocationPage<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::RevocationPage.number())?;
        let start = r.position();
        r.array_of(7)?;
        let (issuer, page, sequence, previous) = (Name::read(r)?, r.uint()?, r.uint()?, r.bytes_of()?);
        let (oldest, issued_at) = (r.uint()?, Timestamp::read(r)?);
        let (notes, rest) = r.bytes()?.as_chunks();
        if !rest.is_empty() || notes.len() > NOTES_PER_PAGE {
            return Err(DecodeError::WrongLength);
        }
        if !notes.is_sorted_by(|before, after| before < after) {
            return Err(DecodeError::NotCanonical);
        }
        if sequence == 0 || oldest == 0 || oldest > page || (page == 1) != (previous == [0; 32]) {
            return Err(DecodeError::OutOfRange);
        }
        let body = r.since(start);
        let signature = r.bytes_of()?;
        Ok(Self { issuer, page, sequence, previous, oldest, issued_at, notes, body, signature })
    }
}
