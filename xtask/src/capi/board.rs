//! The example: a device in C for an emulated board, and another one whom it pays.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use super::{PACKAGE, Places};
use crate::{
    command::{cargo, run, rustc_program},
    freestanding::BARE_TARGET,
    tools::target_library,
};

/// The board that the example is for, as the emulator's harness names it.
const BOARD: &str = "an386";

/// The test that lets it pay, of the package that has everyone on emulated boards.
const TEST: [&str; 4] = ["--package", "specie-device", "--test", "emulated"];
const NAME: &str = "a_device_in_c_pays_another_one";

/// Core, curve and CBOR as small as they can be, like the rest: the calls of the library take flash too, and all has to fit into 256 kB.
const SMALL: [&str; 3] = [
    "profile.release.package.specie-core.opt-level='z'",
    "profile.release.package.curve25519-dalek.opt-level='z'",
    "profile.release.package.minicbor.opt-level='z'",
];

/// Builds the example and lets it pay.
pub(super) fn run_all(places: &Places) -> Result<()> {
    if target_library(rustc_program(), BARE_TARGET).is_none() {
        println!("no library for {BARE_TARGET} in this toolchain: the device in C is not built");
        return Ok(());
    }
    let device = build(places)?;
    let mut test = cargo(&["test", "--locked"]);
    test.args(TEST).args([NAME, "--", "--nocapture"]).env("SPECIE_BOARD", BOARD).env("SPECIE_C_DEVICE", device);
    run(&mut test)
}

/// The example, by its own Makefile.
fn build(places: &Places) -> Result<PathBuf> {
    // As one kind of library only, it is optimised as a whole.
    let mut library = places.cargo("rustc");
    library.args(["--release", "--package", PACKAGE, "--crate-type", "staticlib", "--target", BARE_TARGET, "--locked"]);
    library.args(SMALL.iter().flat_map(|setting| ["--config", setting]));
    run(&mut library)?;
    let out = places.scratch.join("pay");
    let setting = |name: &str, path: &PathBuf| format!("{name}={}", path.display());
    let mut make = Command::new("make");
    make.arg("-C").arg(places.library.join("examples").join("pay"));
    run(make.args([setting("TARGET", &places.target), setting("OUT", &out)]))?;
    Ok(out.join("pay.elf"))
}
