//! The secure element on mps2-an386.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m_rt::entry;
use specie_element_firmware::{Chip, Production, RECORDS};
use specie_mps2::{An386, ElementBoard, Noise, Nor, Peripherals, stop};

type Flash = Nor<4096, 16>;

#[entry]
fn main() -> ! {
    static mut CHIP: MaybeUninit<Chip<Flash, Production<Noise>, RECORDS>> = MaybeUninit::uninit();
    let Some(Peripherals { uarts: [host, noise, ..], clock, led, memory }) = Peripherals::take::<An386>() else {
        stop()
    };
    let platform = Production::new(Noise::new(noise, clock));
    let Ok(chip) = Chip::start(CHIP, memory.into_flash(), platform) else { stop() };
    chip.run(&mut ElementBoard::new(host, clock, led))
}
