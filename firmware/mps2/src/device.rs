//! The boards as the home of a device.

use specie_device_firmware::{Board, Uart as ChipLineUart};

use crate::{Clock, Led, Uart};

/// A board with a device on it.
pub struct DeviceBoard {
    owner: Uart,
    peer: Uart,
    clock: Clock,
    led: Led,
}

/// The UART to the element's chip.
pub struct ChipUart {
    uart: Uart,
    clock: Clock,
}

impl DeviceBoard {
    /// Opens the lines to the owner and to the other device.
    pub fn new(mut owner: Uart, mut peer: Uart, clock: Clock, led: Led) -> Self {
        owner.open();
        peer.open();
        Self { owner, peer, clock, led }
    }
}

impl ChipUart {
    /// Opens the line to the chip.
    pub fn new(mut uart: Uart, clock: Clock) -> Self {
        uart.open();
        Self { uart, clock }
    }
}

impl Board for DeviceBoard {
    fn take_from_peer(&mut self) -> Option<u8> {
        self.peer.take()
    }

    fn put_to_peer(&mut self, byte: u8) -> bool {
        self.peer.put(byte)
    }

    fn take_from_owner(&mut self) -> Option<u8> {
        self.owner.take()
    }

    fn put_to_owner(&mut self, byte: u8) -> bool {
        self.owner.put(byte)
    }

    fn millis(&mut self) -> u32 {
        self.clock.millis()
    }

    // The emulated boards have no watchdog.
    fn alive(&mut self) {}

    fn rest(&mut self) {
        self.led.set(false);
        crate::rest();
        self.led.set(true);
    }
}

impl ChipLineUart for ChipUart {
    fn take(&mut self) -> Option<u8> {
        self.uart.take()
    }

    fn put(&mut self, byte: u8) -> bool {
        self.uart.put(byte)
    }

    fn millis(&mut self) -> u32 {
        self.clock.millis()
    }

    fn alive(&mut self) {}

    fn rest(&mut self) {
        crate::rest();
    }
}
