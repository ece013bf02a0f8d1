//! Works measured against one of them, as a table and as a section of a document.
//!
//! Every round measures the base, then a work, then the base again, and the ratio is taken within the round, so that a
//! machine that is busy for a while slows both alike; the table gives the median over the rounds with the quartiles.

use std::fmt::Write as _;
use std::time::Duration;

use crate::work::Work;

#[path = "section.rs"]
mod section;

pub(crate) use section::is_wanted;

/// Rounds that count; a few before them warm up.
const ROUNDS: usize = 61;
const WARM_UP: usize = 5;

/// How often the base is run before and after each work, to measure it as exactly as the rest.
const BASE_RUNS: u32 = 32;

/// What each of `works` costs in units of `base`, as the rows of a Markdown table.
pub(crate) fn table(base: &mut Work<'_>, works: &mut [Work<'_>]) -> String {
    let ratios = measure(base, works);
    let mut table = String::from("| what | bar | median | quartiles |\n|---|---|---|---|\n");
    for (work, ratios) in works.iter().zip(ratios) {
        let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
        let bar = work.bar.map_or("—".to_owned(), |bar| format!("≤ {bar} ×"));
        writeln!(table, "| {} | {bar} | {:.2} × | {:.2} – {:.2} |", work.name, at(2), at(1), at(3))
            .expect("a string takes everything");
    }
    table
}

/// Prints `content`, and writes it under `heading` to the document that the arguments name.
pub(crate) fn publish(heading: &str, content: &str) {
    section::publish(heading, content, ROUNDS);
}

/// For each work its ratios, one a round, sorted.
fn measure(base: &mut Work<'_>, works: &mut [Work<'_>]) -> Vec<Vec<f64>> {
    let mut ratios = vec![Vec::new(); works.len()];
    let repeats: Vec<u32> = works.iter_mut().map(|work| repeats(base, work)).collect();
    for round in 0..WARM_UP + ROUNDS {
        for ((work, repeats), ratios) in works.iter_mut().zip(&repeats).zip(&mut ratios) {
            let before = one(base, BASE_RUNS);
            let spent = one(work, *repeats);
            let after = one(base, BASE_RUNS);
            if round >= WARM_UP {
                ratios.push(spent.as_secs_f64() / ((before + after) / 2).as_secs_f64());
            }
        }
    }
    ratios.iter_mut().for_each(|ratios| ratios.sort_by(f64::total_cmp));
    ratios
}

/// What one unit takes in `runs` runs.
fn one(work: &mut Work<'_>, runs: u32) -> Duration {
    work.run(runs.into()) / (work.units * runs)
}

/// How often a work is to be run in a round, so that it takes about as long as the base before it.
fn repeats(base: &mut Work<'_>, work: &mut Work<'_>) -> u32 {
    work.run(1);
    let once = work.run(1).as_secs_f64();
    let wanted = base.run(BASE_RUNS.into()).as_secs_f64();
    (1..BASE_RUNS).find(|&runs| once * f64::from(runs) >= wanted).unwrap_or(BASE_RUNS)
}
