//! The folder of a device: `device.toml`, `wallet.redb`, `element/flash.bin`, `recovery.key`.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::durable::{self, Access};
use crate::element::ElementAddress;

/// Longest `device.toml`, in bytes.
const CONFIG_MAX: usize = 16 << 10;

/// A device's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// What `device.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the device, for its owner.
    pub name: String,
    /// Address of the PSP, such as `http://127.0.0.1:7001`.
    pub psp: String,
    /// The element; the program that runs when it is not given. Relative paths begin at the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<ElementAddress>,
    /// What a synchronisation leaves in the wallet.
    #[serde(default)]
    pub keep: Keep,
}

/// What to have in the wallet after a synchronisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// How much to be able to spend offline, minor units; 0 withdraws nothing by itself.
    pub value: u64,
    /// How many free blanks, as far as the PSP's ration allows.
    pub blanks: u16,
    /// What each blank may at least own, minor units; the largest that the PSP's ration allows when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blank_cap: Option<u64>,
}

impl Default for Keep {
    fn default() -> Self {
        Self { value: 0, blanks: 16, blank_cap: None }
    }
}

/// Why a folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is something already.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// There is no device.
    #[error("{}: there is no device here", .0.display())]
    Missing(PathBuf),
    /// The configuration cannot be understood.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Folder {
    /// The folder at `path`.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("device.toml")
    }

    /// The wallet's records.
    pub fn wallet_file(&self) -> PathBuf {
        self.0.join("wallet.redb")
    }

    /// The key that seals backups, once there is a recovery code.
    pub fn recovery_key_file(&self) -> PathBuf {
        self.0.join("recovery.key")
    }

    /// The software element's flash. The wallet's process never opens it.
    pub fn flash_file(&self) -> PathBuf {
        self.0.join("element").join("flash.bin")
    }

    /// Where the element is.
    ///
    /// # Errors
    /// It is the running program, whose path is not known.
    pub fn element(&self, config: &Config) -> Result<ElementAddress, FolderError> {
        match &config.element {
            Some(address) => Ok(address.within(&self.0)),
            None => std::env::current_exe().map(ElementAddress::Program).map_err(self.io(self.path())),
        }
    }

    /// Makes a folder in one step: `fill` fills one beside it, which takes its place when all of it succeeded.
    ///
    /// # Errors
    /// There is something at `path` already, or `fill` fails.
    pub fn create<T, E: From<FolderError>>(path: &Path, fill: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let folder = Self::at(path);
        if path.symlink_metadata().is_ok() {
            return Err(FolderError::Exists(path.to_owned()).into());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = Self(path.with_file_name(format!(".{name}.{}.part", std::process::id())));
        // What an earlier process of the same number left when it was killed.
        let _ = std::fs::remove_dir_all(&beside.0);
        make_folder(&beside.0).map_err(beside.io(&beside.0))?;
        let filled = fill(&beside).and_then(|made| match beside.move_to(path) {
            Ok(()) => Ok(made),
            Err(error) => Err(folder.io(path)(error).into()),
        });
        filled.inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&beside.0);
        })
    }

    /// Makes the folder of the software element, for its owner only.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn create_element_folder(&self) -> Result<(), FolderError> {
        let path = self.0.join("element");
        make_folder(&path).map_err(self.io(&path))
    }

    /// Takes the name `path`, durably, with everything in it.
    fn move_to(&self, path: &Path) -> io::Result<()> {
        durable::sync_name(&self.wallet_file())?;
        if self.flash_file().exists() {
            durable::sync_name(&self.flash_file())?;
        }
        std::fs::rename(&self.0, path)?;
        durable::sync_name(path)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// There is none, or it cannot be understood.
    pub fn config(&self) -> Result<Config, FolderError> {
        let path = self.config_file();
        let bytes = match std::fs::File::open(&path).and_then(|file| durable::read_at_most(file, CONFIG_MAX)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(FolderError::Missing(self.0.clone())),
            Err(error) => return Err(self.io(&path)(error)),
        };
        let unreadable = |reason: String| FolderError::Config { path: path.clone(), reason };
        let text = str::from_utf8(&bytes).map_err(|error| unreadable(error.to_string()))?;
        toml::from_str(text).map_err(|error| unreadable(error.to_string()))
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_config(&self, config: &Config) -> Result<(), FolderError> {
        let text = toml::to_string(config)
            .map_err(|error| FolderError::Config { path: self.config_file(), reason: error.to_string() })?;
        let path = self.config_file();
        durable::replace(&path, text.as_bytes(), Access::Everyone).map_err(self.io(&path))
    }

    fn io(&self, path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
        let path = path.to_owned();
        |source| FolderError::Io { path, source }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::ChipAddress;

    fn config() -> Config {
        Config { name: "Anna".into(), psp: "http://127.0.0.1:7001".into(), element: None, keep: Keep::default() }
    }

    #[test]
    fn a_folder_is_made_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("anna");
        let failed: Result<(), FolderError> = Folder::create(&path, |folder| {
            folder.write_config(&config())?;
            Err(FolderError::Missing(folder.path().to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
        Folder::create(&path, |folder| folder.write_config(&config())).unwrap();
        assert_eq!(Folder::at(&path).config().unwrap(), config());
        let again: Result<(), FolderError> = Folder::create(&path, |_| Ok(()));
        assert!(matches!(again, Err(FolderError::Exists(_))));
    }

    #[test]
    fn the_configuration_says_no_more_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let device = Folder::at(folder.path());
        assert!(matches!(device.config(), Err(FolderError::Missing(_))));
        for wrong in ["name = 1", "name = 'a'", "name='a'\npsp='b'\nextra=1", "name='a'\npsp='b'\n[keep]\nblanks=-1"] {
            std::fs::write(device.config_file(), wrong).unwrap();
            assert!(matches!(device.config(), Err(FolderError::Config { .. })), "{wrong}");
        }
        std::fs::write(device.config_file(), "name='a'\npsp='b'\nelement='bin/specie'\n[keep]\nvalue=5").unwrap();
        let config = device.config().unwrap();
        assert_eq!((config.keep.value, config.keep.blanks), (5, 16));
        assert_eq!(device.element(&config).unwrap(), ElementAddress::Program(folder.path().join("bin/specie")));
        std::fs::write(device.config_file(), "name='a'\npsp='b'\nelement='serial:/dev/ttyACM0'").unwrap();
        let config = device.config().unwrap();
        assert_eq!(config.element, Some(ElementAddress::Chip(ChipAddress::Serial("/dev/ttyACM0".into()))));
        device.write_config(&config).unwrap();
        assert_eq!(device.config().unwrap(), config);
        std::fs::write(device.config_file(), "name='a'\npsp='b'\nelement='usb:1'").unwrap();
        let error = device.config().unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("serial:PATH"), "{error}");
    }
}
