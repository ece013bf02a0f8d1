//! A file that behaves like NOR flash: programming only clears bits, erasing a page sets them again, and both are on the
//! disk before the call returns.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use thiserror::Error;

use crate::durable;

/// Bytes of a word: the least that can be programmed.
pub const WORD: usize = 4;
/// Bytes of a page: the least that can be erased.
pub const PAGE: usize = 4096;

/// How long the owner of a lock is waited for: a process that was just killed still holds it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// NOR flash kept in a file, for as long as this value lives for this process alone.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    capacity: usize,
}

/// Why a flash file could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FlashFileError {
    /// Another process holds it.
    #[error("{0}: in use by another process; end that process first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is not a whole number of pages.
    #[error("{0}: {length} bytes are no flash of {PAGE}-byte pages; restore the file or make a new device", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
    /// The operating system refused.
    #[error("{0}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Why an operation on the flash failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileFlashError {
    /// Address or length out of line or out of bounds.
    Misused(NorFlashErrorKind),
    /// The operating system refused.
    Io(io::Error),
}

impl FileFlash {
    /// Makes an erased flash of `capacity` bytes, a multiple of [`PAGE`].
    ///
    /// # Errors
    /// The file exists, or cannot be written, or `capacity` is not a multiple.
    pub fn create(path: &Path, capacity: usize) -> Result<Self, FlashFileError> {
        if capacity == 0 || !capacity.is_multiple_of(PAGE) || u32::try_from(capacity).is_err() {
            return Err(FlashFileError::WrongSize { path: path.to_owned(), length: capacity as u64 });
        }
        durable::create(path, &vec![0xFF; capacity], durable::Access::Owner).map_err(io_error(path))?;
        Self::open(path)
    }

    /// Opens a flash and keeps every other process out of it.
    ///
    /// # Errors
    /// The file is missing, held by another process, or not a flash.
    pub fn open(path: &Path) -> Result<Self, FlashFileError> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io_error(path))?;
        lock(&file, path)?;
        let length = file.metadata().map_err(io_error(path))?.len();
        let capacity = usize::try_from(length).ok().filter(|&capacity| capacity > 0 && capacity.is_multiple_of(PAGE));
        match capacity {
            Some(capacity) if u32::try_from(capacity).is_ok() => Ok(Self { file, capacity }),
            _ => Err(FlashFileError::WrongSize { path: path.to_owned(), length }),
        }
    }

    fn program(&self, offset: u32, bytes: &[u8]) -> io::Result<()> {
        let mut cells = vec![0; bytes.len()];
        self.file.read_exact_at(&mut cells, u64::from(offset))?;
        for (cell, byte) in cells.iter_mut().zip(bytes) {
            *cell &= byte;
        }
        self.file.write_all_at(&cells, u64::from(offset))?;
        self.file.sync_data()
    }
}

