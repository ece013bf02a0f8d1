//! Whichever element a device has.

use specie_element::client::Link;
use thiserror::Error;

use super::{ChipElement, ChipElementError, ElementProcess, ElementProcessError};

/// The element of a device: a process or a chip.
#[derive(Debug)]
pub enum DeviceElement {
    /// A software element in a process of its own.
    Process(ElementProcess),
    /// A chip of its own.
    Chip(ChipElement),
}

/// Why the element could not be reached.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceElementError {
    /// The process could not.
    #[error(transparent)]
    Process(#[from] ElementProcessError),
    /// The chip could not.
    #[error(transparent)]
    Chip(#[from] ChipElementError),
}

impl Link for DeviceElement {
    type Error = DeviceElementError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, DeviceElementError> {
        match self {
            Self::Process(process) => Ok(process.transmit(command, response)?),
            Self::Chip(chip) => Ok(chip.transmit(command, response)?),
        }
    }
}
