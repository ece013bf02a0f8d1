//! The boards as the home of a secure element.

use specie_element_firmware::Board;

use crate::{Clock, Led, Uart};

/// A board with an element on it: the host is at the other end of `host`.
pub struct ElementBoard {
    host: Uart,
    clock: Clock,
    led: Led,
}

impl ElementBoard {
    /// Opens the line to the host.
    pub fn new(mut host: Uart, clock: Clock, led: Led) -> Self {
        host.open();
        Self { host, clock, led }
    }
}

impl Board for ElementBoard {
    fn take(&mut self) -> Option<u8> {
        self.host.take()
    }

    fn put(&mut self, byte: u8) -> bool {
        self.host.put(byte)
    }

    fn millis(&mut self) -> u32 {
        self.clock.millis()
    }

    fn show_work(&mut self, working: bool) {
        self.led.set(working);
    }

    // The emulated boards have no watchdog.
    fn alive(&mut self) {}

    fn rest(&mut self) {
        crate::rest();
    }
}
