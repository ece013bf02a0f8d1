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

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postgres::Config;
use thiserror::Error;

use self::connection::{Connection, Trouble};
use self::statements::Statements;
use crate::group::{self, Group, Outcome, Ran, Writer};
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
    writer: Group<Marking>,
    readers: Mutex<Vec<Connection>>,
    unknown: Arc<AtomicU64>,
}

/// The one connection of this process that writes, and the name under which it leaves marks.
struct Marking {
    config: Config,
    name: [u8; 16],
    /// The mark of the transaction that is open, or was last.
    mark: [u8; 16],
    /// Kept only after a clean end: dropped, it rolls back.
    connection: Option<Connection>,
    /// How often the outcome of a commit was unknown.
    unknown: Arc<AtomicU64>,
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

/// How one run of a transaction that reads ended.
enum Ended<T, E> {
    /// It saw one consistent state.
    Done(T),
    /// The work failed.
    Failed(E),
    /// The database undid it or was lost: it may be run again.
    Undone,
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
        let config = connection::bounded(config);
        let (mark, unknown) = ([0; 16], Arc::<AtomicU64>::default());
        let marking = Marking { config: config.clone(), name, mark, connection: None, unknown: Arc::clone(&unknown) };
        let database = Self { config, writer: Group::new(marking), readers: Mutex::new(Vec::new()), unknown };
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

    /// How often the outcome of a commit was unknown until the database was asked.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    fn bring_up_to_date(&self, schemas: &[Schema]) -> Result<(), MigrationError> {
        let mut connection = Connection::open(&self.config)?;
        connection.run(outcome::TABLE).map_err(SqlError::from)?;
        schemas.iter().try_for_each(|schema| self.transact(|session| migrate(session, schema)))
    }
}

impl Database for Postgres {
    fn transact<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.writer.transact(work)
    }

    fn read<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut retry = Retry::new();
        loop {
            let pooled = lock(&self.readers).pop();
            match read_once(pooled, &self.config, &mut work) {
                Ended::Done((value, connection)) => {
                    let mut readers = lock(&self.readers);
                    if readers.len() < READERS_MAX {
                        readers.push(connection);
                    }
                    return Ok(value);
                }
                Ended::Failed(error) => return Err(error),
                // Where one connection was cut off, the others were.
                Ended::Undone => lock(&self.readers).clear(),
            }
            if !retry.pause()? {
                return Err(SqlError::Busy.into());
            }
        }
    }
}

impl Marking {
    /// The connection of the open transaction.
    fn open(&mut self) -> Result<&mut Connection, Outcome> {
        self.connection.as_mut().ok_or(Outcome::Undone)
    }

    /// # Errors
    /// The outcome, where nothing was begun.
    fn begin_on(&mut self, connection: &mut Connection) -> Result<(), Outcome> {
        self.mark = outcome::random_name().map_err(Outcome::Failed)?;
        connection.run("BEGIN ISOLATION LEVEL SERIALIZABLE")?;
        Ok(outcome::leave_mark(connection, &self.name, &self.mark)?)
    }

    fn is_committed(&self) -> Outcome {
        self.unknown.fetch_add(1, Ordering::Relaxed);
        match outcome::is_committed(&self.config, &self.name, &self.mark) {
            Ok(true) => Outcome::Committed,
            Ok(false) => Outcome::Undone,
            Err(error) => Outcome::Failed(error),
        }
    }
}

impl Writer for Marking {
    fn begin(&mut self) -> Result<(), Outcome> {
        let connection = self.connection.take().map_or_else(|| Connection::open(&self.config), Ok);
        let mut connection = connection.map_err(|error| match error {
            SqlError::Busy => Outcome::Undone,
            error => Outcome::Failed(error),
        })?;
        self.begin_on(&mut connection)?;
        self.connection = Some(connection);
        Ok(())
    }

    fn set_savepoint(&mut self, replaces: bool) -> Result<(), Outcome> {
        Ok(self.open()?.run(group::savepoint(replaces))?)
    }

    fn return_to_savepoint(&mut self) -> Result<(), Outcome> {
        Ok(self.open()?.run(group::RETURN_TO_SAVEPOINT)?)
    }

    fn run(&mut self, work: &mut dyn FnMut(&mut dyn Session)) -> Ran {
        let connection = match self.open() {
            Ok(connection) => connection,
            Err(outcome) => return Ran::Gone(outcome),
        };
        let mut statements = Statements::new(connection);
        work(&mut statements);
        match statements.refused() {
            None => Ran::Fine,
            Some(Trouble::Refused(error)) => Ran::Refused(error),
            // What the database undid is run again, whatever the work made of the error.
            Some(trouble) => Ran::Gone(trouble.into()),
        }
    }

    fn commit(&mut self) -> Outcome {
        let Some(mut connection) = self.connection.take() else { return Outcome::Undone };
        match connection.run("COMMIT") {
            Ok(()) => {
                self.connection = Some(connection);
                Outcome::Committed
            }
            Err(Trouble::Lost) => self.is_committed(),
            Err(trouble) => trouble.into(),
        }
    }

    fn roll_back(&mut self) {
        self.connection = self.connection.take().and_then(|mut connection| {
            let rolled_back = connection.run("ROLLBACK");
            rolled_back.ok().map(|()| connection)
        });
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
            Ok(()) => Ended::Done((value, connection)),
            Err(trouble) => Ended::from(trouble),
        },
    }
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Undone | Trouble::Lost => Self::Undone,
            Trouble::Refused(error) => Self::Failed(error),
        }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
