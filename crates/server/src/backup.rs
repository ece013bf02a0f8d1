//! Backups of a bank's or a PSP's SQLite database, and their way back (`docs/backups.md`).
//!
//! A backup is two files: the database as it was at one moment, and beside it a [`Manifest`] that says what it is. It holds no key.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use specie_api::hexadecimal::HexArray;
use specie_audit::{Line, LogName, Record, Verifier, VerifyError};
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
pub use specie_store::sqlite::backup::ContentsError;
use specie_store::sqlite::backup::{self, Contents};
use specie_store::{Place, Schema};
use thiserror::Error;

/// What a backup is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form: 1.
    pub specie_backup: u32,
    /// Whose database: the name of the audit log in it, `bank/…` or `psp/…`.
    pub service: String,
    /// The key that signs that log.
    pub key: HexArray<32>,
    /// Version of the program that made it.
    pub program: String,
    /// Version of its tables.
    pub schema: u64,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub at: u64,
    /// Sequence of the newest record of the audit log in it.
    pub audit_sequence: u64,
    /// Hash of that record.
    pub audit_hash: HexArray<32>,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: HexArray<32>,
}

/// Whose database it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The key that signs its audit log.
    pub(crate) key: PublicKey,
    /// Its tables.
    pub(crate) schema: Schema,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database is on a server.
    #[error("the database is on a PostgreSQL server, which makes and restores its backups itself")]
    Server,
    /// A file is there that would be written over.
    #[error("{} exists; nothing was changed", .0.display())]
    Exists(PathBuf),
    /// A file cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest is none.
    #[error("the manifest of the backup is not understood: {0}")]
    Manifest(String),
    /// The file is not the one that the manifest describes.
    #[error("the file is not the one that its manifest describes: it was damaged or exchanged")]
    Digest,
    /// It is the backup of another service.
    #[error("this is a backup of {found}, and not of {expected}")]
    Foreign {
        /// Whose it is.
        found: String,
        /// What is restored here.
        expected: String,
    },
    /// The database is not to be used.
    #[error("the backup cannot be used: {0}")]
    Contents(#[from] ContentsError),
    /// The audit log in it is not the one that the manifest describes.
    #[error("the audit log in the backup does not end where its manifest says")]
    Head,
    /// The audit log in it is broken.
    #[error("the audit log in the backup is not whole: {0}")]
    Audit(#[from] VerifyError),
    /// The books in it do not hold.
    #[error("the books in the backup do not hold: {0}")]
    Books(String),
    /// It cannot be opened.
    #[error("the backup cannot be opened: {0}")]
    Unusable(String),
}

/// Where the manifest of the backup `file` is: beside it, `.manifest` appended to its name.
pub fn manifest_path(file: &Path) -> PathBuf {
    beside(file, ".manifest")
}

/// Copies the database at `place` to the new file `out`, as it is at one moment while it may be in use, and describes it beside.
///
/// # Errors
/// When that fails: then neither file is there.
pub(crate) fn back_up(
    place: &Place,
    owner: &Owner,
    log: LogName,
    at: Timestamp,
    out: &Path,
) -> Result<Manifest, BackupError> {
    let Place::File(database) = place else { return Err(BackupError::Server) };
    let partial = beside(out, ".partial");
    let described = manifest_path(out);
    for path in [out, &described, &partial] {
        absent(path)?;
    }
    let made = copy(database, owner, log, at, &partial).and_then(|manifest| {
        let text = serde_json::to_string_pretty(&manifest).expect("the types of a manifest are JSON") + "\n";
        // The manifest first: a file that has none is no backup.
        fs::write(&described, text).and_then(|()| File::open(&described)?.sync_all()).map_err(file(&described))?;
        publish(&partial, out).inspect_err(|_| _ = fs::remove_file(&described))?;
        Ok(manifest)
    });
    let _ = fs::remove_file(&partial);
    made
}

/// Restores the backup `from` to `place`, where nothing may be. `check` opens the database at another place, where it is
/// looked into before it comes to its own: the chain of its audit log and its books.
///
/// # Errors
/// When it is not to be believed, is another's, or is in the way of something: then nothing is changed.
pub(crate) fn restore(
    place: &Place,
    owner: &Owner,
    from: &Path,
    check: impl FnOnce(&Place, &Manifest) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    let Place::File(database) = place else { return Err(BackupError::Server) };
    // A write-ahead log of the database that was here would be read as that of the one that comes.
    for left in ["", "-wal", "-shm", "-journal"] {
        absent(&beside(database, left))?;
    }
    let manifest = read_manifest(from)?;
    let Manifest { service, key, .. } = &manifest;
    let component = owner.schema.component;
    if service.split('/').next() != Some(component) || key.0 != owner.key.0 {
        let found = format!("{service} with the key {}", PublicKey(key.0));
        return Err(BackupError::Foreign { found, expected: format!("a {component} with the key {}", owner.key) });
    }
    let working = beside(database, ".restoring");
    remove(&working);
    let restored = take_in(from, &working, &manifest, owner)
        .and_then(|()| check(&Place::File(working.clone()), &manifest))
        .and_then(|()| publish(&working, database));
    remove(&working);
    restored.map(|()| manifest)
}

/// Checks the chain of an audit log that `owner` signs, up to the head that the manifest names.
///
/// # Errors
/// When a record or a head in it was changed, taken out, put in or moved, or it cannot be read.
pub(crate) fn check_audit<E: Display>(
    owner: &Owner,
    log: LogName,
    manifest: &Manifest,
    page: impl Fn(u64, u64) -> Result<Vec<Line>, E>,
) -> Result<(), BackupError> {
    if log.as_str() != manifest.service {
        return Err(BackupError::Foreign { found: log.to_string(), expected: manifest.service.clone() });
    }
    let mut verifier = Verifier::new(owner.key);
    verifier.line(&Line::Log(log).to_text())?;
    let mut newest = (0, [0; 32]);
    loop {
        let lines =
            page(newest.0, manifest.audit_sequence).map_err(|error| BackupError::Unusable(error.to_string()))?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            verifier.line(&line.to_text())?;
            if let Line::Record(record) = line {
                newest = (record.sequence, record.hash());
            }
        }
    }
    if newest == (manifest.audit_sequence, manifest.audit_hash.0) { Ok(()) } else { Err(BackupError::Head) }
}

