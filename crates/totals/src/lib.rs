//! Proven, not shown (`docs/spec/totals.md`): what a device holds, and what it let go since its last limits document, are
//! within that document, and the PSP learns nothing else of them.
//!
//! The element signs commitments to both ([`Statement`]) and tells its host how they open. The host proves with one
//! Bulletproof+ that neither is over its limit ([`RangeProof`]); or it opens them, where the PSP is to see them
//! ([`Statement::verify_opened`]). No I/O, clock or randomness: seeds and bytes come in.
#![allow(non_snake_case, reason = "the letters of the specification")]

mod proof;
mod random;
mod statement;

pub use proof::{PROOF_LENGTH, RangeProof};
pub use statement::{Bounds, Opening, Statement, Total, TotalsError};
