//! Drives a wallet on a computer: links, wallet file, clock, software element.
//!
//! [`Device`] is what a program uses: a folder with a wallet and an element, and everything that its owner can do with
//! them. Beneath it, each for itself: [`element`] (the secure element as a process), [`wallet_file`] (records, changed in
//! atomic steps), [`link`] (how messages travel), [`maker`] (who personalises elements),
//! [`recovery`] (codes, and what they open),
//! [`mod@line`] (of bytes, to a chip or a microcontroller), [`gateway`] (the owner's end of a microcontroller's line).

pub mod clock;
pub mod device;
pub mod durable;
pub mod element;
pub mod entropy;
pub mod failure;
pub mod folder;
pub mod gateway;
pub mod line;
pub mod link;
pub mod maker;
pub mod recovery;
#[cfg(test)]
mod testing;
pub mod wallet_file;

pub use device::Device;
pub use failure::Failure;
