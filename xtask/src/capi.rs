//! The C library of the firmware: that its header is of today, that its border holds, that two devices live a whole life
//! in C (plainly, under valgrind, and with sanitizers on both sides of the border), and that a device in C pays on a board.

mod board;
mod header;
mod programs;
mod world;

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    command::{cargo_program, output_of, run},
    metadata::Metadata,
};

pub(crate) use header::{ensure_cbindgen, write as write_header};
use programs::{Library, Programs};
use world::World;

/// The package of the library, in the firmware's workspace.
const PACKAGE: &str = "specie-capi";

/// Flash operations between two power cuts of a run: everyone in a fast run, some under valgrind.
const EVERY: u32 = 1;
const SOME: u32 = 9;

/// Where everything lies.
pub(crate) struct Places {
    /// The firmware's workspace.
    firmware: PathBuf,
    /// The library's sources.
    library: PathBuf,
    /// What cargo builds for the main workspace.
    main_target: PathBuf,
    /// What cargo builds for the firmware.
    target: PathBuf,
    /// C programs, and what they leave behind.
    scratch: PathBuf,
}

/// The whole step.
///
/// # Errors
/// Says what did not hold.
pub(crate) fn run_all() -> Result<()> {
    let places = Places::of_workspace()?;
    header::check(&places)?;
    let package = ["--package", PACKAGE, "--locked"];
    run(places.cargo("clippy").args(package).args(["--all-targets", "--", "-D", "warnings"]))?;
    run(places.cargo("test").args(package))?;

    let library = places.hosted_library()?;
    let plain = Programs::compile(&places, &library, "plain", &[])?;
    let checked = Programs::compile(&places, &library, "sanitized", programs::SANITIZERS)?;
    let program = world::program(&places)?;
    for (programs, under, stride) in
        [(&plain, None, EVERY), (&plain, Some(programs::VALGRIND), SOME), (&checked, None, EVERY)]
    {
        programs.run_border(under)?;
        World::new(&places, &program)?.live(programs, under, stride)?;
    }
    run_with_nightly(&places, &program)?;
    board::run_all(&places)
}

/// The Rust side with sanitizers, and its border in Miri, where there is a nightly compiler.
fn run_with_nightly(places: &Places, program: &Path) -> Result<()> {
    let Some(host) = nightly_host() else {
        println!("no nightly toolchain: not run with the address sanitizer on the Rust side, and not in Miri");
        return Ok(());
    };
    let mut build = places.nightly(&["build"]);
    build.env("RUSTFLAGS", "-Zsanitizer=address").args(["--target", &host, "--profile", programs::PROFILE]);
    run(build.args(["--package", PACKAGE, "--locked"]))?;
    let library = Library::new(&places.target.join(&host));
    let both = Programs::compile(places, &library, "sanitized-both", programs::SANITIZERS)?;
    both.run_border(None)?;
    World::new(places, program)?.live(&both, None, EVERY)?;

    if output_of("rustup", &["run", "nightly", "cargo", "miri", "--version"]).is_none() {
        println!("no Miri: add it with `rustup component add miri rust-src --toolchain nightly`");
        return Ok(());
    }
    run(places.nightly(&["miri", "test"]).args(["--package", PACKAGE, "--locked"]))
}

/// The machine for which the nightly compiler compiles, if it is there and can instrument for it.
fn nightly_host() -> Option<String> {
    let version = output_of("rustup", &["run", "nightly", "rustc", "-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"].contains(&host).then(|| host.to_owned())
}

impl Places {
    pub(crate) fn of_workspace() -> Result<Self> {
        let Metadata { workspace_root, target_directory, .. } = Metadata::of_workspace()?;
        let firmware = workspace_root.join("firmware");
        Ok(Self {
            library: firmware.join("capi"),
            firmware,
            target: target_directory.join("firmware"),
            scratch: target_directory.join("capi"),
            main_target: target_directory,
        })
    }

    /// The library for this computer.
    fn hosted_library(&self) -> Result<Library> {
        let mut build = self.cargo("build");
        run(build.args(["--profile", programs::PROFILE, "--package", PACKAGE, "--locked"]))?;
        Ok(Library::new(&self.target))
    }

    /// A cargo command in the firmware's workspace.
    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(cargo_program());
        cargo.arg(command).arg("--target-dir").arg(&self.target).current_dir(&self.firmware);
        cargo
    }

    /// The same with the nightly toolchain.
    fn nightly(&self, command: &[&str]) -> Command {
        let mut cargo = Command::new("rustup");
        cargo.args(["run", "nightly", "cargo"]).args(command).current_dir(&self.firmware);
        cargo.arg("--target-dir").arg(&self.target);
        // They are those of the toolchain that started this program.
        ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"].iter().for_each(|name| {
            cargo.env_remove(name);
        });
        cargo
    }
}

/// The compiler that an environment variable names, or else this one.
fn compiler(variable: &str, otherwise: &str) -> String {
    env::var(variable).unwrap_or_else(|_| otherwise.into())
}

/// A program with its arguments, under another one where that is given.
fn under(wrapper: Option<&[&str]>, program: impl AsRef<OsStr>) -> Command {
    match wrapper {
        Some([first, rest @ ..]) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        _ => Command::new(program),
    }
}
