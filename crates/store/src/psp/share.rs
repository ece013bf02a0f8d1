//! What devices have of their owners' limits: documents and blanks.

use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use specie_psp::setting::IssuedLimits;
use specie_psp::share::{Allowance, WITHDRAWN};
use specie_totals::Bounds;

use super::{Rows, Stored, column, execute, query, query_optional, stored};
use crate::sql::whole;

/// Documents of one sequence may differ, so each has its row. Of devices that withdrew before it was kept until when that can be redeemed it is not
/// known.
pub(super) const HOLDINGS: &[&str] = &[
    "CREATE TABLE psp_redeemable (device BYTEA NOT NULL PRIMARY KEY, redeem_until BIGINT NOT NULL)",
    "INSERT INTO psp_redeemable (device, redeem_until) SELECT DISTINCT device, 9223372036854775807 FROM psp_withdrawal \
     WHERE state <> 'void'",
    "CREATE TABLE psp_allowance (device BYTEA NOT NULL, sequence BIGINT NOT NULL, ordinal BIGINT NOT NULL, \
     customer TEXT NOT NULL, valid_until BIGINT NOT NULL, max_cumulative BIGINT NOT NULL CHECK (max_cumulative >= 0), \
     max_holding BIGINT NOT NULL CHECK (max_holding >= 0), PRIMARY KEY (device, sequence, ordinal))",
    "CREATE INDEX psp_allowance_customer ON psp_allowance (customer)",
    "INSERT INTO psp_allowance (device, sequence, ordinal, customer, valid_until, max_cumulative, max_holding) \
     SELECT device, sequence, 0, customer, valid_until, max_cumulative, max_holding FROM psp_limits",
    "INSERT INTO psp_allowance (device, sequence, ordinal, customer, valid_until, max_cumulative, max_holding) \
     SELECT device, sequence, 0, customer, 0, max_cumulative, max_holding FROM psp_issued_limits \
     JOIN psp_device ON psp_device.key = psp_issued_limits.device WHERE TRUE ON CONFLICT DO NOTHING",
    "DROP TABLE psp_limits",
    "DROP TABLE psp_issued_limits",
];

pub(super) fn insert_limits(session: Rows<'_>, customer: &Name, limits: &Allowance) -> Stored<()> {
    let Allowance { device, sequence, valid_until, max_cumulative, max_holding } = limits;
    let (device, sequence) = ((&device.0).into(), whole(*sequence));
    let (max_cumulative, max_holding) = ((*max_cumulative).into(), (*max_holding).into());
    let sql = "SELECT ordinal, valid_until FROM psp_allowance \
               WHERE device = ?1 AND sequence = ?2 AND max_cumulative = ?3 AND max_holding = ?4";
    let same = query_optional(session, sql, &[device, sequence, max_cumulative, max_holding], |row| {
        Ok((column::<u64>(row, 0)?, column::<Timestamp>(row, 1)?))
    })?;
    if let Some((ordinal, before)) = same {
        let sql = "UPDATE psp_allowance SET customer = ?4, valid_until = ?5 \
                   WHERE device = ?1 AND sequence = ?2 AND ordinal = ?3";
        let until = before.max(*valid_until);
        return execute(session, sql, &[device, sequence, whole(ordinal), customer.into(), until.into()]).map(drop);
    }
    let sql = "SELECT COALESCE(MAX(ordinal), 0) FROM psp_allowance WHERE device = ?1 AND sequence = ?2";
    let newest: u64 = session.query_one(sql, &[device, sequence]).and_then(|row| row.column(0)).map_err(stored)?;
    let sql = "INSERT INTO psp_allowance (device, sequence, ordinal, customer, valid_until, max_cumulative, max_holding) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (ordinal, until) = (whole(newest + 1), (*valid_until).into());
    let params = [device, sequence, ordinal, customer.into(), until, max_cumulative, max_holding];
    execute(session, sql, &params).map(drop)
}

