//! Copies of a database file that is in use, and a look into such a copy before it is believed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use specie_audit::Record;
use thiserror::Error;

use super::{BUSY_TIMEOUT, Statements};
use crate::audit::{BANK, PSP};
use crate::migration::Schema;
use crate::sql::{Session, SqlError};

/// What a copy holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    /// Version of its tables.
    pub version: u64,
    /// The newest record of its audit log.
    pub newest: Option<Record>,
}

/// Why a file is no database that this program can take over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentsError {
    /// SQLite cannot read it.
    #[error("it is no SQLite database, or a damaged one: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// SQLite finds damage.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// It has no tables of this component.
    #[error("it has no tables of a {0}: it is the database of something else")]
    Foreign(&'static str),
    /// A newer version of this program wrote it.
    #[error("it has version {found} of the {component} tables, this program knows {known}: use a newer one")]
    TooNew {
        /// Whose tables.
        component: &'static str,
        /// Version in the database.
        found: u64,
        /// Newest version of this program.
        known: u64,
    },
    /// A row cannot be understood.
    #[error("the database is damaged: {0}")]
    Rows(#[from] SqlError),
}

/// Writes the database at `path`, as it is at one moment, to the new file `out`, and returns when that is on disk.
///
/// Others may read and write meanwhile: they are not held up, and the copy is not begun again (that is why it is no
/// page-by-page backup, which every commit of another process makes begin anew). Their changes stay in the write-ahead log until
/// the copy is done. What was deleted is not in the copy. On an error, `out` may be there in part.
///
/// # Errors
/// When there is no database at `path`, or `out` exists or cannot be written.
pub fn copy(path: &Path, out: &Path) -> io::Result<()> {
    create(out)?;
    let name = out.to_str().ok_or_else(|| io::Error::other("the name of the copy is no UTF-8"))?;
    let copied = (|| -> rusqlite::Result<usize> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute("VACUUM INTO ?1", [name])
    })();
    copied.map_err(io::Error::other)?;
    File::open(out)?.sync_all()
}

/// Makes a new, empty file that its owner alone may read.
///
/// # Errors
/// When there is one, or it cannot be made.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Looks into the copy at `path` without changing it: that every page and index is sound, and that it has tables of `schema` which
/// this program knows.
///
/// # Errors
/// When it is not.
pub fn contents(path: &Path, schema: &Schema) -> Result<Contents, ContentsError> {
    let Schema { component, migrations } = *schema;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(ContentsError::Damaged(verdict));
    }
    let mut session = Statements(&connection);
    let tables = session.query("SELECT name FROM sqlite_schema WHERE name = 'schema_version'", &[])?;
    let version = "SELECT version FROM schema_version WHERE component = ?1";
    let version = if tables.is_empty() { None } else { session.query_optional(version, &[component.into()])? };
    let found = version.ok_or(ContentsError::Foreign(component))?.column(0)?;
    let known = migrations.len() as u64;
    if found > known {
        return Err(ContentsError::TooNew { component, found, known });
    }
    let log = if component == crate::bank::SCHEMA.component { BANK } else { PSP };
    Ok(Contents { version: found, newest: log.newest(&mut session)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sql::Database;
    use crate::sqlite::Sqlite;

    #[test]
    fn a_copy_is_of_one_moment_while_others_write() {
        let directory = tempfile::tempdir().unwrap();
        let (path, out) = (directory.path().join("db"), directory.path().join("copy"));
        let schema = Schema {
            component: "bank",
            migrations: &[&[
                "CREATE TABLE two (a BIGINT NOT NULL, b BIGINT NOT NULL)",
                "INSERT INTO two VALUES (0, 0)",
            ]],
        };
        let database = Sqlite::open(&path, &[schema]).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let step = |session: &mut dyn Session| -> Result<(), SqlError> {
                        session.execute("UPDATE two SET a = a + 1", &[])?;
                        session.execute("UPDATE two SET b = b + 1", &[]).map(drop)
                    };
                    database.transact(step).unwrap();
                }
            });
            for round in 0..5 {
                let out = out.with_extension(round.to_string());
                let copied = copy(&path, &out);
                if round == 4 || copied.is_err() {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                }
                copied.unwrap();
                let different = |session: &mut dyn Session| -> Result<i64, SqlError> {
                    session.query_one("SELECT COUNT(*) FROM two WHERE a <> b", &[])?.column(0)
                };
                assert_eq!(Sqlite::open(&out, &[schema]).unwrap().read(different).unwrap(), 0);
            }
        });
    }

    #[test]
    fn a_copy_takes_no_other_files_place_and_makes_no_database() {
        let directory = tempfile::tempdir().unwrap();
        let (path, out) = (directory.path().join("db"), directory.path().join("copy"));
        assert!(copy(&path, &out).is_err(), "there is no database");
        assert!(!path.exists());
        std::fs::write(&out, "mine").unwrap();
        drop(Sqlite::open(&path, &[crate::bank::SCHEMA]).unwrap());
        assert_eq!(copy(&path, &out).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&out).unwrap(), b"mine");
    }

    #[test]
    fn what_is_damaged_foreign_or_newer_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        drop(Sqlite::open(&path, &[crate::bank::SCHEMA]).unwrap());
        let known = crate::bank::SCHEMA.migrations.len() as u64;
        assert_eq!(contents(&path, &crate::bank::SCHEMA).unwrap(), Contents { version: known, newest: None });
        assert!(matches!(contents(&path, &crate::psp::SCHEMA), Err(ContentsError::Foreign("psp"))));
        let older = Schema { migrations: &crate::bank::SCHEMA.migrations[1..], ..crate::bank::SCHEMA };
        assert!(matches!(contents(&path, &older), Err(ContentsError::TooNew { .. })));
        let mut bytes = std::fs::read(&path).unwrap();
        for page in bytes.chunks_mut(4096).skip(1) {
            page.fill(0xa5);
        }
        std::fs::write(&path, bytes).unwrap();
        let damaged = contents(&path, &crate::bank::SCHEMA);
        assert!(!matches!(damaged, Ok(_) | Err(ContentsError::Foreign(_))), "{damaged:?}");
        std::fs::write(&path, "no database at all, however long it may be").unwrap();
        assert!(matches!(contents(&path, &crate::bank::SCHEMA), Err(ContentsError::Sqlite(_))));
    }
}
