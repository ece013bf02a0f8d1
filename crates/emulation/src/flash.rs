//! The flash of an emulated board: the file behind its memory, and what stands for the flash's controller.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Doing, EmulationError};

/// Bytes of the memory that the file backs: QEMU wants all of it.
pub(crate) const MEMORY: u64 = 16 << 20;

/// Bytes in a word of the flash.
const WORD: u64 = 4;

/// The controller's registers, in bytes from the end of the flash: `firmware/mps2/src/nor.rs` says what they are.
pub(crate) mod controller {
    pub(crate) const VALUE: u64 = 0x00;
    pub(crate) const OPERATION: u64 = 0x04;
    pub(super) const FAULTY: u64 = 0x08;
    pub(super) const FAILS_AFTER: u64 = 0x0C;
    pub(super) const FAILS_FOR_EVER: u64 = 0x10;
    pub(super) const TEAR: u64 = 0x14;
    pub(super) const READ_FAILS_AFTER: u64 = 0x18;
    pub(super) const READS_FAIL: u64 = 0x1C;
    pub(super) const WORN: u64 = 0x20;
    pub(super) const WORN_SILENTLY: u64 = 0x24;
    pub(super) const FAILURES: u64 = 0x28;
    pub(crate) const ERASING: u64 = 0x2C;
    pub(super) const LENGTH: u64 = 0x40;
}

/// Pages of a flash and the bytes of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes in a page.
    pub page: u64,
    /// Number of pages.
    pub pages: u64,
}

impl Geometry {
    /// The flash of the delivered element.
    pub const ELEMENT: Self = Self { page: 4096, pages: 16 };
    /// The flash of the element with the constants of its tests.
    pub const CONFORMANCE: Self = Self { page: 2048, pages: 8 };

    /// Bytes of the flash.
    pub const fn bytes(self) -> u64 {
        self.page * self.pages
    }
}

/// What goes wrong with the flash. The default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// The operation after so many further ones fails.
    pub fails_after: Option<u32>,
    /// And all after that one too.
    pub fails_for_ever: bool,
    /// What an operation that fails leaves as it was: of a word, the bits that are set here; of a page, so many words at
    /// its end.
    pub tear: u32,
    /// The read after so many further ones fails.
    pub read_fails_after: Option<u32>,
    /// Every read fails.
    pub reads_fail: bool,
    /// Bit n: page n is worn out, and what is done to it fails.
    pub worn: u32,
    /// But does not say so.
    pub worn_silently: bool,
}

/// What was being done to the flash last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// This word was programmed, at this offset.
    Program {
        /// Where.
        at: u64,
        /// With what.
        word: [u8; 4],
    },
    /// The page at this offset was erased.
    Erase {
        /// Where.
        at: u64,
    },
}

/// The file behind a board's memory. It outlives emulators; none should be running while it is written.
#[derive(Debug)]
pub struct Flash {
    file: File,
    geometry: Geometry,
}

impl Flash {
    /// Opens the file, or makes one with an erased flash.
    ///
    /// # Errors
    /// It cannot be opened or written.
    pub fn open(path: &Path, geometry: Geometry) -> Result<Self, EmulationError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.doing(format!("opening {}", path.display()))?;
        let flash = Self { file, geometry };
        if flash.file.metadata().doing("looking at the flash")?.len() < MEMORY {
            flash.file.set_len(MEMORY).doing("making the flash")?;
            flash.write(0, &vec![0xFF; geometry.bytes() as usize])?;
        }
        Ok(flash)
    }

    /// Pages and their bytes.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// What the flash holds.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>, EmulationError> {
        let mut bytes = vec![0; self.geometry.bytes() as usize];
        self.file.read_exact_at(&mut bytes, 0).doing("reading the flash")?;
        Ok(bytes)
    }

    /// Changes what the flash holds from `at` on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<(), EmulationError> {
        self.file.write_all_at(bytes, at).doing("writing the flash")
    }

    /// From now on, what is done to the flash goes wrong like this.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_controller(&self, faults: &Controller) -> Result<(), EmulationError> {
        use controller as at;
        let countdown = |after: Option<u32>| after.map_or(0, |after| after.saturating_add(1));
        let mut registers = [0; at::LENGTH as usize];
        let mut set = |register: u64, value: u32| {
            registers[register as usize..][..4].copy_from_slice(&value.to_le_bytes());
        };
        set(at::FAULTY, (*faults != Controller::default()).into());
        set(at::FAILS_AFTER, countdown(faults.fails_after));
        set(at::FAILS_FOR_EVER, faults.fails_for_ever.into());
        set(at::TEAR, faults.tear);
        set(at::READ_FAILS_AFTER, countdown(faults.read_fails_after));
        set(at::READS_FAIL, faults.reads_fail.into());
        set(at::WORN, faults.worn);
        set(at::WORN_SILENTLY, faults.worn_silently.into());
        self.write(self.geometry.bytes(), &registers)
    }

    /// Operations and reads that failed since the faults were set.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn failures(&self) -> Result<u32, EmulationError> {
        self.register(controller::FAILURES)
    }

    /// The operation that began last.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_operation(&self) -> Result<Option<Operation>, EmulationError> {
        let begun = self.register(controller::OPERATION)?;
        let offset = |kind: u32| u64::from(begun - kind) % MEMORY;
        Ok(match u64::from(begun) % WORD {
            1 => Some(Operation::Program { at: offset(1), word: self.register(controller::VALUE)?.to_le_bytes() }),
            2 => Some(Operation::Erase { at: offset(2) }),
            _ => None,
        })
    }

    fn register(&self, register: u64) -> Result<u32, EmulationError> {
        let mut bytes = [0; 4];
        self.file
            .read_exact_at(&mut bytes, self.geometry.bytes() + register)
            .doing("reading the flash's controller")?;
        Ok(u32::from_le_bytes(bytes))
    }
}
