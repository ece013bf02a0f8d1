//! The tables of a PSP.

mod aml;
mod customer;
mod device;
mod evidence;
mod identification;
mod ledger;
mod loss;
mod person;
mod publication;
mod records;
mod registry;
mod request;
mod share;
mod totals;
mod transfer;
mod upload;
mod withdrawal;

use specie_psp::store::{Records, Store, StoreError};

use crate::migration::Schema;
use crate::sql::{Database, Session, SqlError};

/// The tables of a PSP, for [`Sqlite::open`](crate::Sqlite::open).
pub const SCHEMA: Schema = Schema {
    component: "psp",
    migrations: &[
        TABLES,
        EVIDENCE,
        LOSS,
        AUDIT,
        IDENTIFICATION,
        REVOCATION_PAGES,
        totals::TABLES,
        aml::TABLES,
        PERSONS,
        registry::TABLES,
        share::HOLDINGS,
        registry::OWN_PEPPER,
        upload::RETENTION,
        AUDIT_TREE,
    ],
};

const TABLES: &[&str] = &[
    "CREATE TABLE psp_customer (name TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL UNIQUE, tier TEXT NOT NULL, \
     payee TEXT, category BIGINT)",
    "CREATE TABLE psp_claim_code (hash BYTEA NOT NULL PRIMARY KEY, valid_until BIGINT NOT NULL, used INTEGER NOT NULL)",
    "CREATE TABLE psp_nonce (nonce BYTEA NOT NULL PRIMARY KEY, operation BYTEA NOT NULL UNIQUE, \
     valid_until BIGINT NOT NULL, used INTEGER NOT NULL)",
    "CREATE TABLE psp_device (key BYTEA NOT NULL PRIMARY KEY, identity BYTEA NOT NULL UNIQUE, customer TEXT NOT NULL, \
     state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'blocked', 'struck-off')), \
     limits_sequence BIGINT NOT NULL, claim BYTEA NOT NULL, enrolled_at BIGINT NOT NULL)",
    "CREATE INDEX psp_device_customer ON psp_device (customer)",
    "CREATE TABLE psp_request (operation BYTEA NOT NULL PRIMARY KEY, fingerprint BYTEA NOT NULL, answer BYTEA NOT NULL, \
     at BIGINT NOT NULL)",
    "CREATE INDEX psp_request_at ON psp_request (at)",
    "CREATE TABLE psp_ledger_account (name TEXT NOT NULL PRIMARY KEY, debits BIGINT NOT NULL CHECK (debits >= 0), \
     credits BIGINT NOT NULL CHECK (credits >= 0))",
    "CREATE TABLE psp_movement (id BYTEA NOT NULL PRIMARY KEY, ordinal BIGINT NOT NULL UNIQUE, kind TEXT NOT NULL, \
     debit TEXT NOT NULL, credit TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount > 0), reference TEXT NOT NULL, \
     at BIGINT NOT NULL)",
    "CREATE INDEX psp_movement_debit ON psp_movement (debit, ordinal)",
    "CREATE INDEX psp_movement_credit ON psp_movement (credit, ordinal)",
    "CREATE TABLE psp_withdrawal (id BYTEA NOT NULL PRIMARY KEY, fingerprint BYTEA NOT NULL, customer TEXT NOT NULL, \
     account TEXT NOT NULL, device BYTEA NOT NULL, value BIGINT NOT NULL CHECK (value >= 0), \
     state TEXT NOT NULL CHECK (state IN ('opening', 'open', 'answered', 'closed', 'void')), opened_at BIGINT NOT NULL)",
    "CREATE INDEX psp_withdrawal_customer ON psp_withdrawal (customer, opened_at)",
    "CREATE INDEX psp_withdrawal_held ON psp_withdrawal (opened_at) WHERE state IN ('opening', 'open')",
    "CREATE TABLE psp_withdrawal_line (withdrawal BYTEA NOT NULL, position BIGINT NOT NULL, class_id BYTEA NOT NULL, \
     count BIGINT NOT NULL CHECK (count > 0), blank_epoch BIGINT, PRIMARY KEY (withdrawal, position))",
    "CREATE TABLE psp_ration (device BYTEA NOT NULL, epoch BIGINT NOT NULL, blanks BIGINT NOT NULL CHECK (blanks >= 0), \
     PRIMARY KEY (device, epoch))",
    "CREATE TABLE psp_transfer (id BYTEA NOT NULL PRIMARY KEY, fingerprint BYTEA NOT NULL, from_account TEXT NOT NULL, \
     to_psp TEXT NOT NULL, to_account TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount > 0), \
     reference TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'refused')))",
    "CREATE INDEX psp_transfer_pending ON psp_transfer (id) WHERE state = 'pending'",
    "CREATE TABLE psp_feed (name TEXT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL)",
    "CREATE TABLE psp_manifest_header (sequence BIGINT NOT NULL PRIMARY KEY, header BYTEA NOT NULL, \
     signature BYTEA NOT NULL)",
    "CREATE TABLE psp_publication (name TEXT NOT NULL PRIMARY KEY, content BYTEA NOT NULL)",
];

