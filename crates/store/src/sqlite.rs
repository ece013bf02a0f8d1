//! SQLite: one file, write-ahead log, every commit on disk before it is believed.
//!
//! Any number of processes may open the same file. Writers take the write lock when their transaction begins, so
//! that none has to be undone half-way; readers see the state of the moment they began and wait for nobody. Within one process
//! those who write at the same time are committed together (module `group`).

pub mod backup;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, TransactionBehavior};
use thiserror::Error;

use crate::group::{Group, Outcome, RETURN_TO_SAVEPOINT, Ran, Writer, savepoint};
use crate::migration::{MigrationError, Schema, migrate};
use crate::sql::{Database, Param, Row, Session, SqlError, Value};

/// How long a transaction waits for another process's write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Readers kept open between transactions.
const READERS_MAX: usize = 8;

/// An SQLite database file.
pub struct Sqlite {
    path: PathBuf,
    writer: Group<Connection>,
    readers: Mutex<Vec<Connection>>,
}

/// Why a database file could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be made, or not be opened.
    #[error("cannot open the database {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refuses the file.
    #[error("cannot open the database {}: {source}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Its tables could not be brought up to date.
    #[error("cannot use the database {}: {source}", path.display())]
    Migration {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: MigrationError,
    },
}

impl Sqlite {
    /// Opens the database at `path`, makes it if there is none (readable by its owner only: it may hold secrets),
    /// and brings the tables of `schemas` up to date.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: &Path, schemas: &[Schema]) -> Result<Self, OpenError> {
        create_private(path).map_err(|source| OpenError::File { path: path.into(), source })?;
        let connection = connect(path).map_err(|source| OpenError::Sqlite { path: path.into(), source })?;
        let database = Self { path: path.into(), writer: Group::new(connection), readers: Mutex::new(Vec::new()) };
        let migrated = schemas.iter().try_for_each(|schema| database.transact(|session| migrate(session, schema)));
        migrated.map_err(|source| OpenError::Migration { path: path.into(), source })?;
        Ok(database)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves what the write-ahead log holds into the file and empties the log, so that what was erased is gone from
    /// both. Does what it can while others read; call it again later.
    ///
    /// # Errors
    /// When the database fails.
    pub fn checkpoint(&self) -> Result<(), SqlError> {
        self.writer.alone(|writer| writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).map_err(failed)
    }

    /// Every table with all of its rows, for whoever checks what is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn everything(&self) -> Result<Vec<(String, Vec<Row>)>, SqlError> {
        self.read(|session| {
            let tables = session.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", &[])?;
            let names = tables.iter().map(|row| row.column::<String>(0)).collect::<Result<Vec<_>, _>>()?;
            let rows_of = |name: String| Ok((session.query(&format!("SELECT * FROM \"{name}\""), &[])?, name));
            let tables = names.into_iter().map(rows_of).collect::<Result<Vec<_>, SqlError>>()?;
            Ok(tables.into_iter().map(|(rows, name)| (name, rows)).collect())
        })
    }

    fn reader(&self) -> Result<Connection, SqlError> {
        let pooled = lock(&self.readers).pop();
        pooled.map_or_else(|| connect(&self.path).map_err(failed), Ok)
    }
}

impl Database for Sqlite {
    fn transact<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.writer.transact(work)
    }

    fn read<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut reader = self.reader()?;
        let value = {
            let transaction = reader.transaction_with_behavior(TransactionBehavior::Deferred).map_err(failed)?;
            transaction.pragma_update(None, "query_only", true).map_err(failed)?;
            work(&mut Statements(&transaction))?
        };
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_MAX {
            readers.push(reader);
        }
        Ok(value)
    }
}

impl Writer for Connection {
    fn begin(&mut self) -> Result<(), Outcome> {
        self.execute_batch("BEGIN IMMEDIATE").map_err(lost)
    }

    fn set_savepoint(&mut self, replaces: bool) -> Result<(), Outcome> {
        self.execute_batch(savepoint(replaces)).map_err(lost)
    }

    fn return_to_savepoint(&mut self) -> Result<(), Outcome> {
        self.execute_batch(RETURN_TO_SAVEPOINT).map_err(lost)
    }

    fn run(&mut self, work: &mut dyn FnMut(&mut dyn Session)) -> Ran {
        work(&mut Statements(self));
        // A full disk, for one, takes the whole transaction back; what came after it would stand by itself.
        if self.is_autocommit() {
            Ran::Gone(Outcome::Failed(SqlError::Failed("the database took the transaction back".into())))
        } else {
            Ran::Fine
        }
    }

    fn commit(&mut self) -> Outcome {
        match self.execute_batch("COMMIT") {
            Ok(()) => Outcome::Committed,
            Err(error) => {
                self.roll_back();
                lost(error)
            }
        }
    }

    fn roll_back(&mut self) {
        // Only where there is no transaction any more can this fail.
        if !self.is_autocommit() {
            drop(self.execute_batch("ROLLBACK"));
        }
    }
}

