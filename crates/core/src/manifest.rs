//! Manifests (§3): what the bank publishes under its offline root key, in an append-only chain.

use minicbor::encode::Write;

use crate::amount::{Amount, Timestamp};
use crate::bytes::ManifestId;
use crate::class::{Class, INFO_LENGTH_MAX};
use crate::disclosure::{Supervision, SupervisoryKey};
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::{Currency, Name};
use crate::{hash, label, merkle};

/// The longest encoding of a [`ManifestHeader`].
pub const HEADER_LENGTH_MAX: usize = 136;

/// The longest encoding of an [`Entry`].
pub const ENTRY_LENGTH_MAX: usize = 2 + 34 + 2 + INFO_LENGTH_MAX;

/// What the root key signs. The entries are below it in a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManifestHeader {
    /// Whose manifest.
    pub issuer: Name,
    /// Counts manifests from 1.
    pub sequence: u64,
    /// Name of the header before, zeros in the first.
    pub previous: ManifestId,
    /// When it was made; a floor for clocks.
    pub issued_at: Timestamp,
    /// Root of the tree over the entries.
    pub entries_root: [u8; 32],
    /// How many entries.
    pub entry_count: u32,
}

/// A header with the root key's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedHeader {
    /// What is signed.
    pub header: ManifestHeader,
    /// By the root key.
    pub signature: [u8; 64],
}

/// One thing that the bank publishes.
#[allow(clippy::large_enum_variant, reason = "without a heap there is no other place for a class")]
#[derive(Clone, Debug)]
pub enum Entry {
    /// A class of notes.
    Class(Class),
    /// A PSP, whose key signs limits and descriptors.
    Psp {
        /// Its name.
        name: Name,
        /// Its key.
        key: PublicKey,
    },
    /// The ledger's online key, which signs revocation lists.
    Ledger {
        /// The key.
        key: PublicKey,
    },
    /// From which amount on payers disclose themselves, and to whom (§7.1).
    Supervision(Supervision),
}

/// A manifest as it travels, checked for form; [`Manifest::verify`] checks the rest.
#[derive(Clone, Copy)]
pub struct Manifest<'b> {
    /// Header and signature.
    pub signed: SignedHeader,
    /// The entries, encoded, one after the other.
    entries: &'b [u8],
    length: usize,
}

impl ManifestHeader {
    /// Its name: what the next header holds as `previous`.
    pub fn id(&self) -> ManifestId {
        let mut buffer = [0; HEADER_LENGTH_MAX];
        ManifestId(hash::h32(label::MANIFEST, &[self.encoded(&mut buffer)]))
    }

    /// Signs it with the root key.
    pub fn sign(self, root: &SigningKey) -> SignedHeader {
        let mut buffer = [0; HEADER_LENGTH_MAX];
        let signature = root.sign(label::MANIFEST, &[self.encoded(&mut buffer)]);
        SignedHeader { header: self, signature }
    }

    /// Whether this is the next header after `before`.
    pub fn follows(&self, before: &Self) -> bool {
        self.issuer == before.issuer
            && Some(self.sequence) == before.sequence.checked_add(1)
            && self.previous == before.id()
            && self.issued_at >= before.issued_at
    }

    fn encoded<'b>(&self, buffer: &'b mut [u8; HEADER_LENGTH_MAX]) -> &'b [u8] {
        self.encode(buffer).expect("the buffer holds the longest header")
    }
}

impl SignedHeader {
    /// Whether the root key signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, root: &PublicKey) -> Result<(), BadSignature> {
        let mut buffer = [0; HEADER_LENGTH_MAX];
        root.verify(label::MANIFEST, &[self.header.encoded(&mut buffer)], &self.signature)
    }
}

impl<'b> Manifest<'b> {
    /// Whether the root key signed it, entries and all.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, root: &PublicKey) -> Result<(), BadSignature> {
        self.signed.verify(root)?;
        let header = &self.signed.header;
        let matches =
            usize::try_from(header.entry_count) == Ok(self.length) && self.entries_root() == header.entries_root;
        if matches { Ok(()) } else { Err(BadSignature) }
    }

    /// The entries, each with its encoding.
    pub fn entries(&self) -> impl Iterator<Item = (Entry, &'b [u8])> + use<'b> {
        let mut r = Reader::new(self.entries);
        (0..self.length).map(move |_| {
            let start = r.position();
            let entry = Entry::read(&mut r).expect(READ);
            (entry, r.since(start))
        })
    }

    /// How many entries.
    pub fn entry_count(&self) -> usize {
        self.length
    }

    /// Writes the path from entry `index` to the root into `path`, and gives its length. It costs a pass over all entries for each
    /// level: keep it.
    pub fn entry_path(&self, index: usize, path: &mut [[u8; 32]; merkle::PATH_LENGTH_MAX]) -> Option<usize> {
        merkle::path(index, self.length, &|index| self.leaf(index), path)
    }

    fn entries_root(&self) -> [u8; 32] {
        let mut r = Reader::new(self.entries);
        merkle::root_of((0..self.length).map(|_| next_leaf(&mut r)))
    }

    fn leaf(&self, index: usize) -> [u8; 32] {
        let mut r = Reader::new(self.entries);
        for _ in 0..index {
            skip_entry(&mut r).expect(READ);
        }
        next_leaf(&mut r)
    }
}

