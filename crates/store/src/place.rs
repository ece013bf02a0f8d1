//! Where a database is: a file, or a server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::meter::{Cost, Meter};
use crate::migration::Schema;
use crate::postgres::{OpenPostgresError, Postgres};
use crate::sql::{Database, Session, SqlError};
use crate::sqlite::{self, Sqlite};

/// Where a database is. `Display` leaves a password out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL database, as `postgres://USER:PASSWORD@HOST:PORT/NAME?…` names it.
    Server {
        /// As it was written.
        url: String,
        /// What it says.
        config: Box<::postgres::Config>,
    },
}

/// A text names no database.
#[derive(Debug, Error)]
#[error("`database` is no address of a PostgreSQL database: {0}")]
pub struct BadPlace(String);

/// Why a database cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An SQLite file.
    #[error(transparent)]
    File(#[from] sqlite::OpenError),
    /// A PostgreSQL database.
    #[error(transparent)]
    Server(#[from] OpenPostgresError),
}

/// A database of either kind.
pub struct AnyDatabase {
    engine: Engine,
    meter: Meter,
}

/// What runs the statements.
enum Engine {
    File(Sqlite),
    Server(Box<Postgres>),
}

impl Place {
    /// The same, a relative path made relative to `directory`.
    #[must_use]
    pub fn within(self, directory: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(directory.join(path)),
            server @ Self::Server { .. } => server,
        }
    }

    /// As a configuration has it. It may have a password in it.
    pub fn expose(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Server { url, .. } => url.clone(),
        }
    }
}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::File(text.into()));
        }
        // The library's errors quote no part of the text.
        let config = ::postgres::Config::from_str(text).map_err(|error| BadPlace(error.to_string()))?;
        if config.get_hosts().is_empty() {
            return Err(BadPlace("it names no host".into()));
        }
        Ok(Self::Server { url: text.into(), config: Box::new(config) })
    }
}

impl TryFrom<String> for Place {
    type Error = BadPlace;

    fn try_from(text: String) -> Result<Self, BadPlace> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.expose()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Server { config, .. } => {
                let hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
                let name = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default();
                write!(formatter, "postgres://{}/{name}", hosts.join(","))
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Place {}

impl AnyDatabase {
    /// Opens the database at `place`, and brings the tables of `schemas` up to date.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(place: &Place, schemas: &[Schema]) -> Result<Self, OpenError> {
        let engine = match place {
            Place::File(path) => Engine::File(Sqlite::open(path, schemas)?),
            Place::Server { config, .. } => {
                Engine::Server(Box::new(Postgres::open((**config).clone(), &place.to_string(), schemas)?))
            }
        };
        Ok(Self { engine, meter: Meter::default() })
    }

    /// Whether it is on a server.
    pub fn is_on_server(&self) -> bool {
        matches!(self.engine, Engine::Server(_))
    }

    /// What it has cost until now.
    pub fn cost(&self) -> Cost {
        let unknown = match &self.engine {
            Engine::File(_) => 0,
            Engine::Server(postgres) => postgres.unknown(),
        };
        self.meter.cost(unknown)
    }

    /// Removes what was erased from where the database keeps changes before it files them, as far as that is this program's
    /// to do: [`Sqlite::checkpoint`]. A PostgreSQL server does it by itself (`VACUUM`), and its archive never.
    ///
    /// # Errors
    /// When the database fails.
    pub fn checkpoint(&self) -> Result<(), SqlError> {
        match &self.engine {
            Engine::File(sqlite) => sqlite.checkpoint(),
            Engine::Server(_) => Ok(()),
        }
    }
}

impl Database for AnyDatabase {
    fn transact<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut metering = self.meter.write();
        let work = |session: &mut dyn Session| metering.run(session, &mut work);
        match &self.engine {
            Engine::File(sqlite) => sqlite.transact(work),
            Engine::Server(postgres) => postgres.transact(work),
        }
    }

    fn read<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let mut metering = self.meter.read();
        let work = |session: &mut dyn Session| metering.run(session, &mut work);
        match &self.engine {
            Engine::File(sqlite) => sqlite.read(work),
            Engine::Server(postgres) => postgres.read(work),
        }
    }
}

fn host(host: &::postgres::config::Host) -> String {
    match host {
        ::postgres::config::Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        ::postgres::config::Host::Unix(path) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_server_and_shows_no_password() {
        let file: Place = "books/bank.db".parse().unwrap();
        assert_eq!(file.within(Path::new("/bank")).to_string(), "/bank/books/bank.db");
        let url = "postgres://bank:s3cret@10.0.0.1,10.0.0.2:5433/ledger";
        let server: Place = url.parse().unwrap();
        assert_eq!(server.expose(), url);
        for shown in [server.to_string(), format!("{server:?}")] {
            assert_eq!(shown, "postgres://10.0.0.1,10.0.0.2/ledger");
        }
    }

    #[test]
    fn rejects_an_address_that_is_none_without_repeating_it() {
        for text in
            ["postgres://bank:s3cret@host:port/ledger", "postgresql://bank:s3cret@/ledger", "postgres://h/x?s3cret=1"]
        {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(error.contains("`database`") && !error.contains("s3cret@"), "{error}");
        }
    }
}
