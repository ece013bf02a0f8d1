//! The operations of the core by themselves, in time: `cargo bench -p specie-core --features alloc,tables --bench
//! operations`. What counts is the ratio to `one multiplication` in the same run; `ratios` prints it as a table.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/suite/fixture.rs"]
mod fixture;
#[path = "ratios/work.rs"]
mod work;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

use fixture::{World, scalar};

fn operations(criterion: &mut Criterion) {
    let world = World::new();
    let (factor, point) = (scalar("benchmark", 0), world.alice.U);
    criterion.bench_function("one multiplication", |bencher| {
        bencher.iter(|| black_box(&factor) * black_box(&point));
    });
    for work in work::all(&world) {
        let units = if work.units == 1 { String::new() } else { format!(", all {}", work.units) };
        let bar = work.bar.map(|bar| format!(", at most {bar} × for one")).unwrap_or_default();
        let name = format!("{}{units}{bar}", work.name);
        criterion.bench_function(&name, |bencher| bencher.iter(|| (work.run)()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = operations
}
criterion_main!(benches);
