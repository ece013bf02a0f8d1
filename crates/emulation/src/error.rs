//! What can go wrong with an emulator.

use std::io;
use std::process::ExitStatus;

use thiserror::Error;

/// Why something about an emulated board did not work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmulationError {
    /// A program is not on this computer.
    #[error("`{program}` cannot be started: install {install}")]
    Missing {
        /// Its name.
        program: String,
        /// What brings it.
        install: String,
    },
    /// The firmware or the plugin does not compile.
    #[error("{what} does not build:\n{output}")]
    Build {
        /// What was built.
        what: String,
        /// What the compiler said.
        output: String,
    },
    /// A file or socket.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The emulator ended.
    #[error("the emulator ended: {status}\n{output}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// What it said.
        output: String,
    },
    /// The power was cut, as was planned.
    #[error("the power is off")]
    PowerOff,
    /// Something that was waited for did not come.
    #[error("{0} did not come in time")]
    Late(&'static str),
}

/// Says what was being done when a file or socket failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl Into<String>) -> Result<T, EmulationError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T, EmulationError> {
        self.map_err(|source| EmulationError::Io { what: what.into(), source })
    }
}
