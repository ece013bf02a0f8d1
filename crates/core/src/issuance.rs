//! Withdrawal (§5): blind issuance in two round trips, with the issuer's and the device's side.
//!
//! W1 the device asks; W2 [`IssuerSession::commit`]; W3 [`Blinded::blind`]; W4 [`IssuerSession::answer`];
//! W5 [`Blinded::unblind`].

mod device;
mod issuer;

pub use device::{Blinded, Blinding, IssuedNote};
pub use issuer::{IssuerSession, IssuingKey};

use crate::encoding::DecodeError;
use crate::group::{RistrettoPoint, Scalar, decode_point, decode_scalar};

/// What the issuer commits to for one note (W2); encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// `rnd`, a scalar.
    pub rnd: [u8; 32],
    /// `a = κ·G`.
    pub a: [u8; 32],
    /// `b1 = s1·G + δ·Z1`.
    pub b1: [u8; 32],
    /// `b2 = s2·H + δ·Z2`.
    pub b2: [u8; 32],
}

/// The issuer's answer to a challenge (W4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// `r = κ − c·x`.
    pub r: Scalar,
    /// `s1`.
    pub s1: Scalar,
    /// `s2`.
    pub s2: Scalar,
    /// `δ`.
    pub delta: Scalar,
}

/// A [`Commitment`] with its points decoded.
struct OpenCommitment {
    rnd: Scalar,
    a: RistrettoPoint,
    b1: RistrettoPoint,
    b2: RistrettoPoint,
}

impl Commitment {
    /// Length of the encoding `rnd ‖ a ‖ b1 ‖ b2`.
    pub const LENGTH: usize = 128;

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        concatenate([&self.rnd, &self.a, &self.b1, &self.b2])
    }

    /// From the encoding; whether it is canonical is checked when it is used.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let [rnd, a, b1, b2] = quarters(bytes);
        Self { rnd, a, b1, b2 }
    }

    fn open(&self) -> Result<OpenCommitment, DecodeError> {
        let rnd = decode_scalar(&self.rnd)?;
        if rnd == Scalar::ZERO {
            return Err(DecodeError::BadScalar);
        }
        Ok(OpenCommitment { rnd, a: decode_point(&self.a)?, b1: decode_point(&self.b1)?, b2: decode_point(&self.b2)? })
    }
}

impl Response {
    /// Length of the encoding `r ‖ s1 ‖ s2 ‖ δ`.
    pub const LENGTH: usize = 128;

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        concatenate([self.r.as_bytes(), self.s1.as_bytes(), self.s2.as_bytes(), self.delta.as_bytes()])
    }

    /// From the encoding.
    ///
    /// # Errors
    /// When a scalar is not canonical.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let [r, s1, s2, delta] = quarters(bytes);
        Ok(Self {
            r: decode_scalar(&r)?,
            s1: decode_scalar(&s1)?,
            s2: decode_scalar(&s2)?,
            delta: decode_scalar(&delta)?,
        })
    }
}

impl core::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Commitment(..)")
    }
}

impl core::fmt::Debug for Response {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Response(..)")
    }
}

fn concatenate(parts: [&[u8; 32]; 4]) -> [u8; 128] {
    let mut bytes = [0; 128];
    bytes.chunks_exact_mut(32).zip(parts).for_each(|(chunk, part)| chunk.copy_from_slice(part));
    bytes
}

fn quarters(bytes: &[u8; 128]) -> [[u8; 32]; 4] {
    core::array::from_fn(|index| bytes[index * 32..][..32].try_into().expect("four parts of 32 bytes"))
}
