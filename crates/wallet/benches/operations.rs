//! The operations of wallet and element together, in time: `cargo bench -p specie-wallet --bench operations`. What counts
//! is the ratio to `one multiplication` in the same run; `ratios` prints it as a table.
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]
#![allow(dead_code, reason = "the tests use more of the world than this")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/wallet/bank.rs"]
mod bank;
#[path = "../tests/wallet/device.rs"]
mod device;
#[path = "../../core/benches/ratios/timing.rs"]
mod timing;
#[path = "../../core/benches/ratios/work.rs"]
mod work;
#[path = "ratios/works.rs"]
mod works;
#[path = "ratios/world.rs"]
mod world;

use criterion::{Criterion, criterion_group, criterion_main};

use world::World;

/// Records in each element.
const RECORDS: usize = 2_048;

fn operations(criterion: &mut Criterion) {
    let world = World::new();
    timing::measure(criterion, [work::multiplication()]);
    timing::measure(criterion, works::all(&world));
    timing::measure(criterion, works::sizes(&world));
    timing::measure(criterion, works::first_of_sizes(&world));
}

criterion_group! {
    name = benches;
    config = timing::config();
    targets = operations
}
criterion_main!(benches);
