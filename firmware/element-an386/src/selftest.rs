//! A test of what only shows on the processor of mps2-an386 itself, with the stack of the element.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use specie_mps2::{An386, Peripherals, selftest, stop};

#[entry]
fn main() -> ! {
    let Some(Peripherals { memory, .. }) = Peripherals::take::<An386>() else { stop() };
    selftest::run(&memory)
}
