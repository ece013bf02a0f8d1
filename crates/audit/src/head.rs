//! Heads: the operator of a log signs how far it went at some time, and can never deny it.

use minicbor::encode::Write;
use specie_core::Timestamp;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use specie_core::signature::{BadSignature, PublicKey, SigningKey};
use specie_core::text::{Name, Text};
use specie_core::{hash, label};

use crate::record::Record;
use crate::tree::Tree;

/// Version of heads that have the root of the tree.
const VERSION_WITH_ROOT: u64 = 2;

/// Which log: `bank/` and the issuer's name, or `psp/` and the PSP's.
pub type LogName = Text<64>;

/// How far a log went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Which log.
    pub log: LogName,
    /// Sequence of its newest record.
    pub sequence: u64,
    /// Hash of that record.
    pub hash: [u8; 32],
    /// Root of the [tree](crate::tree) over all records up to that one; heads of earlier programs have none.
    pub root: Option<[u8; 32]>,
    /// When.
    pub at: Timestamp,
}

/// A head with its signature: by the bank's ledger key, or the PSP's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    /// `Sign("specie/v1/audit-head", head)`.
    pub signature: [u8; 64],
}

/// The log of a bank.
pub fn bank_log(issuer: &Name) -> LogName {
    LogName::new(&format!("bank/{issuer}")).expect("a name has at most 32 bytes")
}

/// The log of a PSP.
pub fn psp_log(psp: &Name) -> LogName {
    LogName::new(&format!("psp/{psp}")).expect("a name has at most 32 bytes")
}

impl Head {
    /// The head of `log` when `newest` is its newest record.
    pub fn new(log: LogName, newest: &Record, at: Timestamp) -> Self {
        Self { log, sequence: newest.sequence, hash: newest.hash(), root: None, at }
    }

    /// The same with the root of the tree.
    #[must_use]
    pub fn over(self, tree: &Tree) -> Self {
        Self { root: Some(tree.root()), ..self }
    }

    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> SignedHead {
        SignedHead { head: self, signature: key.sign(label::AUDIT_HEAD, &[&self.to_vec()]) }
    }
}

impl SignedHead {
    /// Whether `key` signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        key.verify(label::AUDIT_HEAD, &[&self.head.to_vec()], &self.signature)
    }

    /// A name for it, to be read over the telephone.
    pub fn id(&self) -> [u8; 32] {
        hash::h32(label::AUDIT_HEAD, &[&self.head.to_vec()])
    }
}

impl Encode for Head {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(if self.root.is_some() { 6 } else { 5 })?;
        w.uint(if self.root.is_some() { VERSION_WITH_ROOT } else { VERSION })?;
        w.text(self.log.as_str())?;
        w.uint(self.sequence)?;
        w.bytes(&self.hash)?;
        if let Some(root) = &self.root {
            w.bytes(root)?;
        }
        w.uint(self.at.seconds())
    }
}

impl Decode<'_> for Head {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let with_root = match (r.array()?, r.uint()?) {
            (5, VERSION) => false,
            (6, VERSION_WITH_ROOT) => true,
            (5 | 6, _) => return Err(DecodeError::UnknownVersion),
            _ => return Err(DecodeError::WrongLength),
        };
        let log = LogName::new(r.text()?).ok_or(DecodeError::WrongLength)?;
        let (sequence, hash) = (r.uint()?, r.bytes_of()?);
        let root = if with_root { Some(r.bytes_of()?) } else { None };
        Ok(Self { log, sequence, hash, root, at: Timestamp::new(r.uint()?).ok_or(DecodeError::OutOfRange)? })
    }
}

impl Encode for SignedHead {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(2)?;
        self.head.write(w)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for SignedHead {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(2)?;
        Ok(Self { head: Head::read(r)?, signature: r.bytes_of()? })
    }
}
