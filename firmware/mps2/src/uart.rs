//! CMSDK UARTs, a byte at a time, never waiting.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

use crate::register::Register;

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CTRL: usize = 0x08;
const INTCLEAR: usize = 0x0C;
const BAUDDIV: usize = 0x10;

const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;

const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
const RX_INTERRUPT_ENABLE: u32 = 1 << 3;
const RX_INTERRUPT: u32 = 1 << 1;

/// The emulated UART heeds no baud rate, only that there is one.
const BAUD_DIVISOR: u32 = 16;

/// A UART: closed at first.
pub struct Uart {
    base: Register,
    interrupt: Line,
}

impl Uart {
    pub(crate) fn new(base: Register, interrupt: u16) -> Self {
        Self { base, interrupt: Line(interrupt) }
    }

    /// Lets bytes in and out. From here on, one that comes in ends a [`rest`](crate::rest).
    pub fn open(&mut self) {
        self.base.offset(BAUDDIV).write(BAUD_DIVISOR);
        self.base.offset(CTRL).write(TX_ENABLE | RX_ENABLE | RX_INTERRUPT_ENABLE);
        // SAFETY: interrupts stay masked and have no handlers: being enabled, they only wake the processor.
        unsafe { NVIC::unmask(self.interrupt) };
    }

    /// Lets bytes in and out; what comes in does not wake the processor.
    pub fn open_unwatched(&mut self) {
        self.base.offset(BAUDDIV).write(BAUD_DIVISOR);
        self.base.offset(CTRL).write(TX_ENABLE | RX_ENABLE);
    }

    /// The byte that came in, if one did.
    pub fn take(&mut self) -> Option<u8> {
        // Before the byte is taken: the next one may come in at once, and must not be forgotten.
        self.base.offset(INTCLEAR).write(RX_INTERRUPT);
        NVIC::unpend(self.interrupt);
        let full = self.base.offset(STATE).read() & RX_FULL != 0;
        full.then(|| self.base.offset(DATA).read() as u8)
    }

    /// Sends a byte; `false`: the one before is not out yet.
    pub fn put(&mut self, byte: u8) -> bool {
        let free = self.base.offset(STATE).read() & TX_FULL == 0;
        if free {
            self.base.offset(DATA).write(byte.into());
        }
        free
    }
}

/// The number of an interrupt.
#[derive(Clone, Copy)]
struct Line(u16);

// SAFETY: the number never changes.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}
