//! Files that are there whole or not at all, after a power cut too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner only: it holds something secret.
    Owner,
    /// Whom the user's file mode mask lets.
    Everyone,
}

/// Writes a file in one step: a reader sees the old contents or the new, never a part.
///
/// # Errors
/// The folder is missing or cannot be written.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let written = write_beside(path, bytes, access)?;
    fs::rename(&written, path).inspect_err(|_| discard(&written))?;
    sync_name(path)
}

/// Writes a new file in one step.
///
/// # Errors
/// It exists ([`io::ErrorKind::AlreadyExists`]), or the folder is missing or cannot be written.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let written = write_beside(path, bytes, access)?;
    // A hard link, unlike a rename, fails where something is.
    let linked = fs::hard_link(&written, path);
    discard(&written);
    linked?;
    sync_name(path)
}

/// Removes a file, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_name(path),
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// It cannot be read, or is longer ([`io::ErrorKind::FileTooLarge`]).
pub fn read_at_most(source: impl io::Read, limit: usize) -> io::Result<Vec<u8>> {
    use io::Read;

    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Makes the name of a new or renamed file durable.
///
/// # Errors
/// Its folder cannot be opened or synchronised.
pub fn sync_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn write_beside(path: &Path, bytes: &[u8], access: Access) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(beside);
    let mode = match access {
        Access::Owner => 0o600,
        Access::Everyone => 0o666,
    };
    // What an earlier process of the same number left behind when it was killed.
    discard(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| discard(&beside))?;
    Ok(beside)
}

/// Removes a file if it is there; leaving it does no harm.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaces_whole_files_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        replace(&path, b"one", Access::Everyone).unwrap();
        replace(&path, b"two", Access::Everyone).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn creates_only_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret", Access::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, b"other", Access::Owner).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn rejects_more_than_the_limit() {
        assert_eq!(read_at_most(&[1; 5][..], 5).unwrap(), [1; 5]);
        assert_eq!(read_at_most(&[1; 6][..], 5).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
