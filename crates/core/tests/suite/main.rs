//! The core as others use it: every rule with a test that breaks it, every known forgery tried.
//!
//! The same suite runs on the stack alone (`cargo test -p specie-core`) and with heap and tables
//! (`--features alloc,tables`): both builds must reach the same verdicts.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod attestations;
mod batches;
mod chains;
mod classes;
mod disclosures;
mod encodings;
mod evidence;
mod fixture;
mod forgeries;
mod forms;
mod holdings;
mod manifests;
mod messages;
mod properties;
mod revocations;
mod schema;
mod secrecy;
mod sizes;
mod withdrawals;
