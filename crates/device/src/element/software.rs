//! The software element: `specie-element` over a flash file and the operating system's randomness.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use specie_element::apdu::MAX_RESPONSE;
use specie_element::entropy::EntropyFailure;
use specie_element::journal::{JournalError, bytes_needed};
use specie_element::{Element, Platform};
use thiserror::Error;

use super::flash::{FileFlash, FlashFileError};
use super::frame;
use crate::entropy;

/// Notes and blanks that a software element has room for.
pub const RECORDS: usize = 2048;

/// Names what the software element is in its maker's certificate. It changes with the element's rules, not with every build.
const FIRMWARE: &str = "specie software element, command set 1";

/// Why an element does not serve.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The flash is no flash of an element.
    #[error("the flash does not suit the element: {0:?}; restore the file or make a new device")]
    Flash(JournalError),
    /// The streams to the wallet failed.
    #[error("the stream to the wallet failed: {0}")]
    Stream(io::Error),
}

/// Makes the flash file of a new element.
///
/// # Errors
/// The file exists or cannot be written.
pub fn create_flash(path: &Path) -> Result<FileFlash, FlashFileError> {
    FileFlash::create(path, bytes_needed::<FileFlash>(RECORDS))
}

/// Runs the element over `flash`: commands from `input`, answers to `output`, each with its length in front (u16
/// big-endian), until the input ends.
///
/// # Errors
/// The flash does not suit, or a stream fails.
pub fn serve_element(flash: FileFlash, mut input: impl Read, mut output: impl Write) -> Result<(), ServeError> {
    let mut element = software_element(flash).map_err(ServeError::Flash)?;
    let mut response = [0; MAX_RESPONSE];
    while let Some(mut command) = frame::read(&mut input).map_err(ServeError::Stream)? {
        let length = element.process(&command, &mut response);
        zeroize::Zeroize::zeroize(&mut command[..]);
        frame::write(&mut output, &response[..length]).map_err(ServeError::Stream)?;
        zeroize::Zeroize::zeroize(&mut response[..length]);
    }
    Ok(())
}

/// The element over `flash`, within this process: for tests of wallets. In use it has a process of its own.
///
/// # Errors
/// The flash does not suit.
pub fn software_element(flash: FileFlash) -> Result<Element<FileFlash, OperatingSystem, RECORDS>, JournalError> {
    Element::new(flash, OperatingSystem)
}

/// The computer as the platform of an element.
#[derive(Clone, Copy, Debug)]
pub struct OperatingSystem;

impl Platform for OperatingSystem {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        // The operating system tests and conditions its noise itself.
        *out = entropy::bytes().map_err(|_| EntropyFailure)?;
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        Sha256::digest(FIRMWARE).into()
    }
}
