//! Losses that were reported, and what devices left for that case.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_psp::loss::Backup;

use super::{Rows, Stored, column, execute, query};
use crate::sql::whole;

pub(super) fn insert(session: Rows<'_>, device: &PublicKey, reported_at: Timestamp) -> Stored<bool> {
    let sql = "INSERT INTO psp_loss (device, reported_at) VALUES (?1, ?2) ON CONFLICT (device) DO NOTHING";
    Ok(execute(session, sql, &[(&device.0).into(), reported_at.into()])? == 1)
}

pub(super) fn delete(session: Rows<'_>, device: &PublicKey) -> Stored<bool> {
    Ok(execute(session, "DELETE FROM psp_loss WHERE device = ?1", &[(&device.0).into()])? == 1)
}

pub(super) fn set_backup(session: Rows<'_>, device: &PublicKey, day: u64, backup: &Backup) -> Stored<()> {
    let sql = "INSERT INTO psp_backup (device, day, kept_at, content) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (device, day) DO UPDATE SET kept_at = excluded.kept_at, content = excluded.content";
    let Backup { kept_at, content } = backup;
    execute(session, sql, &[(&device.0).into(), whole(day), (*kept_at).into(), content.into()]).map(drop)
}

pub(super) fn backups(session: Rows<'_>, device: &PublicKey) -> Stored<Vec<Backup>> {
    let sql = "SELECT kept_at, content FROM psp_backup WHERE device = ?1 ORDER BY day DESC";
    query(session, sql, &[(&device.0).into()], |row| Ok(Backup { kept_at: column(row, 0)?, content: column(row, 1)? }))
}

pub(super) fn delete_backups(session: Rows<'_>, device: &PublicKey, day: u64) -> Stored<()> {
    let sql = "DELETE FROM psp_backup WHERE device = ?1 AND day < ?2";
    execute(session, sql, &[(&device.0).into(), whole(day)]).map(drop)
}
