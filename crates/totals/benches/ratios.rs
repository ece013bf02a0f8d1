//! The table of proven totals in `docs/benchmarks.md`, in variable-base multiplications of ristretto255.
//!
//! `cargo bench -p specie-totals --bench ratios` measures and prints it, with `-- --write docs/benchmarks.md` also into
//! its section of that document.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/totals/element.rs"]
#[allow(dead_code, reason = "the tests use more of the element than this")]
mod element;
#[path = "../../core/benches/ratios/table.rs"]
mod table;
#[path = "../../core/benches/ratios/work.rs"]
mod work;

use std::hint::black_box;

use specie_totals::{PROOF_LENGTH, RangeProof};
use work::Work;

/// Runs of which the mean is the reading in milliseconds.
const RUNS: u32 = 200;

fn main() {
    if !table::is_wanted() {
        return;
    }
    let element = element::TestElement::new(1);
    let said = element.say(&[7; 32], 3, 90_000, 45_000);
    let (statement, device, bounds) = (said.statement, element.device(), element::bounds(150_000, 150_000));
    let prove = || RangeProof::prove(&statement, &device, &bounds, [&said.held, &said.spent], &[9; 32]).unwrap();
    let proof = prove();
    let verify = || proof.verify(black_box(&statement), &device, &bounds).unwrap();
    let mut works = [
        Work::whole("prove that both totals are within their limits (host)", None, 1, || {
            black_box(prove());
        }),
        Work::whole("verify it, the element's signature too (PSP)", None, 1, verify),
        Work::whole("check the same totals opened", None, 1, || {
            statement.verify_opened(&device, &bounds, &said.held, &said.spent).unwrap();
        }),
    ];
    let costs = table::table(&mut work::multiplication(), &mut works);
    let read = works[1].run(RUNS.into()).as_secs_f64() * 1e3 / f64::from(RUNS);
    let sizes = format!(
        "| what | bar | value |\n|---|---|---|\n\
         | range proof for both totals, bytes | ≤ 1,000 | {PROOF_LENGTH} |\n\
         | with commitments, nonce and signature, bytes | ≤ 1,000 | {} |\n\
         | verifying, ms, mean of {RUNS} runs on this machine | ≤ 5 | {read:.2} |\n",
        PROOF_LENGTH + 3 * 32 + 64,
    );
    table::publish("Proven totals", &format!("{costs}\n{sizes}"));
}
