//! Statements within one transaction on a connection.

use postgres::types::ToSql;
use postgres::{Client, Statement};

use super::connection::{Connection, Trouble, trouble};
use super::values;
use crate::sql::{Param, Row, Session, SqlError};

/// Statements on one connection, inside its open transaction.
pub(super) struct Statements<'c> {
    connection: &'c mut Connection,
    refused: Option<Trouble>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c mut Connection) -> Self {
        Self { connection, refused: None }
    }

    /// Why a statement failed, if one did: nothing of the transaction can be committed then, whatever came after.
    pub(super) fn refused(self) -> Option<Trouble> {
        self.refused
    }

    fn on_prepared<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        run: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, SqlError> {
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
        let done = self
            .connection
            .prepared(sql)
            .and_then(|(client, statement)| run(client, &statement, &params).map_err(|error| trouble(&error)));
        done.map_err(|trouble| {
            let said = match &trouble {
                Trouble::Undone | Trouble::Lost => SqlError::Busy,
                Trouble::Refused(error) => error.clone(),
            };
            self.refused.get_or_insert(trouble);
            said
        })
    }
}

impl Session for Statements<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        self.on_prepared(sql, params, |client, statement, params| client.execute(statement, params))
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError> {
        let rows = self.on_prepared(sql, params, |client, statement, params| client.query(statement, params))?;
        rows.iter().map(values::row).collect()
    }
}
