//! Schemas that only move forward: each migration runs once, in order, and is never edited after a release.

use thiserror::Error;

use crate::sql::{Param, Session, SqlError};

/// The tables of one component: `MIGRATIONS[n]` leads from version `n` to version `n + 1`.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Whose tables: `bank`, `psp`, and so on.
    pub component: &'static str,
    /// The statements of each step.
    pub migrations: &'static [&'static [&'static str]],
}

/// Why a schema could not be brought up to date.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database was written by a newer version of this program.
    #[error("the database has version {found} of the {component} tables, this program knows {known}: use a newer one")]
    TooNew {
        /// Whose tables.
        component: &'static str,
        /// Version in the database.
        found: u64,
        /// Newest version of this program.
        known: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Brings the tables of `schema` up to date, within the transaction of `session`.
///
/// # Errors
/// When the database is newer than this program, or fails.
pub fn migrate(session: &mut dyn Session, schema: &Schema) -> Result<(), MigrationError> {
    let Schema { component, migrations } = *schema;
    session.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (component TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)",
        &[],
    )?;
    session.execute(
        "INSERT INTO schema_version (component, version) VALUES (?1, 0) ON CONFLICT (component) DO NOTHING",
        &[component.into()],
    )?;
    let row = session.query_one("SELECT version FROM schema_version WHERE component = ?1", &[component.into()])?;
    let found: u64 = row.column(0)?;
    let known = migrations.len() as u64;
    if found > known {
        return Err(MigrationError::TooNew { component, found, known });
    }
    for statements in migrations.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        for statement in *statements {
            session.execute(statement, &[])?;
        }
    }
    let version = Param::Integer(i64::try_from(known).unwrap_or(i64::MAX));
    session.execute("UPDATE schema_version SET version = ?2 WHERE component = ?1", &[component.into(), version])?;
    Ok(())
}
