//! Drives a wallet on a microcontroller: records in flash, frames on serial lines, a loop that never waits for a peer.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answers;
pub mod device;
pub mod enrolment;
pub mod errand;
pub mod failure;
pub mod frame;
mod json;
pub mod owner;
pub mod peer;
pub mod records;
pub mod synchronisation;
pub mod terminal;
