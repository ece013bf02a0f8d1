//! Which customers are one person.

use specie_core::text::Name;
use specie_psp::person::{Person, PersonKind};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};

pub(super) fn of_customer(session: Rows<'_>, customer: &Name) -> Stored<Option<Person>> {
    let sql = "SELECT tag, kind FROM psp_person WHERE customer = ?1";
    query_optional(session, sql, &[customer.into()], |row| {
        let kind: String = column(row, 1)?;
        let kind = PersonKind::parse(&kind).ok_or_else(|| damaged("kind", &kind))?;
        Ok(Person { tag: column(row, 0)?, kind })
    })
}

pub(super) fn bind(session: Rows<'_>, customer: &Name, person: &Person) -> Stored<()> {
    let sql = "INSERT INTO psp_person (customer, tag, kind) VALUES (?1, ?2, ?3)";
    execute(session, sql, &[customer.into(), (&person.tag).into(), person.kind.as_str().into()]).map(drop)
}

pub(super) fn customers(session: Rows<'_>, tag: &[u8; 32]) -> Stored<Vec<Name>> {
    let sql = "SELECT customer FROM psp_person WHERE tag = ?1 ORDER BY customer";
    query(session, sql, &[tag.into()], |row| column(row, 0))
}
