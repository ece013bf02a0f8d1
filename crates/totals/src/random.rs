//! The prover's randomness, expanded from a seed.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use specie_core::{hash, label};
use zeroize::{Zeroize, Zeroizing};

/// Bytes from a seed. The prover mixes them with the statement and with what hides the totals, so that not even one seed
/// for two proofs tells anything.
pub(crate) struct Expanded {
    seed: Zeroizing<[u8; 32]>,
    drawn: u64,
}

impl Expanded {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { seed: Zeroizing::new(*seed), drawn: 0 }
    }

    fn block(&mut self) -> Zeroizing<[u8; 32]> {
        self.drawn += 1;
        Zeroizing::new(hash::h32(label::TOTALS_RANDOM, &[&*self.seed, &self.drawn.to_be_bytes()]))
    }
}

impl TryRng for Expanded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.zeroize();
        for chunk in out.chunks_mut(32) {
            let block = self.block();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Expanded {}
