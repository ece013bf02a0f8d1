//! `include/specie.h`, which cbindgen makes of the library's sources.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::{Places, compiler};
use crate::command::{cargo, output_of, run};
use crate::metadata::Metadata;

/// The cbindgen that makes the header. It is a tool, and in no lock file.
const CBINDGEN: &str = "0.29.4";

/// Makes the header anew.
///
/// # Errors
/// cbindgen is missing, or what it reads is no header.
pub(crate) fn write() -> Result<()> {
    let places = Places::of_workspace()?;
    ensure_cbindgen()?;
    generate(&places, &places.header())
}

/// Whether the header is what the sources make, and compiles in C and C++ without a warning.
pub(super) fn check(places: &Places) -> Result<()> {
    fs::create_dir_all(&places.scratch).context("the directory for C programs cannot be made")?;
    let fresh = places.scratch.join("specie.h");
    generate(places, &fresh)?;
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    if read(&fresh)? != read(&places.header())? {
        bail!("firmware/capi/include/specie.h is not of today: make it anew with `cargo xtask header`");
    }
    let strict = ["-Wall", "-Wextra", "-Wundef", "-Werror", "-pedantic", "-fsyntax-only"];
    for standard in ["c99", "c11", "c17"] {
        let standard = format!("-std={standard}");
        run(Command::new(compiler("CC", "cc")).args(strict).args([&standard, "-x", "c"]).arg(places.header()))?;
    }
    for standard in ["c++11", "c++17"] {
        let standard = format!("-std={standard}");
        run(Command::new(compiler("CXX", "c++")).args(strict).args([&standard, "-x", "c++"]).arg(places.header()))?;
    }
    Ok(())
}

/// Sees to it that cbindgen is there.
///
/// # Errors
/// It cannot be installed.
pub(crate) fn ensure_cbindgen() -> Result<()> {
    let tools = Metadata::of_workspace()?.target_directory.join("tools");
    let program = tools.join("bin").join("cbindgen");
    let version = output_of(&program, &["--version"]);
    if version.is_some_and(|version| version.ends_with(CBINDGEN)) {
        return Ok(());
    }
    let mut install =
        cargo(&["install", "cbindgen", "--version", CBINDGEN, "--locked", "--force", "--quiet", "--root"]);
    run(install.arg(&tools)).with_context(|| format!("cbindgen {CBINDGEN} could not be installed"))
}

fn generate(places: &Places, to: &Path) -> Result<()> {
    let mut cbindgen = Command::new(places.main_target.join("tools").join("bin").join("cbindgen"));
    cbindgen.current_dir(&places.library).args(["--quiet", "--config", "cbindgen.toml", "--crate", super::PACKAGE]);
    run(cbindgen.arg("--output").arg(to))
}

impl Places {
    fn header(&self) -> std::path::PathBuf {
        self.library.join("include").join("specie.h")
    }
}
