//! A NOR flash in memory, for tests: power cuts, torn writes and erases, failures, and wear.
//!
//! It panics where a real flash would silently do something else: programming a word that is not erased (unless to
//! zero) or out of line. What happens is decided by a seed alone.

use alloc::vec;
use alloc::vec::Vec;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Why the simulated flash does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimError {
    /// The power is off.
    PowerOff,
    /// A failure that the test asked for.
    Failed,
    /// Address or length out of line or out of bounds.
    Misused(NorFlashErrorKind),
}

impl NorFlashError for SimError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misused(kind) => *kind,
            Self::PowerOff | Self::Failed => NorFlashErrorKind::Other,
        }
    }
}

/// What the interrupted operation leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The operation was not begun.
    Clean,
    /// The operation was half done: random bits of the word or page changed.
    Torn,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Operations that are still carried out.
    after: u64,
    cut: Cut,
}

/// A flash with `WORD` bytes to a word and `PAGE` bytes to a page.
#[derive(Clone, Debug)]
pub struct SimFlash<const WORD: usize, const PAGE: usize> {
    bytes: Vec<u8>,
    erases: Vec<u32>,
    operations: u64,
    power_cut: Option<Plan>,
    powered: bool,
    failing: Option<Plan>,
    fails_for_ever: bool,
    fails_reads: bool,
    failing_read: Option<u64>,
    failures: u64,
    random: u64,
}

impl<const WORD: usize, const PAGE: usize> SimFlash<WORD, PAGE> {
    /// An erased flash of `pages` pages.
    pub fn new(pages: usize, seed: u64) -> Self {
        Self {
            bytes: vec![0xFF; pages * PAGE],
            erases: vec![0; pages],
            operations: 0,
            power_cut: None,
            powered: true,
            failing: None,
            fails_for_ever: false,
            fails_reads: false,
            failing_read: None,
            failures: 0,
            random: seed,
        }
    }

    /// Cuts the power at the operation after the next `after` ones. A word programmed and a page erased are one
    /// operation each.
    pub fn cut_power_after(&mut self, after: u64, cut: Cut) {
        self.power_cut = Some(Plan { after, cut });
    }

    /// Whether the power went off.
    pub fn is_off(&self) -> bool {
        !self.powered
    }

    /// Turns the power on again, with no cut planned and nothing failing.
    pub fn power_up(&mut self) {
        self.powered = true;
        self.power_cut = None;
        self.failing = None;
        self.fails_reads = false;
        self.failing_read = None;
    }

    /// Lets the operation after the next `after` ones fail with an error; all later ones too if `for_ever`.
    pub fn fail_after(&mut self, after: u64, cut: Cut, for_ever: bool) {
        self.failing = Some(Plan { after, cut });
        self.fails_for_ever = for_ever;
    }

    /// Lets every read fail.
    pub fn fail_reads(&mut self, fails: bool) {
        self.fails_reads = fails;
    }

    /// Lets the read after the next `after` ones fail, and no other.
    pub fn fail_read_after(&mut self, after: u64) {
        self.failing_read = Some(after);
    }

    /// Operations carried out so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Operations that failed so far, by a power cut or as the test asked for.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// How often each page was erased.
    pub fn erases(&self) -> &[u32] {
        &self.erases
    }

    /// What the flash holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the flash holds, to be damaged.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn random(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Decides what becomes of the next operation: it is carried out, or this way of failing is applied.
    fn next(&mut self) -> Result<(), (Cut, SimError)> {
        if let Some(plan) = &mut self.power_cut {
            if plan.after == 0 {
                self.powered = false;
                self.failures += 1;
                return Err((plan.cut, SimError::PowerOff));
            }
            plan.after -= 1;
        }
        if let Some(plan) = &mut self.failing {
            if plan.after == 0 {
                let cut = plan.cut;
                self.failures += 1;
                if !self.fails_for_ever {
                    self.failing = None;
                }
                return Err((cut, SimError::Failed));
            }
            plan.after -= 1;
        }
        self.operations += 1;
        Ok(())
    }

    fn program_word(&mut self, at: usize, word: &[u8]) -> Result<(), SimError> {
        let outcome = self.next();
        let old: [u8; WORD] = core::array::from_fn(|i| self.bytes[at + i]);
        assert!(
            old.iter().all(|&byte| byte == 0xFF) || word.iter().all(|&byte| byte == 0),
            "programmed the word at {at} twice"
        );
        match outcome {
            Ok(()) => {
                for (slot, byte) in self.bytes[at..].iter_mut().zip(word) {
                    *slot &= byte;
                }
                Ok(())
            }
            Err((cut, error)) => {
                if cut == Cut::Torn {
                    self.tear_word(at, word);
                }
                Err(error)
            }
        }
    }

    /// Clears some of the bits that were to be cleared, or any bits of the word.
    fn tear_word(&mut self, at: usize, word: &[u8]) {
        let any = self.random().is_multiple_of(2);
        for (i, &byte) in word.iter().enumerate() {
            let random = self.random() as u8;
            self.bytes[at + i] &= if any { random } else { byte | random };
        }
    }

    fn erase_page(&mut self, page: usize) -> Result<(), SimError> {
        let outcome = self.next();
        match outcome {
            Ok(()) => {
                self.erases[page] += 1;
                self.bytes[page * PAGE..][..PAGE].fill(0xFF);
                Ok(())
            }
            Err((cut, error)) => {
                if cut == Cut::Torn {
                    self.tear_page(page);
                }
                Err(error)
            }
        }
    }

    /// Sets some of the bits, erases some of the words, or leaves garbage in some of them.
    fn tear_page(&mut self, page: usize) {
        let way = self.random() % 4;
        let edge = self.random() as usize % PAGE;
        for i in 0..PAGE / WORD {
            let choice = self.random();
            for at in page * PAGE + i * WORD..page * PAGE + (i + 1) * WORD {
                let random = self.random() as u8;
                match (way, choice % 3) {
                    (0, _) => self.bytes[at] |= random,
                    (1, _) if i * WORD < edge => self.bytes[at] = 0xFF,
                    (2, 0) => self.bytes[at] = 0xFF,
                    (3, 0) => self.bytes[at] = random,
                    (3, 1) => self.bytes[at] = 0xFF,
                    _ => {}
                }
            }
        }
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for SimFlash<WORD, PAGE> {
    type Error = SimError;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for SimFlash<WORD, PAGE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimError> {
        check_read(self, offset, bytes.len()).map_err(SimError::Misused)?;
        if !self.powered {
            return Err(SimError::PowerOff);
        }
        if self.fails_reads {
            return Err(SimError::Failed);
        }
        match self.failing_read {
            Some(0) => {
                self.failing_read = None;
                self.failures += 1;
                return Err(SimError::Failed);
            }
            Some(after) => self.failing_read = Some(after - 1),
            None => {}
        }
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for SimFlash<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimError> {
        check_erase(self, from, to).map_err(SimError::Misused)?;
        for page in from as usize / PAGE..to as usize / PAGE {
            if !self.powered {
                return Err(SimError::PowerOff);
            }
            self.erase_page(page)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimError> {
        check_write(self, offset, bytes.len()).map_err(SimError::Misused)?;
        for (i, word) in bytes.chunks(WORD).enumerate() {
            if !self.powered {
                return Err(SimError::PowerOff);
            }
            self.program_word(offset as usize + i * WORD, word)?;
        }
        Ok(())
    }
}
