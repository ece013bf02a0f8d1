//! Drives a wallet on a microcontroller: records in flash, frames on serial lines, a loop that never waits for a peer.
//!
//! Begin with [`terminal`]: bytes in, bytes out. It gives those of the other device to [`peer`], obeys those of the owner
//! ([`owner`]), and goes on with an [`enrolment`] or [`synchronisation`], whose [`errand`]s somebody else carries to the PSP.
//! All of them work on a [`device`]: a wallet with its element and its [`records`] in flash.
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
