//! The bank's keys in a file, read again when an epoch's keys were added to it, and the signer's own memory beside.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use specie_audit::{Head, SignedHead};
use specie_bank::signer::{Answering, KeyRing, NoKeyRing, Sealed, SealedFor, Signer, SignerError};
use specie_core::bytes::ClassId;
use specie_core::issuance::{IssuerSession, Response};
use specie_core::revocation::RevocationBody;
use specie_core::signature::PublicKey;
use specie_core::{Timestamp, hash, label};
use specie_store::Sqlite;
use specie_store::signer_journal::SignerJournal;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key_file::is_exposed;

/// How long the signer remembers what it answered after the batch's last moment, in seconds. It counts from that moment and
/// not from the answer: a batch opened by a clock that was ahead lives longer than others.
const REMEMBERED_SECONDS: u64 = specie_bank::issuance::LIFETIME_SECONDS;

/// Keys in a private file, and a journal of what was answered with them.
pub struct FileSigner {
    path: PathBuf,
    keys: RwLock<KeyRing>,
    journal: SignerJournal<Sqlite>,
}

/// Why a key file is unusable.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyRingFileError {
    /// It cannot be read, or not be written.
    #[error("cannot use the key file {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no keys of a bank.
    #[error("the key file {}: {source}", path.display())]
    NoKeys {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: NoKeyRing,
    },
    /// Others may read it.
    #[error("the key file {} can be read by others; take their rights away (chmod 600)", .0.display())]
    Exposed(PathBuf),
}

impl FileSigner {
    /// Opens the keys at `path`.
    ///
    /// # Errors
    /// When there are none.
    pub fn open(path: &Path, journal: SignerJournal<Sqlite>) -> Result<Self, KeyRingFileError> {
        Ok(Self { path: path.into(), keys: RwLock::new(read_keys(path)?), journal })
    }

    /// Changes the keys: in the file, on disk, before in memory.
    ///
    /// # Errors
    /// When the file cannot be written; the keys are as they were then.
    pub fn change(&self, change: impl FnOnce(&mut KeyRing)) -> Result<(), KeyRingFileError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = read_keys(&self.path)?;
        change(&mut changed);
        write_keys(&self.path, &changed)?;
        *keys = changed;
        Ok(())
    }

    /// Forgets answers to batches that are long void.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn forget(&self, now: Timestamp) -> Result<u64, specie_store::sql::SqlError> {
        let before = now.seconds().saturating_sub(REMEMBERED_SECONDS);
        self.journal.forget(Timestamp::new(before).unwrap_or(Timestamp::EPOCH))
    }

    /// Runs `read` on the keys; where it finds none, once more on those that are in the file by now.
    fn with_keys<T>(&self, read: impl Fn(&KeyRing) -> Option<T>) -> Option<T> {
        let found = read(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        if found.is_some() {
            return found;
        }
        let newer = read_keys(&self.path).ok()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *keys = newer;
        read(&keys)
    }
}

impl Signer for FileSigner {
    fn issuing_key(&self, class: &ClassId) -> Option<[u8; 32]> {
        self.with_keys(|keys| keys.issuing_key(class))
    }

    fn seal(&self, session: &IssuerSession, sealed_for: SealedFor<'_>, nonce: &[u8; 24]) -> Sealed {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).seal(session, sealed_for, nonce)
    }

    fn answer(&self, answering: Answering<'_>) -> Result<Vec<Response>, SignerError> {
        for (class, _) in &answering.sessions {
            if self.issuing_key(class).is_none() {
                return Err(SignerError::NoKey(*class));
            }
        }
        let start = hash::Hasher::new(label::BANK_REQUEST).part(b"challenges");
        let challenges = answering.challenges.iter().fold(start, |hasher, e| hasher.part(e.as_bytes())).h32();
        let recorded = self.journal.record(answering.batch, &challenges, answering.valid_until);
        if !recorded.map_err(|error| SignerError::Failed(error.to_string()))? {
            return Err(SignerError::OtherChallenges);
        }
        self.keys.read().unwrap_or_else(PoisonError::into_inner).answer(answering)
    }

