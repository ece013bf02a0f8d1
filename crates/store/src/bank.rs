//! The tables of the bank.

mod changes;
mod persons;
mod questions;
mod redemption;
mod rows;

use specie_bank::storage::{Storage, StorageError, Tx, View};

use crate::migration::Schema;
use crate::sql::{Database, Session, SqlError};

/// The tables of the bank, for [`Sqlite::open`](crate::Sqlite::open).
pub const SCHEMA: Schema = Schema {
    component: "bank",
    migrations: &[
        TABLES,
        SUPERVISION,
        RESTITUTION,
        AUDIT,
        REVOCATION_PAGES,
        persons::TABLES,
        SEALED,
        redemption::TABLES,
        AUDIT_TREE,
    ],
};

const TABLES: &[&str] = &[
    "CREATE TABLE bank_settings (only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), issuer TEXT NOT NULL, \
     currency TEXT NOT NULL, root_key BYTEA NOT NULL, ledger_key BYTEA NOT NULL)",
    "CREATE TABLE bank_answer (scope TEXT NOT NULL, idempotency_key TEXT NOT NULL, request_hash BYTEA NOT NULL, \
     response BYTEA NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (scope, idempotency_key))",
    "CREATE INDEX bank_answer_at ON bank_answer (at)",
    // What is published, and to whom.
    "CREATE TABLE bank_manifest (sequence BIGINT NOT NULL PRIMARY KEY, header BYTEA NOT NULL, \
     signature BYTEA NOT NULL, manifest BYTEA NOT NULL)",
    "CREATE TABLE bank_class (class_id BYTEA NOT NULL PRIMARY KEY, issuing_key BYTEA NOT NULL, info BYTEA NOT NULL)",
    "CREATE TABLE bank_psp (name TEXT NOT NULL PRIMARY KEY, verifying_key BYTEA NOT NULL, \
     credit_sequence BIGINT NOT NULL)",
    "CREATE TABLE bank_device (identity BYTEA NOT NULL PRIMARY KEY, psp TEXT NOT NULL, registered_at BIGINT NOT NULL, \
     struck_off_at BIGINT, struck_off_by BIGINT)",
    "CREATE INDEX bank_device_struck_off ON bank_device (psp, struck_off_by) WHERE struck_off_by IS NOT NULL",
    // Issuance.
    "CREATE TABLE bank_batch (psp TEXT NOT NULL, batch_id BYTEA NOT NULL, device BYTEA NOT NULL, \
     request_hash BYTEA NOT NULL, opened_at BIGINT NOT NULL, valid_until BIGINT NOT NULL, erase_after BIGINT NOT NULL, \
     value BIGINT NOT NULL CHECK (value >= 0), \
     state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'erased', 'void')), PRIMARY KEY (psp, batch_id))",
    "CREATE INDEX bank_batch_open ON bank_batch (opened_at) WHERE state = 'open'",
    "CREATE INDEX bank_batch_answered ON bank_batch (erase_after) WHERE state = 'answered'",
    "CREATE TABLE bank_session (psp TEXT NOT NULL, batch_id BYTEA NOT NULL, position BIGINT NOT NULL, \
     class_id BYTEA NOT NULL, commitment BYTEA, secrets BYTEA, challenge_hash BYTEA, \
     PRIMARY KEY (psp, batch_id, position))",
    "CREATE INDEX bank_session_answered ON bank_session (class_id) WHERE challenge_hash IS NOT NULL",
    // The spent set.
    "CREATE TABLE bank_shown (note_id BYTEA NOT NULL PRIMARY KEY, transfer_id BYTEA NOT NULL)",
    "CREATE TABLE bank_transfer (transfer_id BYTEA NOT NULL PRIMARY KEY, note_id BYTEA NOT NULL, \
     class_id BYTEA NOT NULL, root BYTEA NOT NULL, root_class BYTEA NOT NULL, deadline BIGINT NOT NULL, \
     swept INTEGER NOT NULL CHECK (swept IN (0, 1)), transfer BYTEA NOT NULL)",
    "CREATE INDEX bank_transfer_due ON bank_transfer (deadline) WHERE swept = 0",
    "CREATE TABLE bank_claim (transfer_id BYTEA NOT NULL, position BIGINT NOT NULL, by_transfer BYTEA NOT NULL, \
     PRIMARY KEY (transfer_id, position))",
    // What was paid, or is owed no more.
    "CREATE TABLE bank_root (root BYTEA NOT NULL PRIMARY KEY, class_id BYTEA NOT NULL, \
     paid BIGINT NOT NULL CHECK (paid >= 0))",
    "CREATE TABLE bank_payout (transfer_id BYTEA NOT NULL PRIMARY KEY, \
     kind TEXT NOT NULL CHECK (kind IN ('redemption', 'leftover')), root BYTEA NOT NULL, root_class BYTEA NOT NULL, \
     amount BIGINT NOT NULL CHECK (amount >= 0), from_class BIGINT NOT NULL CHECK (from_class BETWEEN 0 AND amount), \
     psp TEXT NOT NULL, account TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE INDEX bank_payout_class ON bank_payout (root_class)",
    "CREATE INDEX bank_payout_root ON bank_payout (root)",
    "CREATE TABLE bank_expiry (class_id BYTEA NOT NULL PRIMARY KEY, amount BIGINT NOT NULL CHECK (amount >= 0), \
     at BIGINT NOT NULL)",
    // Detection.
    "CREATE TABLE bank_double_spend (note_id BYTEA NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL UNIQUE, \
     class_id BYTEA NOT NULL, root BYTEA NOT NULL, first_transfer BYTEA NOT NULL, second_transfer BYTEA NOT NULL, \
     culprit BYTEA, registered INTEGER NOT NULL CHECK (registered IN (0, 1)), evidence BYTEA NOT NULL, \
     revoke_until BIGINT NOT NULL, at BIGINT NOT NULL)",
    "CREATE INDEX bank_double_spend_root ON bank_double_spend (root)",
    "CREATE INDEX bank_double_spend_culprit ON bank_double_spend (culprit)",
    "CREATE TABLE bank_revocation (sequence BIGINT NOT NULL PRIMARY KEY, list BYTEA NOT NULL)",
    "CREATE TABLE bank_alarm (kind TEXT NOT NULL, subject BYTEA NOT NULL, at BIGINT NOT NULL, \
     PRIMARY KEY (kind, subject))",
    // What waits for its payee, and what goes to PSPs.
    "CREATE TABLE bank_payment (context BYTEA NOT NULL, hash BYTEA NOT NULL, payment BYTEA NOT NULL, \
     deadline BIGINT NOT NULL, PRIMARY KEY (context, hash))",
    "CREATE INDEX bank_payment_deadline ON bank_payment (deadline)",
    "CREATE TABLE bank_order (psp TEXT NOT NULL, order_id BYTEA NOT NULL, from_account TEXT NOT NULL, \
     to_psp TEXT NOT NULL, to_account TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount > 0), reference TEXT, \
     PRIMARY KEY (psp, order_id))",
    "CREATE TABLE bank_credit (psp TEXT NOT NULL, sequence BIGINT NOT NULL, account TEXT NOT NULL, \
     amount BIGINT NOT NULL CHECK (amount > 0), kind TEXT NOT NULL, reference TEXT NOT NULL, at BIGINT NOT NULL, \
     PRIMARY KEY (psp, sequence))",
    // The books.
    "CREATE TABLE bank_movement (movement_id BYTEA NOT NULL PRIMARY KEY, kind TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE TABLE bank_posting (movement_id BYTEA NOT NULL, position BIGINT NOT NULL, account TEXT NOT NULL, \
     amount BIGINT NOT NULL, PRIMARY KEY (movement_id, position))",
    "CREATE INDEX bank_posting_account ON bank_posting (account)",
    "CREATE TABLE bank_balance (account TEXT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL)",
];

