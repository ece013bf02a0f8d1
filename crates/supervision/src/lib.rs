//! The supervisory key `S` of disclosed payments (protocol §7.1) is nobody's: `n` officers make it together, and `k` of them can
//! read the payer of one payment.
//!
//! No I/O, clock or randomness: seeds and bytes come in. The modules follow a ceremony: an [`officer`] makes a card, an
//! [`invitation`] binds the cards together, every officer sends a [`dealing`], a wrong one is proven by a [`complaint`], all sign
//! the [`outcome`]. An [`opening`] then takes a disclosed transfer and `k` officers. `docs/ceremony.md` is the procedure.
//!
//! Mathematics: Feldman's verifiable secret sharing (FOCS 1987) run by every officer at once, after Pedersen (EUROCRYPT 1991), with
//! proofs of possession. Officers who speak last can bias the key by what they choose (Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT
//! 1999); they learn nothing of its secret by that, which is what encryption to it needs.
#![allow(non_snake_case, reason = "the letters of the specification")]

pub mod complaint;
pub mod dealing;
mod dleq;
mod form;
pub mod invitation;
pub mod officer;
pub mod opening;
pub mod outcome;
mod polynomial;
