//! The services' interfaces: their description in OpenAPI, and whether what is served is what it says.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, output_of, run};
use crate::metadata::Metadata;
use crate::tools::PYTHON;

/// The schemathesis that asks the services. It is a tool of the tests, in an environment of its own.
const SCHEMATHESIS: &str = "4.32.5";

/// Writes the descriptions anew.
///
/// # Errors
/// The program that writes them does not compile or run.
pub(crate) fn write() -> Result<()> {
    run(&mut cargo(&["run", "--locked", "--quiet", "--package", "specie-server", "--example", "openapi"]))
}

/// Asks a bank and a PSP, real processes, for everything that their descriptions say, rightly and wrongly.
///
/// # Errors
/// A service failed, or answered what is not described.
pub(crate) fn check() -> Result<()> {
    let metadata = Metadata::of_workspace()?;
    run(&mut cargo(&["build", "--locked", "--package", "specie-cli", "--all-features"]))?;
    let program = metadata.target_directory.join("debug/specie");
    let script = metadata.workspace_root.join("crates/server/tests/openapi/run.py");
    let bin = environment()?.join("bin");
    run(Command::new(bin.join("python")).arg(script).args([program, bin.join("schemathesis")]))
}

/// Sees to it that schemathesis is there.
///
/// # Errors
/// It cannot be installed.
pub(crate) fn ensure_schemathesis() -> Result<()> {
    let environment = environment()?;
    let installed = output_of(environment.join("bin/schemathesis"), &["--version"]);
    if installed.is_some_and(|version| version.ends_with(SCHEMATHESIS)) {
        return Ok(());
    }
    run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(&environment))
        .context("Python makes no environment: install python3-venv")?;
    let package = format!("schemathesis=={SCHEMATHESIS}");
    let mut pip = Command::new(environment.join("bin/python"));
    run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package]))
        .with_context(|| format!("{package} could not be installed"))
}

fn environment() -> Result<PathBuf> {
    Ok(Metadata::of_workspace()?.target_directory.join("tools/schemathesis"))
}