pub(super) fn issued(session: Rows<'_>, device: &PublicKey, sequence: u64) -> Stored<Vec<IssuedLimits>> {
    let sql = "SELECT max_holding, max_cumulative FROM psp_allowance WHERE device = ?1 AND sequence = ?2 \
               ORDER BY ordinal DESC";
    query(session, sql, &[(&device.0).into(), whole(sequence)], |row| {
        let bounds = Bounds { max_holding: column(row, 0)?, max_cumulative: column(row, 1)? };
        Ok(IssuedLimits { sequence, bounds })
    })
}

pub(super) fn newest_issued(session: Rows<'_>, device: &PublicKey) -> Stored<u64> {
    let sql = "SELECT COALESCE(MAX(sequence), 0) FROM psp_allowance WHERE device = ?1";
    session.query_one(sql, &[(&device.0).into()]).and_then(|row| row.column(0)).map_err(stored)
}

pub(super) fn allowances(session: Rows<'_>, customer: &Name) -> Stored<Vec<(Allowance, Timestamp)>> {
    let sql = "SELECT psp_allowance.device, sequence, valid_until, max_cumulative, max_holding, \
               CASE WHEN psp_loss.device IS NULL THEN COALESCE(redeem_until, 0) ELSE 0 END FROM psp_allowance \
               LEFT JOIN psp_redeemable ON psp_redeemable.device = psp_allowance.device \
               LEFT JOIN psp_loss ON psp_loss.device = psp_allowance.device \
               WHERE customer = ?1 ORDER BY psp_allowance.device, sequence";
    query(session, sql, &[customer.into()], |row| {
        let limits = Allowance {
            device: PublicKey(column(row, 0)?),
            sequence: column(row, 1)?,
            valid_until: column(row, 2)?,
            max_cumulative: column(row, 3)?,
            max_holding: column(row, 4)?,
        };
        Ok((limits, column(row, 5)?))
    })
}

pub(super) fn forget_limits(session: Rows<'_>, device: &PublicKey, from: u64, before: u64) -> Stored<()> {
    // Only while the newer one is there to count in its place.
    let sql = "DELETE FROM psp_allowance WHERE device = ?1 AND sequence >= ?2 AND sequence < ?3 AND EXISTS \
               (SELECT 1 FROM psp_allowance AS newer WHERE newer.device = ?1 AND newer.sequence = ?3)";
    execute(session, sql, &[(&device.0).into(), whole(from), whole(before)]).map(drop)
}

pub(super) fn add_withdrawn(
    session: Rows<'_>,
    device: &PublicKey,
    customer: &Name,
    value: Amount,
    now: Timestamp,
) -> Stored<()> {
    let sql = "INSERT INTO psp_allowance (device, sequence, ordinal, customer, valid_until, max_cumulative, max_holding) \
               VALUES (?1, ?2, 0, ?3, ?4, 0, ?5) \
               ON CONFLICT (device, sequence, ordinal) DO UPDATE SET customer = excluded.customer, \
               max_holding = psp_allowance.max_holding + excluded.max_holding";
    let params = [(&device.0).into(), whole(WITHDRAWN), customer.into(), now.into(), value.into()];
    execute(session, sql, &params).map(drop)
}

pub(super) fn return_withdrawn(session: Rows<'_>, device: &PublicKey, value: Amount) -> Stored<()> {
    let sql = "UPDATE psp_allowance SET max_holding = CASE WHEN max_holding > CAST(?3 AS BIGINT) \
               THEN max_holding - CAST(?3 AS BIGINT) ELSE 0 END WHERE device = ?1 AND sequence = ?2";
    execute(session, sql, &[(&device.0).into(), whole(WITHDRAWN), value.into()]).map(drop)
}

pub(super) fn move_limits(session: Rows<'_>, device: &PublicKey, to: &Name) -> Stored<()> {
    let sql = "UPDATE psp_allowance SET customer = ?2 WHERE device = ?1";
    execute(session, sql, &[(&device.0).into(), to.into()]).map(drop)
}

