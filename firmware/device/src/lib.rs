//! A payer and payee on a microcontroller, for any board.
//!
//! [`run`] is the main loop around a [`Terminal`](specie_embedded::terminal::Terminal): bytes from the other device and from the owner go in, bytes for them
//! come out, as fast as the lines take them. It never waits for either. Only the element's chip is waited for
//! ([`ChipLine`]), for a bounded time and with the watchdog fed. What a board has to be is [`Board`]. All memory is static:
//! the wallet's heap is an arena ([`heap`]).
#![no_std]

mod chip_line;
pub mod heap;
mod main_loop;

pub use chip_line::{ChipLine, LineClosed, Uart};
pub use main_loop::{Board, run};
