//! The table.

use std::fmt::Write as _;

use crate::measure::Round;

#[path = "../../../core/benches/ratios/section.rs"]
mod section;

pub(crate) use section::is_wanted;

/// The argument after `name`.
pub(crate) fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

/// Prints what was found, and writes it where the arguments say.
pub(crate) fn publish(rows: u64, empty: &[Round], full: &[Round]) {
    let engine = if specie_testbed::on_server() { "PostgreSQL" } else { "SQLite" };
    let mut table = format!("| {engine} | bar | empty spent set | {rows} rows |\n|---|---|---|---|\n");
    let mut row = |what: &str, bar: &str, of: &dyn Fn(&Round) -> f64, digits: usize| {
        let (empty, full) = (median(empty, of), median(full, of));
        writeln!(table, "| {what} | {bar} | {empty:.digits$} | {full:.digits$} |").unwrap();
    };
    row("verification alone, coins per second", "—", &|round| round.verified, 0);
    row("insertion alone, coins per second", "—", &|round| round.written, 0);
    row("redeemed over HTTP, coins per second", "—", &|round| round.redeemed, 0);
    row("of the lower of both alone", "≥ 0.60", &Round::share, 2);
    row("processor time of one transfer without the database, ×", "≤ 4", &|round| round.processor, 2);
    row("processor time of one transfer in the database's driver, ×", "—", &|round| round.database, 2);
    row("transactions that write, for a batch", "—", &|round| round.writes, 1);
    row("statements, for a batch", "—", &|round| round.statements, 1);
    let flat = median(empty, &|round| round.redeemed) / median(full, &|round| round.redeemed);
    writeln!(table, "| empty against full, redeemed over HTTP | ≤ 2 | {flat:.2} | |").unwrap();
    section::publish(&format!("Redemption on {engine}"), &table, empty.len());
}

fn median(rounds: &[Round], of: &dyn Fn(&Round) -> f64) -> f64 {
    let mut found: Vec<_> = rounds.iter().map(of).collect();
    found.sort_by(f64::total_cmp);
    found[(found.len() - 1) / 2]
}
