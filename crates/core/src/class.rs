//! Classes of notes (§3): one issuing key for one kind of note in one epoch.

use core::fmt;

use minicbor::encode::Write;

use crate::amount::{Amount, Timestamp};
use crate::bytes::ClassId;
use crate::encoding::{Buffer, Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::{RistrettoPoint, decode_point, encode_point};
use crate::text::{Currency, Name};
use crate::{hash, label};

/// What a note of a class is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Worth its face.
    Value,
    /// Worth nothing: owns what others pay.
    Blank,
}

/// What a class is for, as published; `info` in the formulas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// Who issues it.
    pub issuer: Name,
    /// In which currency.
    pub currency: Currency,
    /// Value note or blank.
    pub kind: Kind,
    /// Face value, or the most that a blank may own; more than zero.
    pub amount: Amount,
    /// Counts the bank's key changes.
    pub epoch: u32,
    /// First moment of issue.
    pub issue_from: Timestamp,
    /// Last moment at which a wallet accepts it.
    pub spend_until: Timestamp,
    /// Last moment at which the bank redeems it.
    pub redeem_until: Timestamp,
    /// The most transfers in one chain; 0 for blanks, at least 1 for value notes.
    pub max_hops: u8,
}

/// The longest encoding of an [`Info`].
pub const INFO_LENGTH_MAX: usize = 88;

/// A class with everything derived from its key and [`Info`]: `Z` above all, which is never read from anywhere.
#[derive(Clone)]
pub struct Class {
    info: Info,
    encoded: Buffer<INFO_LENGTH_MAX>,
    Y: RistrettoPoint,
    Y_bytes: [u8; 32],
    id: ClassId,
    Z: RistrettoPoint,
}

/// Where a verifier looks classes up: a manifest that it has checked.
pub trait Classes {
    /// The class of that name, if the manifest has it.
    fn class(&self, id: &ClassId) -> Option<&Class>;
}

impl Classes for [Class] {
    fn class(&self, id: &ClassId) -> Option<&Class> {
        self.iter().find(|class| class.id == *id)
    }
}

impl Info {
    /// Checks what the types cannot say: order of the dates, a positive amount, hops that fit the kind.
    fn checked(self) -> Result<Self, DecodeError> {
        let hops = match self.kind {
            Kind::Value => self.max_hops > 0,
            Kind::Blank => self.max_hops == 0,
        };
        let dates = self.issue_from <= self.spend_until && self.spend_until <= self.redeem_until;
        if hops && dates && !self.amount.is_zero() { Ok(self) } else { Err(DecodeError::OutOfRange) }
    }
}

impl Encode for Info {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(10)?;
        w.uint(VERSION)?;
        self.issuer.write(w)?;
        self.currency.write(w)?;
        w.uint(match self.kind {
            Kind::Value => 0,
            Kind::Blank => 1,
        })?;
        self.amount.write(w)?;
        w.uint(self.epoch.into())?;
        self.issue_from.write(w)?;
        self.spend_until.write(w)?;
        self.redeem_until.write(w)?;
        w.uint(self.max_hops.into())
    }
}

impl Decode<'_> for Info {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(10)?;
        r.version()?;
        Self {
            issuer: Name::read(r)?,
            currency: Currency::read(r)?,
            kind: match r.uint()? {
                0 => Kind::Value,
                1 => Kind::Blank,
                _ => return Err(DecodeError::OutOfRange),
            },
            amount: Amount::read(r)?,
            epoch: r.uint_as()?,
            issue_from: Timestamp::read(r)?,
            spend_until: Timestamp::read(r)?,
            redeem_until: Timestamp::read(r)?,
            max_hops: r.uint_as()?,
        }
        .checked()
    }
}

impl Class {
    /// The class of key `Y` and `info`.
    ///
    /// # Errors
    /// When `info` contradicts itself.
    pub fn new(Y: RistrettoPoint, info: Info) -> Result<Self, DecodeError> {
        let info = info.checked()?;
        let encoded = Buffer::of(&info);
        let Y_bytes = encode_point(&Y);
        let id = class_id(&Y_bytes, encoded.as_slice());
        let Z = hash::hg(label::CLASS, &[&Y_bytes, encoded.as_slice()]);
        Ok(Self { info, encoded, Y, Y_bytes, id, Z })
    }

    /// The class from its published parts.
    ///
    /// # Errors
    /// When either is not canonical.
    pub fn decode(Y: &[u8; 32], info: &[u8]) -> Result<Self, DecodeError> {
        Self::new(decode_point(Y)?, Info::decode(info)?)
    }

    /// What it is for.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The encoding of [`Class::info`], as hashed.
    pub fn info_bytes(&self) -> &[u8] {
        self.encoded.as_slice()
    }

    /// The issuing key.
    pub fn Y(&self) -> &RistrettoPoint {
        &self.Y
    }

    /// The issuing key, encoded.
    pub fn Y_bytes(&self) -> &[u8; 32] {
        &self.Y_bytes
    }

    /// Its name.
    pub fn id(&self) -> ClassId {
        self.id
    }

    /// `Z = Hg("specie/v1/class", Y ‖ info)`.
    pub fn Z(&self) -> &RistrettoPoint {
        &self.Z
    }
}

/// The name of the class of key `Y` (encoded) and `info` (encoded).
pub fn class_id(Y: &[u8; 32], info: &[u8]) -> ClassId {
    let wide = hash::h512(label::CLASS_ID, &[Y, info]);
    let mut id = [0; 16];
    id.copy_from_slice(&wide[..16]);
    ClassId(id)
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Class").field("id", &self.id).field("info", &self.info).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn info(kind: Kind, amount: u64) -> Info {
        Info {
            issuer: Name::new("central-bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            kind,
            amount: Amount::new(amount).unwrap(),
            epoch: 7,
            issue_from: Timestamp::new(1_000).unwrap(),
            spend_until: Timestamp::new(2_000).unwrap(),
            redeem_until: Timestamp::new(3_000).unwrap(),
            max_hops: if kind == Kind::Value { 4 } else { 0 },
        }
    }

    #[test]
    fn the_longest_info_fits() {
        let longest = Info {
            issuer: Name::new(&"x".repeat(32)).unwrap(),
            amount: Amount::MAX,
            epoch: u32::MAX,
            issue_from: Timestamp::EPOCH.saturating_add(u64::MAX),
            spend_until: Timestamp::EPOCH.saturating_add(u64::MAX),
            redeem_until: Timestamp::EPOCH.saturating_add(u64::MAX),
            max_hops: u8::MAX,
            ..info(Kind::Value, 1)
        };
        assert!(longest.encoded_length() <= INFO_LENGTH_MAX);
        assert_eq!(Info::decode(Buffer::<INFO_LENGTH_MAX>::of(&longest).as_slice()), Ok(longest));
    }

    #[test]
    fn rejects_infos_that_contradict_themselves() {
        let good = info(Kind::Value, 500);
        let blank = info(Kind::Blank, 500);
        for wrong in [
            Info { amount: Amount::ZERO, ..good },
            Info { max_hops: 0, ..good },
            Info { max_hops: 1, ..blank },
            Info { spend_until: Timestamp::new(999).unwrap(), ..good },
            Info { redeem_until: Timestamp::new(1_999).unwrap(), ..good },
        ] {
            let bytes = Buffer::<INFO_LENGTH_MAX>::of(&wrong);
            assert_eq!(Info::decode(bytes.as_slice()), Err(DecodeError::OutOfRange), "{wrong:?}");
        }
    }
}
