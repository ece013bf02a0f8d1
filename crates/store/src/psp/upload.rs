//! Payments that devices uploaded, and whose owners do not agree to it any more.

use specie_core::signature::PublicKey;
use specie_core::{Amount, Timestamp};
use specie_psp::setting::{Direction, UploadedPayment};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Row, whole};

/// What was uploaded before it was said until when it is kept is kept for five years.
pub(super) const RETENTION: &[&str] = &[
    "ALTER TABLE psp_uploaded ADD COLUMN keep_until BIGINT NOT NULL DEFAULT 0",
    "UPDATE psp_uploaded SET keep_until = uploaded_at + 157766400",
    "CREATE INDEX psp_uploaded_keep ON psp_uploaded (keep_until)",
    "CREATE TABLE psp_uploads_refused (device BYTEA NOT NULL PRIMARY KEY, at BIGINT NOT NULL)",
];

pub(super) fn devices_with_old(session: Rows<'_>, now: Timestamp) -> Stored<Vec<PublicKey>> {
    let sql = "SELECT DISTINCT device FROM psp_uploaded WHERE keep_until < ?1 ORDER BY device";
    query(session, sql, &[now.into()], |row| Ok(PublicKey(column(row, 0)?)))
}

pub(super) fn delete(session: Rows<'_>, device: &PublicKey, kept_until_before: Timestamp) -> Stored<()> {
    let sql = "DELETE FROM psp_uploaded WHERE device = ?1 AND keep_until < ?2";
    execute(session, sql, &[(&device.0).into(), kept_until_before.into()]).map(drop)
}

pub(super) fn refused(session: Rows<'_>, device: &PublicKey) -> Stored<Option<Timestamp>> {
    let sql = "SELECT at FROM psp_uploads_refused WHERE device = ?1";
    query_optional(session, sql, &[(&device.0).into()], |row| column(row, 0))
}

pub(super) fn set_refused(session: Rows<'_>, device: &PublicKey, at: Option<Timestamp>) -> Stored<()> {
    let Some(at) = at else {
        return execute(session, "DELETE FROM psp_uploads_refused WHERE device = ?1", &[(&device.0).into()]).map(drop);
    };
    let sql = "INSERT INTO psp_uploads_refused (device, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    execute(session, sql, &[(&device.0).into(), at.into()]).map(drop)
}

pub(super) fn insert(
    session: Rows<'_>,
    device: &PublicKey,
    limits_sequence: u64,
    payment: &UploadedPayment,
    now: Timestamp,
    keep_until: Timestamp,
) -> Stored<()> {
    let sql = "INSERT INTO psp_uploaded (device, direction, request, limits_sequence, at, amount, currency, \
               counterparty, uploaded_at, keep_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
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
        keep_until.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn of_device(session: Rows<'_>, device: &PublicKey) -> Stored<Vec<UploadedPayment>> {
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