/// Why reading again what was read once cannot fail.
const READ: &str = "checked when the whole was read";

/// The leaf of the entry where `r` stands.
fn next_leaf(r: &mut Reader<'_>) -> [u8; 32] {
    let start = r.position();
    skip_entry(r).expect(READ);
    merkle::leaf(r.since(start))
}

/// Reads an entry's form only: deriving every class anew for each leaf would cost more than it is worth.
fn skip_entry(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    r.array()?;
    match r.uint()? {
        0 => r.bytes().and_then(|_| r.bytes()).map(drop),
        1 => r.text().and_then(|_| r.bytes()).map(drop),
        3 => r.text().and_then(|_| r.uint()).and_then(|_| r.bytes()).map(drop),
        _ => r.bytes().map(drop),
    }
}

/// Writes a manifest of encoded entries under a signed header.
pub fn write_manifest<W: Write>(signed: &SignedHeader, entries: &[&[u8]], w: &mut Writer<W>) -> Result<(), W::Error> {
    w.array(5)?;
    w.uint(VERSION)?;
    w.uint(Message::Manifest.number())?;
    signed.header.write(w)?;
    w.bytes(&signed.signature)?;
    w.array(entries.len())?;
    entries.iter().try_for_each(|entry| w.raw(entry))
}

impl Encode for ManifestHeader {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(6)?;
        self.issuer.write(w)?;
        w.uint(self.sequence)?;
        self.previous.write(w)?;
        self.issued_at.write(w)?;
        w.bytes(&self.entries_root)?;
        w.uint(self.entry_count.into())
    }
}

impl Decode<'_> for ManifestHeader {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(6)?;
        Ok(Self {
            issuer: Name::read(r)?,
            sequence: r.uint()?,
            previous: ManifestId::read(r)?,
            issued_at: Timestamp::read(r)?,
            entries_root: r.bytes_of()?,
            entry_count: r.uint_as()?,
        })
    }
}

impl Encode for Entry {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        match self {
            Self::Class(class) => {
                w.array(3)?;
                w.uint(0)?;
                w.bytes(class.Y_bytes())?;
                w.bytes(class.info_bytes())
            }
            Self::Psp { name, key } => {
                w.array(3)?;
                w.uint(1)?;
                name.write(w)?;
                w.bytes(&key.0)
            }
            Self::Ledger { key } => {
                w.array(2)?;
                w.uint(2)?;
                w.bytes(&key.0)
            }
            Self::Supervision(supervision) => {
                w.array(4)?;
                w.uint(3)?;
                supervision.currency.write(w)?;
                supervision.threshold.write(w)?;
                w.bytes(&supervision.key.0)
            }
        }
    }
}

impl Decode<'_> for Entry {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = r.array()?;
        match (r.uint()?, length) {
            (0, 3) => Class::decode(&r.bytes_of()?, r.bytes()?).map(Self::Class),
            (1, 3) => Ok(Self::Psp { name: Name::read(r)?, key: PublicKey(r.bytes_of()?) }),
            (2, 2) => Ok(Self::Ledger { key: PublicKey(r.bytes_of()?) }),
            (3, 4) => {
                let (currency, threshold) = (Currency::read(r)?, Amount::read(r)?);
                let key = SupervisoryKey(r.bytes_of()?);
                key.point()?;
                Ok(Self::Supervision(Supervision { currency, threshold, key }))
            }
            (0..=3, _) => Err(DecodeError::WrongLength),
            _ => Err(DecodeError::OutOfRange),
        }
    }
}

impl<'b> Decode<'b> for Manifest<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(5)?;
        r.message(Message::Manifest.number())?;
        let signed = SignedHeader { header: ManifestHeader::read(r)?, signature: r.bytes_of()? };
        let length = r.array()?;
        if length > 1 << merkle::PATH_LENGTH_MAX {
            return Err(DecodeError::WrongLength);
        }
        let start = r.position();
        for _ in 0..length {
            Entry::read(r)?;
        }
        Ok(Self { signed, entries: r.since(start), length })
    }
}