fn copy(database: &Path, owner: &Owner, log: LogName, at: Timestamp, partial: &Path) -> Result<Manifest, BackupError> {
    backup::copy(database, partial).map_err(file(database))?;
    let Contents { version, newest } = backup::contents(partial, &owner.schema)?;
    let (audit_sequence, audit_hash) = head(newest.as_ref());
    let (bytes, sha256) = digest(partial).map_err(file(partial))?;
    Ok(Manifest {
        specie_backup: 1,
        service: log.as_str().into(),
        key: HexArray(owner.key.0),
        program: env!("CARGO_PKG_VERSION").into(),
        schema: version,
        at: at.seconds(),
        audit_sequence,
        audit_hash: HexArray(audit_hash),
        bytes,
        sha256: HexArray(sha256),
    })
}

fn take_in(from: &Path, working: &Path, manifest: &Manifest, owner: &Owner) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(file(from))?;
    let mut target = backup::create(working).map_err(file(working))?;
    io::copy(&mut source, &mut target).map_err(file(working))?;
    // Of what was written, not of what was read: this is what is used.
    if digest(working).map_err(file(working))? != (manifest.bytes, manifest.sha256.0) {
        return Err(BackupError::Digest);
    }
    let Contents { version, newest } = backup::contents(working, &owner.schema)?;
    let described = (manifest.schema, (manifest.audit_sequence, manifest.audit_hash.0));
    if (version, head(newest.as_ref())) == described { Ok(()) } else { Err(BackupError::Head) }
}

fn read_manifest(from: &Path) -> Result<Manifest, BackupError> {
    let path = manifest_path(from);
    let text = fs::read_to_string(&path).map_err(file(&path))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| BackupError::Manifest(error.to_string()))?;
    match manifest.specie_backup {
        1 => Ok(manifest),
        other => Err(BackupError::Manifest(format!("it is of version {other}, this program knows 1"))),
    }
}

fn head(newest: Option<&Record>) -> (u64, [u8; 32]) {
    newest.map_or((0, [0; 32]), |record| (record.sequence, record.hash()))
}

fn digest(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let (mut file, mut hash, mut length) = (File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, hash.finalize().into()));
        }
        hash.update(&buffer[..read]);
        length += read as u64;
    }
}

/// Gives the finished file its name, unless something has it by now, and returns when both are on disk.
fn publish(finished: &Path, name: &Path) -> Result<(), BackupError> {
    File::open(finished).and_then(|finished| finished.sync_all()).map_err(file(finished))?;
    fs::hard_link(finished, name).map_err(file(name))?;
    let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file(folder))
}

fn remove(working: &Path) {
    ["", "-wal", "-shm", "-journal"].iter().for_each(|left| _ = fs::remove_file(beside(working, left)));
}

fn absent(path: &Path) -> Result<(), BackupError> {
    // A dangling link is something, too.
    if path.symlink_metadata().is_ok() { Err(BackupError::Exists(path.into())) } else { Ok(()) }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
