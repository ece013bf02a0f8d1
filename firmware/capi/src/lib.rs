//! Specie for programs in C: a static library and its header, `include/specie.h`.
//!
//! This is the border between C and the wallet of a microcontroller, and nothing else: what C hands over is checked
//! before it is believed ([`border`]), what it is asked for goes through one structure of function pointers
//! ([`platform`]), and nothing that goes wrong in here leaves as anything but an error code ([`error`], [`handle`]).
//! Everything that has to do with money is `specie-embedded`'s, and below it `specie-wallet`'s and `specie-core`'s.
//!
//! `README.md` is for whoever writes the C side.
#![no_std]

extern crate alloc;
#[cfg(not(target_os = "none"))]
extern crate std;

mod border;
pub mod error;
pub mod handle;
pub mod platform;
pub mod text;

// What the header has, in the order in which one needs it: without the empty lines it would be sorted.
pub mod memory;

pub mod life;

pub mod looks;

pub mod receiving;

pub mod paying;

pub mod line;

pub mod work;

pub mod verification;

pub mod chip;
