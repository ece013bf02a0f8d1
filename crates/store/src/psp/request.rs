//! Requests that came before, and what is forgotten with time.

use specie_core::Timestamp;
use specie_psp::request::{OperationId, Remembered};

use super::{Rows, Stored, column, execute, query_optional};

pub(super) fn find(session: Rows<'_>, operation: &OperationId) -> Stored<Option<Remembered>> {
    let sql = "SELECT fingerprint, answer FROM psp_request WHERE operation = ?1";
    query_optional(session, sql, &[operation.into()], |row| {
        Ok(Remembered { fingerprint: column(row, 0)?, answer: column(row, 1)? })
    })
}

pub(super) fn insert(session: Rows<'_>, operation: &OperationId, request: &Remembered, now: Timestamp) -> Stored<()> {
    let sql = "INSERT INTO psp_request (operation, fingerprint, answer, at) VALUES (?1, ?2, ?3, ?4)";
    let params = [operation.into(), (&request.fingerprint).into(), (&request.answer).into(), now.into()];
    execute(session, sql, &params).map(drop)
}

pub(super) fn forget(session: Rows<'_>, now: Timestamp, requests_before: Timestamp) -> Stored<()> {
    execute(session, "DELETE FROM psp_nonce WHERE valid_until < ?1", &[now.into()])?;
    execute(session, "DELETE FROM psp_claim_code WHERE valid_until < ?1", &[now.into()])?;
    execute(session, "DELETE FROM psp_demand WHERE valid_until < ?1", &[requests_before.into()])?;
    execute(session, "DELETE FROM psp_request WHERE at < ?1", &[requests_before.into()]).map(drop)
}
