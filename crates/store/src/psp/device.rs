//! Devices, and the nonces with which they are enrolled.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_psp::device::{Device, DeviceState, Made};
use specie_psp::request::OperationId;

use super::{Rows, Stored, column, damaged, execute, query, query_optional, stored};
use crate::sql::{Param, Row, whole};

const COLUMNS: &str = "psp_device.key, identity, customer, state, limits_sequence, claim, enrolled_at, label, weight, \
                       released_at, maker, series, firmware, \
                       (SELECT reported_at FROM psp_loss WHERE device = psp_device.key)";
const TABLES: &str = "psp_device JOIN psp_device_more ON psp_device_more.key = psp_device.key";

pub(super) fn insert_nonce(
    session: Rows<'_>,
    operation: &OperationId,
    nonce: &[u8; 32],
    valid_until: Timestamp,
) -> Stored<()> {
    let sql = "INSERT INTO psp_nonce (nonce, operation, valid_until, used) VALUES (?1, ?2, ?3, 0)";
    execute(session, sql, &[nonce.into(), operation.into(), valid_until.into()]).map(drop)
}

pub(super) fn nonce(session: Rows<'_>, operation: &OperationId) -> Stored<Option<([u8; 32], Timestamp)>> {
    let sql = "SELECT nonce, valid_until FROM psp_nonce WHERE operation = ?1";
    query_optional(session, sql, &[operation.into()], |row| Ok((column(row, 0)?, column(row, 1)?)))
}

pub(super) fn nonce_count(session: Rows<'_>) -> Stored<u64> {
    session.query_one("SELECT COUNT(*) FROM psp_nonce", &[]).and_then(|row| row.column(0)).map_err(stored)
}

pub(super) fn use_nonce(session: Rows<'_>, nonce: &[u8; 32], now: Timestamp) -> Stored<bool> {
    let sql = "UPDATE psp_nonce SET used = 1 WHERE nonce = ?1 AND used = 0 AND valid_until >= ?2";
    Ok(execute(session, sql, &[nonce.into(), now.into()])? == 1)
}

pub(super) fn insert(session: Rows<'_>, device: &Device) -> Stored<bool> {
    let sql = "INSERT INTO psp_device (key, identity, customer, state, limits_sequence, claim, enrolled_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let params = [
        (&device.key.0).into(),
        (&device.identity).into(),
        (&device.customer).into(),
        device.state.as_str().into(),
        whole(device.limits_sequence),
        (&device.claim).into(),
        device.enrolled_at.into(),
    ];
    if execute(session, sql, &params)? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO psp_device_more (key, label, weight, released_at, maker, series, firmware) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let made = device.made.as_ref();
    let params = [
        (&device.key.0).into(),
        device.label.as_ref().map_or(Param::Null, Param::from),
        device.weight.into(),
        device.released_at.into(),
        made.map_or(Param::Null, |made| (&made.maker).into()),
        made.map_or(Param::Null, |made| (&made.series).into()),
        made.map_or(Param::Null, |made| (&made.firmware).into()),
    ];
    execute(session, sql, &params)?;
    Ok(true)
}

pub(super) fn set_weight(session: Rows<'_>, key: &PublicKey, weight: u32) -> Stored<()> {
    let sql = "UPDATE psp_device_more SET weight = ?2 WHERE key = ?1";
    execute(session, sql, &[(&key.0).into(), weight.into()]).map(drop)
}

pub(super) fn set_label(session: Rows<'_>, key: &PublicKey, label: Option<&Name>) -> Stored<()> {
    let sql = "UPDATE psp_device_more SET label = ?2 WHERE key = ?1";
    execute(session, sql, &[(&key.0).into(), label.map_or(Param::Null, Param::from)]).map(drop)
}

pub(super) fn set_released(session: Rows<'_>, key: &PublicKey, at: Timestamp) -> Stored<()> {
    let sql = "UPDATE psp_device_more SET released_at = ?2 WHERE key = ?1";
    execute(session, sql, &[(&key.0).into(), at.into()]).map(drop)
}

pub(super) fn hand_over(session: Rows<'_>, device: &Device) -> Stored<()> {
    let sql = "UPDATE psp_device SET customer = ?2, claim = ?3, enrolled_at = ?4 WHERE key = ?1";
    let params = [(&device.key.0).into(), (&device.customer).into(), (&device.claim).into(), device.enrolled_at.into()];
    execute(session, sql, &params)?;
    let sql = "UPDATE psp_device_more SET label = NULL, weight = ?2, released_at = NULL WHERE key = ?1";
    execute(session, sql, &[(&device.key.0).into(), device.weight.into()]).map(drop)
}

pub(super) fn find(session: Rows<'_>, key: &PublicKey) -> Stored<Option<Device>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE psp_device.key = ?1");
    query_optional(session, &sql, &[(&key.0).into()], read)
}

pub(super) fn find_by_identity(session: Rows<'_>, identity: &[u8; 32]) -> Stored<Option<Device>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE identity = ?1");
    query_optional(session, &sql, &[identity.into()], read)
}

pub(super) fn of_customer(session: Rows<'_>, customer: &Name) -> Stored<Vec<Device>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE customer = ?1 ORDER BY enrolled_at, psp_device.key");
    query(session, &sql, &[customer.into()], read)
}

pub(super) fn pending(session: Rows<'_>) -> Stored<Vec<Device>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE state = ?1 ORDER BY enrolled_at, psp_device.key");
    query(session, &sql, &[DeviceState::Pending.as_str().into()], read)
}

pub(super) fn set_state(session: Rows<'_>, key: &PublicKey, state: DeviceState) -> Stored<()> {
    let sql = "UPDATE psp_device SET state = ?2 WHERE key = ?1";
    execute(session, sql, &[(&key.0).into(), state.as_str().into()]).map(drop)
}

pub(super) fn remove_pending(session: Rows<'_>, key: &PublicKey) -> Stored<()> {
    let sql = "DELETE FROM psp_device WHERE key = ?1 AND state = ?2";
    if execute(session, sql, &[(&key.0).into(), DeviceState::Pending.as_str().into()])? == 1 {
        execute(session, "DELETE FROM psp_device_more WHERE key = ?1", &[(&key.0).into()])?;
    }
    Ok(())
}

pub(super) fn next_limits_sequence(session: Rows<'_>, key: &PublicKey) -> Stored<u64> {
    let sql = "UPDATE psp_device SET limits_sequence = limits_sequence + 1 WHERE key = ?1";
    execute(session, sql, &[(&key.0).into()])?;
    let sql = "SELECT limits_sequence FROM psp_device WHERE key = ?1";
    session.query_one(sql, &[(&key.0).into()]).and_then(|row| row.column(0)).map_err(stored)
}

fn read(row: &Row) -> Stored<Device> {
    let state: String = column(row, 3)?;
    let made = match (column(row, 10)?, column(row, 11)?, column(row, 12)?) {
        (Some(maker), Some(series), Some(firmware)) => Some(Made { maker, series, firmware }),
        _ => None,
    };
    Ok(Device {
        key: PublicKey(column(row, 0)?),
        identity: column(row, 1)?,
        customer: column(row, 2)?,
        state: DeviceState::parse(&state).ok_or_else(|| damaged("state", &state))?,
        limits_sequence: column(row, 4)?,
        claim: column(row, 5)?,
        enrolled_at: column(row, 6)?,
        lost_at: column(row, 13)?,
        label: column(row, 7)?,
        weight: column(row, 8)?,
        released_at: column(row, 9)?,
        made,
    })
}
