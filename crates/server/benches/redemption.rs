//! What a bank redeems: over HTTP, and what verification and the database would do alone, with the same batches, in the same run.
//!
//! `cargo run -p specie-testbed -- --durable cargo bench -p specie-server --bench redemption` measures PostgreSQL, without the
//! first half SQLite; `-- --write docs/benchmarks.md` writes the table, `-- --rows N` how many rows the spent set is filled with.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "redemption/fill.rs"]
mod fill;
#[path = "redemption/measure.rs"]
mod measure;
#[path = "redemption/report.rs"]
mod report;
#[path = "redemption/town.rs"]
mod town;
#[allow(dead_code, reason = "shared with the tests of the bank")]
#[path = "../../bank/tests/bank/world.rs"]
mod world;

use measure::Round;
use town::Town;

/// Rounds with a spent set that is all but empty, and with a full one.
const ROUNDS: usize = 4;

fn main() {
    if !report::is_wanted() {
        return;
    }
    let rows = report::argument("--rows").map_or(3_000_000, |rows| rows.parse().unwrap());
    let mut town = Town::new();
    let empty = rounds(&mut town);
    // Afterwards more is spent than was ever issued.
    town.world.assert_conserved();
    eprintln!("filling the spent set with {rows} rows");
    fill::spent_set(&town, rows);
    report::publish(rows, &empty, &rounds(&mut town));
}

/// Rounds after one that warms up.
fn rounds(town: &mut Town) -> Vec<Round> {
    (0..=ROUNDS).map(|_| Round::measure(town)).skip(1).collect()
}
