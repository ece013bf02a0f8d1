//! Secret keys of services in files: 64 hexadecimal digits, readable by their owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use specie_api::hexadecimal::HexArray;
use specie_core::signature::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a key is not to be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read, or not be made.
    #[error("cannot use the key file {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no key.
    #[error("the key file {} does not hold 64 lowercase hexadecimal digits", .0.display())]
    NoKey(PathBuf),
    /// Others may read it.
    #[error("the key file {} can be read by others; take their rights away (chmod 600)", .0.display())]
    Exposed(PathBuf),
}

/// Writes the key of `seed` to a new file, on disk before it returns.
///
/// # Errors
/// When the file exists already or cannot be written.
pub fn create_key(path: &Path, seed: [u8; 32]) -> Result<SigningKey, KeyFileError> {
    let seed = Zeroizing::new(seed);
    create_secret(path, &seed)?;
    Ok(SigningKey::from_seed(&seed))
}

/// Reads a key.
///
/// # Errors
/// When the file holds none, or is not private.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    Ok(SigningKey::from_seed(&*read_secret(path)?))
}

/// Writes 32 secret bytes to a new file, on disk before it returns.
pub(crate) fn create_secret(path: &Path, secret: &[u8; 32]) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.into(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    let digits = Zeroizing::new(format!("{}\n", HexArray(*secret)));
    file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// Reads 32 secret bytes.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    if is_exposed(&file).map_err(failed)? {
        return Err(KeyFileError::Exposed(path.into()));
    }
    let mut digits = Zeroizing::new(String::with_capacity(128));
    file.take(128).read_to_string(&mut digits).map_err(failed)?;
    let secret = HexArray::<32>::parse(digits.trim_end()).map_err(|_| KeyFileError::NoKey(path.into()))?;
    Ok(Zeroizing::new(secret.0))
}

/// Whether anybody but its owner may do anything with `file`.
#[cfg(unix)]
pub(crate) fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Whether anybody but its owner may do anything with `file`: not known here.
#[cfg(not(unix))]
pub(crate) fn is_exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = create_key(&path, [7; 32]).unwrap();
        assert_eq!(read_key(&path).unwrap().public(), key.public());
        assert!(matches!(create_key(&path, [8; 32]), Err(KeyFileError::File { .. })));
        assert_eq!(read_key(&path).unwrap().public(), key.public());
    }

    #[test]
    fn rejects_what_is_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(matches!(read_key(&path), Err(KeyFileError::File { .. })));
        create_key(&path, [7; 32]).unwrap();
        for text in [String::new(), "zz".repeat(32), "AB".repeat(32), "ab".repeat(31), "ab".repeat(33)] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(read_key(&path), Err(KeyFileError::NoKey(_))));
        }
    }

    #[cfg(unix)]
    #[test]
    fn rejects_a_key_that_others_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create_key(&path, [7; 32]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_key(&path), Err(KeyFileError::Exposed(_))));
    }
}
