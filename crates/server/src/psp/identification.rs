//! What a PSP identifies its customers with, from files: the pepper, the issuers, the sanctions list.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specie_identity::person::Pepper;
use specie_identity::screening::{self, ListError, SanctionsList};
use specie_identity::trust::{TrustError, TrustList};
use specie_psp::identification::Identification;
use thiserror::Error;

use crate::key_file::{KeyFileError, read_secret};

/// Bytes of a file, at most.
const LENGTH_MAX: u64 = 128 * 1024 * 1024;

/// Files and numbers for it. Paths are relative to the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentificationConfig {
    /// The file with the pepper: 64 hexadecimal digits. Whoever loses it recognises nobody; it must not change.
    pub pepper_file: PathBuf,
    /// The list of issuers whose credentials are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuers: Option<PathBuf>,
    /// The sanctions list with which names are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanctions: Option<PathBuf>,
    /// The score, in thousandths, from which on a likeness is looked at by a person.
    #[serde(default = "threshold")]
    pub threshold: u16,
}

/// Why nobody can be identified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentificationConfigError {
    /// The pepper is unusable.
    #[error(transparent)]
    Pepper(#[from] KeyFileError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list of issuers is wrong.
    #[error("{}: {error}", path.display())]
    Issuers {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: TrustError,
    },
    /// The sanctions list is wrong.
    #[error("{}: {error}", path.display())]
    Sanctions {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: ListError,
    },
    /// A threshold at which everybody is suspected, or nobody.
    #[error("`identification.threshold` is {0}: it must be from {low} to {high}", low = screening::THRESHOLDS.start(), high = screening::THRESHOLDS.end())]
    Threshold(u16),
}

impl IdentificationConfig {
    /// With a pepper, and neither issuers nor sanctions list.
    pub fn new(pepper_file: impl Into<PathBuf>) -> Self {
        Self { pepper_file: pepper_file.into(), issuers: None, sanctions: None, threshold: threshold() }
    }

    /// Reads the files, whole.
    ///
    /// # Errors
    /// The first that is wrong. A list is never used in part.
    pub fn load(&self) -> Result<Identification, IdentificationConfigError> {
        if !screening::THRESHOLDS.contains(&self.threshold) {
            return Err(IdentificationConfigError::Threshold(self.threshold));
        }
        let pepper = Pepper::new(read_secret(&self.pepper_file)?);
        let issuers = self.issuers.as_deref().map(issuers).transpose()?;
        let sanctions = self.sanctions.as_deref().map(sanctions).transpose()?;
        Ok(Identification { pepper, issuers, sanctions, threshold: self.threshold })
    }

    /// The same with paths seen from `folder`.
    pub(super) fn within(mut self, folder: &Path) -> Self {
        self.pepper_file = folder.join(self.pepper_file);
        self.issuers = self.issuers.map(|path| folder.join(path));
        self.sanctions = self.sanctions.map(|path| folder.join(path));
        self
    }
}

fn issuers(path: &Path) -> Result<TrustList, IdentificationConfigError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    TrustList::from_toml(&text).map_err(|error| IdentificationConfigError::Issuers { path: path.into(), error })
}

fn sanctions(path: &Path) -> Result<SanctionsList, IdentificationConfigError> {
    let file = read(path)?;
    SanctionsList::read(&file).map_err(|error| IdentificationConfigError::Sanctions { path: path.into(), error })
}

fn read(path: &Path) -> Result<Vec<u8>, IdentificationConfigError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LENGTH_MAX).read_to_end(&mut bytes));
    read.map_err(|source| IdentificationConfigError::Unreadable { path: path.into(), source })?;
    Ok(bytes)
}

fn threshold() -> u16 {
    screening::THRESHOLD
}
