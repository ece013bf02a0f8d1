//! What no program does to a bank's database, for tests that must find it.

use specie_store::{AnyDatabase, Database};

/// Single changes in facts or books of a bank with a PSP called `alpha`, from which something was redeemed and where something is still
/// outstanding. Each breaks conservation.
pub const BREAKING_CONSERVATION: &[&str] = &[
    RESERVE_RAISED,
    "UPDATE bank_balance SET balance = balance - 100 WHERE account LIKE 'outstanding/%' AND balance >= 100",
    "UPDATE bank_posting SET amount = amount + 1 WHERE account = 'reserve/alpha'",
    "DELETE FROM bank_posting WHERE account = 'reserve/alpha'",
    "DELETE FROM bank_payout",
    "UPDATE bank_payout SET amount = amount + 7",
    "UPDATE bank_session SET challenge_hash = NULL",
    "DELETE FROM bank_session",
];

/// The reserve of `alpha` is worth more by nothing.
pub const RESERVE_RAISED: &str = "UPDATE bank_balance SET balance = balance + 1 WHERE account = 'reserve/alpha'";

/// Changes the database as `sql` says, which must change something.
pub fn damage(database: &AnyDatabase, sql: &str) {
    let changed = database.transact(|session| session.execute(sql, &[])).expect("the statement is right");
    assert!(changed > 0, "{sql}");
}

/// What was issued and paid is of a class that nobody published, and the books say the same.
pub fn unpublish_classes(database: &AnyDatabase) {
    let nothing = "00".repeat(16);
    let class = if database.is_on_server() { format!("'\\x{nothing}'") } else { format!("x'{nothing}'") };
    damage(database, &format!("UPDATE bank_payout SET root_class = {class}"));
    damage(database, &format!("UPDATE bank_session SET class_id = {class}"));
}
