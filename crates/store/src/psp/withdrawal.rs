//! Withdrawals and rations.

use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use specie_psp::request::OperationId;
use specie_psp::store::Line;
use specie_psp::withdrawal::{Withdrawal, WithdrawalState};

use super::{Rows, Stored, column, damaged, execute, query, query_optional, stored};
use crate::sql::{Row, whole};

const COLUMNS: &str = "id, fingerprint, customer, account, device, value, state, opened_at";

pub(super) fn insert(session: Rows<'_>, withdrawal: &Withdrawal) -> Stored<()> {
    let sql = "INSERT INTO psp_withdrawal (id, fingerprint, customer, account, device, value, state, opened_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = [
        (&withdrawal.id).into(),
        (&withdrawal.fingerprint).into(),
        (&withdrawal.customer).into(),
        (&withdrawal.account).into(),
        (&withdrawal.device.0).into(),
        withdrawal.value.into(),
        withdrawal.state.as_str().into(),
        withdrawal.opened_at.into(),
    ];
    execute(session, sql, &params)?;
    for (position, line) in (0_u64..).zip(&withdrawal.lines) {
        let sql = "INSERT INTO psp_withdrawal_line (withdrawal, position, class_id, count, blank_epoch) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let id = &withdrawal.id;
        let params = [id.into(), whole(position), (&line.class_id).into(), whole(line.count), line.blank_epoch.into()];
        execute(session, sql, &params)?;
    }
    Ok(())
}

pub(super) fn find(session: Rows<'_>, id: &OperationId) -> Stored<Option<Withdrawal>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_withdrawal WHERE id = ?1");
    let found = query_optional(session, &sql, &[id.into()], read)?;
    found.map(|withdrawal| with_lines(session, withdrawal)).transpose()
}

pub(super) fn set_state(session: Rows<'_>, id: &OperationId, state: WithdrawalState) -> Stored<()> {
    let sql = "UPDATE psp_withdrawal SET state = ?2 WHERE id = ?1";
    execute(session, sql, &[id.into(), state.as_str().into()]).map(drop)
}

pub(super) fn unsettled(session: Rows<'_>) -> Stored<Vec<Withdrawal>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_withdrawal WHERE state IN ('opening', 'open') ORDER BY opened_at, id");
    let found = query(session, &sql, &[], read)?;
    found.into_iter().map(|withdrawal| with_lines(session, withdrawal)).collect()
}

pub(super) fn withdrawn_since(session: Rows<'_>, customer: &Name, since: Timestamp) -> Stored<Amount> {
    let sql = "SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) FROM psp_withdrawal \
               WHERE customer = ?1 AND opened_at > ?2 AND state <> ?3";
    let params = [customer.into(), since.into(), WithdrawalState::Void.as_str().into()];
    session.query_one(sql, &params).and_then(|row| row.column(0)).map_err(stored)
}

pub(super) fn last_withdrawn(session: Rows<'_>, customer: &Name) -> Stored<Option<Timestamp>> {
    let sql = "SELECT opened_at FROM psp_withdrawal WHERE customer = ?1 AND value > 0 AND state <> 'void' \
               ORDER BY opened_at DESC LIMIT 1";
    query_optional(session, sql, &[customer.into()], |row| column(row, 0))
}

pub(super) fn is_unfinished(session: Rows<'_>, device: &PublicKey) -> Stored<bool> {
    let sql = "SELECT 1 FROM psp_withdrawal WHERE device = ?1 AND state IN ('opening', 'open', 'answered') LIMIT 1";
    Ok(query_optional(session, sql, &[(&device.0).into()], |_| Ok(()))?.is_some())
}

fn with_lines(session: Rows<'_>, withdrawal: Withdrawal) -> Stored<Withdrawal> {
    let sql = "SELECT class_id, count, blank_epoch FROM psp_withdrawal_line WHERE withdrawal = ?1 ORDER BY position";
    let lines = query(session, sql, &[(&withdrawal.id).into()], |row| {
        Ok(Line { class_id: column(row, 0)?, count: column(row, 1)?, blank_epoch: column(row, 2)? })
    })?;
    Ok(Withdrawal { lines, ..withdrawal })
}

fn read(row: &Row) -> Stored<Withdrawal> {
    let state: String = column(row, 6)?;
    Ok(Withdrawal {
        id: column(row, 0)?,
        fingerprint: column(row, 1)?,
        customer: column(row, 2)?,
        account: column(row, 3)?,
        device: PublicKey(column(row, 4)?),
        lines: Vec::new(),
        value: column(row, 5)?,
        state: WithdrawalState::parse(&state).ok_or_else(|| damaged("state", &state))?,
        opened_at: column(row, 7)?,
    })
}
