//! Evidence of a double spend (§8): two shows of one note give away whose it is, and nobody else can make them.

use core::fmt;

use minicbor::encode::Write;

use crate::bytes::{NoteId, TransferId};
use crate::chain::{CheckShow, Immediately};
use crate::class::Class;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::{Generators, RistrettoPoint, Scalar, encode_point, inverse_vartime};
use crate::message::Message;
use crate::note::note_id;
use crate::show::VerificationFailure;
use crate::transfer::Transfer;

/// Two transfers that show the same note.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Class of the note.
    pub class: Class,
    /// One transfer.
    pub first: Transfer,
    /// Another.
    pub second: Transfer,
}

/// Who did it, and what convicts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Culprit {
    /// `U = u·K`, encoded: the device that was enrolled.
    pub U: [u8; 32],
    /// The note shown twice.
    pub note_id: NoteId,
    /// The two transfers.
    pub transfers: [TransferId; 2],
}

/// Why evidence convicts nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EvidenceError {
    /// A transfer is of another class.
    OtherClass,
    /// A transfer is not valid.
    Forged(VerificationFailure),
    /// The two show different notes.
    DifferentNotes,
    /// The two are the same transfer.
    SameTransfer,
    /// The secrets that come out do not fit the note: it was not issued.
    Inconsistent,
}

impl Evidence {
    /// Checks both transfers and computes who made them:
    /// `γ = Δz0/Δd, rnd = Δz1/(Δd·γ), u = Δz3/(Δd·γ)`, where `ζ = γ·Z` and `ζ1 = γ·(rnd·G + u·K)`.
    ///
    /// # Errors
    /// When they convict nobody.
    pub fn verify_vartime(&self, generators: &Generators) -> Result<Culprit, EvidenceError> {
        convict_vartime(generators, &self.class, &self.first, &self.second)
    }
}

/// [`Evidence::verify_vartime`] of what lies in two places.
///
/// # Errors
/// When the two convict nobody.
#[inline(never)]
pub fn convict_vartime(
    generators: &Generators,
    class: &Class,
    first: &Transfer,
    second: &Transfer,
) -> Result<Culprit, EvidenceError> {
    let ((d1, note1, id1), (d2, note2, id2)) = (shown(generators, class, first)?, shown(generators, class, second)?);
    if note1 != note2 {
        return Err(EvidenceError::DifferentNotes);
    }
    if id1 == id2 || d1 == d2 {
        return Err(EvidenceError::SameTransfer);
    }
    let revealed = reveal([&d1, &d2], [first, second]).ok_or(EvidenceError::Inconsistent)?;
    let U = revealed.identity(generators, class, first).ok_or(EvidenceError::Inconsistent)?;
    Ok(Culprit { U: encode_point(&U), note_id: note1, transfers: [id1, id2] })
}

/// Challenge, note and name of a transfer whose show is valid.
#[inline(never)]
fn shown(
    generators: &Generators,
    class: &Class,
    transfer: &Transfer,
) -> Result<(Scalar, NoteId, TransferId), EvidenceError> {
    if transfer.preimage.class_id != class.id() {
        return Err(EvidenceError::OtherClass);
    }
    let d = transfer.d();
    let points = Immediately(generators).check(class, transfer, &d).map_err(EvidenceError::Forged)?;
    let note = &transfer.preimage.note;
    Ok((d, note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1), transfer.id()))
}

/// The secrets that two shows of one note give away.
pub struct Revealed {
    /// `γ`.
    pub gamma: Scalar,
    /// `rnd`.
    pub rnd: Scalar,
    /// `u`.
    pub u: Scalar,
}

/// Solves two shows with challenges `d` for their secrets; `None` when they are not of one note.
fn reveal(d: [&Scalar; 2], transfers: [&Transfer; 2]) -> Option<Revealed> {
    let [first, second] = transfers.map(|transfer| &transfer.show);
    Revealed::from_differences(
        &(d[0] - d[1]),
        &(first.z0 - second.z0),
        &(first.z1 - second.z1),
        &(first.z3 - second.z3),
    )
}

impl Revealed {
    /// From `Δd`, `Δz0`, `Δz1`, `Δz3`; `None` when a division by zero says that these are not two shows of one note.
    pub fn from_differences(d: &Scalar, z0: &Scalar, z1: &Scalar, z3: &Scalar) -> Option<Self> {
        if *d == Scalar::ZERO || *z0 == Scalar::ZERO {
            return None;
        }
        // Δz0 = Δd·γ, Δz1 = Δd·γ·rnd, Δz3 = Δd·γ·u.
        let inverse = inverse_vartime(z0);
        Some(Self { gamma: z0 * inverse_vartime(d), rnd: z1 * inverse, u: z3 * inverse })
    }

    /// `U`, if the secrets fit the note shown.
    fn identity(&self, generators: &Generators, class: &Class, transfer: &Transfer) -> Option<RistrettoPoint> {
        let Self { gamma, rnd, u } = self;
        let U = u * generators.K;
        let zeta = encode_point(&(gamma * class.Z()));
        let zeta1 = encode_point(&(gamma * (RistrettoPoint::mul_base(rnd) + U)));
        let note = &transfer.preimage.note;
        (zeta == *note.zeta() && zeta1 == *note.zeta1()).then_some(U)
    }
}

impl Encode for Evidence {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(6)?;
        w.uint(VERSION)?;
        w.uint(Message::Evidence.number())?;
        w.bytes(self.class.Y_bytes())?;
        w.bytes(self.class.info_bytes())?;
        self.first.write(w)?;
        self.second.write(w)
    }
}

impl Decode<'_> for Evidence {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(6)?;
        r.message(Message::Evidence.number())?;
        let class = Class::decode(&r.bytes_of()?, r.bytes()?)?;
        Ok(Self { class, first: Transfer::read(r)?, second: Transfer::read(r)? })
    }
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherClass => f.write_str("a transfer is of another class than the evidence says"),
            Self::Forged(failure) => failure.fmt(f),
            Self::DifferentNotes => f.write_str("the transfers show different notes"),
            Self::SameTransfer => f.write_str("the transfers are the same: a repeat, not a double spend"),
            Self::Inconsistent => f.write_str("the secrets that come out do not fit the note"),
        }
    }
}

impl core::error::Error for EvidenceError {}
