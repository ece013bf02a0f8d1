//! Flows, refusals, alerts, cases and freezes.

mod alert;
mod case;
mod flow;
mod refusal;
mod rows;

/// The tables, as a step of the PSP's schema.
///
/// `psp_flow` says whom a movement was for; amount and time are the movement's.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE psp_flow (movement BYTEA NOT NULL, customer TEXT NOT NULL, ordinal BIGINT NOT NULL, account TEXT NOT NULL, \
     kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'redemption', 'transfer-in', 'transfer-out')), \
     other_psp TEXT, other_account TEXT, device BYTEA, PRIMARY KEY (movement, customer))",
    "CREATE INDEX psp_flow_customer ON psp_flow (customer, ordinal)",
    "ALTER TABLE psp_transfer ADD COLUMN movement BYTEA",
    "CREATE INDEX psp_transfer_movement ON psp_transfer (movement)",
    "CREATE TABLE psp_refusal (id BYTEA NOT NULL PRIMARY KEY, ordinal BIGINT NOT NULL UNIQUE, customer TEXT NOT NULL, \
     device BYTEA NOT NULL, asked BIGINT NOT NULL, allowed BIGINT NOT NULL, at BIGINT NOT NULL)",
    "CREATE INDEX psp_refusal_customer ON psp_refusal (customer, at)",
    "CREATE INDEX psp_refusal_at ON psp_refusal (at)",
    "CREATE TABLE psp_alert (id BYTEA NOT NULL PRIMARY KEY, rule TEXT NOT NULL, version BIGINT NOT NULL, \
     customer TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL, case_number BIGINT)",
    "CREATE INDEX psp_alert_customer ON psp_alert (customer)",
    "CREATE INDEX psp_alert_case ON psp_alert (case_number)",
    "CREATE TABLE psp_alert_event (alert BYTEA NOT NULL, position BIGINT NOT NULL, event BYTEA NOT NULL, \
     PRIMARY KEY (alert, position))",
    "CREATE TABLE psp_case (number BIGINT NOT NULL PRIMARY KEY, customer TEXT NOT NULL)",
    "CREATE TABLE psp_case_entry (case_number BIGINT NOT NULL, position BIGINT NOT NULL, at BIGINT NOT NULL, \
     done_by TEXT NOT NULL, step TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (case_number, position))",
    "CREATE TABLE psp_freeze (customer TEXT NOT NULL PRIMARY KEY, case_number BIGINT NOT NULL)",
];