pub(super) fn note_redeemable(session: Rows<'_>, device: &PublicKey, until: Timestamp) -> Stored<()> {
    let sql = "INSERT INTO psp_redeemable (device, redeem_until) VALUES (?1, ?2) ON CONFLICT (device) DO UPDATE SET \
               redeem_until = CASE WHEN excluded.redeem_until > psp_redeemable.redeem_until THEN excluded.redeem_until \
               ELSE psp_redeemable.redeem_until END";
    execute(session, sql, &[(&device.0).into(), until.into()]).map(drop)
}

pub(super) fn blanks(session: Rows<'_>, device: &PublicKey, epoch: u32) -> Stored<u64> {
    let sql = "SELECT blanks FROM psp_ration WHERE device = ?1 AND epoch = ?2";
    let found = query_optional(session, sql, &[(&device.0).into(), epoch.into()], |row| column(row, 0))?;
    Ok(found.unwrap_or(0))
}

pub(super) fn blanks_of_customer(session: Rows<'_>, customer: &Name, epoch: u32) -> Stored<u64> {
    let sql = "SELECT blanks FROM psp_customer_ration WHERE customer = ?1 AND epoch = ?2";
    let found = query_optional(session, sql, &[customer.into(), epoch.into()], |row| column(row, 0))?;
    Ok(found.unwrap_or(0))
}

pub(super) fn take_blanks(
    session: Rows<'_>,
    device: &PublicKey,
    customer: &Name,
    epoch: u32,
    blanks: u64,
) -> Stored<()> {
    let had = self::blanks(session, device, epoch)?;
    set_blanks(session, device, epoch, had.saturating_add(blanks))?;
    let had = blanks_of_customer(session, customer, epoch)?;
    set_blanks_of_customer(session, customer, epoch, had.saturating_add(blanks))
}

pub(super) fn return_blanks(
    session: Rows<'_>,
    device: &PublicKey,
    customer: &Name,
    epoch: u32,
    blanks: u64,
) -> Stored<()> {
    let had = self::blanks(session, device, epoch)?;
    set_blanks(session, device, epoch, had.saturating_sub(blanks))?;
    let had = blanks_of_customer(session, customer, epoch)?;
    set_blanks_of_customer(session, customer, epoch, had.saturating_sub(blanks))
}

pub(super) fn move_blanks(session: Rows<'_>, device: &PublicKey, to: &Name) -> Stored<()> {
    let sql = "SELECT epoch, blanks FROM psp_ration WHERE device = ?1";
    let moved: Vec<(u32, u64)> =
        query(session, sql, &[(&device.0).into()], |row| Ok((column(row, 0)?, column(row, 1)?)))?;
    for (epoch, blanks) in moved {
        let had = blanks_of_customer(session, to, epoch)?;
        set_blanks_of_customer(session, to, epoch, had.saturating_add(blanks))?;
    }
    Ok(())
}

fn set_blanks(session: Rows<'_>, device: &PublicKey, epoch: u32, blanks: u64) -> Stored<()> {
    let sql = "INSERT INTO psp_ration (device, epoch, blanks) VALUES (?1, ?2, ?3) \
               ON CONFLICT (device, epoch) DO UPDATE SET blanks = excluded.blanks";
    execute(session, sql, &[(&device.0).into(), epoch.into(), whole(blanks)]).map(drop)
}

fn set_blanks_of_customer(session: Rows<'_>, customer: &Name, epoch: u32, blanks: u64) -> Stored<()> {
    let sql = "INSERT INTO psp_customer_ration (customer, epoch, blanks) VALUES (?1, ?2, ?3) \
               ON CONFLICT (customer, epoch) DO UPDATE SET blanks = excluded.blanks";
    execute(session, sql, &[customer.into(), epoch.into(), whole(blanks)]).map(drop)
}