const EVIDENCE: &[&str] = &["CREATE TABLE psp_evidence (customer TEXT NOT NULL, kind TEXT NOT NULL \
     CHECK (kind IN ('phone', 'credential', 'document')), reference TEXT NOT NULL, valid_until BIGINT, \
     seen_by TEXT NOT NULL, seen_at BIGINT NOT NULL, PRIMARY KEY (customer, kind, reference))"];

const LOSS: &[&str] = &[
    "CREATE TABLE psp_loss (device BYTEA NOT NULL PRIMARY KEY, reported_at BIGINT NOT NULL)",
    "CREATE TABLE psp_backup (device BYTEA NOT NULL, day BIGINT NOT NULL, kept_at BIGINT NOT NULL, content BYTEA NOT NULL, \
     PRIMARY KEY (device, day))",
];

const AUDIT: &[&str] = &[
    "CREATE TABLE psp_audit (sequence BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, \
     record BYTEA NOT NULL)",
    "CREATE INDEX psp_audit_subject ON psp_audit (subject, kind, sequence)",
    "CREATE TABLE psp_audit_head (sequence BIGINT NOT NULL, at BIGINT NOT NULL, head BYTEA NOT NULL, \
     PRIMARY KEY (sequence, at))",
];

/// From here on heads come with the tree over the log.
const AUDIT_TREE: &[&str] = &["ALTER TABLE psp_audit_head ADD COLUMN tree BYTEA"];

const IDENTIFICATION: &[&str] = &[
    "CREATE INDEX psp_evidence_reference ON psp_evidence (kind, reference)",
    "CREATE TABLE psp_demand (customer TEXT NOT NULL PRIMARY KEY, nonce TEXT NOT NULL, claims TEXT NOT NULL, \
     asked_at BIGINT NOT NULL, valid_until BIGINT NOT NULL, answer BYTEA)",
    "CREATE TABLE psp_credential (customer TEXT NOT NULL, hash BYTEA NOT NULL, issuer TEXT NOT NULL, vct TEXT NOT NULL, \
     person BYTEA NOT NULL, claims TEXT NOT NULL, expires BIGINT, answer BYTEA NOT NULL, accepted_at BIGINT NOT NULL, \
     PRIMARY KEY (customer, hash))",
    "CREATE INDEX psp_credential_person ON psp_credential (person)",
    "CREATE TABLE psp_screening (customer TEXT NOT NULL PRIMARY KEY, list BYTEA NOT NULL, published TEXT NOT NULL, \
     screened_by TEXT NOT NULL, screened_at BIGINT NOT NULL)",
    "CREATE TABLE psp_hit (customer TEXT NOT NULL, reference TEXT NOT NULL, listed TEXT NOT NULL, \
     score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 1000), birth INTEGER, list BYTEA NOT NULL, found_at BIGINT NOT NULL, \
     same INTEGER, reason TEXT, ruled_by TEXT, ruled_at BIGINT, PRIMARY KEY (customer, reference))",
];

const REVOCATION_PAGES: &[&str] = &[
    "CREATE TABLE psp_revocation_page (page BIGINT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL, \
     content BYTEA NOT NULL)",
    "DELETE FROM psp_publication WHERE name = 'revocations'",
];

