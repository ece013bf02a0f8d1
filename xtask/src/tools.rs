//! What must be on the machine: found, installed, or named.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    capi,
    command::{self, cargo_program, exists, output_of, run, succeeds},
    freestanding::{BARE_TARGET, Toolchain},
    interfaces,
};

/// Something a step cannot do without.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// A C compiler, for SQLite.
    CCompiler,
    /// A way to compile for [`BARE_TARGET`].
    BareTarget,
    /// A C++ compiler, which reads the C library's header.
    CppCompiler,
    /// valgrind, which watches programs in C.
    Valgrind,
    /// cbindgen, which makes the C library's header.
    Cbindgen,
    /// A C compiler for chips, and make, for the example of the C library.
    ChipCCompiler,
    /// QEMU, which runs the firmware.
    Emulator,
    /// Libraries of the toolchain in use for [`BOARD_TARGETS`].
    BoardTargets,
    /// Python, in which the reference behind the test vectors is written.
    Python,
    /// PostgreSQL, for the services' tests.
    Postgres,
    /// SoftHSM, a token in software, for the bank's root key.
    SoftHsm,
    /// schemathesis, which asks the services for all that they describe.
    Schemathesis,
}

/// What the emulated boards' firmware is compiled for.
const BOARD_TARGETS: [&str; 2] = [BARE_TARGET, "thumbv8m.main-none-eabihf"];

/// The emulator of Arm boards, and the Debian package that has it.
const EMULATOR: &str = "qemu-system-arm";

/// Python, and the Debian package that has it.
pub(crate) const PYTHON: &str = "python3";

/// Every tool.
pub(crate) const ALL: &[Tool] = &[
    Tool::Rustfmt,
    Tool::Clippy,
    Tool::CCompiler,
    Tool::BareTarget,
    Tool::CppCompiler,
    Tool::Valgrind,
    Tool::Cbindgen,
    Tool::ChipCCompiler,
    Tool::Emulator,
    Tool::BoardTargets,
    Tool::Python,
    Tool::Postgres,
    Tool::SoftHsm,
    Tool::Schemathesis,
];

/// Sees to it that all these tools are there.
///
/// # Errors
/// Names every one that is missing and could not be installed.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<String> =
        tools.iter().filter_map(|tool| tool.ensure().err()).map(|error| format!("{error:#}")).collect();
    if !missing.is_empty() {
        bail!("missing:\n  {}", missing.join("\n  "));
    }
    Ok(())
}

/// Prints what will be used, the optional tools too.
///
/// # Errors
/// None: [`ensure`] has run before.
pub(crate) fn report() -> Result<()> {
    let version = |found: Option<String>| {
        let first = found.as_deref().and_then(|text| text.lines().next());
        first.unwrap_or("not installed").to_owned()
    };
    let of = |program, argument| version(output_of(program, &[argument]));
    println!("rustc         {}", of(command::rustc_program(), "--version"));
    println!("cargo         {}", of(cargo_program(), "--version"));
    println!("C compiler    {}", of(c_compiler().into(), "--version"));
    println!("{BARE_TARGET}  {}", Toolchain::find().map_or("none", Toolchain::name));
    println!("emulator      {}", of(EMULATOR.into(), "--version"));
    println!("Python        {}", of(PYTHON.into(), "--version"));
    let nextest = version(output_of(cargo_program(), &["nextest", "--version"]));
    println!("cargo-nextest {nextest} (optional: `cargo test` is used without it)");
    let deny = version(output_of(cargo_program(), &["deny", "--version"]));
    println!("cargo-deny    {deny} (optional: licences, sources and single versions are checked anyway)");
    Ok(())
}

impl Tool {
    fn ensure(self) -> Result<()> {
        match self {
            Self::Rustfmt => ensure_component("rustfmt", "fmt"),
            Self::Clippy => ensure_component("clippy", "clippy"),
            Self::CCompiler => ensure_c_compiler(),
            Self::BareTarget => ensure_bare_target(),
            Self::CppCompiler => ensure_debian(&cpp_compiler(), &["g++"]),
            Self::Valgrind => ensure_debian("valgrind", &["valgrind"]),
            Self::Cbindgen => capi::ensure_cbindgen(),
            Self::ChipCCompiler => ensure_debian("arm-none-eabi-gcc", &["gcc-arm-none-eabi"])
                .and_then(|()| ensure_debian("make", &["make"])),
            Self::Emulator => ensure_debian(EMULATOR, &[EMULATOR]),
            Self::BoardTargets => ensure_board_targets(),
            Self::Python => ensure_debian(PYTHON, &[PYTHON]),
            Self::Postgres => ensure_postgres(),
            Self::SoftHsm => ensure_debian("softhsm2-util", &["softhsm2"]),
            Self::Schemathesis => ensure_python_environments().and_then(|()| interfaces::ensure_schemathesis()),
        }
    }
}

fn ensure_component(component: &str, subcommand: &str) -> Result<()> {
    let is_there = || succeeds(cargo_program(), &[subcommand, "--version"]);
    if is_there() {
        return Ok(());
    }
    if exists("rustup") {
        let mut rustup = std::process::Command::new("rustup");
        run(rustup.args(["component", "add", component]))?;
    }
    if is_there() {
        return Ok(());
    }
    bail!("`cargo {subcommand}` is missing: install it with `rustup component add {component}`")
}

