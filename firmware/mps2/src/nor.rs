//! NOR flash over the board's memory.
//!
//! The boards have no flash that survives a power cut, but 16 MB of memory that QEMU lets a file back. [`Nor`] gives it
//! the semantics of NOR flash: programming only clears bits, a word of four bytes at a time; erasing sets a page to
//! ones, word by word, so that a cut leaves what real flash leaves. Behind the flash lies what stands for the
//! controller of the flash that the board lacks ([`controller`]): whoever emulates the board sees there what is being
//! programmed, and says there which operations fail. A real board has a driver of its flash here, and no such thing.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use crate::register::Register;

/// Bytes in a word.
pub const WORD: usize = 4;

/// The registers of the controller: offsets in bytes from the end of the flash. All zero: nothing ever fails.
pub mod controller {
    /// The word that is programmed next.
    pub const VALUE: usize = 0x00;
    /// Written when an operation begins: its address, plus [`PROGRAMS`] or [`ERASES`].
    pub const OPERATION: usize = 0x04;
    /// Anything but zero: the registers that follow are heeded.
    pub const FAULTY: usize = 0x08;
    /// Counts down with every operation; the one that takes it from one to zero fails.
    pub const FAILS_AFTER: usize = 0x0C;
    /// Anything but zero: all operations after the first that fails do too.
    pub const FAILS_FOR_EVER: usize = 0x10;
    /// What an operation that fails leaves as it was: of a word, the bits that are set here; of a page, so many words
    /// at its end. Zero: it is carried out, and fails all the same.
    pub const TEAR: usize = 0x14;
    /// Counts down with every read; the one that takes it from one to zero fails.
    pub const READ_FAILS_AFTER: usize = 0x18;
    /// Anything but zero: every read fails.
    pub const READS_FAIL: usize = 0x1C;
    /// Bit n: page n is worn out.
    pub const WORN: usize = 0x20;
    /// Anything but zero: operations on a worn page do nothing and do not say so.
    pub const WORN_SILENTLY: usize = 0x24;
    /// Counts operations and reads that failed.
    pub const FAILURES: usize = 0x28;
    /// Written after [`OPERATION`] when a page is erased: many words will be stored.
    pub const ERASING: usize = 0x2C;
    /// Bytes of all registers.
    pub const LENGTH: usize = 0x40;

    /// In [`OPERATION`]: a word is programmed.
    pub const PROGRAMS: u32 = 1;
    /// In [`OPERATION`]: a page is erased.
    pub const ERASES: u32 = 2;
}

use controller as at;

/// The memory that a [`Nor`] lies in.
pub struct Memory(Register);

impl Memory {
    pub(crate) const fn new(start: Register) -> Self {
        Self(start)
    }

    /// What it begins with.
    #[cfg(feature = "selftest")]
    pub(crate) fn first_word(&self) -> u32 {
        self.0.read()
    }

    /// A flash of `PAGES` pages of `PAGE` bytes at the beginning.
    pub fn into_flash<const PAGE: usize, const PAGES: usize>(self) -> Nor<PAGE, PAGES> {
        const { assert!(PAGE.is_multiple_of(WORD) && PAGE * PAGES + at::LENGTH <= 16 << 20 && PAGES <= 32) };
        Nor { start: self.0 }
    }
}

/// Why the flash did not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NorError {
    /// The controller reports a failure.
    Failed,
    /// Address or length out of line or out of bounds.
    Misused(NorFlashErrorKind),
}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misused(kind) => *kind,
            Self::Failed => NorFlashErrorKind::Other,
        }
    }
}

/// NOR flash of `PAGES` pages of `PAGE` bytes.
pub struct Nor<const PAGE: usize, const PAGES: usize> {
    start: Register,
}

/// What becomes of an operation.
enum Outcome {
    Done,
    /// Nothing happens, and nobody is told.
    Ignored,
    /// It fails, and leaves this behind: see [`controller::TEAR`].
    Torn(u32),
}

