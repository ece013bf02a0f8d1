//! What an element says of its totals, and how it opens.

use curve25519_dalek::traits::MultiscalarMul;
use specie_core::Amount;
use specie_core::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::label;
use specie_core::signature::PublicKey;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One of the two totals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// What the element holds and expects.
    Held,
    /// What it let go since its limits came.
    Spent,
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Held => "what the device holds",
            Self::Spent => "what the device spent since its last limits",
        })
    }
}

/// The limits that the totals must not be over, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Most that may be held.
    pub max_holding: Amount,
    /// Most that may be let go between two documents.
    pub max_cumulative: Amount,
}

impl Bounds {
    /// The limit of each total.
    pub(crate) fn of(&self, total: Total) -> u64 {
        match total {
            Total::Held => self.max_holding.minor(),
            Total::Spent => self.max_cumulative.minor(),
        }
    }
}

/// How a commitment opens: secret, but for the device, and for a PSP that the device opens it to.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    /// The total, in minor units.
    pub total: u64,
    /// `r`, which hides it.
    pub blinding: [u8; 32],
}

/// An element's signed commitments to its totals, for one nonce of its PSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The PSP's.
    pub nonce: [u8; 32],
    /// The limits document that the element holds; 0 for none.
    pub limits_sequence: u64,
    /// `C = held·H + r·G`, encoded.
    pub held: [u8; 32],
    /// `C = spent·H + r·G`, encoded.
    pub spent: [u8; 32],
    /// By `A`.
    pub signature: [u8; 64],
}

/// Why totals are not proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TotalsError {
    /// Another key signed, or for another nonce, document or commitment.
    #[error("the totals are not signed by this device's element for this nonce")]
    Signature,
    /// A commitment is no canonical point.
    #[error("the commitment to {0} is no point")]
    Point(Total),
    /// A commitment was made of something else.
    #[error("the commitment to {0} does not open to what is said")]
    Opening(Total),
    /// More than the limit: nobody can prove otherwise.
    #[error("{0} is over its limit")]
    OverLimit(Total),
    /// The proof has not the one form that proofs have.
    #[error("the range proof is malformed")]
    MalformedProof,
    /// The proof proves something else, or nothing.
    #[error("the range proof does not hold")]
    Proof,
}

impl Opening {
    /// `total·H + r·G`.
    pub(crate) fn commitment(&self, generators: &Generators) -> Option<RistrettoPoint> {
        let mut scalars = [Scalar::from(self.total), decode_scalar(&self.blinding).ok()?];
        let base = curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
        let point = RistrettoPoint::multiscalar_mul(scalars.iter(), [generators.H, base]);
        scalars.zeroize();
        Some(point)
    }
}

impl Statement {
    /// Checks that the element of `device` said this.
    ///
    /// # Errors
    /// It did not.
    pub fn verify_signature(&self, device: &PublicKey) -> Result<(), TotalsError> {
        let sequence = self.limits_sequence.to_be_bytes();
        let parts = [&self.nonce[..], &sequence, &self.held, &self.spent];
        device.verify(label::TOTALS, &parts, &self.signature).map_err(|_| TotalsError::Signature)
    }

    /// Checks that the element of `device` said this, that it opens so, and that neither total is over its limit.
    ///
    /// # Errors
    /// Whatever does not hold.
    pub fn verify_opened(
        &self,
        device: &PublicKey,
        bounds: &Bounds,
        held: &Opening,
        spent: &Opening,
    ) -> Result<(), TotalsError> {
        self.verify_signature(device)?;
        self.check_openings(held, spent)?;
        check_bounds(bounds, held, spent)
    }

    /// Whether the commitments open so.
    pub(crate) fn check_openings(&self, held: &Opening, spent: &Opening) -> Result<(), TotalsError> {
        let generators = Generators::new();
        for (total, opening, commitment) in [(Total::Held, held, &self.held), (Total::Spent, spent, &self.spent)] {
            let opened = opening.commitment(&generators).map(|point| encode_point(&point));
            if opened.as_ref() != Some(commitment) {
                return Err(TotalsError::Opening(total));
            }
        }
        Ok(())
    }

    /// What remains of each limit, committed to: `limit·H − C`.
    pub(crate) fn remainders(&self, bounds: &Bounds) -> Result<Vec<RistrettoPoint>, TotalsError> {
        let H = Generators::new().H;
        let remainder = |total: Total, commitment| {
            let C = decode_point(commitment).map_err(|_| TotalsError::Point(total))?;
            Ok(Scalar::from(bounds.of(total)) * H - C)
        };
        Ok(vec![remainder(Total::Held, &self.held)?, remainder(Total::Spent, &self.spent)?])
    }
}

/// Whether neither total is over its limit.
pub(crate) fn check_bounds(bounds: &Bounds, held: &Opening, spent: &Opening) -> Result<(), TotalsError> {
    for (total, opening) in [(Total::Held, held), (Total::Spent, spent)] {
        if opening.total > bounds.of(total) {
            return Err(TotalsError::OverLimit(total));
        }
    }
    Ok(())
}
