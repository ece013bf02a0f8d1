//! Notes and blanks (§5): a blind signature of the bank over a secret that only its element can show.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::bytes::{NoteId, OwnerTag};
use crate::encoding::DecodeError;
use crate::group::{RistrettoPoint, Scalar, decode_point, decode_scalar};
use crate::{hash, label};

/// A note or blank as it is shown: `ζ ‖ ζ1 ‖ ρ ‖ ω ‖ ρ1 ‖ ρ2 ‖ ω' ‖ μ`, not yet checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Note(pub [u8; 256]);

/// A note whose points and scalars are canonical and whose points are not degenerate.
#[derive(Clone)]
pub(crate) struct OpenNote {
    pub(crate) zeta: RistrettoPoint,
    pub(crate) zeta1: RistrettoPoint,
    pub(crate) rho: Scalar,
    pub(crate) omega: Scalar,
    pub(crate) rho1: Scalar,
    pub(crate) rho2: Scalar,
    pub(crate) omega_prime: Scalar,
    pub(crate) mu: Scalar,
}

/// What the host keeps of a note to show it once: `w0 = γ`, `w1 = γ·rnd`, `k0`, `k1`. They hide whose note it is.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct NoteSecrets {
    /// `γ`: also goes to the element when the note is shown.
    pub gamma: Scalar,
    /// `γ·rnd`.
    pub gamma_rnd: Scalar,
    /// Nonce of `z0`.
    pub k0: Scalar,
    /// Nonce of `z1`.
    pub k1: Scalar,
}

impl Note {
    /// Puts a note together from its encoded points and scalars, in the order of §5.
    pub(crate) fn of(points: [&[u8; 32]; 2], scalars: [&Scalar; 6]) -> Self {
        let mut bytes = [0; 256];
        let parts = points.into_iter().chain(scalars.into_iter().map(Scalar::as_bytes));
        for (chunk, part) in bytes.chunks_exact_mut(32).zip(parts) {
            chunk.copy_from_slice(part);
        }
        Self(bytes)
    }

    /// `ζ`, encoded.
    pub fn zeta(&self) -> &[u8; 32] {
        self.part(0)
    }

    /// `ζ1`, encoded.
    pub fn zeta1(&self) -> &[u8; 32] {
        self.part(1)
    }

    /// Parses it: canonical everywhere, `ζ ≠ 0`, `ζ1 ≠ 0`, `ζ ≠ ζ1` (§6).
    pub(crate) fn open(&self) -> Result<OpenNote, DecodeError> {
        let point = |index| match decode_point(self.part(index)) {
            // The identity encodes as zeros: without this check anybody forges notes (ζ = ζ1 = 0).
            Ok(_) if *self.part(index) == [0; 32] => Err(DecodeError::BadPoint),
            decoded => decoded,
        };
        if self.zeta() == self.zeta1() {
            return Err(DecodeError::BadPoint);
        }
        Ok(OpenNote {
            zeta: point(0)?,
            zeta1: point(1)?,
            rho: decode_scalar(self.part(2))?,
            omega: decode_scalar(self.part(3))?,
            rho1: decode_scalar(self.part(4))?,
            rho2: decode_scalar(self.part(5))?,
            omega_prime: decode_scalar(self.part(6))?,
            mu: decode_scalar(self.part(7))?,
        })
    }

    fn part(&self, index: usize) -> &[u8; 32] {
        self.0[index * 32..][..32].try_into().expect("eight parts of 32 bytes")
    }
}

impl core::fmt::Debug for Note {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Note(..)")
    }
}

impl NoteSecrets {
    /// Length of the encoding.
    pub const LENGTH: usize = 128;

    /// For the host's own storage. The caller zeroises the copy.
    pub fn expose_secret_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let parts = [&self.gamma, &self.gamma_rnd, &self.k0, &self.k1];
        for (chunk, part) in bytes.chunks_exact_mut(32).zip(parts) {
            chunk.copy_from_slice(part.as_bytes());
        }
        bytes
    }

    /// From the host's own storage.
    ///
    /// # Errors
    /// When a scalar is not canonical: the storage is damaged.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let part = |index: usize| decode_scalar(bytes[index * 32..][..32].try_into().expect("four parts of 32 bytes"));
        Ok(Self { gamma: part(0)?, gamma_rnd: part(1)?, k0: part(2)?, k1: part(3)? })
    }
}

/// `note_id = H32("specie/v1/note-id", ζ, ζ1, N0, N1)` (§5), all encoded.
pub fn note_id(zeta: &[u8; 32], zeta1: &[u8; 32], N0: &[u8; 32], N1: &[u8; 32]) -> NoteId {
    NoteId(hash::h32(label::NOTE_ID, &[zeta, zeta1, N0, N1]))
}

/// `owner = H32("specie/v1/owner", note_id, blind)` (§6).
pub fn owner_tag(blank: &NoteId, blind: &[u8; 32]) -> OwnerTag {
    OwnerTag(hash::h32(label::OWNER, &[&blank.0, blind]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_degenerate_points() {
        let one = crate::group::encode_point(&RistrettoPoint::mul_base(&Scalar::ONE));
        let two = crate::group::encode_point(&RistrettoPoint::mul_base(&Scalar::from(2u8)));
        let zero = [0; 32];
        let note = |zeta, zeta1| Note::of([zeta, zeta1], [&Scalar::ONE; 6]);
        assert!(note(&one, &two).open().is_ok());
        for (zeta, zeta1) in [(&zero, &two), (&one, &zero), (&one, &one), (&zero, &zero)] {
            assert_eq!(note(zeta, zeta1).open().err(), Some(DecodeError::BadPoint));
        }
    }
}
