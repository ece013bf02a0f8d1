//! The registry of persons.

use specie_bank::person::PersonRecord;
use specie_core::Timestamp;
use specie_core::text::Name;

use crate::sql::{Param, Row, Session, SqlError};

type Read<T> = Result<T, SqlError>;

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE bank_registry (only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), pepper BYTEA NOT NULL)",
    "CREATE TABLE bank_person (pseudonym BYTEA NOT NULL PRIMARY KEY, psp TEXT NOT NULL, claimed_at BIGINT NOT NULL, \
     until BIGINT)",
];

pub(super) fn registry(session: &mut dyn Session) -> Read<Option<[u8; 32]>> {
    let row = session.query_optional("SELECT pepper FROM bank_registry", &[])?;
    row.map(|row| row.column(0)).transpose()
}

pub(super) fn set_registry(session: &mut dyn Session, pepper: Option<&[u8; 32]>) -> Read<()> {
    session.execute("DELETE FROM bank_registry", &[])?;
    let Some(pepper) = pepper else { return Ok(()) };
    session.execute("INSERT INTO bank_registry (only_row, pepper) VALUES (1, ?1)", &[pepper.into()]).map(drop)
}

pub(super) fn find(session: &mut dyn Session, pseudonym: &[u8; 32]) -> Read<Option<PersonRecord>> {
    let sql = "SELECT pseudonym, psp, claimed_at, until FROM bank_person WHERE pseudonym = ?1";
    session.query_optional(sql, &[pseudonym.into()])?.as_ref().map(read).transpose()
}

pub(super) fn counts(session: &mut dyn Session) -> Read<Vec<(Name, u64)>> {
    let sql = "SELECT psp, COUNT(*) FROM bank_person WHERE until IS NULL GROUP BY psp ORDER BY psp";
    session.query(sql, &[])?.iter().map(|row| Ok((row.column(0)?, row.column(1)?))).collect()
}

pub(super) fn insert(session: &mut dyn Session, person: &PersonRecord) -> Read<bool> {
    let sql = "INSERT INTO bank_person (pseudonym, psp, claimed_at, until) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (pseudonym) DO NOTHING";
    let PersonRecord { pseudonym, psp, claimed_at, until } = person;
    Ok(session.execute(sql, &[pseudonym.into(), psp.into(), (*claimed_at).into(), (*until).into()])? == 1)
}

pub(super) fn replace_if(session: &mut dyn Session, from: &PersonRecord, to: &PersonRecord) -> Read<bool> {
    let sql = "UPDATE bank_person SET psp = ?5, claimed_at = ?6, until = ?7 \
               WHERE pseudonym = ?1 AND psp = ?2 AND claimed_at = ?3 AND COALESCE(until, -1) = ?4";
    let until: Param<'_> = from.until.map_or(Param::Integer(-1), Timestamp::into);
    let is_as = [(&from.pseudonym).into(), (&from.psp).into(), from.claimed_at.into(), until];
    let becomes = [(&to.psp).into(), to.claimed_at.into(), to.until.into()];
    Ok(session.execute(sql, &[&is_as[..], &becomes].concat())? == 1)
}

fn read(row: &Row) -> Read<PersonRecord> {
    let (pseudonym, psp, claimed_at) = (row.column(0)?, row.column(1)?, row.column(2)?);
    Ok(PersonRecord { pseudonym, psp, claimed_at, until: row.column(3)? })
}
