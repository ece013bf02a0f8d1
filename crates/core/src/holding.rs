//! What a device holds, told without showing it (§8.1): enough to prove whose it is, too little to spend it.
//!
//! A device leaves its holdings encrypted with its PSP. If it is lost, its owner proves with them which notes were its own, and gets
//! back what nobody redeems. The secrets `γ`, `γ·rnd` tie a note to the identity `U` that withdrew it, and to no other:
//! `ζ = γ·Z`, `ζ1 = (γ·rnd)·G + γ·U`.

use minicbor::encode::Write;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::amount::Timestamp;
use crate::bytes::{ClassId, NoteId};
use crate::class::Class;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::{Generators, RistrettoPoint, decode_scalar, encode_point};
use crate::message::Message;
use crate::note::{Note, NoteSecrets, OpenNote, note_id};
use crate::payment::Chain;
use crate::show::{Points, VerificationFailure};

/// A value note, or an output with the blank that owns it; with what proves whose it is.
#[derive(Clone)]
pub struct Holding<'b> {
    /// Class of the note or blank.
    pub class_id: ClassId,
    /// The note or blank.
    pub note: Note,
    /// `N0`, encoded.
    pub N0: [u8; 32],
    /// `N1`, encoded.
    pub N1: [u8; 32],
    /// What ties it to `U`.
    pub opening: Opening,
    /// What the blank owns; `None` for a value note.
    pub owned: Option<Owned<'b>>,
}

/// `γ` and `γ·rnd`, encoded: the part of a note's secrets that says whose it is. Without `k0`, `k1` and the element they show nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    gamma: [u8; 32],
    gamma_rnd: [u8; 32],
}

/// An output that a blank owns; checked for form, not for truth.
#[derive(Clone, Copy)]
pub struct Owned<'b> {
    /// The chain whose last transfer has the output.
    pub chain: Chain<'b>,
    /// Which output.
    pub index: u8,
    /// Opens its owner tag.
    pub blind: [u8; 32],
}

/// All that a device held at some moment; checked for form, not for truth.
#[derive(Clone, Copy)]
pub struct Backup<'b> {
    /// The device's time then.
    pub made_at: Timestamp,
    holdings: &'b [u8],
    length: usize,
}

impl Opening {
    /// Of a note's secrets.
    pub fn of(secrets: &NoteSecrets) -> Self {
        Self { gamma: secrets.gamma.to_bytes(), gamma_rnd: secrets.gamma_rnd.to_bytes() }
    }
}

impl Holding<'_> {
    /// Checks that the bank issued it, to the device `U`, and gives its name. Whoever can do this for `U` was told by the device: for any
    /// other identity `U'` a logarithm of `γ·(U − U')` to the base `G` would have to be known.
    ///
    /// # Errors
    /// When the bank did not issue it in this class, or not to `U`.
    pub fn verify_vartime(
        &self,
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
    ) -> Result<NoteId, VerificationFailure> {
        let Self { note, N0, N1, opening, .. } = self;
        let OpenNote { zeta, zeta1, rho, omega, rho1, rho2, omega_prime, mu } = note.open()?;
        let with_base = RistrettoPoint::vartime_double_scalar_mul_basepoint;
        let points = Points {
            alpha: encode_point(&with_base(&omega, class.Y(), &rho)),
            beta1: encode_point(&with_base(&omega_prime, &zeta1, &rho1)),
            beta2: encode_point(&(rho2 * generators.H + omega_prime * (zeta - zeta1))),
            eta: encode_point(&(mu * class.Z() + omega_prime * zeta)),
            N0: *N0,
            N1: *N1,
        };
        let (gamma, gamma_rnd) = (decode_scalar(&opening.gamma)?, decode_scalar(&opening.gamma_rnd)?);
        let is_issued = omega + omega_prime == points.epsilon(class, note.zeta(), note.zeta1());
        let is_own = zeta == gamma * class.Z() && zeta1 == with_base(&gamma, U, &gamma_rnd);
        if self.class_id == class.id() && is_issued && is_own {
            Ok(note_id(note.zeta(), note.zeta1(), N0, N1))
        } else {
            Err(VerificationFailure)
        }
    }
}

impl<'b> Backup<'b> {
    /// What was held.
    pub fn holdings(&self) -> impl Iterator<Item = Holding<'b>> + use<'b> {
        let mut r = Reader::new(self.holdings);
        (0..self.length).map(move |_| Holding::read(&mut r).expect("checked when the whole was read"))
    }
}

/// Writes the backup of `holdings`, made at `made_at`.
///
/// # Errors
/// When the writer fails.
pub fn write_backup<'b, W: Write>(
    made_at: Timestamp,
    holdings: impl ExactSizeIterator<Item = Holding<'b>>,
    w: &mut Writer<W>,
) -> Result<(), W::Error> {
    w.array(4)?;
    w.uint(VERSION)?;
    w.uint(Message::Backup.number())?;
    w.uint(made_at.seconds())?;
    w.array(holdings.len())?;
    holdings.into_iter().try_for_each(|holding| holding.write(w))
}

impl Encode for Holding<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(9)?;
        w.uint(VERSION)?;
        w.uint(Message::Holding.number())?;
        w.bytes(&self.class_id.0)?;
        w.bytes(&self.note.0)?;
        w.bytes(&self.N0)?;
        w.bytes(&self.N1)?;
        w.bytes(&self.opening.gamma)?;
        w.bytes(&self.opening.gamma_rnd)?;
        match &self.owned {
            None => w.null(),
            Some(Owned { chain, index, blind }) => {
                w.array(3)?;
                w.raw(chain.as_bytes())?;
                w.uint((*index).into())?;
                w.bytes(blind)
            }
        }
    }
}

impl<'b> Decode<'b> for Holding<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(9)?;
        r.message(Message::Holding.number())?;
        let (class_id, note) = (ClassId(r.bytes_of()?), Note(r.bytes_of()?));
        let (N0, N1) = (r.bytes_of()?, r.bytes_of()?);
        let opening = Opening { gamma: r.bytes_of()?, gamma_rnd: r.bytes_of()? };
        decode_scalar(&opening.gamma)?;
        decode_scalar(&opening.gamma_rnd)?;
        let owned = r.optional(|r| {
            r.array_of(3)?;
            Ok(Owned { chain: Chain::read(r)?, index: r.uint_as()?, blind: r.bytes_of()? })
        })?;
        Ok(Self { class_id, note, N0, N1, opening, owned })
    }
}

impl<'b> Decode<'b> for Backup<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(4)?;
        r.message(Message::Backup.number())?;
        let made_at = Timestamp::new(r.uint()?).ok_or(DecodeError::OutOfRange)?;
        let length = r.array()?;
        let start = r.position();
        for _ in 0..length {
            Holding::read(r)?;
        }
        Ok(Self { made_at, holdings: r.since(start), length })
    }
}

impl core::fmt::Debug for Holding<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Holding(..)")
    }
}