impl<const PAGE: usize, const PAGES: usize> Nor<PAGE, PAGES> {
    fn word(&self, address: usize) -> Register {
        self.start.offset(address)
    }

    fn register(&self, register: usize) -> Register {
        self.start.offset(PAGE * PAGES + register)
    }

    fn program_word(&mut self, address: usize, value: u32) -> Result<(), NorError> {
        self.register(at::VALUE).write(value);
        let word = self.word(address);
        match self.begin(address, at::PROGRAMS) {
            Outcome::Done => word.write(word.read() & value),
            Outcome::Ignored => {}
            Outcome::Torn(kept) => {
                word.write(word.read() & (value | kept));
                return Err(NorError::Failed);
            }
        }
        Ok(())
    }

    fn erase_page(&mut self, address: usize) -> Result<(), NorError> {
        let outcome = self.begin(address, at::ERASES);
        self.register(at::ERASING).write(1);
        let (words, result) = match outcome {
            Outcome::Done => (PAGE / WORD, Ok(())),
            Outcome::Ignored => (0, Ok(())),
            Outcome::Torn(kept) => ((PAGE / WORD).saturating_sub(kept as usize), Err(NorError::Failed)),
        };
        for word in 0..words {
            self.word(address + word * WORD).write(u32::MAX);
        }
        result
    }

    /// Tells the controller what begins, and learns what becomes of it.
    #[inline]
    fn begin(&mut self, address: usize, operation: u32) -> Outcome {
        self.register(at::OPERATION).write(address as u32 | operation);
        if self.register(at::FAULTY).read() == 0 { Outcome::Done } else { self.outcome(address) }
    }

    #[cold]
    #[inline(never)]
    fn outcome(&mut self, address: usize) -> Outcome {
        let left = self.register(at::FAILS_AFTER).read();
        if left > 1 {
            self.register(at::FAILS_AFTER).write(left - 1);
        } else if left == 1 {
            if self.register(at::FAILS_FOR_EVER).read() == 0 {
                self.register(at::FAILS_AFTER).write(0);
            }
            self.count_failure();
            return Outcome::Torn(self.register(at::TEAR).read());
        }
        if self.register(at::WORN).read() >> (address / PAGE) & 1 == 0 {
            return Outcome::Done;
        }
        self.count_failure();
        if self.register(at::WORN_SILENTLY).read() == 0 { Outcome::Torn(u32::MAX) } else { Outcome::Ignored }
    }

    fn begin_read(&mut self) -> Result<(), NorError> {
        if self.register(at::FAULTY).read() == 0 {
            return Ok(());
        }
        let left = self.register(at::READ_FAILS_AFTER).read();
        if left > 0 {
            self.register(at::READ_FAILS_AFTER).write(left - 1);
        }
        if left == 1 || self.register(at::READS_FAIL).read() != 0 {
            self.count_failure();
            return Err(NorError::Failed);
        }
        Ok(())
    }

    fn count_failure(&mut self) {
        let failures = self.register(at::FAILURES);
        failures.write(failures.read().wrapping_add(1));
    }
}

impl<const PAGE: usize, const PAGES: usize> ErrorType for Nor<PAGE, PAGES> {
    type Error = NorError;
}

impl<const PAGE: usize, const PAGES: usize> ReadNorFlash for Nor<PAGE, PAGES> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        check_read(self, offset, bytes.len()).map_err(NorError::Misused)?;
        self.begin_read()?;
        self.word(offset as usize).copy_to(bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        PAGE * PAGES
    }
}

impl<const PAGE: usize, const PAGES: usize> NorFlash for Nor<PAGE, PAGES> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        check_erase(self, from, to).map_err(NorError::Misused)?;
        for address in (from as usize..to as usize).step_by(PAGE) {
            self.erase_page(address)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        check_write(self, offset, bytes.len()).map_err(NorError::Misused)?;
        let (words, _) = bytes.as_chunks::<WORD>();
        for (address, word) in (offset as usize..).step_by(WORD).zip(words) {
            self.program_word(address, u32::from_le_bytes(*word))?;
        }
        Ok(())
    }
}
