//! What movements were for.

use specie_aml::flow::{Counterparty, EventId, Flow, FlowKind};
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use super::super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Param, Row, whole};

const SELECT: &str = "SELECT f.movement, f.customer, f.account, f.kind, m.amount, f.other_psp, f.other_account, f.device, m.at, \
     f.ordinal FROM psp_flow f JOIN psp_movement m ON m.id = f.movement";

pub(super) fn insert(session: Rows<'_>, ordinal: u64, flow: &Flow) -> Stored<()> {
    let sql = "INSERT INTO psp_flow (movement, customer, ordinal, account, kind, other_psp, other_account, device) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    let other = flow.counterparty.as_ref();
    let params = [
        (&flow.id).into(),
        (&flow.customer).into(),
        whole(ordinal),
        (&flow.account).into(),
        flow.kind.as_str().into(),
        other.map_or(Param::Null, |other| (&other.psp).into()),
        other.map_or(Param::Null, |other| (&other.account).into()),
        flow.device.as_ref().map_or(Param::Null, |device| (&device.0).into()),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn since(session: Rows<'_>, customer: &Name, since: Timestamp) -> Stored<Vec<(u64, Flow)>> {
    let params = [customer.into(), since.into()];
    let sql = format!("{SELECT} WHERE f.customer = ?1 AND m.at < ?2 ORDER BY f.ordinal DESC LIMIT 1");
    let mut flows = query(session, &sql, &params, numbered)?;
    let sql = format!("{SELECT} WHERE f.customer = ?1 AND m.at >= ?2 ORDER BY f.ordinal");
    flows.extend(query(session, &sql, &params, numbered)?);
    // A clock that was set back may have put the one before among the others.
    flows.sort_by_key(|(ordinal, _)| *ordinal);
    Ok(flows)
}

pub(super) fn find(session: Rows<'_>, customer: &Name, event: &EventId) -> Stored<Option<Flow>> {
    let sql = format!("{SELECT} WHERE f.customer = ?1 AND f.movement = ?2");
    query_optional(session, &sql, &[customer.into(), event.into()], read)
}

fn numbered(row: &Row) -> Stored<(u64, Flow)> {
    Ok((column(row, 9)?, read(row)?))
}

fn read(row: &Row) -> Stored<Flow> {
    let kind: String = column(row, 3)?;
    let counterparty = match (column(row, 5)?, column(row, 6)?) {
        (Some(psp), Some(account)) => Some(Counterparty { psp, account }),
        _ => None,
    };
    Ok(Flow {
        id: column(row, 0)?,
        customer: column(row, 1)?,
        account: column(row, 2)?,
        kind: FlowKind::parse(&kind).ok_or_else(|| damaged("kind", &kind))?,
        amount: column(row, 4)?,
        counterparty,
        device: column::<Option<[u8; 32]>>(row, 7)?.map(PublicKey),
        at: column(row, 8)?,
    })
}
