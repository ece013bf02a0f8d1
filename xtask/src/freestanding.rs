//! The crates that run on a card or microcontroller, built for one.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    command::{self, cargo_program, output_of, rustc_program},
    metadata::{Metadata, Package},
    tools::target_library,
};

/// Cortex-M4F and M7F: no operating system, so no `std`.
pub(crate) const BARE_TARGET: &str = "thumbv7em-none-eabihf";

/// The crates that must run there.
const CRATES: &[&str] = &["specie-core", "specie-element", "specie-wallet", "specie-api", "specie-embedded"];

/// Features that need an operating system, and are left out.
const HOSTED: &[(&str, &str)] = &[("specie-api", "client"), ("specie-api", "schema")];

/// Debian's cargo and compiler, whose library can be built from source.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A way to compile for [`BARE_TARGET`].
#[derive(Clone, Copy)]
pub(crate) enum Toolchain {
    /// The toolchain in use has the target's library.
    InUse,
    /// Debian's compiler builds the library from Debian's source first.
    Debian,
}

impl Toolchain {
    /// The first way that is there.
    pub(crate) fn find() -> Option<Self> {
        if target_library(rustc_program(), BARE_TARGET).is_some() {
            return Some(Self::InUse);
        }
        let sysroot = output_of(DEBIAN_RUSTC, &["--print", "sysroot"])?;
        let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library/core");
        (library.is_dir() && Path::new(DEBIAN_CARGO).is_file()).then_some(Self::Debian)
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InUse => "the toolchain in use",
            Self::Debian => "Debian's compiler, with its library built from source",
        }
    }

    /// A build for [`BARE_TARGET`].
    fn build(self, target_directory: &Path) -> Command {
        let mut command = match self {
            Self::InUse => Command::new(cargo_program()),
            Self::Debian => {
                let mut command = Command::new(DEBIAN_CARGO);
                command
                    // A stable compiler builds its own library only when told so.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("PATH", debian_first())
                    // Both belong to the toolchain that started this program.
                    .env_remove("LD_LIBRARY_PATH")
                    .env_remove("RUSTUP_TOOLCHAIN")
                    // Two compilers in one directory would throw each other's work away.
                    .env("CARGO_TARGET_DIR", target_directory.join("debian"));
                command
            }
        };
        command.args(["build", "--locked", "--lib", "--target", BARE_TARGET]);
        if matches!(self, Self::Debian) {
            command.arg("-Zbuild-std=core,alloc");
        }
        command
    }
}

/// Builds each crate without features, with each alone, and with all.
///
/// # Errors
/// Says which build failed, or that a crate or the target is missing.
fn build_all(toolchain: Toolchain, metadata: &Metadata) -> Result<()> {
    for &name in CRATES {
        let package = metadata.member(name).with_context(|| format!("there is no {name} in the workspace"))?;
        for features in feature_sets(package) {
            let mut command = toolchain.build(&metadata.target_directory);
            command.args(["--package", name, "--no-default-features"]);
            if !features.is_empty() {
                command.args(["--features", &features]);
            }
            command::run(&mut command)?;
        }
    }
    Ok(())
}

/// The whole step.
///
/// # Errors
/// As [`build_all`].
pub(crate) fn run() -> Result<()> {
    let toolchain = Toolchain::find().context("no toolchain for the target was found")?;
    println!("with {}", toolchain.name());
    build_all(toolchain, &Metadata::of_workspace()?)
}

/// None, each alone, all together, without [`HOSTED`] ones; comma-separated as cargo takes them.
fn feature_sets(package: &Package) -> Vec<String> {
    let hosted = |feature| HOSTED.contains(&(package.name.as_str(), feature));
    let features = package.features.keys().map(String::as_str);
    let features: Vec<&str> = features.filter(|&feature| feature != "default" && !hosted(feature)).collect();
    let mut sets = vec![String::new()];
    sets.extend(features.iter().map(|&feature| feature.to_owned()));
    if features.len() > 1 {
        sets.push(features.join(","));
    }
    sets
}

/// The search path with Debian's programs first.
fn debian_first() -> std::ffi::OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    let paths = [PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&own));
    env::join_paths(paths).unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::synthetic::package;

    #[test]
    fn every_feature_is_built_alone_and_with_the_others() {
        let mut core = package("specie-core", &[]);
        assert_eq!(feature_sets(&core), [""]);
        for feature in ["default", "alloc", "tables"] {
            core.features.insert(feature.into(), Vec::new());
        }
        assert_eq!(feature_sets(&core), ["", "alloc", "tables", "alloc,tables"]);
    }

    #[test]
    fn features_that_need_an_operating_system_are_left_out() {
        let mut api = package("specie-api", &[]);
        api.features.insert("client".into(), Vec::new());
        assert_eq!(feature_sets(&api), [""]);
    }

    #[test]
    fn a_missing_crate_is_named() {
        let metadata = crate::metadata::synthetic::workspace(Vec::new());
        let error = build_all(Toolchain::InUse, &metadata).unwrap_err();
        assert!(error.to_string().contains("specie-core"));
    }
}
