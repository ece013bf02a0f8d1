//! The bank's configuration, as a TOML file has it. Unknown keys are refused; paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specie_store::Place;
use thiserror::Error;

use crate::serving::ServingConfig;
use crate::settings::{self, Environment, Setting, SettingsError};

/// All that a bank's serving process is told. Who the bank is stands in its database; the root key stands nowhere here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankConfig {
    /// Where it listens; port 0 for any free one.
    pub listen: SocketAddr,
    /// The database: a file, or `postgres://USER@HOST/NAME` for a PostgreSQL that several servers may share.
    pub database: Place,
    /// The folder of the signer, which holds the issuing keys and the ledger's key. Never restore it together with the database.
    pub signer: PathBuf,
    /// The pause between two looks at what time has settled, in seconds.
    #[serde(default = "sweep_seconds")]
    pub sweep_seconds: u64,
    /// The most notes that are put on the revocation list within any 24 hours; the others wait, those worth most first. A device that holds `n`
    /// pages of 32 notes has everything of the last `(n − 1) · 32 / revocations_per_day` days: this is by how much a flood of double spends may
    /// push out what was listed before.
    #[serde(default = "revocations_per_day")]
    pub revocations_per_day: u32,
    /// How it is served.
    #[serde(default)]
    pub serving: ServingConfig,
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BankConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It or the environment is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

const fn sweep_seconds() -> u64 {
    60
}

const fn revocations_per_day() -> u32 {
    specie_bank::revocation::LISTED_PER_DAY
}

impl BankConfig {
    /// Files with the names that a new bank gives them, listening at `listen`.
    pub fn with_usual_files(listen: SocketAddr) -> Self {
        Self {
            listen,
            database: Place::File("bank.db".into()),
            signer: "signer".into(),
            sweep_seconds: sweep_seconds(),
            revocations_per_day: revocations_per_day(),
            serving: ServingConfig::default(),
        }
    }

    /// Reads a configuration; its relative paths become relative to the directory of `path`.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, BankConfigError> {
        Ok(Self::read_with(path, &Environment::empty())?.0)
    }

    /// The same with what the environment says over it, and all of it listed.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or a variable is wrong.
    pub fn read_with(path: &Path, environment: &Environment) -> Result<(Self, Vec<Setting>), BankConfigError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| BankConfigError::Unreadable { path: path.into(), source })?;
        let config: Self = settings::read(&text, environment)?;
        let listed = settings::listed(&config, &text, environment);
        Ok((config.within(path.parent().unwrap_or(Path::new(""))), listed))
    }

    /// The same with relative paths made relative to `directory`.
    #[must_use]
    pub fn within(mut self, directory: &Path) -> Self {
        self.database = self.database.within(directory);
        self.signer = directory.join(&self.signer);
        self
    }

    /// The configuration as a TOML file has it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("the types of a configuration are TOML")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bank.toml");
        let config = BankConfig::with_usual_files("127.0.0.1:0".parse().unwrap());
        std::fs::write(&path, config.to_toml()).unwrap();
        assert_eq!(BankConfig::read(&path).unwrap(), config.within(directory.path()));
        std::fs::write(&path, format!("root_key = 1\n{}", BankConfig::read(&path).unwrap().to_toml())).unwrap();
        assert!(matches!(BankConfig::read(&path), Err(BankConfigError::Settings(_))));
    }
}
