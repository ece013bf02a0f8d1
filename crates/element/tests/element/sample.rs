//! What is tried of many possibilities: all of them in this process; on a chip, where each takes half a second, some
//! that a seed picks. The seed is printed; `SPECIE_SEED` sets it, and `SPECIE_EXHAUSTIVE` tries all on a chip too.

use std::env;
use std::hash::{BuildHasher, RandomState};

use crate::subject::board;

/// Picks possibilities.
pub(crate) struct Sample(u64);

impl Sample {
    pub(crate) fn new() -> Self {
        let seed = env::var("SPECIE_SEED").ok().map(|seed| seed.parse().expect("SPECIE_SEED is a number"));
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
        if board().is_some() {
            println!("SPECIE_SEED={seed}");
        }
        Self(seed)
    }

    /// All of `possibilities`, or `some` of them.
    pub(crate) fn of<T: Copy>(&mut self, possibilities: impl IntoIterator<Item = T>, some: usize) -> Vec<T> {
        let mut all: Vec<T> = possibilities.into_iter().collect();
        if board().is_none() || env::var_os("SPECIE_EXHAUSTIVE").is_some() {
            return all;
        }
        let some = some.min(all.len());
        for at in 0..some {
            let other = at + self.below((all.len() - at) as u64) as usize;
            all.swap(at, other);
        }
        all.truncate(some);
        all
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
