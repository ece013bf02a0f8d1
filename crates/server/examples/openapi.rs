//! Writes the descriptions of both interfaces into the repository: `cargo run -p specie-server --example openapi`.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    fs::write(folder.join("bank.json"), specie_server::bank::description())?;
    fs::write(folder.join("psp.json"), specie_server::psp::description())
}
