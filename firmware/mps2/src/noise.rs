//! Noise for keys.

use specie_element::entropy::NoiseSource;

use crate::clock::Clock;
use crate::uart::Uart;

/// How long a sample is waited for, in milliseconds.
const PATIENCE_MS: u32 = 5_000;

/// Noise that comes in on a UART: the boards have no noise source of their own, so in emulation the host's goes in
/// there. A chip that has one reads its register here.
pub struct Noise {
    uart: Uart,
    clock: Clock,
}

impl Noise {
    /// Noise from `uart`.
    pub fn new(mut uart: Uart, clock: Clock) -> Self {
        uart.open_unwatched();
        Self { uart, clock }
    }
}

impl NoiseSource for Noise {
    fn sample(&mut self) -> Option<u8> {
        let start = self.clock.millis();
        while self.clock.millis().wrapping_sub(start) < PATIENCE_MS {
            if let Some(sample) = self.uart.take() {
                return Some(sample);
            }
        }
        None
    }
}