    fn ledger_key(&self) -> PublicKey {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).ledger_key()
    }

    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).sign_revocations(body)
    }

    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).sign_audit_head(head)
    }
}

/// Writes keys to `path`, whole or not at all, on disk before it returns.
pub(super) fn write_keys(path: &Path, keys: &KeyRing) -> Result<(), KeyRingFileError> {
    let failed = |source| KeyRingFileError::File { path: path.into(), source };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new).map_err(failed)?;
    file.write_all(&keys.expose_secret_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

fn read_keys(path: &Path) -> Result<KeyRing, KeyRingFileError> {
    let failed = |source| KeyRingFileError::File { path: path.into(), source };
    let mut file = File::open(path).map_err(failed)?;
    if is_exposed(&file).map_err(failed)? {
        return Err(KeyRingFileError::Exposed(path.into()));
    }
    let length = file.metadata().map_err(failed)?.len();
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.read_to_end(&mut bytes).map_err(failed)?;
    KeyRing::from_bytes(&bytes).map_err(|source| KeyRingFileError::NoKeys { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_bank::issuance::{BatchKey, LIFETIME_SECONDS};
    use specie_core::class::{Class, Info, Kind};
    use specie_core::group::{Generators, Scalar};
    use specie_core::issuance::IssuingKey;
    use specie_core::signature::SigningKey;
    use specie_core::text::{Currency, Name};
    use specie_core::{Amount, label};
    use specie_store::signer_journal::SCHEMA;

    use super::*;

    #[test]
    fn an_answer_is_remembered_as_long_as_its_batch_could_be_answered() {
        let directory = tempfile::tempdir().unwrap();
        let path = |file: &str| directory.path().join(file);
        let (at, name) = (|seconds| Timestamp::new(seconds).unwrap(), |text| Name::new(text).unwrap());
        let key = IssuingKey::derive(&[1; 32]);
        let info = Info {
            issuer: name("central-bank"),
            currency: Currency::new("XTS").unwrap(),
            kind: Kind::Value,
            amount: Amount::new(10).unwrap(),
            epoch: 1,
            issue_from: at(0),
            spend_until: at(1_000_000_000),
            redeem_until: at(1_000_000_000),
            max_hops: 1,
        };
        let class = Class::new(key.public(), info).unwrap();
        let mut ring = KeyRing::new(SigningKey::from_seed(&[2; 32]));
        ring.insert(class.id(), key);
        write_keys(&path("bank.keys"), &ring).unwrap();
        let journal = SignerJournal(Sqlite::open(&path("signer.db"), &[SCHEMA]).unwrap());
        let signer = FileSigner::open(&path("bank.keys"), journal).unwrap();
        let generators = Generators::new();
        let identity = hash::hs(label::DEVICE_KEY, &[b"u"]) * generators.K;
        // Opened by a clock that was far ahead, and answered after it was set right: when, does not matter.
        let (batch, valid_until) = (BatchKey { psp: name("alpha"), id: [7; 16] }, at(100 * LIFETIME_SECONDS));
        let answer = |e: Scalar| {
            let (session, _) = IssuerSession::commit(&generators, &class, &identity, &[3; 32]);
            let sealed_for = SealedFor { batch: &batch, index: 0, class: class.id() };
            let sessions = vec![(class.id(), signer.seal(&session, sealed_for, &[4; 24]))];
            signer.answer(Answering { batch: &batch, sessions, challenges: &[e], valid_until })
        };
        let (one, other) = (Scalar::ONE, Scalar::ONE + Scalar::ONE);
        answer(one).unwrap();
        assert_eq!(signer.forget(valid_until).unwrap(), 0);
        assert!(matches!(answer(other), Err(SignerError::OtherChallenges)));
        assert_eq!(signer.forget(valid_until.saturating_add(LIFETIME_SECONDS + 1)).unwrap(), 1);
    }
}
