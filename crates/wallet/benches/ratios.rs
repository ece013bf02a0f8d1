//! The table of wallet and element in `docs/benchmarks.md`: a real wallet with a real element over simulated flash, in
//! one process, in variable-base multiplications of ristretto255; and a wallet of many notes next to one of few.
//!
//! `cargo bench -p specie-wallet --bench ratios` measures and prints it, with `-- --write docs/benchmarks.md` also into
//! its section of that document.
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]
#![allow(dead_code, reason = "the tests use more of the world than this")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/wallet/bank.rs"]
mod bank;
#[path = "../tests/wallet/device.rs"]
mod device;
#[path = "../../core/benches/ratios/table.rs"]
mod table;
#[path = "../../core/benches/ratios/work.rs"]
mod work;
#[path = "ratios/works.rs"]
mod works;
#[path = "ratios/world.rs"]
mod world;

use world::World;

/// Records in each element.
const RECORDS: usize = 2_048;

fn main() {
    if !table::is_wanted() {
        return;
    }
    let world = World::new();
    let costs = table::table(&mut work::multiplication(), &mut works::all(&world));
    let sizes = growth(works::sizes(&world)) + "\n" + &growth(works::first_of_sizes(&world));
    let content = format!("{costs}\nNext to the same payment by a wallet with 10 notes:\n\n{sizes}");
    table::publish("Wallet and element", &content);
}

/// The later ones of `works` next to the first.
fn growth(works: [work::Work<'_>; 3]) -> String {
    let [mut few, mut many @ ..] = works;
    table::table(&mut few, &mut many)
}
