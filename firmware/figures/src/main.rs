//! Measures what a device and its element do, with the production crates, on a board in the emulator.
//!
//! Everything is in this one program: a bank, a payer, payees, and the elements of all of them. The payer's element
//! keeps its journal in the board's NOR flash, the others in flash of their own kind in memory. The LED is written
//! before and after everything that is measured; whoever runs this (`cargo xtask figures`) notes there how many
//! instructions there were. What else was measured, and in which order, goes out on UART0: see [`meter`].
#![no_std]
#![no_main]
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]

extern crate alloc;

mod bank;
mod device;
mod flash;
mod meter;
mod stack;
mod works;

use alloc::boxed::Box;

use cortex_m_rt::entry;
#[cfg(board = "an386")]
use specie_mps2::An386 as Mps2;
#[cfg(board = "an505")]
use specie_mps2::An505 as Mps2;
use specie_mps2::{Peripherals, stop};

use crate::meter::Meter;

#[entry]
fn main() -> ! {
    static mut ARENA: specie_counting::Arena = specie_counting::Arena::new();
    specie_counting::start(ARENA);
    let Some(Peripherals { uarts: [report, ..], led, memory, .. }) = Peripherals::take::<Mps2>() else { stop() };
    let meter: &Meter = Box::leak(Box::new(Meter::new(report, led)));
    works::measure(meter, memory.into_flash());
    meter.end();
    stop()
}