fn lost(error: rusqlite::Error) -> Outcome {
    Outcome::Failed(failed(error))
}

/// Statements on one connection, inside its open transaction.
struct Statements<'c>(&'c Connection);

impl Session for Statements<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let changed = statement.execute(rusqlite::params_from_iter(params)).map_err(failed)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let rows = statement.query_map(rusqlite::params_from_iter(params), |row| {
            (0..columns).map(|column| row.get_ref(column).map(owned)).collect::<Result<_, _>>().map(Row)
        });
        rows.and_then(Iterator::collect).map_err(failed)
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Integer(integer) => ValueRef::Integer(integer),
            Param::Bytes(bytes) => ValueRef::Blob(bytes),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        // No column is a floating-point number: reading it as anything fails, as it should.
        ValueRef::Real(_) => Value::Null,
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten: session secrets must not linger in free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A panic while the lock was held has rolled its transaction back: the connection is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: rusqlite::Error) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqlError::Busy,
        Some(ErrorCode::ConstraintViolation) => SqlError::Constraint(error.to_string()),
        _ => SqlError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SCHEMA: Schema = Schema {
        component: "test",
        migrations: &[
            &[
                "CREATE TABLE thing (id BYTEA NOT NULL PRIMARY KEY, amount BIGINT NOT NULL CHECK (amount >= 0), name TEXT)",
            ],
            &["CREATE INDEX thing_by_name ON thing (name)"],
        ],
    };

    fn count(database: &Sqlite) -> i64 {
        database.read(|session| session.query_one("SELECT COUNT(*) FROM thing", &[])?.column(0)).unwrap_or(-1)
    }

    fn insert(session: &mut dyn Session, id: u8) -> Result<u64, SqlError> {
        let sql = "INSERT INTO thing (id, amount, name) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
        session.execute(sql, &[(&[id]).into(), 5_i64.into(), Param::Null])
    }

    #[test]
    fn an_error_in_a_transaction_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let database = Sqlite::open(&directory.path().join("db"), &[SCHEMA]).unwrap();
        let failed: Result<(), SqlError> = database.transact(|session| {
            insert(session, 1)?;
            Err(SqlError::Failed("on purpose".into()))
        });
        assert!(failed.is_err());
        assert_eq!(count(&database), 0);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.transact(|session| -> Result<(), SqlError> {
                insert(session, 1)?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(count(&database), 0);
        assert_eq!(database.transact(|session| insert(session, 1)).unwrap(), 1);
        assert_eq!(database.transact(|session| insert(session, 1)).unwrap(), 0);
        assert_eq!(count(&database), 1);
    }

    #[test]
    fn readers_do_not_write() {
        let directory = tempfile::tempdir().unwrap();
        let database = Sqlite::open(&directory.path().join("db"), &[SCHEMA]).unwrap();
        assert!(database.read(|session| insert(session, 1)).is_err());
        assert_eq!(count(&database), 0);
    }

    #[test]
    fn two_openings_of_one_file_take_turns() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let (one, two) = (Sqlite::open(&path, &[SCHEMA]).unwrap(), Sqlite::open(&path, &[SCHEMA]).unwrap());
        std::thread::scope(|scope| {
            for (offset, database) in [(0, &one), (100, &two)] {
                scope.spawn(move || {
                    (0..20).for_each(|i| assert_eq!(database.transact(|s| insert(s, offset + i)).unwrap(), 1))
                });
            }
        });
        assert_eq!((count(&one), count(&two)), (40, 40));
    }

    #[test]
    fn constraints_and_wrong_columns_have_their_own_errors() {
        let directory = tempfile::tempdir().unwrap();
        let database = Sqlite::open(&directory.path().join("db"), &[SCHEMA]).unwrap();
        let refused = database.transact(|session| {
            session.execute("INSERT INTO thing (id, amount) VALUES (?1, ?2)", &[(&[1]).into(), (-1_i64).into()])
        });
        assert!(matches!(refused, Err(SqlError::Constraint(_))));
        let wrong = database.transact(|session| {
            insert(session, 1)?;
            session.query_one("SELECT id FROM thing", &[])?.column::<i64>(0)
        });
        assert!(matches!(wrong, Err(SqlError::Damaged { column: 0, .. })));
    }

    #[test]
    fn refuses_a_database_of_a_newer_program() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        drop(Sqlite::open(&path, &[SCHEMA]).unwrap());
        drop(Sqlite::open(&path, &[SCHEMA]).unwrap());
        let older = Schema { migrations: &SCHEMA.migrations[..1], ..SCHEMA };
        let refused = Sqlite::open(&path, &[older]);
        assert!(matches!(
            refused,
            Err(OpenError::Migration { source: MigrationError::TooNew { found: 2, known: 1, .. }, .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        drop(Sqlite::open(&path, &[SCHEMA]).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
