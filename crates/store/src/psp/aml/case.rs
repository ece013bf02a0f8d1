//! Cases and freezes.

use specie_aml::case::{Case, Entry, Step};
use specie_core::text::Name;
use specie_psp::store::StoreError;

use super::super::{Rows, Stored, column, damaged, execute, query, query_optional, stored};
use super::alert;
use crate::sql::{Row, whole};

pub(super) fn next_number(session: Rows<'_>) -> Stored<u64> {
    let row = session.query_one("SELECT COALESCE(MAX(number), 0) + 1 FROM psp_case", &[]);
    row.and_then(|row| row.column(0)).map_err(stored)
}

pub(super) fn insert(session: Rows<'_>, number: u64, customer: &Name) -> Stored<()> {
    let sql = "INSERT INTO psp_case (number, customer) VALUES (?1, ?2)";
    execute(session, sql, &[whole(number), customer.into()]).map(drop)
}

pub(super) fn insert_entry(session: Rows<'_>, number: u64, position: u64, entry: &Entry) -> Stored<()> {
    let sql = "INSERT INTO psp_case_entry (case_number, position, at, done_by, step, detail) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let params = [
        whole(number),
        whole(position),
        entry.at.into(),
        (&entry.by).into(),
        entry.step.as_str().into(),
        entry.step.detail().into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn find(session: Rows<'_>, number: u64) -> Stored<Option<Case>> {
    let sql = "SELECT customer FROM psp_case WHERE number = ?1";
    let customer = query_optional(session, sql, &[whole(number)], |row| column::<Name>(row, 0))?;
    customer.map(|customer| replay(session, number, customer)).transpose()
}

pub(super) fn all(session: Rows<'_>) -> Stored<Vec<Case>> {
    let sql = "SELECT number, customer FROM psp_case ORDER BY number";
    let cases = query(session, sql, &[], |row| Ok((column(row, 0)?, column(row, 1)?)))?;
    cases.into_iter().map(|(number, customer)| replay(session, number, customer)).collect()
}

pub(super) fn frozen_by(session: Rows<'_>, customer: &Name) -> Stored<Option<u64>> {
    let sql = "SELECT case_number FROM psp_freeze WHERE customer = ?1";
    query_optional(session, sql, &[customer.into()], |row| column(row, 0))
}

pub(super) fn insert_freeze(session: Rows<'_>, customer: &Name, case: u64) -> Stored<()> {
    let sql = "INSERT INTO psp_freeze (customer, case_number) VALUES (?1, ?2)";
    execute(session, sql, &[customer.into(), whole(case)]).map(drop)
}

pub(super) fn remove_freeze(session: Rows<'_>, customer: &Name) -> Stored<()> {
    execute(session, "DELETE FROM psp_freeze WHERE customer = ?1", &[customer.into()]).map(drop)
}

fn replay(session: Rows<'_>, number: u64, customer: Name) -> Stored<Case> {
    let alerts = alert::of_case(session, number)?;
    let sql = "SELECT at, done_by, step, detail FROM psp_case_entry WHERE case_number = ?1 ORDER BY position";
    let entries = query(session, sql, &[whole(number)], entry)?;
    let case = Case::replay(number, customer, alerts, entries);
    case.map_err(|error| StoreError::Damaged(format!("case {number}: {error}")))
}

fn entry(row: &Row) -> Stored<Entry> {
    let (step, detail): (String, String) = (column(row, 2)?, column(row, 3)?);
    let step = Step::parse(&step, &detail).ok_or_else(|| damaged("step", &step))?;
    Ok(Entry { at: column(row, 0)?, by: column(row, 1)?, step })
}
