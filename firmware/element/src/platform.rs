//! What the element's chip is made of, apart from the board.

use specie_core::{hash, label};
use specie_element::Platform;
use specie_element::entropy::{Entropy, EntropyFailure, NoiseSource};

/// Notes and blanks that the chip has room for.
pub const RECORDS: usize = 256;

/// Names what this firmware is in its maker's certificate. It changes with the element's rules, not with every build.
const FIRMWARE: &str = "specie element firmware, command set 1";

/// The platform of an element for money: noise that is tested before keys are made of it.
pub struct Production<N> {
    entropy: Entropy<N>,
}

impl<N: NoiseSource> Production<N> {
    /// A platform whose keys come from `noise`.
    pub fn new(noise: N) -> Self {
        Self { entropy: Entropy::new(noise) }
    }
}

impl<N: NoiseSource> Platform for Production<N> {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        self.entropy.draw(out)
    }

    // Not inlined: a hash takes stack, which the longest command shall not find taken.
    #[inline(never)]
    fn firmware(&self) -> [u8; 32] {
        hash::h32(label::ELEMENT_FIRMWARE, &[FIRMWARE.as_bytes()])
    }
}
