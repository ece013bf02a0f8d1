//! The operations of the core by themselves, in time: `cargo bench -p specie-core --features alloc,tables --bench
//! operations`. What counts is the ratio to `one multiplication` in the same run; `ratios` prints it as a table.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/suite/fixture.rs"]
mod fixture;
#[path = "ratios/timing.rs"]
mod timing;
#[path = "ratios/work.rs"]
mod work;
#[path = "ratios/works.rs"]
mod works;

use criterion::{Criterion, criterion_group, criterion_main};

use fixture::World;

fn operations(criterion: &mut Criterion) {
    timing::measure(criterion, [work::multiplication()]);
    timing::measure(criterion, works::all(&World::new()));
}

criterion_group! {
    name = benches;
    config = timing::config();
    targets = operations
}
criterion_main!(benches);
