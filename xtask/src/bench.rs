//! The benchmarks of every crate that has any.

use anyhow::{Result, bail};

use crate::{
    command::{cargo, run as run_command},
    metadata::Metadata,
};

/// Name of the benchmarks that write a section of [`DOCUMENT`]; the others are criterion's.
const RATIOS: &str = "ratios";

/// What the tables of ratios are written to.
const DOCUMENT: &str = "docs/benchmarks.md";

/// Runs all benchmarks, crate by crate, and says where their numbers are.
///
/// # Errors
/// Says which benchmark failed, or that there are none.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::of_workspace()?;
    let mut found = false;
    for package in metadata.members() {
        for bench in package.targets_of_kind("bench") {
            found = true;
            run_command(&mut cargo(&arguments(&package.name, bench)))?;
        }
    }
    if !found {
        bail!("no crate has a benchmark");
    }
    println!("tables of ratios are in {DOCUMENT}");
    println!("estimates are in {}", metadata.target_directory.join("criterion").display());
    Ok(())
}

/// What cargo is told to run one benchmark.
fn arguments<'n>(package: &'n str, bench: &'n str) -> Vec<&'n str> {
    let mut arguments = vec!["bench", "--locked", "--all-features", "--package", package, "--bench", bench];
    if bench == RATIOS {
        arguments.extend(["--", "--write", DOCUMENT]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_ratios_are_written_and_nothing_else_is() {
        assert!(arguments("specie-core", "ratios").ends_with(&["--bench", "ratios", "--", "--write", DOCUMENT]));
        assert!(arguments("specie-core", "operations").ends_with(&["--bench", "operations"]));
    }
}
