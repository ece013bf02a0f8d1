//! What devices show of their totals: nonces and verdicts.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_psp::request::OperationId;
use specie_psp::setting::Verdict;

use super::{Rows, Stored, column, execute, query, query_optional};
use crate::sql::whole;

/// The tables of all this.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE psp_issued_limits (device BYTEA NOT NULL, sequence BIGINT NOT NULL, max_holding BIGINT NOT NULL, \
     max_cumulative BIGINT NOT NULL, PRIMARY KEY (device, sequence))",
    "CREATE TABLE psp_totals_nonce (device BYTEA NOT NULL PRIMARY KEY, nonce BYTEA NOT NULL, valid_until BIGINT NOT NULL)",
    "CREATE TABLE psp_totals_verdict (operation BYTEA NOT NULL PRIMARY KEY, device BYTEA NOT NULL, \
     limits_sequence BIGINT NOT NULL, at BIGINT NOT NULL, document BIGINT)",
    "CREATE INDEX psp_totals_verdict_device ON psp_totals_verdict (device, at)",
    "CREATE TABLE psp_uploaded (device BYTEA NOT NULL, direction TEXT NOT NULL CHECK (direction IN ('paid', 'received')), \
     request BYTEA NOT NULL, limits_sequence BIGINT NOT NULL, at BIGINT NOT NULL, amount BIGINT NOT NULL, \
     currency TEXT NOT NULL, counterparty TEXT, uploaded_at BIGINT NOT NULL, PRIMARY KEY (device, direction, request))",
    "CREATE INDEX psp_uploaded_limits ON psp_uploaded (device, limits_sequence)",
];

pub(super) fn nonce(session: Rows<'_>, device: &PublicKey) -> Stored<Option<([u8; 32], Timestamp)>> {
    let sql = "SELECT nonce, valid_until FROM psp_totals_nonce WHERE device = ?1";
    query_optional(session, sql, &[(&device.0).into()], |row| Ok((column(row, 0)?, column(row, 1)?)))
}

pub(super) fn set_nonce(session: Rows<'_>, device: &PublicKey, nonce: &[u8; 32], valid_until: Timestamp) -> Stored<()> {
    let sql = "INSERT INTO psp_totals_nonce (device, nonce, valid_until) VALUES (?1, ?2, ?3) \
               ON CONFLICT (device) DO UPDATE SET nonce = excluded.nonce, valid_until = excluded.valid_until";
    execute(session, sql, &[(&device.0).into(), nonce.into(), valid_until.into()]).map(drop)
}

pub(super) fn remove_nonce(session: Rows<'_>, device: &PublicKey) -> Stored<()> {
    execute(session, "DELETE FROM psp_totals_nonce WHERE device = ?1", &[(&device.0).into()]).map(drop)
}

pub(super) fn insert_verdict(
    session: Rows<'_>,
    operation: &OperationId,
    device: &PublicKey,
    verdict: &Verdict,
) -> Stored<()> {
    let sql = "INSERT INTO psp_totals_verdict (operation, device, limits_sequence, at) VALUES (?1, ?2, ?3, ?4)";
    let params = [operation.into(), (&device.0).into(), whole(verdict.limits_sequence), verdict.at.into()];
    execute(session, sql, &params).map(drop)
}

pub(super) fn unused_verdict(
    session: Rows<'_>,
    device: &PublicKey,
    since: Timestamp,
) -> Stored<Option<(OperationId, u64)>> {
    let sql = "SELECT operation, limits_sequence FROM psp_totals_verdict \
               WHERE device = ?1 AND at >= ?2 AND document IS NULL ORDER BY at DESC, operation LIMIT 1";
    query_optional(session, sql, &[(&device.0).into(), since.into()], |row| Ok((column(row, 0)?, column(row, 1)?)))
}

pub(super) fn use_verdict(session: Rows<'_>, operation: &OperationId, document: u64) -> Stored<()> {
    let sql = "UPDATE psp_totals_verdict SET document = ?2 WHERE operation = ?1";
    execute(session, sql, &[operation.into(), whole(document)]).map(drop)
}

pub(super) fn verdicts(session: Rows<'_>, device: &PublicKey) -> Stored<Vec<Verdict>> {
    let sql = "SELECT limits_sequence, at FROM psp_totals_verdict WHERE device = ?1 ORDER BY at, operation";
    query(session, sql, &[(&device.0).into()], |row| {
        Ok(Verdict { limits_sequence: column(row, 0)?, at: column(row, 1)? })
    })
}
