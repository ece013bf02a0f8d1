//! What an element says of its totals (`docs/spec/element.md`, TOTALS), without the rest of an element.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use specie_core::group::{Generators, Scalar, encode_point};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{Amount, hash, label};
use specie_totals::{Bounds, Opening, Statement};

pub(crate) struct TestElement {
    key: SigningKey,
}

/// What TOTALS answers.
pub(crate) struct Said {
    pub(crate) statement: Statement,
    pub(crate) held: Opening,
    pub(crate) spent: Opening,
}

pub(crate) fn bounds(max_holding: u64, max_cumulative: u64) -> Bounds {
    let amount = |minor| Amount::new(minor).unwrap();
    Bounds { max_holding: amount(max_holding), max_cumulative: amount(max_cumulative) }
}

impl TestElement {
    pub(crate) fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_seed(&[seed; 32]) }
    }

    pub(crate) fn device(&self) -> PublicKey {
        self.key.public()
    }

    pub(crate) fn say(&self, nonce: &[u8; 32], limits_sequence: u64, held: u64, spent: u64) -> Said {
        let opening = |which: u8, total: u64| {
            let blinding = hash::hs("specie/v1/test", &[&self.device().0, nonce, &[which], &total.to_be_bytes()]);
            Opening { total, blinding: blinding.to_bytes() }
        };
        let (held, spent) = (opening(0, held), opening(1, spent));
        let statement = self.sign(nonce, limits_sequence, commitment(&held), commitment(&spent));
        Said { statement, held, spent }
    }

    /// Signs whatever it is given.
    pub(crate) fn sign(&self, nonce: &[u8; 32], limits_sequence: u64, held: [u8; 32], spent: [u8; 32]) -> Statement {
        let parts = [&nonce[..], &limits_sequence.to_be_bytes(), &held, &spent];
        let signature = self.key.sign(label::TOTALS, &parts);
        Statement { nonce: *nonce, limits_sequence, held, spent, signature }
    }
}

fn commitment(opening: &Opening) -> [u8; 32] {
    let r = Scalar::from_canonical_bytes(opening.blinding).unwrap();
    encode_point(&(Scalar::from(opening.total) * Generators::new().H + r * RISTRETTO_BASEPOINT_POINT))
}
