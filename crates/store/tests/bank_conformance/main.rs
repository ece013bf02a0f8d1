//! The bank's storage contract, on every adapter that is here.
#![allow(clippy::unwrap_used)]

mod contract;

use std::path::Path;

use specie_bank::payout::PayoutKind;
use specie_bank::storage::{Storage, StorageError};
use specie_core::TransferId;
use specie_store::AnyDatabase;
use specie_store::bank::{BankStore, SCHEMA};
use specie_store::migration::Schema;
use specie_store::sql::{Database, SqlError};

/// The database that a test keeps at `path`.
fn open(path: &Path, schema: Schema) -> AnyDatabase {
    AnyDatabase::open(&specie_testbed::place(path).unwrap(), &[schema]).unwrap()
}

/// Runs every function of the contract on an empty database of its own.
macro_rules! on_a_database {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("bank.db");
            contract::$name(|| BankStore(open(&path, SCHEMA)));
        }
    )*};
}

/// A database of the time before there were claims keeps what it paid.
#[test]
fn payouts_outlive_the_migration_that_adds_a_kind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bank.db");
    let before = SCHEMA.migrations.iter().position(|step| step.iter().any(|sql| sql.contains("bank_restitution")));
    let older = Schema { migrations: &SCHEMA.migrations[..before.unwrap()], ..SCHEMA };
    let database = open(&path, older);
    let sql = "INSERT INTO bank_payout (transfer_id, kind, root, root_class, amount, from_class, psp, account, at) \
               VALUES (?1, 'leftover', ?1, ?2, 7, 6, 'alpha', 'alice', 9)";
    let inserted: Result<u64, SqlError> =
        database.transact(|session| session.execute(sql, &[(&[1; 32]).into(), (&[2; 16]).into()]));
    assert_eq!(inserted.unwrap(), 1);
    drop(database);
    let store = BankStore(open(&path, SCHEMA));
    let payout: Result<_, StorageError> = store.read(|view| view.payout(&TransferId([1; 32])));
    let payout = payout.unwrap().unwrap();
    assert_eq!((payout.amount.minor(), payout.from_class.minor(), payout.kind), (7, 6, PayoutKind::Leftover));
}

/// A database that was brought up to date step by step, from any version, is like one that was made at once.
#[test]
fn steps_lead_to_the_same_tables_as_one_leap() {
    let describe = |schema: Schema, versions: &[usize]| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("steps.db");
        for version in versions {
            drop(open(&path, Schema { migrations: &schema.migrations[..*version], ..schema }));
        }
        let database = open(&path, schema);
        // What is before a name differs from place to place on a server.
        let queries: &[&str] = if specie_testbed::on_server() {
            &[
                "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT), \
                 CAST(is_nullable AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() ORDER BY 1, 2",
                "SELECT CAST(tablename AS TEXT), CAST(indexname AS TEXT), \
                 replace(indexdef, current_schema() || '.', '') FROM pg_indexes \
                 WHERE schemaname = current_schema() ORDER BY 1, 2",
                "SELECT CAST(conrelid AS regclass)::TEXT, pg_get_constraintdef(oid) FROM pg_constraint \
                 WHERE connamespace = CAST(current_schema() AS regnamespace) ORDER BY 1, 2",
            ]
        } else {
            &["SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema ORDER BY type, name"]
        };
        let described: Result<Vec<String>, SqlError> = database.read(|session| {
            let mut lines = Vec::new();
            for query in queries {
                for row in session.query(query, &[])? {
                    let columns = (0..row.0.len()).map(|column| row.column::<String>(column));
                    lines.push(columns.collect::<Result<Vec<_>, _>>()?.join(" | "));
                }
            }
            Ok(lines)
        });
        described.unwrap()
    };
    for schema in [SCHEMA, specie_store::psp::SCHEMA] {
        let at_once = describe(schema, &[]);
        assert!(at_once.len() > 20);
        let all: Vec<_> = (0..schema.migrations.len()).collect();
        assert_eq!(describe(schema, &all), at_once, "step by step");
        for version in all {
            assert_eq!(describe(schema, &[version]), at_once, "from version {version}");
        }
    }
}

on_a_database! {
    settings_are_settled_once
    the_audit_log_only_grows
    answers_are_kept_once_and_forgotten_in_time
    manifests_come_back_in_order
    supervision_is_replaced_as_a_whole
    psps_and_devices_are_unique
    a_batch_moves_as_it_may
    the_spent_set_keeps_the_first
    notes_are_listed_once_and_pages_replaced
    transfers_come_due_once
    roots_add_up
    claims_are_settled_once
    payouts_of_every_kind_are_kept
    double_spends_are_counted
    payments_wait_and_orders_come_back
    credits_are_counted_without_gaps
    books_add_up
    an_error_leaves_nothing_behind
    a_panic_leaves_nothing_behind
    a_reader_sees_one_moment
}