fn lock(file: &File, path: &Path) -> Result<(), FlashFileError> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(FlashFileError::Io { path: path.to_owned(), source }),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= LOCK_PATIENCE => {
                return Err(FlashFileError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> FlashFileError + '_ {
    |source| FlashFileError::Io { path: path.to_owned(), source }
}

impl NorFlashError for FileFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misused(kind) => *kind,
            Self::Io(_) => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for FileFlash {
    type Error = FileFlashError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileFlashError> {
        check_read(self, offset, bytes.len()).map_err(FileFlashError::Misused)?;
        self.file.read_exact_at(bytes, u64::from(offset)).map_err(FileFlashError::Io)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileFlashError> {
        check_erase(self, from, to).map_err(FileFlashError::Misused)?;
        for page in (from..to).step_by(PAGE) {
            let erased = self.file.write_all_at(&[0xFF; PAGE], u64::from(page)).and_then(|()| self.file.sync_data());
            erased.map_err(FileFlashError::Io)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileFlashError> {
        check_write(self, offset, bytes.len()).map_err(FileFlashError::Misused)?;
        self.program(offset, bytes).map_err(FileFlashError::Io)
    }
}

impl MultiwriteNorFlash for FileFlash {}

#[cfg(test)]
mod tests {
    use super::*;

    fn flash(pages: usize) -> (tempfile::TempDir, FileFlash) {
        let folder = tempfile::tempdir().unwrap();
        let flash = FileFlash::create(&folder.path().join("flash.bin"), pages * PAGE).unwrap();
        (folder, flash)
    }

    fn contents(flash: &mut FileFlash) -> Vec<u8> {
        let mut bytes = vec![0; flash.capacity()];
        flash.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn programming_only_clears_bits() {
        let (_folder, mut flash) = flash(2);
        flash.write(8, &[0xF0, 0x0F, 0xAA, 0x00]).unwrap();
        flash.write(8, &[0x3C, 0xFF, 0x00, 0xFF]).unwrap();
        let mut word = [0; 4];
        flash.read(8, &mut word).unwrap();
        assert_eq!(word, [0x30, 0x0F, 0x00, 0x00]);
    }

    #[test]
    fn erasing_touches_its_pages_only() {
        let (_folder, mut flash) = flash(3);
        for page in 0..3u32 {
            flash.write(page * PAGE as u32, &[0; PAGE]).unwrap();
        }
        flash.erase(PAGE as u32, 2 * PAGE as u32).unwrap();
        let bytes = contents(&mut flash);
        assert!(bytes[..PAGE].iter().all(|&byte| byte == 0));
        assert!(bytes[PAGE..2 * PAGE].iter().all(|&byte| byte == 0xFF));
        assert!(bytes[2 * PAGE..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn rejects_what_is_out_of_line_or_bounds() {
        let (_folder, mut flash) = flash(1);
        let kind = |result: Result<(), FileFlashError>| result.expect_err("misuse").kind();
        assert_eq!(kind(flash.write(2, &[0; 4])), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(flash.write(0, &[0; 3])), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(flash.write(PAGE as u32, &[0; 4])), NorFlashErrorKind::OutOfBounds);
        assert_eq!(kind(flash.erase(0, 4)), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(flash.erase(0, 2 * PAGE as u32)), NorFlashErrorKind::OutOfBounds);
        assert_eq!(kind(flash.read(PAGE as u32 - 1, &mut [0; 2])), NorFlashErrorKind::OutOfBounds);
    }

    #[test]
    fn does_the_same_as_the_simulated_flash() {
        use specie_element::sim::SimFlash;

        const PAGES: usize = 4;
        let (_folder, mut file) = flash(PAGES);
        let mut sim = SimFlash::<WORD, PAGE>::new(PAGES, 1);
        let mut random = crate::testing::Random::new(0xF1A5_0001);
        for _ in 0..400 {
            let word = random.below((PAGES * PAGE / WORD) as u64) as usize * WORD;
            match random.below(8) {
                0 => {
                    let page = (word / PAGE * PAGE) as u32;
                    file.erase(page, page + PAGE as u32).unwrap();
                    sim.erase(page, page + PAGE as u32).unwrap();
                }
                1 => {
                    file.write(word as u32, &[0; WORD]).unwrap();
                    sim.write(word as u32, &[0; WORD]).unwrap();
                }
                _ => {
                    let mut run = vec![0; (1 + random.below(20) as usize) * WORD];
                    random.fill(&mut run);
                    run.truncate(PAGES * PAGE - word);
                    // The simulation refuses what no driver may do: programming a word twice.
                    if sim.bytes()[word..word + run.len()].iter().any(|&byte| byte != 0xFF) {
                        continue;
                    }
                    file.write(word as u32, &run).unwrap();
                    sim.write(word as u32, &run).unwrap();
                }
            }
        }
        assert_eq!(contents(&mut file), sim.bytes());
    }

    #[test]
    fn a_second_opening_is_refused_and_the_contents_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flash.bin");
        let mut flash = FileFlash::create(&path, PAGE).unwrap();
        flash.write(0, &[1, 2, 3, 4]).unwrap();
        assert!(matches!(FileFlash::open(&path), Err(FlashFileError::InUse { .. })));
        assert!(matches!(FileFlash::create(&path, PAGE), Err(FlashFileError::Io { .. })));
        drop(flash);
        let mut word = [0; 4];
        FileFlash::open(&path).unwrap().read(0, &mut word).unwrap();
        assert_eq!(word, [1, 2, 3, 4]);
    }

    #[test]
    fn rejects_files_that_are_no_flash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flash.bin");
        std::fs::write(&path, [0; 100]).unwrap();
        assert!(matches!(FileFlash::open(&path), Err(FlashFileError::WrongSize { length: 100, .. })));
        assert!(matches!(FileFlash::create(&folder.path().join("x"), 100), Err(FlashFileError::WrongSize { .. })));
    }
}
