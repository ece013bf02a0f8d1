//! The steps that cargo does: formatting, lints, tests, documentation.

use std::{env, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    command::{cargo, cargo_program, run, succeeds},
    metadata::Metadata,
    tools,
};

/// The package whose integration tests start the real program.
const PROGRAM: &str = "specie-cli";

/// What every command takes, so that all share what is built. Features only add.
/// The crates whose tests ask for a database.
const SERVICES: &[&str] = &["specie-store", "specie-bank", "specie-psp", "specie-server"];

const WHOLE: &[&str] = &["--workspace", "--all-features", "--locked"];

/// All sources are formatted.
pub(crate) fn formatting() -> Result<()> {
    let root = Metadata::of_workspace()?.workspace_root;
    for workspace in [root.clone(), root.join("firmware"), root.join("fuzz")] {
        run(cargo(&["fmt", "--all", "--check"]).current_dir(workspace))?;
    }
    Ok(())
}

/// The reference implementation agrees with the vectors of others, and makes those that are kept beside it.
pub(crate) fn vectors() -> Result<()> {
    let root = Metadata::of_workspace()?.workspace_root;
    run(Command::new(tools::PYTHON).args(["vectors/reference/generate.py", "--check"]).current_dir(root))
}

/// No lint speaks, in tests and benchmarks neither.
pub(crate) fn clippy() -> Result<()> {
    let mut command = cargo(&["clippy", "--all-targets"]);
    run(command.args(WHOLE).args(["--", "-D", "warnings"]))
}

/// All tests but those of [`PROGRAM`] that start processes.
pub(crate) fn tests() -> Result<()> {
    if has_nextest() {
        return nextest(&["-E", &format!("not ({})", process_filter())]);
    }
    let metadata = Metadata::of_workspace()?;
    let mut command = cargo(&["test", "--lib", "--bins", "--no-fail-fast"]);
    command.args(WHOLE);
    for package in metadata.members().filter(|package| package.name != PROGRAM) {
        for test in package.targets_of_kind("test") {
            command.args(["--test", test]);
        }
    }
    run(&mut command)
}

/// Core's tests in the form a card runs: no heap, no tables.
pub(crate) fn core_without_features() -> Result<()> {
    let package = ["--package", "specie-core", "--no-default-features", "--locked"];
    let mut command = runner();
    run(command.arg("--no-fail-fast").args(package))
}

/// The services' tests once more, on a PostgreSQL that is started for them, and those that break it.
pub(crate) fn on_postgres() -> Result<()> {
    let mut command = cargo(&["run", "--quiet", "--locked", "--package", "specie-testbed", "--"]);
    command.arg(cargo_program());
    if has_nextest() {
        let packages: Vec<_> = SERVICES.iter().map(|package| format!("package({package})")).collect();
        command.args(["nextest", "run", "--no-fail-fast"]).args(WHOLE).args(["-E", &packages.join(" or ")]);
    } else {
        command.args(["test", "--no-fail-fast", "--all-features", "--locked"]);
        command.args(SERVICES.iter().flat_map(|package| ["--package", package]));
    }
    run(&mut command)
}

/// The tests that start the real program.
pub(crate) fn process_tests() -> Result<()> {
    let metadata = Metadata::of_workspace()?;
    let program = metadata.member(PROGRAM).with_context(|| format!("there is no {PROGRAM} in the workspace"))?;
    let tests: Vec<&str> = program.targets_of_kind("test").collect();
    if tests.is_empty() {
        bail!("{PROGRAM} has no tests in its directory `tests`");
    }
    if has_nextest() {
        return nextest(&["-E", &process_filter()]);
    }
    let mut command = cargo(&["test", "--no-fail-fast"]);
    command.args(WHOLE);
    for test in tests {
        command.args(["--test", test]);
    }
    run(&mut command)
}

/// The examples in the documentation, which nextest does not run.
pub(crate) fn doc_tests() -> Result<()> {
    run(cargo(&["test", "--doc", "--no-fail-fast"]).args(WHOLE))
}

/// The documentation builds without a warning.
pub(crate) fn documentation() -> Result<()> {
    let mut flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -D warnings");
    let mut command = cargo(&["doc", "--no-deps", "--document-private-items"]);
    run(command.args(WHOLE).env("RUSTDOCFLAGS", flags.trim()))
}

fn nextest(arguments: &[&str]) -> Result<()> {
    let mut command = runner();
    run(command.arg("--no-fail-fast").args(WHOLE).args(arguments))
}

/// nextest if it is there, else cargo's own.
fn runner() -> Command {
    if has_nextest() { cargo(&["nextest", "run"]) } else { cargo(&["test", "--lib", "--tests"]) }
}

fn has_nextest() -> bool {
    succeeds(cargo_program(), &["nextest", "--version"])
}

fn process_filter() -> String {
    format!("package({PROGRAM}) and kind(test)")
}
