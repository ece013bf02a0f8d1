//! Online payments.

use specie_psp::ledger::{MovementId, MovementKind, movement_id};
use specie_psp::request::OperationId;
use specie_psp::transfer::{Transfer, TransferState};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::Row;

const COLUMNS: &str = "id, fingerprint, from_account, to_psp, to_account, amount, reference, state";

pub(super) fn insert(session: Rows<'_>, transfer: &Transfer) -> Stored<()> {
    let sql = "INSERT INTO psp_transfer (id, fingerprint, from_account, to_psp, to_account, amount, reference, state, \
               movement) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let settled = movement_id(MovementKind::PaymentSettled, &transfer.id);
    let params = [
        (&transfer.id).into(),
        (&transfer.fingerprint).into(),
        (&transfer.from_account).into(),
        (&transfer.to_psp).into(),
        (&transfer.to_account).into(),
        transfer.amount.into(),
        (&transfer.reference).into(),
        transfer.state.as_str().into(),
        (&settled).into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn find(session: Rows<'_>, id: &OperationId) -> Stored<Option<Transfer>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_transfer WHERE id = ?1");
    query_optional(session, &sql, &[id.into()], read)
}

pub(super) fn of_movement(session: Rows<'_>, movement: &MovementId) -> Stored<Option<Transfer>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_transfer WHERE movement = ?1");
    query_optional(session, &sql, &[movement.into()], read)
}

pub(super) fn set_state(session: Rows<'_>, id: &OperationId, state: TransferState) -> Stored<()> {
    let sql = "UPDATE psp_transfer SET state = ?2 WHERE id = ?1";
    execute(session, sql, &[id.into(), state.as_str().into()]).map(drop)
}

pub(super) fn pending(session: Rows<'_>) -> Stored<Vec<Transfer>> {
    query(session, &format!("SELECT {COLUMNS} FROM psp_transfer WHERE state = 'pending' ORDER BY id"), &[], read)
}

fn read(row: &Row) -> Stored<Transfer> {
    let state: String = column(row, 7)?;
    Ok(Transfer {
        id: column(row, 0)?,
        fingerprint: column(row, 1)?,
        from_account: column(row, 2)?,
        to_psp: column(row, 3)?,
        to_account: column(row, 4)?,
        amount: column(row, 5)?,
        reference: column(row, 6)?,
        state: TransferState::parse(&state).ok_or_else(|| damaged("state", &state))?,
    })
}
