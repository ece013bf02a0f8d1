//! Proofs of equal logarithms (Chaum and Pedersen, CRYPTO 1992): `X = x·G` and `Y = x·B` for one `x`.

use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::{hash, label};

/// Challenge and response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dleq {
    pub(crate) c: Scalar,
    pub(crate) s: Scalar,
}

impl Dleq {
    /// Proves it for `x`. The nonce is hashed from `x` and from all that is proven, so that it never serves two challenges. `about`
    /// says what the proof is for.
    pub(crate) fn prove(x: &Scalar, base: &RistrettoPoint, about: &[&[u8]]) -> Self {
        let statement = [RistrettoPoint::mul_base(x), *base, x * base].map(|point| encode_point(&point));
        let mut secret: Vec<&[u8]> = vec![x.as_bytes()];
        secret.extend(statement.iter().map(|point| &point[..]));
        secret.extend_from_slice(about);
        let w = zeroize::Zeroizing::new(hash::hs(label::SUPERVISION_NONCE, &secret));
        let c = challenge(&statement, &[RistrettoPoint::mul_base(&w), *w * base], about);
        Self { c, s: *w + c * x }
    }

    /// Whether `X = x·G` and `Y = x·base` for some `x`.
    pub(crate) fn holds(&self, X: &RistrettoPoint, base: &RistrettoPoint, Y: &RistrettoPoint, about: &[&[u8]]) -> bool {
        let statement = [X, base, Y].map(encode_point);
        let commitments = [RistrettoPoint::mul_base(&self.s) - self.c * X, self.s * base - self.c * Y];
        challenge(&statement, &commitments, about) == self.c
    }
}

fn challenge(statement: &[[u8; 32]; 3], commitments: &[RistrettoPoint; 2], about: &[&[u8]]) -> Scalar {
    let commitments = commitments.each_ref().map(encode_point);
    let points = statement.iter().chain(&commitments).map(|point| &point[..]);
    let parts: Vec<&[u8]> = points.chain(about.iter().copied()).collect();
    hash::hs(label::SUPERVISION_PROOF, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use specie_core::group::Generators;

    #[test]
    fn a_proof_is_of_one_statement_about_one_thing() {
        let (x, K, H) = (Scalar::from(7u8), Generators::new().K, Generators::new().H);
        let X = RistrettoPoint::mul_base(&x);
        let proof = Dleq::prove(&x, &K, &[b"this"]);
        assert!(proof.holds(&X, &K, &(x * K), &[b"this"]));
        assert!(!proof.holds(&X, &K, &(x * K), &[b"that"]));
        assert!(!proof.holds(&X, &K, &(x * K), &[b"th", b"is"]));
        assert!(!proof.holds(&X, &H, &(x * H), &[b"this"]));
        assert!(!proof.holds(&X, &K, &(Scalar::from(8u8) * K), &[b"this"]));
        assert!(!proof.holds(&K, &K, &(x * K), &[b"this"]));
        assert!(!Dleq { s: -proof.s, ..proof }.holds(&X, &K, &(x * K), &[b"this"]));
    }
}
