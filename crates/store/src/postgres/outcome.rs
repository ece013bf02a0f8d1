//! Whether a transaction was committed, when the connection was lost on the way.
//!
//! Each process that writes has a row of its own, and each of its transactions leaves its mark there, in the same
//! transaction. Whoever wants to know the outcome writes the row too, and so waits until the database has ended the lost
//! transaction, one way or the other; then the mark in it tells which. This holds over a failover to a standby that has
//! everything that was acknowledged.

use postgres::Config;

use super::connection::{Connection, Trouble};
use super::statements::Statements;
use crate::retry::Retry;
use crate::sql::{Session, SqlError};

/// The table of the marks.
pub(super) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS store_writer (writer BYTEA NOT NULL PRIMARY KEY, mark BYTEA NOT NULL)";

/// How long the database may take to end a lost transaction, for one question.
const WAIT: &str = "SET lock_timeout = '5s'";

/// 16 random bytes.
pub(super) fn random_name() -> Result<[u8; 16], SqlError> {
    let mut name = [0; 16];
    let failed = |error| SqlError::Failed(format!("the system gives no randomness: {error}"));
    getrandom::fill(&mut name).map_err(failed)?;
    Ok(name)
}

/// Leaves `mark` in the open transaction.
pub(super) fn leave_mark(connection: &mut Connection, writer: &[u8; 16], mark: &[u8; 16]) -> Result<(), Trouble> {
    let sql = "INSERT INTO store_writer (writer, mark) VALUES (?1, ?2) ON CONFLICT (writer) DO UPDATE SET mark = ?2";
    let mut statements = Statements::new(connection);
    let left = statements.execute(sql, &[writer.into(), mark.into()]);
    match (left, statements.refused()) {
        (_, Some(trouble)) => Err(trouble),
        (left, None) => left.map(drop).map_err(Trouble::Refused),
    }
}

/// Whether the transaction that left `mark` was committed. It is ended when this returns.
///
/// # Errors
/// [`SqlError::Unknown`] when the database cannot be asked.
pub(super) fn is_committed(config: &Config, writer: &[u8; 16], mark: &[u8; 16]) -> Result<bool, SqlError> {
    let mut retry = Retry::patient();
    loop {
        if let Ok(found) = ask(config, writer) {
            return Ok(found == *mark);
        }
        if !retry.pause()? {
            return Err(SqlError::Unknown);
        }
    }
}

/// The mark of the last transaction of `writer` that was committed, after all of them have ended.
fn ask(config: &Config, writer: &[u8; 16]) -> Result<[u8; 16], SqlError> {
    let mut connection = Connection::open(config)?;
    connection.run(WAIT)?;
    // An insert waits for one that is under way as an update does; a mark of zeroes is nobody's.
    let sql = "INSERT INTO store_writer (writer, mark) VALUES (?1, ?2) \
               ON CONFLICT (writer) DO UPDATE SET mark = store_writer.mark RETURNING mark";
    Statements::new(&mut connection).query_one(sql, &[writer.into(), (&[0; 16]).into()])?.column(0)
}
