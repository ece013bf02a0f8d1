//! The table of `docs/benchmarks.md`: what each operation costs, in variable-base multiplications of ristretto255.
//!
//! `cargo bench -p specie-core --features alloc,tables --bench ratios` measures and prints it, with
//! `-- --write docs/benchmarks.md` also into its section of that document. Every round measures one multiplication and then each operation once, and the
//! ratio is taken within the round, so that a machine that is busy for a while slows both alike; the table gives the
//! median over the rounds with the quartiles.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/suite/fixture.rs"]
mod fixture;
#[path = "ratios/work.rs"]
mod work;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fixture::{World, scalar};
use work::Work;

/// Rounds that count; a few before them warm up.
const ROUNDS: usize = 61;
const WARM_UP: usize = 5;

/// How often the multiplication is done before and after each work, to measure it as exactly as the rest.
const MULTIPLICATIONS: u32 = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let destination = arguments.iter().position(|argument| argument == "--write").map(|at| arguments[at + 1].clone());
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let world = World::new();
    let works = work::all(&world);
    let table = table(&works, &measure(&world, &works));
    println!("{table}\none multiplication: {:?}", multiplication(&world, 0));
    if let Some(path) = destination {
        // Cargo runs benchmarks in the directory of their crate.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        let document = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, with_section(&document, &table))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// For each work its ratios, one a round, sorted.
fn measure(world: &World, works: &[Work<'_>]) -> Vec<Vec<f64>> {
    let mut ratios = vec![Vec::new(); works.len()];
    let repeats: Vec<u32> = works.iter().map(|work| repeats(world, work)).collect();
    for round in 0..WARM_UP + ROUNDS {
        for ((work, repeats), ratios) in works.iter().zip(&repeats).zip(&mut ratios) {
            let repeats = *repeats;
            let before = multiplication(world, round);
            let spent = time(&mut || (0..repeats).for_each(|_| (work.run)())) / (work.units * repeats);
            let after = multiplication(world, round);
            if round >= WARM_UP {
                ratios.push(spent.as_secs_f64() / ((before + after) / 2).as_secs_f64());
            }
        }
    }
    ratios.iter_mut().for_each(|ratios| ratios.sort_by(f64::total_cmp));
    ratios
}

/// How often a work is to be done in a round, so that it takes about as long as the multiplications it is compared with.
fn repeats(world: &World, work: &Work<'_>) -> u32 {
    (work.run)();
    let once = time(&mut || (work.run)()).as_secs_f64();
    let wanted = (multiplication(world, 0) * MULTIPLICATIONS).as_secs_f64();
    (1..MULTIPLICATIONS).find(|&repeats| once * f64::from(repeats) >= wanted).unwrap_or(MULTIPLICATIONS)
}

/// One variable-base multiplication, in constant time, as everything secret is multiplied.
fn multiplication(world: &World, round: usize) -> Duration {
    let (mut point, factor) = (world.alice.U, scalar("benchmark", round as u64));
    time(&mut || {
        for _ in 0..MULTIPLICATIONS {
            point = black_box(&factor) * black_box(&point);
        }
    }) / MULTIPLICATIONS
}

fn time<F: FnMut()>(run: F) -> Duration {
    let mut run = run;
    let start = Instant::now();
    run();
    start.elapsed()
}

fn table(works: &[Work<'_>], ratios: &[Vec<f64>]) -> String {
    let mut table = String::from("| what | bar | median | quartiles |\n|---|---|---|---|\n");
    for (work, ratios) in works.iter().zip(ratios) {
        let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
        let bar = work.bar.map_or("—".to_owned(), |bar| format!("≤ {bar} ×"));
        writeln!(table, "| {} | {bar} | {:.2} × | {:.2} – {:.2} |", work.name, at(2), at(1), at(3))
            .expect("a string takes everything");
    }
    table
}

/// `document` with the section of the core replaced, or added.
fn with_section(document: &str, table: &str) -> String {
    const HEADING: &str = "## The core\n";
    let start = document.find(HEADING).unwrap_or(document.len());
    let rest = &document[(start + HEADING.len()).min(document.len())..];
    let after = rest.find("\n## ").map_or("", |end| &rest[end..]);
    format!("{}{HEADING}\nMeasured on {}, {ROUNDS} rounds.\n\n{table}{after}", &document[..start], machine())
}

/// What this runs on.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    format!("{} ({})", model.trim_start_matches([' ', '\t', ':']), std::env::consts::ARCH)
}
