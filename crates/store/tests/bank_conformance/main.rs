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
