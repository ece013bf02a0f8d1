//! Where things lie on each board.

/// A UART: its registers and the interrupt of its receiver.
#[derive(Clone, Copy)]
pub struct UartAt {
    /// Address of its registers.
    pub base: usize,
    /// Number of the interrupt.
    pub interrupt: u16,
}

/// A board: addresses and the frequency of its clock.
pub trait Board {
    /// UART0 to UART4.
    const UARTS: [UartAt; 5];
    /// LEDs and counters.
    const FPGAIO: usize;
    /// Frequency of the processor's clock.
    const CLOCK_HZ: u32;
    /// The memory that QEMU lets a file back: 16 MB.
    const MEMORY: usize;
    /// Beginning of the 16 MB below the stack, if nothing faults there although nothing lies there. Only for Armv7-M.
    const GUARDED: Option<usize>;
}

/// MPS2 with FPGA image AN386: Cortex-M4.
pub enum An386 {}

/// MPS2+ with FPGA image AN505: Cortex-M33. All addresses are the secure aliases.
pub enum An505 {}

const fn uart(base: usize, interrupt: u16) -> UartAt {
    UartAt { base, interrupt }
}

impl Board for An386 {
    const UARTS: [UartAt; 5] = [
        uart(0x4000_4000, 0),
        uart(0x4000_5000, 2),
        uart(0x4000_6000, 4),
        uart(0x4000_7000, 18),
        uart(0x4000_9000, 20),
    ];
    const FPGAIO: usize = 0x4002_8000;
    const CLOCK_HZ: u32 = 25_000_000;
    const MEMORY: usize = 0x2100_0000;
    const GUARDED: Option<usize> = Some(0x1F00_0000);
}

impl Board for An505 {
    const UARTS: [UartAt; 5] = [
        uart(0x5020_0000, 32),
        uart(0x5020_1000, 34),
        uart(0x5020_2000, 36),
        uart(0x5020_3000, 38),
        uart(0x5020_4000, 40),
    ];
    const FPGAIO: usize = 0x5030_2000;
    const CLOCK_HZ: u32 = 20_000_000;
    const MEMORY: usize = 0x8000_0000;
    const GUARDED: Option<usize> = None;
}
