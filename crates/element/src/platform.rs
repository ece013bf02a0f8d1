//! What the element needs of the chip it runs on, besides flash.

use crate::entropy::EntropyFailure;

/// The chip, or the process, that an element runs on.
pub trait Platform {
    /// Fills `out` with random bytes, fit for keys. [`Entropy`](crate::entropy::Entropy) makes them of noise.
    ///
    /// # Errors
    /// There are none that are fit: keys made of anything less would be worse than none.
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure>;

    /// Identity of the firmware, as the maker's certificate names it.
    fn firmware(&self) -> [u8; 32];
}

impl<P: Platform + ?Sized> Platform for &mut P {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        (**self).entropy(out)
    }

    fn firmware(&self) -> [u8; 32] {
        (**self).firmware()
    }
}
