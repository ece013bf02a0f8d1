//! A signer on disk.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use specie_bank::signer::KeyRing;
use specie_core::Timestamp;
use specie_core::signature::SigningKey;
use specie_store::Sqlite;
use specie_store::signer_journal::{SCHEMA, SignerJournal};
use specie_store::sql::SqlError;
use specie_store::sqlite;
use thiserror::Error;

use crate::keeper::{Keeper, Standing};
use crate::limits::Limits;
use crate::passphrase;
use crate::record::{BrokenLog, Chain};
use crate::vault::{Vault, VaultError};

/// Records that are read at a time.
const PAGE: u32 = 1_024;

/// The folder of a signer: `keys`, `limits.toml`, `journal.db`, `passphrase` (which belongs elsewhere) and, while it is served, `socket`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder(pub PathBuf);

/// Why a signer's folder is not to be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file cannot be read, or not be written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no passphrase.
    #[error("no passphrase for the signer's keys: {}: {source}", path.display())]
    Passphrase {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The limits are wrong.
    #[error("the signer's limits in {} are wrong: {what}", path.display())]
    Limits {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The keys cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The journal cannot be opened.
    #[error("the signer's journal: {0}")]
    Journal(#[from] sqlite::OpenError),
    /// The journal failed.
    #[error("the signer's journal: {0}")]
    Sql(#[from] SqlError),
    /// The journal is not what a signer wrote.
    #[error(transparent)]
    Broken(#[from] BrokenLog),
    /// The journal does not know what its log says.
    #[error(
        "the signer's journal counts {counted} notes of class {class}, its log {logged}: it was changed by another hand"
    )]
    Miscounted {
        /// Which class.
        class: String,
        /// What the journal counts.
        counted: u64,
        /// What the log says.
        logged: u64,
    },
}

impl Folder {
    /// The socket that the signer is reached at.
    pub fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// What is locked while it is served.
    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    fn limits(&self) -> PathBuf {
        self.0.join("limits.toml")
    }

    fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    fn passphrase(&self) -> PathBuf {
        self.0.join("passphrase")
    }

    /// The first of the files of a signer that is there already.
    pub fn occupied(&self) -> Option<PathBuf> {
        [self.keys(), self.limits(), self.journal()].into_iter().find(|file| file.exists())
    }

    /// Makes a signer with this ledger key, its passphrase from where [`Folder::open`] looks for it, or a new one in the folder.
    ///
    /// # Errors
    /// When there is one already, or the files cannot be written.
    pub fn create(
        &self,
        ledger: SigningKey,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Keeper, FolderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::File { path, source }
        };
        if let Some(file) = self.occupied() {
            return Err(failed(&file)(io::ErrorKind::AlreadyExists.into()));
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed(&self.0))?;
        let passphrase = match passphrase::find(None, &self.passphrase()) {
            Ok(passphrase) => passphrase,
            Err((path, error)) if path == self.passphrase() && error.kind() == io::ErrorKind::NotFound => {
                passphrase::create(&path).map_err(failed(&path))?
            }
            Err((path, source)) => return Err(FolderError::Passphrase { path, source }),
        };
        let limits = Limits::default();
        fs::write(self.limits(), limits.to_toml()).map_err(failed(&self.limits()))?;
        let ring = KeyRing::new(ledger);
        let journal = SignerJournal(Sqlite::open(&self.journal(), &[SCHEMA])?);
        let vault = Vault::create(&self.keys(), &passphrase, &ring)?;
        let keeper = Keeper::new(vault, ring, journal, limits, Box::new(now));
        keeper.begin()?;
        Ok(keeper)
    }

    /// Opens its keys, with the passphrase in the file named; without one, that of the variable `SPECIE_SIGNER_PASSPHRASE`,
    /// of systemd's credential `specie-signer-passphrase`, or of the file `passphrase` in the folder.
    ///
    /// # Errors
    /// When a file cannot be used, or the passphrase is another one.
    pub fn open(
        &self,
        passphrase: Option<&Path>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Keeper, FolderError> {
        let limits = self.read_limits()?;
        let found = passphrase::find(passphrase, &self.passphrase());
        let passphrase = found.map_err(|(path, source)| FolderError::Passphrase { path, source })?;
        let (vault, ring) = Vault::open(&self.keys(), &passphrase)?;
        Ok(Keeper::new(vault, ring, self.open_journal()?, limits, Box::new(now)))
    }

    /// Whether keys, limits, journal and passphrase are there, as far as can be told without opening the keys.
    ///
    /// # Errors
    /// When one of them is not to be used.
    pub fn check(&self) -> Result<(), FolderError> {
        self.read_limits()?;
        self.open_journal()?;
        let keys = self.keys();
        fs::File::open(&keys).map_err(|source| FolderError::File { path: keys, source })?;
        let found = passphrase::find(None, &self.passphrase());
        found.map(drop).map_err(|(path, source)| FolderError::Passphrase { path, source })
    }

    /// Where it stands; needs no passphrase.
    ///
    /// # Errors
    /// When limits or journal cannot be read.
    pub fn standing(&self, now: Timestamp) -> Result<(Standing, Limits), FolderError> {
        let limits = self.read_limits()?;
        Ok((Standing::read(&self.open_journal()?, &limits, now)?, limits))
    }

    /// Checks the log from its first record, and that the journal counts what it says; needs no passphrase.
    ///
    /// # Errors
    /// When it is not as a signer wrote it.
    pub fn verify(&self) -> Result<Chain, FolderError> {
        let journal = self.open_journal()?;
        journal.read(|journal| {
            let mut chain = Chain::default();
            loop {
                let page = journal.after(chain.sequence, PAGE)?;
                page.iter().try_for_each(|entry| chain.follow(entry))?;
                if page.is_empty() {
                    break;
                }
            }
            for (class, _) in journal.classes()? {
                let (counted, logged) = (journal.notes(&class, None)?, chain.notes.get(&class).copied().unwrap_or(0));
                if counted != logged {
                    return Err(FolderError::Miscounted { class: class.to_string(), counted, logged });
                }
            }
            Ok(chain)
        })
    }

    fn read_limits(&self) -> Result<Limits, FolderError> {
        let path = self.limits();
        let text = fs::read_to_string(&path).map_err(|source| FolderError::File { path: path.clone(), source })?;
        Limits::parse(&text).map_err(|what| FolderError::Limits { path, what })
    }

    /// That of a signer that was made: an empty one in its place would know of no answer.
    fn open_journal(&self) -> Result<SignerJournal<Sqlite>, FolderError> {
        let path = self.journal();
        if !path.exists() {
            return Err(FolderError::File { path, source: io::ErrorKind::NotFound.into() });
        }
        Ok(SignerJournal(Sqlite::open(&path, &[SCHEMA])?))
    }
}
