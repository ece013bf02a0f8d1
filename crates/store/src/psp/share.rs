//! What devices have of their owners' limits: documents and blanks.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_psp::share::Allowance;

use super::{Rows, Stored, column, execute, query, query_optional};
use crate::sql::whole;

pub(super) fn insert_limits(session: Rows<'_>, customer: &Name, limits: &Allowance) -> Stored<()> {
    let sql = "INSERT INTO psp_limits (device, sequence, customer, valid_until, max_cumulative, max_holding) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (device, sequence) DO UPDATE SET customer = excluded.customer, \
               valid_until = CASE WHEN excluded.valid_until > psp_limits.valid_until THEN excluded.valid_until \
               ELSE psp_limits.valid_until END, \
               max_cumulative = excluded.max_cumulative, max_holding = excluded.max_holding";
    let params = [
        (&limits.device.0).into(),
        whole(limits.sequence),
        customer.into(),
        limits.valid_until.into(),
        limits.max_cumulative.into(),
        limits.max_holding.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn live_limits(session: Rows<'_>, customer: &Name, now: Timestamp) -> Stored<Vec<Allowance>> {
    let sql = "SELECT device, sequence, valid_until, max_cumulative, max_holding FROM psp_limits \
               WHERE customer = ?1 AND valid_until >= ?2 ORDER BY device, sequence";
    query(session, sql, &[customer.into(), now.into()], |row| {
        Ok(Allowance {
            device: PublicKey(column(row, 0)?),
            sequence: column(row, 1)?,
            valid_until: column(row, 2)?,
            max_cumulative: column(row, 3)?,
            max_holding: column(row, 4)?,
        })
    })
}

pub(super) fn forget_limits_before(session: Rows<'_>, device: &PublicKey, sequence: u64) -> Stored<()> {
    // Only while the newer one is there to count in its place.
    let sql = "DELETE FROM psp_limits WHERE device = ?1 AND sequence < ?2 AND EXISTS \
               (SELECT 1 FROM psp_limits AS newer WHERE newer.device = ?1 AND newer.sequence = ?2)";
    execute(session, sql, &[(&device.0).into(), whole(sequence)]).map(drop)
}

pub(super) fn forget_limits(session: Rows<'_>, run_out_before: Timestamp) -> Stored<()> {
    execute(session, "DELETE FROM psp_limits WHERE valid_until < ?1", &[run_out_before.into()]).map(drop)
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
