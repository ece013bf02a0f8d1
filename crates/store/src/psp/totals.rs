//! What devices show of their totals: limits to compare them with, nonces, verdicts, and uploaded payments.

use specie_core::signature::PublicKey;
use specie_core::{Amount, Timestamp};
use specie_psp::request::OperationId;
use specie_psp::setting::{Direction, UploadedPayment, Verdict};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Row, whole};

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

pub(super) fn insert_uploaded(
    session: Rows<'_>,
    device: &PublicKey,
    limits_sequence: u64,
    payment: &UploadedPayment,
    now: Timestamp,
) -> Stored<()> {
    let sql = "INSERT INTO psp_uploaded (device, direction, request, limits_sequence, at, amount, currency, \
               counterparty, uploaded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
    let params = [
        (&device.0).into(),
        payment.direction.as_str().into(),
        (&payment.request).into(),
        whole(limits_sequence),
        payment.at.into(),
        payment.amount.into(),
        (&payment.currency).into(),
        payment.counterparty.as_ref().into(),
        now.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn uploaded(session: Rows<'_>, device: &PublicKey) -> Stored<Vec<UploadedPayment>> {
    let sql = "SELECT direction, request, at, amount, currency, counterparty FROM psp_uploaded WHERE device = ?1 \
               ORDER BY at, direction, request";
    query(session, sql, &[(&device.0).into()], read)
}

/// Added up here: what a device says of its payments may be more than a database can add up.
pub(super) fn paid_under(session: Rows<'_>, device: &PublicKey, limits_sequence: u64) -> Stored<Amount> {
    let sql = "SELECT amount FROM psp_uploaded WHERE device = ?1 AND limits_sequence = ?2 AND direction = 'paid'";
    let params = [(&device.0).into(), whole(limits_sequence)];
    let amounts: Vec<Amount> = query(session, sql, &params, |row| column(row, 0))?;
    let sum = amounts.iter().try_fold(Amount::ZERO, |sum, amount| sum.checked_add(*amount));
    Ok(sum.unwrap_or(Amount::MAX))
}

fn read(row: &Row) -> Stored<UploadedPayment> {
    let direction: String = column(row, 0)?;
    Ok(UploadedPayment {
        direction: Direction::parse(&direction).ok_or_else(|| damaged("direction", &direction))?,
        request: column(row, 1)?,
        at: column(row, 2)?,
        amount: column(row, 3)?,
        currency: column(row, 4)?,
        counterparty: column(row, 5)?,
    })
}
