//! The audit log of a bank or a PSP: every decision about a person or a rule, in a chain of hashes under signed heads.
//!
//! No I/O, clock or randomness. A [`decision`] is what somebody decided, a [`record`] is a decision in its place in the chain, a
//! [`head`] signs how far the chain went at some time with
//! the root of the [`tree`] over it, a [`certificate`] says whose key that is, a [`proof`] that one head goes on from another; an export is a file of [`mod@line`]s, and [`verify`] finds what was done to one.
//! `docs/spec/audit.md` is the format.
//!
//! **Writing to the log.** Whoever changes something about a person or a rule appends the decision in the transaction of the change,
//! so that neither is there without the other, and only where something changes, so that a request that comes again adds nothing:
//! `Psp::audit` in crate `psp`, `audit::append` in crate `bank`. A new kind of decision is a line in [`kind`] and in
//! `docs/spec/audit.md`. Money that moves by itself (payments, redemptions, withdrawals) stands in the books and not here.

pub mod certificate;
pub mod decision;
pub mod head;
pub mod kind;
pub mod line;
pub mod proof;
pub mod record;
pub mod tree;
pub mod verify;

pub use certificate::Certificate;
pub use decision::{Actor, Decision, DecisionError};
pub use head::{Head, LogName, SignedHead};
pub use kind::Kind;
pub use line::Line;
pub use proof::Proof;
pub use record::Record;
pub use tree::Tree;
pub use verify::{Trust, Verified, Verifier, VerifyError};