const SUPERVISION: &[&str] = &[
    // Position 0 has the current key.
    "CREATE TABLE bank_supervision (position BIGINT NOT NULL PRIMARY KEY, threshold BIGINT NOT NULL, key BYTEA NOT NULL)",
];

const RESTITUTION: &[&str] = &[
    "CREATE TABLE bank_restitution (note_id BYTEA NOT NULL PRIMARY KEY, identity BYTEA NOT NULL, transfer_id BYTEA, \
     position BIGINT, root BYTEA NOT NULL, root_class BYTEA NOT NULL, amount BIGINT NOT NULL CHECK (amount >= 0), \
     deadline BIGINT NOT NULL, psp TEXT NOT NULL, account TEXT NOT NULL, \
     state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'void')))",
    "CREATE INDEX bank_restitution_identity ON bank_restitution (identity, deadline)",
    "CREATE INDEX bank_restitution_transfer ON bank_restitution (transfer_id) WHERE transfer_id IS NOT NULL",
    "CREATE INDEX bank_restitution_due ON bank_restitution (deadline) WHERE state = 'open' AND transfer_id IS NULL",
    // One more kind of payout.
    "CREATE TABLE bank_payout_new (transfer_id BYTEA NOT NULL PRIMARY KEY, \
     kind TEXT NOT NULL CHECK (kind IN ('redemption', 'leftover', 'restitution')), root BYTEA NOT NULL, \
     root_class BYTEA NOT NULL, amount BIGINT NOT NULL CHECK (amount >= 0), \
     from_class BIGINT NOT NULL CHECK (from_class BETWEEN 0 AND amount), psp TEXT NOT NULL, account TEXT NOT NULL, \
     at BIGINT NOT NULL)",
    "INSERT INTO bank_payout_new (transfer_id, kind, root, root_class, amount, from_class, psp, account, at) \
     SELECT transfer_id, kind, root, root_class, amount, from_class, psp, account, at FROM bank_payout",
    "DROP TABLE bank_payout",
    "ALTER TABLE bank_payout_new RENAME TO bank_payout",
    "CREATE INDEX bank_payout_class ON bank_payout (root_class)",
    "CREATE INDEX bank_payout_root ON bank_payout (root)",
];

