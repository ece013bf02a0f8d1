//! The secure element: a command interpreter behind APDUs, with a one-show journal over NOR flash.
//!
//! [`Element`] takes command APDUs and gives answers; its commands are specified in `docs/spec/element.md`. It journals
//! what it does before it answers ([`journal`]), so it survives a power cut at any moment. The host's side is
//! [`client`]: one function per command over any [`client::Link`]; [`t1`] is such a link to a chip of its own, both ends.
#![no_std]

#[cfg(feature = "sim")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod apdu;
pub mod client;
pub mod command;
mod element;
pub mod entropy;
pub mod instruction;
pub mod journal;
mod platform;
mod record;
mod records;
#[cfg(feature = "sim")]
pub mod sim;
pub mod status;
pub mod t1;

pub use element::Element;
pub use platform::Platform;
