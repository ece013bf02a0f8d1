//! Where the passphrase of a signer comes from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The variable that may hold the passphrase.
const VARIABLE: &str = "SPECIE_SIGNER_PASSPHRASE";

/// Name of the passphrase among the credentials that systemd hands to a service.
const CREDENTIAL: &str = "specie-signer-passphrase";

/// A passphrase is no longer.
const LENGTH_MAX: u64 = 1_024;

/// The first of: the file named, the environment, systemd's credential, the file `beside`.
pub(crate) fn find(named: Option<&Path>, beside: &Path) -> Result<Zeroizing<Vec<u8>>, (PathBuf, io::Error)> {
    if let Some(path) = named {
        return read(path).map_err(|error| (path.into(), error));
    }
    if let Some(text) = std::env::var_os(VARIABLE) {
        let text = Zeroizing::new(text.into_encoded_bytes());
        return accepted(&text).map_err(|error| (VARIABLE.into(), error));
    }
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|directory| Path::new(&directory).join(CREDENTIAL));
    let path = credential.filter(|path| path.exists()).unwrap_or_else(|| beside.into());
    read(&path).map_err(|error| (path, error))
}

/// Writes a new random passphrase to `path`, on disk before it returns.
pub(crate) fn create(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice()).map_err(|_| io::Error::other("the system gives no randomness"))?;
    let text = Zeroizing::new(hex::encode(secret.as_slice()).into_bytes());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&text)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(text)
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // systemd's own are for its service alone, and may be readable by a group that is the service's.
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may read it (chmod 600)"));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(2_048));
    file.take(LENGTH_MAX + 1).read_to_end(&mut text)?;
    accepted(&text)
}

/// Without the end of a line; not empty, and not endless.
fn accepted(text: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    match text.len() as u64 {
        1..=LENGTH_MAX => Ok(Zeroizing::new(text.to_vec())),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a passphrase has 1 to 1024 bytes, on one line")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_passphrase_is_read_from_its_private_file_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        let made = create(&path).unwrap();
        assert_eq!(made.len(), 64);
        assert_eq!(*read(&path).unwrap(), *made);
        assert!(create(&path).is_err(), "never written over");
        std::fs::write(&path, "correct horse\r\n").unwrap();
        assert_eq!(**find(Some(&path), Path::new("nowhere")).unwrap(), *b"correct horse");
        for text in [String::new(), "\n".into(), "x".repeat(1_025)] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path).is_err());
        }
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