fn ensure_c_compiler() -> Result<()> {
    let is_there = || succeeds(c_compiler(), &["--version"]);
    if is_there() {
        return Ok(());
    }
    let installed = install_debian(&["gcc", "libc6-dev"]);
    if is_there() {
        return Ok(());
    }
    installed.context("a C compiler `cc` is missing, which SQLite needs: install gcc")?;
    bail!("gcc is installed and `{}` still cannot be started", c_compiler())
}

/// A program that comes in Debian packages.
fn ensure_debian(program: &str, packages: &[&str]) -> Result<()> {
    if exists(program) {
        return Ok(());
    }
    let installed = install_debian(packages);
    if exists(program) {
        return Ok(());
    }
    installed.with_context(|| format!("`{program}` is missing: install {}", packages.join(" and ")))?;
    bail!("{} is installed and `{program}` still cannot be started", packages.join(" and "))
}

/// Debian keeps the server's programs out of the path.
fn ensure_postgres() -> Result<()> {
    let is_there = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        exists("postgres") || versions.into_iter().any(|version| version.path().join("bin/postgres").is_file())
    };
    if is_there() {
        return ensure_debian("pkill", &["procps"]);
    }
    let installed = install_debian(&["postgresql", "procps"]);
    if is_there() {
        return Ok(());
    }
    installed.context("PostgreSQL is missing: install postgresql, of version 15 or newer")?;
    bail!("postgresql is installed and its server is not found")
}

/// Debian keeps what a Python environment is made with in a package of its own.
fn ensure_python_environments() -> Result<()> {
    ensure_debian(PYTHON, &[PYTHON])?;
    let is_there = || succeeds(PYTHON, &["-c", "import ensurepip, venv"]);
    if is_there() {
        return Ok(());
    }
    let installed = install_debian(&["python3-venv"]);
    if is_there() {
        return Ok(());
    }
    installed.context("Python cannot make environments: install python3-venv")?;
    bail!("python3-venv is installed and Python still cannot make environments")
}

fn cpp_compiler() -> String {
    env::var("CXX").unwrap_or_else(|_| "c++".into())
}

/// The C compiler that SQLite's build uses.
fn c_compiler() -> String {
    env::var("CC").unwrap_or_else(|_| "cc".into())
}

fn ensure_board_targets() -> Result<()> {
    let missing =
        || BOARD_TARGETS.into_iter().find(|target| target_library(command::rustc_program(), target).is_none());
    let Some(_) = missing() else { return Ok(()) };
    let mut reason = None;
    if exists("rustup") {
        let mut rustup = std::process::Command::new("rustup");
        reason = run(rustup.args(["target", "add"]).args(BOARD_TARGETS)).err();
    }
    let Some(target) = missing() else { return Ok(()) };
    let reason = reason.map_or_else(|| "there is no rustup".to_owned(), |error| format!("{error:#}"));
    bail!("the target {target} is missing: install it with `rustup target add {target}` ({reason})")
}

fn ensure_bare_target() -> Result<()> {
    if Toolchain::find().is_some() {
        return Ok(());
    }
    let mut reasons = Vec::new();
    if exists("rustup") {
        let mut rustup = std::process::Command::new("rustup");
        if let Err(error) = run(rustup.args(["target", "add", BARE_TARGET])) {
            reasons.push(format!("{error:#}"));
        }
        if Toolchain::find().is_some() {
            return Ok(());
        }
    }
    println!("no {BARE_TARGET} for this toolchain; trying Debian's compiler and its library source");
    if let Err(error) = install_debian(&["cargo-web", "rustc-web", "rust-web-src"]) {
        reasons.push(format!("{error:#}"));
    }
    if Toolchain::find().is_some() {
        return Ok(());
    }
    bail!(
        "the target {BARE_TARGET} is missing: install it with `rustup target add {BARE_TARGET}`, or \
         on Debian the packages cargo-web, rustc-web and rust-web-src ({})",
        reasons.join("; ")
    )
}

/// Installs Debian packages, which only root can do.
fn install_debian(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !exists("apt-get") {
        bail!("apt-get is not there to install {list}");
    }
    if output_of("id", &["-u"]).as_deref() != Some("0") {
        bail!("only root can install packages; run `apt-get install {list}` as root");
    }
    let apt = |arguments: &[&str]| {
        let mut apt_get = std::process::Command::new("apt-get");
        run(apt_get.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "-o=Dpkg::Use-Pty=0", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

/// Where the compiler keeps the library of a target, if it has one.
pub(crate) fn target_library(rustc: std::ffi::OsString, target: &str) -> Option<PathBuf> {
    let printed = output_of(rustc, &["--print", "target-libdir", "--target", target])?;
    let directory = PathBuf::from(printed);
    directory.is_dir().then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_a_library_and_nowhere_has_none() {
        let version = output_of(command::rustc_program(), &["-vV"]).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        assert!(target_library(command::rustc_program(), host).is_some());
        assert!(target_library(command::rustc_program(), "no-such-target").is_none());
    }
}
