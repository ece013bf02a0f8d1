//! The firmware on emulated boards: the element's own tests against its chip, and two devices with their elements.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    command::{cargo, run},
    metadata::Metadata,
};

/// The boards, as the tests' variables name them, and what they are compiled for.
const BOARDS: [(&str, &str); 2] = [("an386", "thumbv7em-none-eabihf"), ("an505", "thumbv8m.main-none-eabihf")];

/// Payments during which the power of one of the chips is cut.
const ROUNDS: &str = "4";

/// The whole step.
///
/// # Errors
/// Says which tests failed.
pub(crate) fn run_all() -> Result<()> {
    let firmware = Metadata::of_workspace()?.workspace_root.join("firmware");
    for (board, target) in BOARDS {
        println!("--- lints of the firmware, {board}");
        lint(&firmware, board, target).with_context(|| format!("lints of the firmware, {board}"))?;
    }
    for (board, _) in BOARDS {
        println!("--- the emulator as the tests take it, {board}");
        run(cargo(&["test", "--locked", "--package", "specie-emulation"]).env("SPECIE_CHIP", board))
            .with_context(|| format!("the emulator, {board}"))?;
        println!("--- the element's tests on its chip, {board}");
        let mut element = cargo(&["test", "--locked", "--package", "specie-element", "--test", "element"]);
        // Its figures have a step of their own.
        run(element.env("SPECIE_CHIP", board).args(["--", "--skip", "figures"]))
            .with_context(|| format!("the element's tests on its chip, {board}"))?;
        println!("--- devices and elements, {board}");
        let mut devices = cargo(&["test", "--locked", "--package", "specie-device", "--test", "emulated"]);
        // Four emulators are as much as two cores run side by side.
        run(devices.env("SPECIE_BOARD", board).env("SPECIE_ROUNDS", ROUNDS).args(["--", "--test-threads", "1"]))
            .with_context(|| format!("devices and elements, {board}"))?;
    }
    Ok(())
}

/// No lint speaks in what is compiled for this board. The figures have a heap of their own, so they come apart.
fn lint(firmware: &Path, board: &str, target: &str) -> Result<()> {
    let (element, device) = (format!("specie-element-{board}"), format!("specie-device-{board}"));
    let images = ["specie-element-firmware", "specie-device-firmware", "specie-mps2", &element, &device];
    for packages in [&images[..], &["specie-figures"]] {
        let mut command = cargo(&["clippy", "--locked", "--target", target]);
        command.current_dir(firmware);
        command.args(packages.iter().flat_map(|package| ["--package", package]));
        run(command.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}
