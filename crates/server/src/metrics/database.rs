//! What a database counts of itself.

use specie_store::Cost;

use super::Reading;

/// Transactions and their time.
pub(crate) fn database(cost: Cost) -> [Reading; 6] {
    let one = |name, help, value| Reading::counter(name, help).is(&[], value);
    let transactions = Reading::counter("database_transactions", "Transactions, ended in any way")
        .is(&[("kind", "write")], cost.writes as f64)
        .is(&[("kind", "read")], cost.reads as f64);
    let unknown = "Commits whose outcome had to be asked for";
    [
        transactions,
        one("database_reruns", "Transactions that were run again", cost.reruns as f64),
        one("database_unknown_outcomes", unknown, cost.unknown as f64),
        one("database_statements", "Statements", cost.statements as f64),
        one("database_seconds", "Time of statements, commits and turns", cost.elapsed.as_secs_f64()),
        one("database_processor_seconds", "Processor time of the same", cost.processor.as_secs_f64()),
    ]
}
