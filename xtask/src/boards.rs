//! The firmware on emulated boards: the element's own tests against its chip, and two devices with their elements.

use anyhow::{Context, Result};

use crate::command::{cargo, run};

/// The boards, as the tests' variables name them.
const BOARDS: [&str; 2] = ["an386", "an505"];

/// Payments during which the power of one of the chips is cut.
const ROUNDS: &str = "4";

/// The whole step.
///
/// # Errors
/// Says which tests failed.
pub(crate) fn run_all() -> Result<()> {
    for board in BOARDS {
        println!("--- the element's tests on its chip, {board}");
        let mut element = cargo(&["test", "--locked", "--package", "specie-element", "--test", "element"]);
        // Its figures have a step of their own.
        run(element.env("SPECIE_CHIP", board).args(["--", "--skip", "figures"]))
            .with_context(|| format!("the element's tests on its chip, {board}"))?;
    }
    for board in BOARDS {
        println!("--- devices and elements, {board}");
        let mut devices = cargo(&["test", "--locked", "--package", "specie-device", "--test", "emulated"]);
        // Four emulators are as much as two cores run side by side.
        run(devices.env("SPECIE_BOARD", board).env("SPECIE_ROUNDS", ROUNDS).args(["--", "--test-threads", "1"]))
            .with_context(|| format!("devices and elements, {board}"))?;
    }
    Ok(())
}
