//! The firmware on emulated boards: the element's own tests against its chip, and two devices with their elements.

use anyhow::{Context, Result};

use crate::command::{cargo, run};

/// The boards of the element's tests, as their variable names them.
const BOARDS: [&str; 2] = ["an386", "an505"];

/// The board of the devices' tests.
const DEVICES: &str = "an386";

/// The whole step. What cuts the power thousands of times takes minutes, and has runs of its own.
///
/// # Errors
/// Says which tests failed.
pub(crate) fn run_all() -> Result<()> {
    for board in BOARDS {
        println!("--- the element's tests on its chip, {board}");
        let mut element = cargo(&["test", "--locked", "--package", "specie-element", "--test", "element"]);
        run(element.env("SPECIE_CHIP", board).args(["--", "--skip", "power_cut", "--skip", "figures"]))
            .with_context(|| format!("the element's tests on its chip, {board}"))?;
    }
    println!("--- devices and elements, {DEVICES}");
    let mut devices = cargo(&["test", "--locked", "--package", "specie-device", "--test", "emulated"]);
    // Four emulators are as much as two cores run side by side.
    run(devices.env("SPECIE_BOARD", DEVICES).args(["--", "--test-threads", "1", "--skip", "power_cuts"]))
        .context("devices and elements")
}
