//! What limits refused.

use specie_aml::flow::Refusal;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use super::super::{Rows, Stored, column, execute, query};
use crate::sql::{Row, whole};

const COLUMNS: &str = "id, customer, device, asked, allowed, at, ordinal";

pub(super) fn insert(session: Rows<'_>, refusal: &Refusal, since: Timestamp, count_max: u64) -> Stored<()> {
    let sql = "INSERT INTO psp_refusal (id, ordinal, customer, device, asked, allowed, at) \
               SELECT ?1, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM \
                   (SELECT MAX(ordinal) AS sequence FROM psp_refusal \
                    UNION ALL SELECT sequence FROM psp_feed WHERE name = 'refusals') AS taken), ?2, ?3, ?4, ?5, ?6 \
               WHERE (SELECT COUNT(*) FROM psp_refusal WHERE customer = ?2 AND at > ?7) < ?8 ON CONFLICT DO NOTHING";
    let params = [
        (&refusal.id).into(),
        (&refusal.customer).into(),
        (&refusal.device.0).into(),
        refusal.asked.into(),
        refusal.allowed.into(),
        refusal.at.into(),
        since.into(),
        whole(count_max),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn after(session: Rows<'_>, ordinal: u64, count_max: u64) -> Stored<Vec<(u64, Refusal)>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_refusal WHERE ordinal > ?1 ORDER BY ordinal LIMIT ?2");
    query(session, &sql, &[whole(ordinal), whole(count_max)], read)
}

pub(super) fn since(session: Rows<'_>, customer: &Name, since: Timestamp) -> Stored<Vec<(u64, Refusal)>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_refusal WHERE customer = ?1 AND at >= ?2 ORDER BY ordinal");
    query(session, &sql, &[customer.into(), since.into()], read)
}

pub(super) fn forget(session: Rows<'_>, before: Timestamp) -> Stored<()> {
    execute(session, "DELETE FROM psp_refusal WHERE at < ?1", &[before.into()]).map(drop)
}

fn read(row: &Row) -> Stored<(u64, Refusal)> {
    let refusal = Refusal {
        id: column(row, 0)?,
        customer: column(row, 1)?,
        device: PublicKey(column(row, 2)?),
        asked: column(row, 3)?,
        allowed: column(row, 4)?,
        at: column(row, 5)?,
    };
    Ok((column(row, 6)?, refusal))
}
