//! PostgreSQL 15 or newer, and whatever speaks like it: one database that several servers may share.
//!
//! Every transaction that writes is serialisable, as with SQLite, where one waits for the other. When the database undoes
//! one because of another it is run again, after a pause that grows and differs; when the connection is lost on the way to
//! a commit, the database is asked whether it happened before anything is run again (module `outcome`). So `transact` answers
//! what is so, and only when the database cannot be asked for too long does it answer that nobody knows
//! ([`SqlError::Unknown`]).

mod connection;
mod outcome;
mod statements;
mod values;

use std::sync::{Mutex, MutexGuard, PoisonError};

use postgres::Config;
use thiserror::Error;

use self::connection::{Connection, Trouble};
use self::statements::Statements;
use crate::migration::{MigrationError, Schema, migrate};
use crate::retry::Retry;
use crate::sql::{Database, Session, SqlError};

/// Readers kept open between transactions.
const READERS_MAX: usize = 8;

/// How often opening is tried while another process brings the same tables up to date.
const OPENINGS_MAX: u32 = 5;

/// A PostgreSQL database.
pub struct Postgres {
    config: Config,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

/// The one connection of this process that writes, and the name under which it leaves marks.
struct Writer {
    name: [u8; 16],
    connection: Option<Connection>,
}

/// Why a PostgreSQL database cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenPostgresError {
    /// It cannot be reached, or refuses.
    #[error("cannot open the database {place}: {source}")]
    Sql {
        /// Which database, without the password.
        place: String,
        /// Why.
        source: SqlError,
    },
    /// Its tables could not be brought up to date.
    #[error("cannot use the database {place}: {source}")]
    Migration {
        /// Which database, without the password.
        place: String,
        /// Why.
        source: MigrationError,
    },
}

/// How one run of a transaction ended.
enum Ended<T, E> {
    /// It is committed.
    Committed(T),
    /// The work failed, and left nothing behind.
    Failed(E),
    /// The database undid it, or was lost before the commit: it did not happen, and may be run again.
    Undone,
    /// The connection was lost on the way to the commit.
    Unknown(T),
}

impl Postgres {
    /// Opens the database that `config` names, and brings the tables of `schemas` up to date. `place` is its name for
    /// messages.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(config: Config, place: &str, schemas: &[Schema]) -> Result<Self, OpenPostgresError> {
        let failed = |source| OpenPostgresError::Sql { place: place.into(), source };
        let name = outcome::random_name().map_err(failed)?;
        let writer = Mutex::new(Writer { name, connection: None });
        let database = Self { config: connection::bounded(config), writer, readers: Mutex::new(Vec::new()) };
        let mut openings = 1;
        loop {
            match database.bring_up_to_date(schemas) {
                // Another process made the same table in the same moment.
                Err(MigrationError::Sql(SqlError::Constraint(_) | SqlError::Busy)) if openings < OPENINGS_MAX => {
                    openings += 1
                }
                Err(MigrationError::Sql(source)) => return Err(failed(source)),
                Err(source) => return Err(OpenPostgresError::Migration { place: place.into(), source }),
                Ok(()) => return Ok(database),
            }
        }
    }

    fn bring_up_to_date(&self, schemas: &[Schema]) -> Result<(), MigrationError> {
        let mut connection = Connection::open(&self.config)?;
        connection.run(outcome::TABLE).map_err(SqlError::from)?;
        schemas.iter().try_for_each(|schema| self.transact(|session| migrate(session, schema)))
    }
}

impl Database for Postgres {
    fn transact<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        let mut retry = Retry::new();
        loop {
            let mark = outcome::random_name()?;
            match writer.attempt(&self.config, &mark, &mut work) {
                Ended::Committed(value) => return Ok(value),
                Ended::Failed(error) => return Err(error),
                Ended::Undone => {}
                Ended::Unknown(value) => {
                    if outcome::is_committed(&self.config, &writer.name, &mark)? {
                        return Ok(value);
                    }
                }
            }
            if !retry.pause()? {
                return Err(SqlError::Busy.into());
            }
        }
    }

    fn read<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut retry = Retry::new();
        loop {
            let pooled = lock(&self.readers).pop();
            match read_once(pooled, &self.config, &mut work) {
                Ended::Committed((value, connection)) => {
                    let mut readers = lock(&self.readers);
                    if readers.len() < READERS_MAX {
                        readers.push(connection);
                    }
                    return Ok(value);
                }
                Ended::Failed(error) => return Err(error),
                // Where one connection was cut off, the others were.
                Ended::Undone | Ended::Unknown(_) => lock(&self.readers).clear(),
            }
            if !retry.pause()? {
                return Err(SqlError::Busy.into());
            }
        }
    }
}

impl Writer {
    /// Runs `work` once. The connection is kept only after a clean end: dropped, by a panic too, it rolls back.
    fn attempt<T, E: From<SqlError>>(
        &mut self,
        config: &Config,
        mark: &[u8; 16],
        work: &mut impl FnMut(&mut dyn Session) -> Result<T, E>,
    ) -> Ended<T, E> {
        let connection = self.connection.take().map_or_else(|| Connection::open(config), Ok);
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(SqlError::Busy) => return Ended::Undone,
            Err(error) => return Ended::Failed(error.into()),
        };
        let begun = connection.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
        if let Err(trouble) = begun.and_then(|()| outcome::leave_mark(&mut connection, &self.name, mark)) {
            return Ended::from(trouble);
        }
        let mut statements = Statements::new(&mut connection);
        let done = work(&mut statements);
        match (done, statements.refused()) {
            (Ok(value), None) => match connection.run("COMMIT") {
                Ok(()) => {
                    self.connection = Some(connection);
                    Ended::Committed(value)
                }
                Err(Trouble::Lost) => Ended::Unknown(value),
                Err(trouble) => Ended::from(trouble),
            },
            // What the database undid is run again, whatever the work made of the error.
            (_, Some(trouble @ (Trouble::Undone | Trouble::Lost))) => Ended::from(trouble),
            // A transaction in which a statement was refused cannot be committed.
            (Ok(_), Some(trouble)) => Ended::from(trouble),
            (Err(error), _) => {
                if connection.run("ROLLBACK").is_ok() {
                    self.connection = Some(connection);
                }
                Ended::Failed(error)
            }
        }
    }
}

fn read_once<T, E: From<SqlError>>(
    pooled: Option<Connection>,
    config: &Config,
    work: &mut impl FnMut(&mut dyn Session) -> Result<T, E>,
) -> Ended<(T, Connection), E> {
    let connection = pooled.map_or_else(|| Connection::open(config), Ok);
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(SqlError::Busy) => return Ended::Undone,
        Err(error) => return Ended::Failed(error.into()),
    };
    if let Err(trouble) = connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
        return Ended::from(trouble);
    }
    let mut statements = Statements::new(&mut connection);
    let done = work(&mut statements);
    match (done, statements.refused()) {
        (_, Some(trouble @ (Trouble::Undone | Trouble::Lost))) => Ended::from(trouble),
        (Err(error), _) => Ended::Failed(error),
        (Ok(_), Some(trouble)) => Ended::from(trouble),
        (Ok(value), None) => match connection.run("COMMIT") {
            Ok(()) => Ended::Committed((value, connection)),
            Err(trouble) => Ended::from(trouble),
        },
    }
}

impl<T, E: From<SqlError>> From<Trouble> for Ended<T, E> {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Undone | Trouble::Lost => Self::Undone,
            Trouble::Refused(error) => Self::Failed(error.into()),
        }
    }
}

/// A panic while the lock was held has dropped its connection.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
