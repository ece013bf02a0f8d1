//! The firmware on emulated boards: the element's own tests against its chip, and two devices with their elements.

use anyhow::{Context, Result};

use crate::command::{cargo, run};

/// The boards, as the variables of the tests name them.
const BOARDS: [&str; 2] = ["an386", "an505"];

/// The whole step.
///
/// # Errors
/// Says which tests failed.
pub(crate) fn run_all() -> Result<()> {
    for board in BOARDS {
        println!("--- {board}");
        let mut element = cargo(&["test", "--locked", "--package", "specie-element", "--test", "element"]);
        run(element.env("SPECIE_CHIP", board)).with_context(|| format!("the element's tests on its chip, {board}"))?;
        let mut devices = cargo(&["test", "--locked", "--package", "specie-device", "--test", "emulated"]);
        // Four emulators are as much as two cores run side by side.
        // The power cuts at random instructions take minutes: a run of their own.
        run(devices.env("SPECIE_BOARD", board).args(["--", "--test-threads", "1", "--skip", "power_cuts"]))
            .with_context(|| format!("devices and elements, {board}"))?;
    }
    Ok(())
}
