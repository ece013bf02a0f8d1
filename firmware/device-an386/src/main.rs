//! The device on mps2-an386: owner on UART0, element on UART1, other device on UART2, noise on UART3.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use specie_device_firmware::{ChipLine, heap, run};
use specie_element::entropy::Entropy;
use specie_element::t1::reader::Chip;
use specie_embedded::device::Parts;
use specie_embedded::terminal::Terminal;
use specie_mps2::{An386, ChipUart, DeviceBoard, Noise, Nor, Peripherals, stop};

/// Bytes of the heap.
const ARENA: usize = 43 * 1024;

/// The wallet's records.
type Flash = Nor<4096, 12>;

#[entry]
fn main() -> ! {
    static mut ARENA_MEMORY: heap::Arena<ARENA> = heap::Arena::new();
    heap::start(ARENA_MEMORY);
    let Some(Peripherals { uarts: [owner, element, peer, noise, _], clock, led, memory }) =
        Peripherals::take::<An386>()
    else {
        stop()
    };
    let flash: Flash = memory.into_flash();
    let mut random = Entropy::new(Noise::new(noise, clock));
    // Tells the first RESYNCH from one before the power went off. Where the noise fails, nothing is begun anyway.
    let mut token = [0; 32];
    let _ = random.draw(&mut token);
    let token = u32::from_le_bytes([token[0], token[1], token[2], token[3]]);
    let element = Chip::new(ChipLine::new(ChipUart::new(element, clock)), token);
    let mut terminal = Terminal::new(Parts { flash, element, random });
    run(&mut terminal, &mut DeviceBoard::new(owner, peer, clock, led))
}
