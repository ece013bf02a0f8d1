//! Polynomials over the scalars, and their commitments. Officer `j` is the point `x = j`, from 1.

use specie_core::encoding::DecodeError;
use specie_core::group::{RistrettoPoint, Scalar, decode_point};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Coefficients, the constant term first. They are secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Polynomial(pub(crate) Vec<Scalar>);

impl Polynomial {
    /// `f(x)`.
    pub(crate) fn at(&self, x: u8) -> Scalar {
        let x = Scalar::from(x);
        self.0.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * x + coefficient)
    }

    /// `f_m·G` for each coefficient.
    pub(crate) fn commitments(&self) -> Vec<RistrettoPoint> {
        self.0.iter().map(RistrettoPoint::mul_base).collect()
    }
}

/// `f(x)·G` from the commitments.
pub(crate) fn committed_at(commitments: &[RistrettoPoint], x: u8) -> RistrettoPoint {
    let x = Scalar::from(x);
    commitments.iter().rev().fold(RistrettoPoint::default(), |sum, commitment| sum * x + commitment)
}

pub(crate) fn decode_all(points: &[[u8; 32]]) -> Result<Vec<RistrettoPoint>, DecodeError> {
    points.iter().map(decode_point).collect()
}

/// `λ_i` with `f(0) = Σ λ_i·f(i)` over `officers`, all different and none 0.
pub(crate) fn lagrange(officers: &[u8], i: u8) -> Scalar {
    let x = Scalar::from(i);
    let others = officers.iter().filter(|other| **other != i).map(|other| Scalar::from(*other));
    let (above, below) = others.fold((Scalar::ONE, Scalar::ONE), |(a, b), other| (a * other, b * (other - x)));
    above * below.invert()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_values_as_coefficients_give_the_constant_and_fewer_do_not() {
        let polynomial = Polynomial([3u8, 5, 7].map(Scalar::from).to_vec());
        let value =
            |officers: &[u8]| -> Scalar { officers.iter().map(|i| lagrange(officers, *i) * polynomial.at(*i)).sum() };
        for officers in [[1, 2, 3], [7, 2, 5], [16, 15, 1]] {
            assert_eq!(value(&officers), Scalar::from(3u8));
            assert_ne!(value(&officers[..2]), Scalar::from(3u8));
        }
        let commitments = polynomial.commitments();
        assert_eq!(committed_at(&commitments, 9), RistrettoPoint::mul_base(&polynomial.at(9)));
        assert_eq!(committed_at(&commitments, 0), commitments[0]);
    }
}
