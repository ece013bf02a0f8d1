//! The secure element as a chip of its own, for any board.
//!
//! [`Chip`] is the main loop: one [`turn`](Chip::turn) after the other takes bytes off the line, carries out the
//! commands that they make up, and sends the answers, in T=1 blocks ([`specie_element::t1`]). No turn ever waits for the
//! line, so a host that stalls or babbles stops nothing; the longest turn is the longest command. What a board has to be
//! is [`Board`], with the element's own `NorFlash` and [`Platform`](specie_element::Platform). A binary puts them
//! together: a page of code.
#![no_std]

mod chip;
pub mod conformance;
mod platform;

pub use chip::{Board, Chip, STARTED};
pub use platform::{Production, RECORDS};
