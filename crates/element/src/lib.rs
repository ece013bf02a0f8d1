//! The secure element: a command interpreter behind APDUs, with a one-show journal over NOR flash.
//!
//! The host's side is [`client`]: one function per command over any [`client::Link`].
#![no_std]

pub mod apdu;
pub mod client;
pub mod instruction;
pub mod status;
