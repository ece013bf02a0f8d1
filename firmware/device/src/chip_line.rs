//! The line to the element's chip.

use core::fmt;

use specie_element::t1::reader::Line;

/// A UART with a clock and a watchdog, as the line to a chip needs it. None of it waits, but for [`Uart::rest`].
pub trait Uart {
    /// The next byte, if one came.
    fn take(&mut self) -> Option<u8>;

    /// Sends a byte; `false`: not now.
    fn put(&mut self, byte: u8) -> bool;

    /// Milliseconds since any moment; it may turn over.
    fn millis(&mut self) -> u32;

    /// Feeds the watchdog: the chip is being waited for, for a time that has an end.
    fn alive(&mut self);

    /// May sleep until a byte comes, or for a few dozen milliseconds.
    fn rest(&mut self);
}

/// How long the UART may take to take a byte, in milliseconds: a slow one is done with it in one.
const SEND_MS: u32 = 100;

/// The line to the element's chip over a UART.
pub struct ChipLine<U>(U);

/// The UART takes no bytes: the chip is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineClosed;

impl<U: Uart> ChipLine<U> {
    /// The line over `uart`.
    pub fn new(uart: U) -> Self {
        Self(uart)
    }
}

impl<U: Uart> Line for ChipLine<U> {
    type Error = LineClosed;

    fn send(&mut self, bytes: &[u8]) -> Result<(), LineClosed> {
        for &byte in bytes {
            let start = self.0.millis();
            while !self.0.put(byte) {
                self.0.alive();
                if self.0.millis().wrapping_sub(start) > SEND_MS {
                    return Err(LineClosed);
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, LineClosed> {
        let start = self.0.millis();
        loop {
            self.0.alive();
            if let Some(byte) = self.0.take() {
                return Ok(Some(byte));
            }
            if self.0.millis().wrapping_sub(start) > patience_ms {
                return Ok(None);
            }
            self.0.rest();
        }
    }
}

impl fmt::Display for LineClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line to the secure element takes no bytes")
    }
}

impl core::error::Error for LineClosed {}
