//! The constants that the element's tests expect, in place of those of [`platform`](crate::platform).

use specie_element::Platform;
use specie_element::entropy::EntropyFailure;

/// Notes and blanks that the tests fill an element with.
pub const RECORDS: usize = 16;

/// A platform whose secrets everybody knows: keys drawn on it come out the same every time.
pub struct KnownToAll;

impl Platform for KnownToAll {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = [7; 32];
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        [0xF1; 32]
    }
}
