//! Evidence of who a customer is, checked without a network.
//!
//! No I/O, clock or randomness: bytes, times and secrets come in. Two parts that do not know each other:
//!
//! - A [`demand`] says which claims are wanted; a wallet answers with an SD-JWT VC and its key binding; [`credential`] checks it
//!   against the [`trust`] list of issuers and gives what may be kept, [`person`] the tag by which one person is known again.
//! - [`screening`] compares names with a sanctions list. It finds resemblances; what they mean, a person decides.
//!
//! `docs/spec/identity.md` is the procedure.

pub mod claim;
pub mod credential;
pub mod demand;
mod json;
mod jws;
pub mod key;
mod key_binding;
pub mod person;
pub mod refusal;
pub mod screening;
mod sd_jwt;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trust;
