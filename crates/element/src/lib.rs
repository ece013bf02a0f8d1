//! The secure element: a command interpreter behind APDUs, with a one-show journal over NOR flash.
//!
//! The host's side is [`client`]: one function per command over any [`client::Link`].
#![no_std]

#[cfg(feature = "sim")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod apdu;
pub mod client;
pub mod instruction;
pub mod journal;
#[cfg(feature = "sim")]
pub mod sim;
pub mod status;
