//! Keys from a noise source: health tests that notice when it stops being noise, and conditioning.
//!
//! The tests are those of NIST SP 800-90B, §4.4, with cutoffs for a false alarm in 2⁻²⁰ of all cases (α) and for the
//! min-entropy H that is claimed for a sample. A source that failed once gives nothing until the next power-up: keys that
//! somebody else can guess are worse than none.

use specie_core::{hash, label};
use thiserror::Error;
use zeroize::Zeroizing;

/// Samples of the start-up test, none of which are used (SP 800-90B, §4.3).
const STARTUP: usize = 1024;
/// Samples of a window of the adaptive proportion test, for samples of more than one bit (§4.4.2).
const WINDOW: u16 = 512;
/// log2 of 1/α.
const ALPHA_BITS: u16 = 20;
/// Assessed entropy that goes into 32 bytes, in bits: twice what comes out, so that the hash loses none of it.
const ASSESSED: usize = 512;

/// Noise: what is physical about randomness.
pub trait NoiseSource {
    /// The next sample, raw: nothing hashed it or made it look evener. `None` where none came within the source's
    /// patience.
    fn sample(&mut self) -> Option<u8>;
}

impl<N: NoiseSource + ?Sized> NoiseSource for &mut N {
    fn sample(&mut self) -> Option<u8> {
        (**self).sample()
    }
}

/// The noise source failed its health test, or gave nothing. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the noise source failed its health test")]
pub struct EntropyFailure;

/// Min-entropy that is claimed for one sample: 1 to 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinEntropy(u8);

impl MinEntropy {
    /// One bit in the eight of a sample.
    pub const ONE_BIT: Self = Self(1);

    /// So many bits; `None` unless it is 1 to 8.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if matches!(bits, 1..=8) { Some(Self(bits)) } else { None }
    }

    /// Samples that have the assessed entropy.
    const fn samples(self) -> usize {
        ASSESSED.div_ceil(self.0 as usize)
    }

    /// So many equal samples in a row are a failure: `1 + ⌈-log2(α) / H⌉` (§4.4.1).
    const fn repetition_cutoff(self) -> u16 {
        1 + ALPHA_BITS.div_ceil(self.0 as u16)
    }

    /// So many samples of a window equal to its first are a failure: `1 + critbinom(W, 2^-H, 1 - α)` (§4.4.2).
    const fn proportion_cutoff(self) -> u16 {
        PROPORTION_CUTOFFS[self.0 as usize - 1]
    }
}

/// By whole bits of H, from 1.
const PROPORTION_CUTOFFS: [u16; 8] = {
    let mut cutoffs = [0; 8];
    let mut at = 0;
    while at < cutoffs.len() {
        cutoffs[at] = 1 + critical_binomial(1.0 / (2u32 << at) as f64);
        at += 1;
    }
    cutoffs
};

/// The least number of successes that [`WINDOW`] trials, each a success with `probability`, stay within in all but α of
/// all cases.
const fn critical_binomial(probability: f64) -> u16 {
    let trials = WINDOW as f64;
    let mut term = 1.0;
    let mut trial = 0;
    while trial < WINDOW {
        term *= 1.0 - probability;
        trial += 1;
    }
    let within = 1.0 - 1.0 / (1u32 << ALPHA_BITS) as f64;
    let mut successes = 0;
    let mut sum = term;
    while sum < within {
        term *= (trials - successes as f64) / (successes as f64 + 1.0) * probability / (1.0 - probability);
        successes += 1;
        sum += term;
    }
    successes
}

/// Random bytes from a noise source that is tested all the time.
pub struct Entropy<N> {
    source: N,
    min_entropy: MinEntropy,
    state: State,
    tests: Tests,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Untested,
    Good,
    Failed,
}

impl<N: NoiseSource> Entropy<N> {
    /// Takes one bit of min-entropy for granted in each sample.
    pub const fn new(source: N) -> Self {
        Self::with_min_entropy(source, MinEntropy::ONE_BIT)
    }

    /// Takes `min_entropy` for granted in each sample. An assessment of the very source, raw and at the worst of its
    /// temperatures and voltages, has to bear it out: the tests notice a source that broke, not one that was never so good.
    pub const fn with_min_entropy(source: N, min_entropy: MinEntropy) -> Self {
        Self { source, min_entropy, state: State::Untested, tests: Tests::new() }
    }

