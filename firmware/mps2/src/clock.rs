//! Time since the start.

use crate::register::Register;

const COUNTER: usize = 0x18;
const PRESCALE: usize = 0x1C;

/// Counts milliseconds in hardware; it turns over after 49 days.
#[derive(Clone, Copy)]
pub struct Clock {
    counter: Register,
}

impl Clock {
    pub(crate) fn start(fpgaio: Register, clock_hz: u32) -> Self {
        fpgaio.offset(PRESCALE).write(clock_hz / 1_000 - 1);
        fpgaio.offset(COUNTER).write(0);
        Self { counter: fpgaio.offset(COUNTER) }
    }

    /// Milliseconds since the start.
    pub fn millis(&self) -> u32 {
        self.counter.read()
    }
}
