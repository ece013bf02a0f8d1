//! The wallet's records on disk, changed in atomic steps: what a step says is released once its changes are durable.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use specie_wallet::{Change, Step};
use thiserror::Error;

/// The wallet's own records, opaque here.
const WALLET: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("wallet");
/// Requests to the PSP that were sent, or are about to be, and not answered yet.
const ERRANDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("errands");

/// Most memory that the database keeps pages in, in bytes.
const CACHE: usize = 16 << 20;

/// Key and value of one of the wallet's records.
pub type Record = (Vec<u8>, Vec<u8>);

/// How long the owner of a lock is waited for: a process that was just killed still holds it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A wallet's file, open in this process alone.
pub struct WalletFile {
    path: PathBuf,
    database: Database,
    failed: bool,
}

/// Why records could not be read or written. Nothing of the step was done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WalletFileError {
    /// Another process has it open.
    #[error("{}: in use by another process", .0.display())]
    InUse(PathBuf),
    /// There is none, or it may not be opened.
    #[error("{}: {reason}", path.display())]
    NotOpened {
        /// The file.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
    /// An earlier step was not stored: what is in memory is ahead of the file.
    #[error("{}: an earlier step could not be stored", .0.display())]
    Behind(PathBuf),
}

impl WalletFile {
    /// Makes an empty file, readable by its owner only.
    ///
    /// # Errors
    /// It exists, or cannot be made.
    pub fn create(path: &Path) -> Result<Self, WalletFileError> {
        let not_opened = |reason: String| WalletFileError::NotOpened { path: path.to_owned(), reason };
        let options = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = options.map_err(|error| not_opened(error.to_string()))?;
        let backend = FileBackend::new(file).map_err(|error| not_opened(error.to_string()))?;
        let database = builder().create_with_backend(backend).map_err(|error| not_opened(error.to_string()))?;
        let file = Self { path: path.to_owned(), database, failed: false };
        file.write(|transaction| {
            transaction.open_table(WALLET)?;
            transaction.open_table(ERRANDS)?;
            Ok(())
        })?;
        Ok(file)
    }

    /// Opens a file and keeps every other process out of it.
    ///
    /// # Errors
    /// It is missing, damaged, or open elsewhere.
    pub fn open(path: &Path) -> Result<Self, WalletFileError> {
        let begun = Instant::now();
        loop {
            match builder().open(path) {
                Ok(database) => return Ok(Self { path: path.to_owned(), database, failed: false }),
                Err(DatabaseError::DatabaseAlreadyOpen) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_PAUSE)
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => return Err(WalletFileError::InUse(path.to_owned())),
                Err(error) => {
                    return Err(WalletFileError::NotOpened { path: path.to_owned(), reason: error.to_string() });
                }
            }
        }
    }

    /// All records of the wallet.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn records(&self) -> Result<Vec<Record>, WalletFileError> {
        self.read(|transaction| {
            let table = transaction.open_table(WALLET)?;
            let mut records = Vec::new();
            for entry in table.iter()? {
                let (key, value) = entry?;
                records.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(records)
        })
    }

    /// Stores the changes of a step, all or none, and then gives its output.
    ///
    /// # Errors
    /// They could not be stored. No later step is stored then: the wallet in memory is ahead of the file and has to be
    /// loaded again.
    pub fn commit<T>(&mut self, step: Step<T>) -> Result<T, WalletFileError> {
        self.apply(step.changes())?;
        Ok(step.committed())
    }

    /// Stores changes, all or none.
    ///
    /// # Errors
    /// As [`WalletFile::commit`].
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), WalletFileError> {
        if self.failed {
            return Err(WalletFileError::Behind(self.path.clone()));
        }
        if changes.is_empty() {
            return Ok(());
        }
        let stored = self.write(|transaction| {
            let mut table = transaction.open_table(WALLET)?;
            for change in changes {
                match change.value() {
                    Some(value) => table.insert(change.key(), value)?,
                    None => table.remove(change.key())?,
                };
            }
            Ok(())
        });
        self.failed = stored.is_err();
        stored
    }

    /// What is noted under `name`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn errand(&self, name: &str) -> Result<Option<Vec<u8>>, WalletFileError> {
        self.read(|transaction| {
            let table = transaction.open_table(ERRANDS)?;
            Ok(table.get(name)?.map(|value| value.value().to_vec()))
        })
    }

    /// Everything noted under names that begin with `prefix`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn errands(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, WalletFileError> {
        self.read(|transaction| {
            let table = transaction.open_table(ERRANDS)?;
            let mut found = Vec::new();
            for entry in table.range(prefix..)? {
                let (name, value) = entry?;
                if !name.value().starts_with(prefix) {
                    break;
                }
                found.push((name.value().to_owned(), value.value().to_vec()));
            }
            Ok(found)
        })
    }

    /// Notes something under `name`, durably, in place of what was there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note_errand(&mut self, name: &str, value: &[u8]) -> Result<(), WalletFileError> {
        self.write(|transaction| {
            transaction.open_table(ERRANDS)?.insert(name, value)?;
            Ok(())
        })
    }

    /// Forgets what is noted under `name`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn forget_errand(&mut self, name: &str) -> Result<(), WalletFileError> {
        self.write(|transaction| {
            transaction.open_table(ERRANDS)?.remove(name)?;
            Ok(())
        })
    }

    fn read<T>(
        &self,
        body: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, WalletFileError> {
        let transaction = self.database.begin_read().map_err(|error| self.failure(error.into()))?;
        body(&transaction).map_err(|error| self.failure(error))
    }

    fn write(
        &self,
        body: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), WalletFileError> {
        let run = || -> Result<(), redb::Error> {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            body(&transaction)?;
            Ok(transaction.commit()?)
        };
        run().map_err(|error| self.failure(error))
    }

    fn failure(&self, error: redb::Error) -> WalletFileError {
        WalletFileError::Failed { path: self.path.clone(), reason: error.to_string() }
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_private_and_open_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.redb");
        let file = WalletFile::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(WalletFile::open(&path), Err(WalletFileError::InUse(_))));
        assert!(matches!(WalletFile::create(&path), Err(WalletFileError::NotOpened { .. })));
        drop(file);
        assert!(WalletFile::open(&path).unwrap().records().unwrap().is_empty());
    }

    #[test]
    fn errands_last_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.redb");
        let mut file = WalletFile::create(&path).unwrap();
        file.note_errand("transfer/1", b"a").unwrap();
        file.note_errand("transfer/2", b"b").unwrap();
        file.note_errand("zebra", b"c").unwrap();
        file.note_errand("transfer/2", b"d").unwrap();
        drop(file);
        let mut file = WalletFile::open(&path).unwrap();
        assert_eq!(file.errand("transfer/2").unwrap().unwrap(), b"d");
        assert_eq!(file.errands("transfer/").unwrap().len(), 2);
        file.forget_errand("transfer/2").unwrap();
        assert!(file.errand("transfer/2").unwrap().is_none());
    }

    #[test]
    fn rejects_files_that_are_no_wallet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.redb");
        assert!(matches!(WalletFile::open(&path), Err(WalletFileError::NotOpened { .. })));
        std::fs::write(&path, vec![7; 10_000]).unwrap();
        assert!(matches!(WalletFile::open(&path), Err(WalletFileError::NotOpened { .. })));
    }
}
