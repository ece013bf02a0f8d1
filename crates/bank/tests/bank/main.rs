//! The bank on a real database, against honest and dishonest devices.
#![allow(clippy::unwrap_used, non_snake_case, reason = "tests; the letters of the specification")]

mod audit;
mod crashes;
mod double_spends;
mod epochs;
mod faults;
mod interleavings;
mod issuance;
mod manifests;
mod model;
mod payments;
mod persons;
mod races;
mod redemption;
mod restitutions;
mod revocations;
mod sweeps;
mod watch;
mod world;
