//! One connection, its prepared statements, and what its errors mean.

use std::collections::HashMap;
use std::time::Duration;

use postgres::config::TargetSessionAttrs;
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls, Statement};

use crate::sql::SqlError;

/// How long reaching a server may take, and how long one may be silent before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Statements kept prepared on each connection; all that this program has are fewer.
const STATEMENTS_MAX: usize = 512;

/// A connection.
pub(super) struct Connection {
    /// There until it is dropped.
    client: Option<Client>,
    statements: HashMap<String, Statement>,
}

/// What an error says of the transaction in which it came.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It was undone because of another one: run it again.
    Undone,
    /// The connection is gone, or the server is about to be.
    Lost,
    /// The database refuses this very statement.
    Refused(SqlError),
}

/// `config` with bounds on how long a lost server goes unnoticed. Of several hosts the one that takes writes is used, so
/// that a standby which was promoted is found.
pub(super) fn bounded(mut config: Config) -> Config {
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.connect_timeout(PATIENCE).keepalives_idle(PATIENCE).keepalives_interval(PATIENCE).keepalives_retries(2);
    config
}

impl Connection {
    /// # Errors
    /// [`SqlError::Busy`] when no server takes writes now, others when it refuses.
    pub(super) fn open(config: &Config) -> Result<Self, SqlError> {
        let client = config.connect(NoTls).map_err(|error| match trouble(&error) {
            // Refused connections and hosts that only read: a server that is starting, or was just promoted.
            Trouble::Undone | Trouble::Lost => SqlError::Busy,
            Trouble::Refused(error) => error,
        })?;
        Ok(Self { client: Some(client), statements: HashMap::new() })
    }

    /// Runs statements without parameters.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Trouble> {
        self.client().batch_execute(sql).map_err(|error| trouble(&error))
    }

    /// The client, and `sql` prepared on it.
    pub(super) fn prepared(&mut self, sql: &str) -> Result<(&mut Client, Statement), Trouble> {
        if let Some(statement) = self.statements.get(sql).cloned() {
            return Ok((self.client(), statement));
        }
        let statement = self.client().prepare(&numbered(sql)).map_err(|error| trouble(&error))?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), statement.clone());
        Ok((self.client(), statement))
    }

    fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("a connection has its client until it is dropped")
    }
}

impl Drop for Connection {
    /// Taking leave of the server waits for it, which a thread of an asynchronous runtime may not: a service that stops drops its
    /// bank there.
    fn drop(&mut self) {
        let client = self.client.take();
        std::thread::spawn(move || drop(client));
    }
}

/// What `error` means.
pub(super) fn trouble(error: &postgres::Error) -> Trouble {
    let Some(state) = error.code() else { return Trouble::Lost };
    let undone =
        [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED, &SqlState::LOCK_NOT_AVAILABLE];
    if undone.contains(&state) {
        return Trouble::Undone;
    }
    // Connection exceptions, resources that are short for now, a server that stops or starts, one that became read-only,
    // and a commit of which the server itself does not know.
    let lost = ["08", "53", "57P", "25006", "40003"];
    if lost.iter().any(|class| state.code().starts_with(class)) {
        return Trouble::Lost;
    }
    let text = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
    if state.code().starts_with("23") || *state == SqlState::DUPLICATE_TABLE {
        return Trouble::Refused(SqlError::Constraint(text));
    }
    Trouble::Refused(SqlError::Failed(text))
}

impl From<Trouble> for SqlError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Undone | Trouble::Lost => Self::Busy,
            Trouble::Refused(error) => error,
        }
    }
}

/// `?1` becomes `$1`: the texts are the program's own, and have no question mark elsewhere.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}
