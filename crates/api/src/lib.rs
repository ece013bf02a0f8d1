//! The HTTP interfaces of bank and PSP (`docs/spec/http.md`): paths, request and response types, problems, signatures of
//! requests, and, with the feature `client`, blocking clients. The rest runs wherever there is a heap.
//!
//! Every mutating request carries an [`idempotency::Key`] and may be sent again with the same key after a lost answer:
//! it takes effect once and is answered the same.
#![cfg_attr(not(feature = "schema"), no_std)]

extern crate alloc;
#[cfg(any(feature = "client", test))]
extern crate std;

pub mod authorization;
pub mod bank;
#[cfg(feature = "client")]
pub mod client;
pub mod hexadecimal;
pub mod idempotency;
#[cfg(feature = "client")]
pub mod media;
pub mod problem;
pub mod psp;
pub mod relayed;
#[cfg(feature = "schema")]
mod schema;