    /// Fills `out` with 32 bytes of full entropy. The first time, the start-up test comes before.
    ///
    /// # Errors
    /// A test failed, or the source gave nothing; now, or earlier since power-up. `out` is as it was.
    pub fn draw(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        if self.state == State::Untested {
            for _ in 0..STARTUP {
                self.sample()?;
            }
            self.state = State::Good;
        }
        let mut samples = Zeroizing::new([0; ASSESSED]);
        let samples = &mut samples[..self.min_entropy.samples()];
        for sample in samples.iter_mut() {
            *sample = self.sample()?;
        }
        *out = hash::h32(label::ELEMENT_ENTROPY, &[samples]);
        Ok(())
    }

    /// Whether a test failed since power-up: then nothing comes any more.
    pub fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// A sample that passed the tests.
    fn sample(&mut self) -> Result<u8, EntropyFailure> {
        if self.state == State::Failed {
            return Err(EntropyFailure);
        }
        let sample = self.source.sample().filter(|&sample| self.tests.pass(sample, self.min_entropy));
        if sample.is_none() {
            self.state = State::Failed;
        }
        sample.ok_or(EntropyFailure)
    }
}

/// The two continuous tests.
struct Tests {
    last: Option<u8>,
    /// Samples equal to the last one, in a row.
    run: u16,
    /// First sample of the window.
    first: u8,
    /// Samples of the window so far, and those of them that are equal to the first.
    seen: u16,
    equal: u16,
}

impl Tests {
    const fn new() -> Self {
        Self { last: None, run: 0, first: 0, seen: 0, equal: 0 }
    }

    fn pass(&mut self, sample: u8, min_entropy: MinEntropy) -> bool {
        self.pass_repetition(sample, min_entropy) && self.pass_proportion(sample, min_entropy)
    }

    fn pass_repetition(&mut self, sample: u8, min_entropy: MinEntropy) -> bool {
        self.run = if self.last == Some(sample) { self.run + 1 } else { 1 };
        self.last = Some(sample);
        self.run < min_entropy.repetition_cutoff()
    }

    fn pass_proportion(&mut self, sample: u8, min_entropy: MinEntropy) -> bool {
        if self.seen == 0 {
            self.first = sample;
            self.equal = 0;
        }
        self.equal += u16::from(sample == self.first);
        self.seen = (self.seen + 1) % WINDOW;
        self.equal < min_entropy.proportion_cutoff()
    }
}

