//! Alerts.

use specie_aml::alert::{Alert, AlertId};
use specie_aml::flow::EventId;
use specie_aml::rules::RuleName;
use specie_core::text::Name;
use specie_psp::aml::records::Raised;

use super::super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Row, whole};

const COLUMNS: &str = "id, rule, version, customer, reason, at, case_number";

pub(super) fn insert(session: Rows<'_>, alert: &Alert) -> Stored<bool> {
    let sql = "INSERT INTO psp_alert (id, rule, version, customer, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT DO NOTHING";
    let params = [
        (&alert.id).into(),
        alert.rule.as_str().into(),
        alert.version.into(),
        (&alert.customer).into(),
        (&alert.reason).into(),
        alert.at.into(),
    ];
    if execute(session, sql, &params)? == 0 {
        return Ok(false);
    }
    for (position, event) in (0_u64..).zip(&alert.events) {
        let sql = "INSERT INTO psp_alert_event (alert, position, event) VALUES (?1, ?2, ?3)";
        execute(session, sql, &[(&alert.id).into(), whole(position), event.into()])?;
    }
    Ok(true)
}

pub(super) fn find(session: Rows<'_>, id: &AlertId) -> Stored<Option<Raised>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_alert WHERE id = ?1");
    let found = query_optional(session, &sql, &[id.into()], read)?;
    found.map(|raised| with_events(session, raised)).transpose()
}

pub(super) fn all(session: Rows<'_>) -> Stored<Vec<Raised>> {
    let found = query(session, &format!("SELECT {COLUMNS} FROM psp_alert ORDER BY at, id"), &[], read)?;
    found.into_iter().map(|raised| with_events(session, raised)).collect()
}

/// The alerts of a case.
pub(super) fn of_case(session: Rows<'_>, number: u64) -> Stored<Vec<AlertId>> {
    let sql = "SELECT id FROM psp_alert WHERE case_number = ?1 ORDER BY at, id";
    query(session, sql, &[whole(number)], |row| column(row, 0))
}

pub(super) fn counted(session: Rows<'_>, customer: &Name) -> Stored<Vec<(RuleName, EventId)>> {
    let sql = "SELECT a.rule, e.event FROM psp_alert a JOIN psp_alert_event e ON e.alert = a.id WHERE a.customer = ?1";
    query(session, sql, &[customer.into()], |row| Ok((rule(&column::<String>(row, 0)?)?, column(row, 1)?)))
}

pub(super) fn set_case(session: Rows<'_>, id: &AlertId, case: u64) -> Stored<()> {
    let sql = "UPDATE psp_alert SET case_number = ?2 WHERE id = ?1";
    execute(session, sql, &[id.into(), whole(case)]).map(drop)
}

fn with_events(session: Rows<'_>, mut raised: Raised) -> Stored<Raised> {
    let sql = "SELECT event FROM psp_alert_event WHERE alert = ?1 ORDER BY position";
    raised.alert.events = query(session, sql, &[(&raised.alert.id).into()], |row| column(row, 0))?;
    Ok(raised)
}

fn read(row: &Row) -> Stored<Raised> {
    let alert = Alert {
        id: column(row, 0)?,
        rule: rule(&column::<String>(row, 1)?)?,
        version: column(row, 2)?,
        customer: column(row, 3)?,
        events: Vec::new(),
        reason: column(row, 4)?,
        at: column(row, 5)?,
    };
    Ok(Raised { alert, case: column(row, 6)? })
}

fn rule(name: &str) -> Stored<RuleName> {
    RuleName::parse(name).ok_or_else(|| damaged("rule", name))
}