const AUDIT: &[&str] = &[
    "CREATE TABLE bank_audit (sequence BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, \
     record BYTEA NOT NULL)",
    "CREATE INDEX bank_audit_subject ON bank_audit (subject, kind, sequence)",
    "CREATE TABLE bank_audit_head (sequence BIGINT NOT NULL, at BIGINT NOT NULL, head BYTEA NOT NULL, \
     PRIMARY KEY (sequence, at))",
];

const REVOCATION_PAGES: &[&str] = &[
    "CREATE TABLE bank_revocable (note_id BYTEA NOT NULL PRIMARY KEY, worth BIGINT NOT NULL CHECK (worth >= 0), \
     revoke_until BIGINT NOT NULL, listed_at BIGINT)",
    "CREATE INDEX bank_revocable_waiting ON bank_revocable (worth) WHERE listed_at IS NULL",
    "CREATE INDEX bank_revocable_listed ON bank_revocable (listed_at) WHERE listed_at IS NOT NULL",
    "INSERT INTO bank_revocable (note_id, worth, revoke_until) SELECT note_id, 0, revoke_until FROM bank_double_spend",
    "CREATE TABLE bank_revocation_page (page BIGINT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL, \
     revoke_until BIGINT NOT NULL, content BYTEA NOT NULL)",
    "DROP TABLE bank_revocation",
];

/// From here on heads come with the tree over the log.
const AUDIT_TREE: &[&str] = &["ALTER TABLE bank_audit_head ADD COLUMN tree BYTEA"];

/// Secrets of sessions are sealed from here on. Batches that are open are void, as by their date: nothing was debited for
/// them, and their devices ask anew.
const SEALED: &[&str] = &[
    "UPDATE bank_session SET commitment = NULL, secrets = NULL WHERE EXISTS (SELECT 1 FROM bank_batch \
     WHERE bank_batch.psp = bank_session.psp AND bank_batch.batch_id = bank_session.batch_id \
     AND bank_batch.state = 'open')",
    "UPDATE bank_batch SET state = 'void' WHERE state = 'open'",
];

/// The bank's storage in a database that has [`SCHEMA`].
pub struct BankStore<D>(pub D);

/// Questions and changes in one transaction.
struct Tables<'s>(&'s mut dyn Session);

/// Why a transaction failed: by what was done in it, or by the database.
enum Failure<E> {
    Work(E),
    Database(SqlError),
}

impl<D: Database> Storage for BankStore<D> {
    fn transact<T, E: From<StorageError>>(&self, mut work: impl FnMut(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        self.0.transact(|session| work(&mut Tables(session)).map_err(Failure::Work)).map_err(Failure::unified)
    }

    fn read<T, E: From<StorageError>>(&self, mut work: impl FnMut(&mut dyn View) -> Result<T, E>) -> Result<T, E> {
        self.0.read(|session| work(&mut Tables(session)).map_err(Failure::Work)).map_err(Failure::unified)
    }
}

impl<E: From<StorageError>> Failure<E> {
    fn unified(self) -> E {
        match self {
            Self::Work(error) => error,
            Self::Database(error) => stored(error).into(),
        }
    }
}

impl<E> From<SqlError> for Failure<E> {
    fn from(error: SqlError) -> Self {
        Self::Database(error)
    }
}

fn stored(error: SqlError) -> StorageError {
    match error {
        SqlError::Busy => StorageError::Busy,
        SqlError::Unknown => StorageError::Unknown,
        other => StorageError::Failed(other.to_string()),
    }
}
