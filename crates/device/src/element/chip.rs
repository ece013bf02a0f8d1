//! An element on a chip of its own, at the end of a line.

use std::io;
use std::time::{Duration, Instant};

use specie_element::client::{self, ElementError, Link};
use specie_element::t1::reader::{Chip, ChipError, Fault};
use thiserror::Error;

use super::ChipAddress;
use crate::entropy::{self, EntropyError};
use crate::line::OpenLine;

/// How long a chip may take for one command in all, with everything that has to be sent again: longer than what it may ask
/// for.
pub const CHIP_PATIENCE: Duration = Duration::from_secs(180);

/// An element on a chip. The line is opened by the first command, and again by the next one after it failed.
#[derive(Debug)]
pub struct ChipElement {
    address: ChipAddress,
    patience: Duration,
    /// What the element has to answer to IDENTITY, where that is known.
    certificate: Option<Vec<u8>>,
    line: Option<Box<Spoken>>,
}

/// A line in use.
struct Spoken(Chip<OpenLine>);

/// Why a chip could not be reached.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChipElementError {
    /// The line could not be opened; nothing was sent.
    #[error("{address} cannot be opened ({source}); check that the chip is connected there")]
    NotOpened {
        /// The line.
        address: ChipAddress,
        /// What the operating system said.
        source: io::Error,
    },
    /// The chip gave no answer.
    #[error("{address}: {source}")]
    NoAnswer {
        /// The line.
        address: ChipAddress,
        /// Why, and whether it may have carried out the command.
        source: ChipError<io::Error>,
    },
    /// It is not the element of this device, or it was wiped. The command was not sent.
    #[error("{0}: this chip is not the one that belongs to the device; connect that one")]
    AnotherElement(ChipAddress),
    /// The operating system gave no randomness; nothing was sent.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl ChipElement {
    /// The element at `address`, whichever it is. Nothing is opened yet.
    pub const fn at(address: ChipAddress) -> Self {
        Self { address, patience: CHIP_PATIENCE, certificate: None, line: None }
    }

    /// The same, which must be the element of this certificate: any other is refused before it gets a command.
    ///
    /// An element that does not know an index answers as one does that spent it long ago. Of another element a wallet would
    /// believe that its money is gone.
    #[must_use]
    pub fn with_certificate(self, certificate: Vec<u8>) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// The same, which may take `patience` for each command in all.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn open(&self) -> Result<Box<Spoken>, ChipElementError> {
        let line = OpenLine::open(&self.address)
            .map_err(|source| ChipElementError::NotOpened { address: self.address.clone(), source })?;
        Ok(Box::new(Spoken(Chip::new(line, u32::from_be_bytes(entropy::bytes()?)))))
    }

    fn exchange(
        &self,
        chip: &mut Chip<OpenLine>,
        command: &[u8],
        response: &mut [u8],
    ) -> Result<usize, ChipElementError> {
        chip.line_mut().set_deadline(Instant::now() + self.patience);
        // Where the transport begins anew, the chip may be another one.
        if !chip.is_synchronised() {
            self.check_identity(chip)?;
        }
        chip.transmit(command, response).map_err(|source| self.no_answer(source))
    }

    fn check_identity(&self, chip: &mut Chip<OpenLine>) -> Result<(), ChipElementError> {
        let Some(certificate) = &self.certificate else { return Ok(()) };
        match client::identity(chip) {
            Ok(found) if found.as_bytes() == certificate => Ok(()),
            Err(ElementError::Link(ChipError::NotReached(fault) | ChipError::OutcomeUnknown(fault))) => {
                // Nothing was sent but the question who it is.
                Err(self.no_answer(ChipError::NotReached(fault)))
            }
            _ => Err(ChipElementError::AnotherElement(self.address.clone())),
        }
    }

    fn no_answer(&self, source: ChipError<io::Error>) -> ChipElementError {
        ChipElementError::NoAnswer { address: self.address.clone(), source }
    }
}

impl Link for ChipElement {
    type Error = ChipElementError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ChipElementError> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.open()?,
        };
        let result = self.exchange(&mut line.0, command, response);
        let keeps = match &result {
            Ok(_) => true,
            // A chip that failed is asked anew who it is, a line that failed is opened anew.
            Err(ChipElementError::NoAnswer { source, .. }) => !matches!(source.fault(), Some(Fault::Line(_))),
            // Another element answered well: its line must not be taken for one that was checked.
            Err(_) => false,
        };
        self.line = keeps.then_some(line);
        result
    }
}

impl std::fmt::Debug for Spoken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.line().fmt(f)
    }
}
