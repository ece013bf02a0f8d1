//! What is proven of totals, and what is not.
#![allow(clippy::unwrap_used, missing_docs)]

mod element;

use element::{Said, TestElement, bounds};
use proptest::prelude::*;
use specie_core::group::{Generators, Scalar, encode_point};
use specie_totals::{Bounds, PROOF_LENGTH, RangeProof, Statement, Total, TotalsError};

const NONCE: [u8; 32] = [7; 32];
const MAX: u64 = (1 << 63) - 1;

fn prove(element: &TestElement, said: &Said, bounds: &Bounds) -> Result<RangeProof, TotalsError> {
    RangeProof::prove(&said.statement, &element.device(), bounds, [&said.held, &said.spent], &[9; 32])
}

/// A statement with a proof that holds, under limits of 1,000 and 500.
fn honest() -> (TestElement, Said, RangeProof, Bounds) {
    let (element, limits) = (TestElement::new(1), bounds(1_000, 500));
    let said = element.say(&NONCE, 3, 700, 500);
    let proof = prove(&element, &said, &limits).unwrap();
    (element, said, proof, limits)
}

#[test]
fn two_totals_of_64_bits_are_proven_in_less_than_a_kilobyte() {
    let (element, said, proof, limits) = honest();
    proof.verify(&said.statement, &element.device(), &limits).unwrap();
    said.statement.verify_opened(&element.device(), &limits, &said.held, &said.spent).unwrap();
    assert_eq!(proof.as_bytes().len(), PROOF_LENGTH);
    let sent = proof.as_bytes().len() + said.statement.held.len() + said.statement.spent.len() + 32 + 64;
    assert!(sent <= 1_000, "{sent}");
}

/// One unit over either limit, and there is no proof: not from the prover, and not from one who proves something else.
#[test]
fn one_unit_over_a_limit_is_not_provable() {
    let (element, limits) = (TestElement::new(1), bounds(1_000, 500));
    for (held, spent, over) in [(1_001, 500, Total::Held), (1_000, 501, Total::Spent), (u64::MAX, 0, Total::Held)] {
        let said = element.say(&NONCE, 3, held, spent);
        assert_eq!(prove(&element, &said, &limits).unwrap_err(), TotalsError::OverLimit(over));
        let opened = said.statement.verify_opened(&element.device(), &limits, &said.held, &said.spent);
        assert_eq!(opened, Err(TotalsError::OverLimit(over)));
        // Proven for limits that nobody set.
        if held < MAX {
            let wide = bounds(MAX, MAX);
            let proof = prove(&element, &said, &wide).unwrap();
            proof.verify(&said.statement, &element.device(), &wide).unwrap();
            assert_eq!(proof.verify(&said.statement, &element.device(), &limits), Err(TotalsError::Proof));
        }
    }
    // Claimed to be less than was committed to.
    let mut said = element.say(&NONCE, 3, 1_001, 500);
    said.held.total = 1_000;
    assert_eq!(prove(&element, &said, &limits).unwrap_err(), TotalsError::Opening(Total::Held));
    let opened = said.statement.verify_opened(&element.device(), &limits, &said.held, &said.spent);
    assert_eq!(opened, Err(TotalsError::Opening(Total::Held)));
}

#[test]
fn a_proof_serves_one_nonce_device_document_and_pair_of_limits() {
    let (element, said, proof, limits) = honest();
    let device = element.device();
    let Statement { held, spent, .. } = said.statement;
    // The element signs the same commitments for something else; or nobody does.
    for other in [
        element.sign(&[8; 32], 3, held, spent),
        element.sign(&NONCE, 4, held, spent),
        element.sign(&NONCE, 3, spent, held),
        element.sign(&NONCE, 3, held, held),
    ] {
        assert_eq!(proof.verify(&other, &device, &limits), Err(TotalsError::Proof));
        let forged = Statement { signature: said.statement.signature, ..other };
        assert_eq!(proof.verify(&forged, &device, &limits), Err(TotalsError::Signature));
    }
    let other = TestElement::new(2);
    assert_eq!(proof.verify(&said.statement, &other.device(), &limits), Err(TotalsError::Signature));
    let signed_by_other = other.sign(&NONCE, 3, held, spent);
    assert_eq!(proof.verify(&signed_by_other, &other.device(), &limits), Err(TotalsError::Proof));
    for wrong in [bounds(1_001, 500), bounds(999, 500), bounds(1_000, 501), bounds(500, 1_000)] {
        assert_eq!(proof.verify(&said.statement, &device, &wrong), Err(TotalsError::Proof));
    }
}

#[test]
fn malformed_proofs_and_points_are_refused() {
    let (element, said, proof, limits) = honest();
    let device = element.device();
    let verify = |bytes: &[u8]| RangeProof::from_bytes(bytes)?.verify(&said.statement, &device, &limits);
    let bytes = proof.as_bytes();
    let [shorter, longer, wider] = [&bytes[..PROOF_LENGTH - 1], &[bytes, &[0]].concat(), &[bytes, &[0; 64]].concat()];
    for wrong in [shorter, longer, wider, &[]] {
        assert_eq!(verify(wrong), Err(TotalsError::MalformedProof));
    }
    // Every field changed: the kind, a scalar, points, and each of them in a form that is not canonical.
    for at in (0..PROOF_LENGTH).step_by(32) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(verify(&changed).is_err(), "byte {at}");
        if at > 0 {
            changed[at - 31..=at].fill(0xFF);
            assert!(verify(&changed).is_err(), "field that ends at {at}");
        }
    }
    let zero = vec![bytes[0]].into_iter().chain(vec![0; PROOF_LENGTH - 1]).collect::<Vec<u8>>();
    assert!(verify(&zero).is_err());
    let no_point = [0xFF; 32];
    let signed = element.sign(&NONCE, 3, no_point, said.statement.spent);
    assert_eq!(proof.verify(&signed, &device, &limits), Err(TotalsError::Point(Total::Held)));
    let signed = element.sign(&NONCE, 3, said.statement.held, no_point);
    assert_eq!(proof.verify(&signed, &device, &limits), Err(TotalsError::Point(Total::Spent)));
}

/// A relation between `H` and `G` would let whoever knows it open a commitment to anything. `H` comes out of a hash; the
/// commitment's two halves cannot be exchanged.
#[test]
fn totals_and_what_hides_them_have_different_bases() {
    let (element, limits) = (TestElement::new(1), bounds(1_000, 500));
    let said = element.say(&NONCE, 3, 700, 500);
    let mut swapped = element.say(&NONCE, 3, 700, 500);
    swapped.held.blinding = Scalar::from(700_u64).to_bytes();
    assert_eq!(prove(&element, &swapped, &limits).unwrap_err(), TotalsError::Opening(Total::Held));
    let plain = encode_point(&(Scalar::from(700_u64) * Generators::new().H));
    assert_ne!(said.statement.held, plain);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_within_its_limit_is_proven(held in 0..=MAX, spent in 0..=MAX, more in 0..1_000_u64, seed: [u8; 32]) {
        let element = TestElement::new(3);
        let said = element.say(&seed, 9, held, spent);
        let limits = bounds(held.saturating_add(more).min(MAX), spent);
        let openings = [&said.held, &said.spent];
        let proof = RangeProof::prove(&said.statement, &element.device(), &limits, openings, &seed).unwrap();
        prop_assert_eq!(proof.verify(&said.statement, &element.device(), &limits), Ok(()));
    }
}