impl Drop for Tests {
    fn drop(&mut self) {
        // The last samples went into a key.
        zeroize::Zeroize::zeroize(&mut self.first);
        zeroize::Zeroize::zeroize(&mut self.last);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// SplitMix64, a byte at a time.
    struct Seeded(u64);

    impl NoiseSource for Seeded {
        fn sample(&mut self) -> Option<u8> {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            Some((z ^ (z >> 31)) as u8)
        }
    }

    /// Makes something of every byte of a good source.
    struct Shaped<S>(Seeded, S);

    impl<S: FnMut(u8) -> Option<u8>> NoiseSource for Shaped<S> {
        fn sample(&mut self) -> Option<u8> {
            let Self(source, shape) = self;
            source.sample().and_then(shape)
        }
    }

    fn shaped(seed: u64, shape: impl FnMut(u8) -> Option<u8>) -> Entropy<impl NoiseSource> {
        Entropy::new(Shaped(Seeded(seed), shape))
    }

    fn draws<N: NoiseSource>(entropy: &mut Entropy<N>, count: usize) -> usize {
        (0..count).take_while(|_| entropy.draw(&mut [0; 32]).is_ok()).count()
    }

    #[test]
    fn vector_cutoffs() {
        // Computed with exact fractions.
        let proportion = [311, 177, 103, 62, 39, 25, 18, 13];
        let repetition = [21, 11, 8, 6, 5, 5, 4, 4];
        for bits in 1..=8 {
            let min_entropy = MinEntropy::from_bits(bits).unwrap();
            let at = usize::from(bits) - 1;
            assert_eq!(min_entropy.proportion_cutoff(), proportion[at], "{bits} bits");
            assert_eq!(min_entropy.repetition_cutoff(), repetition[at], "{bits} bits");
            assert!(min_entropy.samples() * usize::from(bits) >= ASSESSED);
        }
        assert!(MinEntropy::from_bits(0).is_none() && MinEntropy::from_bits(9).is_none());
    }

    #[test]
    fn a_good_source_passes() {
        for bits in 1..=8 {
            let mut entropy = Entropy::with_min_entropy(Seeded(7), MinEntropy::from_bits(bits).unwrap());
            assert_eq!(draws(&mut entropy, 500), 500, "{bits} bits");
        }
        // No better than what is claimed of it.
        let mut coin = shaped(8, |sample| Some(sample & 1));
        assert_eq!(draws(&mut coin, 500), 500);
    }

    #[test]
    fn draws_differ_and_follow_from_samples_after_the_startup_test() {
        let mut entropy = Entropy::new(Seeded(9));
        let (mut first, mut second) = ([0; 32], [0; 32]);
        entropy.draw(&mut first).unwrap();
        entropy.draw(&mut second).unwrap();
        assert_ne!(first, second);
        let mut source = Seeded(9);
        let samples: Vec<u8> = (0..STARTUP + ASSESSED).map(|_| source.sample().unwrap()).collect();
        assert_eq!(first, hash::h32(label::ELEMENT_ENTROPY, &[&samples[STARTUP..]]));
    }

    #[test]
    fn a_stuck_source_fails_at_once_and_for_good() {
        let mut stuck = true;
        let mut entropy = shaped(1, |sample| if core::mem::take(&mut stuck) { Some(0) } else { Some(sample) });
        assert_eq!(draws(&mut entropy, 2), 2, "one sample does not make it stuck");

        let mut left = 30;
        let mut entropy = shaped(1, |sample| {
            left -= i32::from(left > 0);
            Some(if left > 0 { 0xA5 } else { sample })
        });
        let mut out = [3; 32];
        for _ in 0..5 {
            assert_eq!(entropy.draw(&mut out), Err(EntropyFailure), "though it is good by now");
            assert!(entropy.has_failed());
        }
        assert_eq!(out, [3; 32]);
    }

    #[test]
    fn a_source_that_gets_stuck_later_fails_then() {
        let mut left = STARTUP + 3 * ASSESSED + 100;
        let mut entropy = shaped(2, |sample| {
            left = left.saturating_sub(1);
            Some(if left == 0 { 0 } else { sample })
        });
        assert_eq!(draws(&mut entropy, 10), 3);
        assert_eq!(draws(&mut entropy, 10), 0);
    }

    #[test]
    fn a_run_fails_at_the_cutoff_and_not_before() {
        for (run, passes) in [(20, true), (21, false)] {
            let mut at = 0;
            let mut entropy = shaped(3, |sample| {
                at += 1;
                Some(if (100..100 + run).contains(&at) { 0x55 } else { sample | 0x80 })
            });
            assert_eq!(entropy.draw(&mut [0; 32]).is_ok(), passes, "{run} in a row");
        }
    }

    #[test]
    fn a_proportion_fails_at_the_cutoff_and_not_before() {
        for (equal, passes) in [(310u32, true), (311, false)] {
            for window in 0..3u32 {
                let mut at = 0u32;
                let mut entropy = shaped(4, |sample| {
                    let (in_window, number) = (at % 512, at / 512);
                    at += 1;
                    // Spread evenly over the window, beginning with its first: never many in a row.
                    let hit = (in_window * equal).div_ceil(512) < ((in_window + 1) * equal).div_ceil(512);
                    Some(if number == window && hit { 0x55 } else { sample | 0x80 })
                });
                assert_eq!(entropy.draw(&mut [0; 32]).is_ok(), passes, "{equal} in window {window}");
            }
        }
    }

    #[test]
    fn a_biased_source_fails() {
        let mut entropy = shaped(5, |sample| Some(if sample < 192 { 0 } else { sample }));
        assert_eq!(draws(&mut entropy, 100), 0);
        // Too even to be caught by what one bit allows, but not by what eight do.
        let source = Shaped(Seeded(6), |sample: u8| Some(sample & 7));
        let mut entropy = Entropy::with_min_entropy(source, MinEntropy::from_bits(8).unwrap());
        assert_eq!(draws(&mut entropy, 100), 0);
    }

    #[test]
    fn a_dry_source_fails_for_good() {
        for wet in [0, 1, STARTUP, STARTUP + 1, STARTUP + ASSESSED - 1] {
            let mut left = wet + 1;
            let mut entropy = shaped(7, |sample| {
                left = left.saturating_sub(1);
                // Dry once, and never again.
                if left == 0 {
                    left = usize::MAX;
                    return None;
                }
                Some(sample)
            });
            assert_eq!(draws(&mut entropy, 3), 0, "dry after {wet}");
            assert_eq!(draws(&mut entropy, 3), 0, "dry after {wet}");
        }
    }
}
