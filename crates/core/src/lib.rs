//! The Specie protocol and nothing else: hashing, classes, issuance, transfers, chains, verification.
//!
//! No I/O, no clock, no randomness of its own: time and random seeds come in as arguments. No heap either; the
//! feature `alloc` only makes verification faster. Formulas keep the letters of `docs/spec/protocol.md` and cite
//! its sections.
//!
//! The modules follow a coin through the world: a [`class`] is published in a [`manifest`], a note is issued by
//! [`issuance`], shown in a [`transfer`], carried in a [`payment`] that answers a [`request`], checked by
//! [`chain`], and, when it was shown twice, [`evidence`] names who did it.
#![no_std]
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod amount;
pub mod attestation;
pub mod bytes;
pub mod chain;
pub mod class;
pub mod code;
pub mod descriptor;
pub mod disclosure;
pub mod encoding;
pub mod enrolment;
pub mod evidence;
pub mod group;
pub mod hash;
pub mod holding;
pub mod issuance;
pub mod label;
pub mod limits;
pub mod mandate;
pub mod manifest;
pub mod merkle;
pub mod message;
mod multiscalar;
pub mod note;
pub mod payment;
pub mod receipt;
pub mod request;
pub mod revocation;
pub mod show;
pub mod signature;
pub mod text;
pub mod transfer;
mod weights;

pub use amount::{Amount, Timestamp};
pub use bytes::{ClassId, Context, NoteId, OwnerTag, TransferId};
pub use show::VerificationFailure;
