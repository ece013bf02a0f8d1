//! The secure element on mps2-an386 as the element's tests expect it: the same program, with fewer and smaller pages, and
//! secrets that everybody knows. No money belongs on it.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m_rt::entry;
use specie_element_firmware::Chip;
use specie_element_firmware::conformance::{KnownToAll, RECORDS};
use specie_mps2::{An386, ElementBoard, Nor, Peripherals, stop};

type Flash = Nor<2048, 8>;

#[entry]
fn main() -> ! {
    static mut CHIP: MaybeUninit<Chip<Flash, KnownToAll, RECORDS>> = MaybeUninit::uninit();
    let Some(Peripherals { uarts: [host, ..], clock, led, memory }) = Peripherals::take::<An386>() else { stop() };
    let Ok(chip) = Chip::start(CHIP, memory.into_flash(), KnownToAll) else { stop() };
    chip.run(&mut ElementBoard::new(host, clock, led))
}
