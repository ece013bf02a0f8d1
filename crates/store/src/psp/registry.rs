//! What this PSP has said to the bank's registry of persons, and what the bank said.

use specie_core::text::Name;
use specie_psp::registry::{Registration, RegistrationState};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Row, whole};

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE psp_registry (only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), pepper BYTEA NOT NULL)",
    "CREATE TABLE psp_registration (pseudonym BYTEA NOT NULL PRIMARY KEY, customer TEXT NOT NULL, \
     state TEXT NOT NULL CHECK (state IN ('claimed', 'elsewhere', 'releasing', 'released')), sequence BIGINT NOT NULL, \
     until BIGINT)",
    "CREATE INDEX psp_registration_customer ON psp_registration (customer)",
    "CREATE INDEX psp_registration_releasing ON psp_registration (pseudonym) WHERE state = 'releasing'",
];

pub(super) const OWN_PEPPER: &[&str] =
    &["CREATE TABLE psp_pepper (only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), pepper BYTEA NOT NULL)"];

const COLUMNS: &str = "pseudonym, customer, state, sequence, until";

pub(super) fn pepper(session: Rows<'_>) -> Stored<Option<[u8; 32]>> {
    query_optional(session, "SELECT pepper FROM psp_registry", &[], |row| column(row, 0))
}

pub(super) fn set_pepper(session: Rows<'_>, pepper: Option<&[u8; 32]>) -> Stored<()> {
    execute(session, "DELETE FROM psp_registry", &[])?;
    let Some(pepper) = pepper else { return Ok(()) };
    execute(session, "INSERT INTO psp_registry (only_row, pepper) VALUES (1, ?1)", &[pepper.into()]).map(drop)
}

pub(super) fn own_pepper(session: Rows<'_>) -> Stored<Option<[u8; 32]>> {
    query_optional(session, "SELECT pepper FROM psp_pepper", &[], |row| column(row, 0))
}

pub(super) fn set_own_pepper(session: Rows<'_>, pepper: &[u8; 32]) -> Stored<()> {
    let sql = "INSERT INTO psp_pepper (only_row, pepper) VALUES (1, ?1) \
               ON CONFLICT (only_row) DO UPDATE SET pepper = excluded.pepper";
    execute(session, sql, &[pepper.into()]).map(drop)
}

pub(super) fn knows_somebody(session: Rows<'_>) -> Stored<bool> {
    // A document whose number was hashed is longer than the hash; of others only the place of filing is known.
    for sql in [
        "SELECT 1 FROM psp_person LIMIT 1",
        "SELECT 1 FROM psp_credential LIMIT 1",
        "SELECT 1 FROM psp_evidence WHERE kind = 'document' AND LENGTH(reference) > 64 LIMIT 1",
        "SELECT 1 FROM psp_registration LIMIT 1",
    ] {
        if query_optional(session, sql, &[], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn find(session: Rows<'_>, pseudonym: &[u8; 32]) -> Stored<Option<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_registration WHERE pseudonym = ?1");
    query_optional(session, &sql, &[pseudonym.into()], read)
}

pub(super) fn of_customer(session: Rows<'_>, customer: &Name) -> Stored<Vec<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_registration WHERE customer = ?1 ORDER BY pseudonym");
    query(session, &sql, &[customer.into()], read)
}

pub(super) fn releasing(session: Rows<'_>) -> Stored<Vec<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_registration WHERE state = 'releasing' ORDER BY pseudonym");
    query(session, &sql, &[], read)
}

pub(super) fn put(session: Rows<'_>, registration: &Registration) -> Stored<()> {
    let sql = "INSERT INTO psp_registration (pseudonym, customer, state, sequence, until) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (pseudonym) DO UPDATE SET customer = excluded.customer, state = excluded.state, \
               sequence = excluded.sequence, until = excluded.until";
    let Registration { pseudonym, customer, state, sequence, until } = registration;
    let params = [pseudonym.into(), customer.into(), state.as_str().into(), whole(*sequence), (*until).into()];
    execute(session, sql, &params).map(drop)
}

fn read(row: &Row) -> Stored<Registration> {
    let state: String = column(row, 2)?;
    Ok(Registration {
        pseudonym: column(row, 0)?,
        customer: column(row, 1)?,
        state: RegistrationState::parse(&state).ok_or_else(|| damaged("state", &state))?,
        sequence: column(row, 3)?,
        until: column(row, 4)?,
    })
}