const PERSONS: &[&str] = &[
    "CREATE TABLE psp_person (customer TEXT NOT NULL PRIMARY KEY, tag BYTEA NOT NULL, \
     kind TEXT NOT NULL CHECK (kind IN ('natural', 'organisation')))",
    "CREATE INDEX psp_person_tag ON psp_person (tag)",
    "CREATE TABLE psp_device_more (key BYTEA NOT NULL PRIMARY KEY, label TEXT, weight BIGINT NOT NULL CHECK (weight >= 0), \
     released_at BIGINT, maker TEXT, series TEXT, firmware BYTEA)",
    "INSERT INTO psp_device_more (key, weight) SELECT key, 1 FROM psp_device",
    "CREATE TABLE psp_limits (device BYTEA NOT NULL, sequence BIGINT NOT NULL, customer TEXT NOT NULL, \
     valid_until BIGINT NOT NULL, max_cumulative BIGINT NOT NULL CHECK (max_cumulative >= 0), \
     max_holding BIGINT NOT NULL CHECK (max_holding >= 0), PRIMARY KEY (device, sequence))",
    "CREATE INDEX psp_limits_customer ON psp_limits (customer, valid_until)",
    "CREATE TABLE psp_customer_ration (customer TEXT NOT NULL, epoch BIGINT NOT NULL, \
     blanks BIGINT NOT NULL CHECK (blanks >= 0), PRIMARY KEY (customer, epoch))",
    "INSERT INTO psp_customer_ration (customer, epoch, blanks) SELECT psp_device.customer, psp_ration.epoch, \
     CAST(SUM(psp_ration.blanks) AS BIGINT) FROM psp_ration JOIN psp_device ON psp_device.key = psp_ration.device \
     GROUP BY psp_device.customer, psp_ration.epoch",
];

/// A PSP's records in a database that has [`SCHEMA`].
pub struct PspStore<D> {
    database: D,
}

impl<D: Database> PspStore<D> {
    /// The records in `database`.
    pub fn new(database: D) -> Self {
        Self { database }
    }

    /// Where they are.
    pub fn database(&self) -> &D {
        &self.database
    }
}

impl<D: Database> Store for PspStore<D> {
    fn write<T, E: From<StoreError>>(&self, mut work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E> {
        self.database
            .transact(|session| work(&mut records::Rows(session)).map_err(Failure::Work))
            .map_err(Failure::into)
    }

    fn read<T, E: From<StoreError>>(&self, mut work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E> {
        self.database.read(|session| work(&mut records::Rows(session)).map_err(Failure::Work)).map_err(Failure::into)
    }
}

/// What ends a transaction: the work in it, or the database around it.
enum Failure<E> {
    Work(E),
    Database(SqlError),
}

impl<E> From<SqlError> for Failure<E> {
    fn from(error: SqlError) -> Self {
        Self::Database(error)
    }
}

impl<E: From<StoreError>> Failure<E> {
    fn into(self) -> E {
        match self {
            Self::Work(error) => error,
            Self::Database(error) => E::from(stored(error)),
        }
    }
}

/// How the PSP sees an error of the database.
fn stored(error: SqlError) -> StoreError {
    match error {
        SqlError::Busy => StoreError::Busy,
        SqlError::Unknown => StoreError::Unknown,
        SqlError::Damaged { .. } => StoreError::Damaged(error.to_string()),
        SqlError::Constraint(_) | SqlError::Failed(_) => StoreError::Failed(error.to_string()),
    }
}

/// A column that holds none of the names that this program writes.
fn damaged(column: &str, value: &str) -> StoreError {
    StoreError::Damaged(format!("`{value}` in column {column}"))
}

type Stored<T> = Result<T, StoreError>;
type Rows<'s> = &'s mut dyn Session;

/// Runs a statement that changes rows and tells how many.
fn execute(session: Rows<'_>, sql: &str, params: &[crate::sql::Param<'_>]) -> Stored<u64> {
    session.execute(sql, params).map_err(stored)
}

/// Runs a statement and reads each row with `read`.
fn query<T>(
    session: Rows<'_>,
    sql: &str,
    params: &[crate::sql::Param<'_>],
    read: impl Fn(&crate::sql::Row) -> Stored<T>,
) -> Stored<Vec<T>> {
    session.query(sql, params).map_err(stored)?.iter().map(read).collect()
}

/// Runs a statement that answers at most one row, and reads it with `read`.
fn query_optional<T>(
    session: Rows<'_>,
    sql: &str,
    params: &[crate::sql::Param<'_>],
    read: impl Fn(&crate::sql::Row) -> Stored<T>,
) -> Stored<Option<T>> {
    session.query_optional(sql, params).map_err(stored)?.as_ref().map(read).transpose()
}

/// Column `index` of a row.
fn column<T: crate::sql::FromColumn>(row: &crate::sql::Row, index: usize) -> Stored<T> {
    row.column(index).map_err(stored)
}
