//! The core's table of `docs/benchmarks.md`: what each operation costs, in variable-base multiplications of ristretto255.
//!
//! `cargo bench -p specie-core --features alloc,tables --bench ratios` measures and prints it, with
//! `-- --write docs/benchmarks.md` also into its section of that document.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own, on inputs of its own")]

#[path = "../tests/suite/fixture.rs"]
mod fixture;
#[path = "ratios/table.rs"]
mod table;
#[path = "ratios/work.rs"]
mod work;
#[path = "ratios/works.rs"]
mod works;

use fixture::World;

fn main() {
    if !table::is_wanted() {
        return;
    }
    let world = World::new();
    let mut works = works::all(&world);
    table::publish("The core", &table::table(&mut work::multiplication(), &mut works));
}
