//! One range proof for what remains of both limits.

use std::sync::LazyLock;

use curve25519_dalek::constants::{RISTRETTO_BASEPOINT_COMPRESSED, RISTRETTO_BASEPOINT_POINT};
use curve25519_dalek::ristretto::RistrettoPoint;
use specie_core::group::{Generators, decode_scalar};
use specie_core::label;
use specie_core::signature::PublicKey;
use tari_bulletproofs_plus::commitment_opening::CommitmentOpening;
use tari_bulletproofs_plus::generators::pedersen_gens::ExtensionDegree;
use tari_bulletproofs_plus::range_parameters::RangeParameters;
use tari_bulletproofs_plus::range_proof::VerifyAction;
use tari_bulletproofs_plus::range_statement::RangeStatement;
use tari_bulletproofs_plus::range_witness::RangeWitness;
use tari_bulletproofs_plus::ristretto::RistrettoRangeProof;
use tari_bulletproofs_plus::{PedersenGens, Transcript};

use crate::random::Expanded;
use crate::statement::{Bounds, Opening, Statement, Total, TotalsError, check_bounds};

/// Bytes of a proof: 1 for its kind, 32 for each of 20 points and scalars.
pub const PROOF_LENGTH: usize = 1 + 32 * 20;

/// What remains of a limit is below 2^64.
const BITS: usize = 64;
/// Limits in one proof.
const LIMITS: usize = 2;

/// A proof that neither total of a [`Statement`] is over its limit. Whether it holds shows in [`RangeProof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RangeProof([u8; PROOF_LENGTH]);

/// `H` for totals and `G` for what hides them (protocol §2), and the bases of the proof, which are hashed from texts.
/// Making them takes longer than many proofs.
static PARAMETERS: LazyLock<RangeParameters<RistrettoPoint>> = LazyLock::new(|| {
    let H = Generators::new().H;
    let bases = PedersenGens {
        h_base: H,
        h_base_compressed: H.compress(),
        g_base_vec: vec![RISTRETTO_BASEPOINT_POINT],
        g_base_compressed_vec: vec![RISTRETTO_BASEPOINT_COMPRESSED],
        extension_degree: ExtensionDegree::DefaultPedersen,
    };
    RangeParameters::init(BITS, LIMITS, bases).expect("both are powers of two within what the proofs allow")
});

impl RangeProof {
    /// A host proves that neither total is over its limit. `seed` is secret and random.
    ///
    /// # Errors
    /// One is over, or the commitments open otherwise.
    pub fn prove(
        statement: &Statement,
        device: &PublicKey,
        bounds: &Bounds,
        [held, spent]: [&Opening; LIMITS],
        seed: &[u8; 32],
    ) -> Result<Self, TotalsError> {
        statement.check_openings(held, spent)?;
        check_bounds(bounds, held, spent)?;
        let remains = |total, opening: &Opening| {
            let r = decode_scalar(&opening.blinding).map_err(|_| TotalsError::Opening(total))?;
            Ok(CommitmentOpening::new(bounds.of(total) - opening.total, vec![-r]))
        };
        let openings = vec![remains(Total::Held, held)?, remains(Total::Spent, spent)?];
        let witness = RangeWitness::init(openings).map_err(|_| TotalsError::Proof)?;
        let proof = RistrettoRangeProof::prove_with_rng(
            &mut transcript(statement, device, bounds),
            &range_statement(statement, bounds)?,
            &witness,
            &mut Expanded::new(seed),
        );
        Self::from_bytes(&proof.map_err(|_| TotalsError::Proof)?.to_bytes())
    }

    /// Checks that the element of `device` made the statement and that neither of its totals is over its limit.
    ///
    /// # Errors
    /// Whatever does not hold.
    pub fn verify(&self, statement: &Statement, device: &PublicKey, bounds: &Bounds) -> Result<(), TotalsError> {
        statement.verify_signature(device)?;
        let proof = RistrettoRangeProof::from_bytes(&self.0).map_err(|_| TotalsError::MalformedProof)?;
        let (mut transcripts, statements) =
            ([transcript(statement, device, bounds)], [range_statement(statement, bounds)?]);
        RistrettoRangeProof::verify_batch(&mut transcripts, &statements, &[proof], VerifyAction::VerifyOnly)
            .map(drop)
            .map_err(|_| TotalsError::Proof)
    }

    /// The proof in these bytes, which need not hold.
    ///
    /// # Errors
    /// The length is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TotalsError> {
        bytes.try_into().map(Self).map_err(|_| TotalsError::MalformedProof)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// All that the proof is for.
fn transcript(statement: &Statement, device: &PublicKey, bounds: &Bounds) -> Transcript {
    let mut transcript = Transcript::new(label::TOTALS_PROOF.as_bytes());
    transcript.append_message(b"nonce", &statement.nonce);
    transcript.append_message(b"A", &device.0);
    transcript.append_message(b"limits-sequence", &statement.limits_sequence.to_be_bytes());
    transcript.append_message(b"max-holding", &bounds.max_holding.minor().to_be_bytes());
    transcript.append_message(b"max-cumulative", &bounds.max_cumulative.minor().to_be_bytes());
    transcript
}

fn range_statement(statement: &Statement, bounds: &Bounds) -> Result<RangeStatement<RistrettoPoint>, TotalsError> {
    let commitments = statement.remainders(bounds)?;
    RangeStatement::init(PARAMETERS.clone(), commitments, vec![None; LIMITS], None).map_err(|_| TotalsError::Proof)
}
