//! The benchmarks of every crate that has any.

use anyhow::{Result, bail};

use crate::{
    command::{cargo, run as run_command},
    metadata::Metadata,
};

/// Runs all benchmarks, crate by crate, and says where criterion leaves its numbers.
///
/// # Errors
/// Says which benchmark failed, or that there are none.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::of_workspace()?;
    let mut found = false;
    for package in metadata.members() {
        for bench in package.targets_of_kind("bench") {
            found = true;
            let arguments = ["bench", "--locked", "--all-features", "--package", &package.name, "--bench", bench];
            run_command(&mut cargo(&arguments))?;
        }
    }
    if !found {
        bail!("no crate has a benchmark");
    }
    println!("estimates are in {}", metadata.target_directory.join("criterion").display());
    Ok(())
}
