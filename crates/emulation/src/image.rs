//! Firmware images: compiled from the workspace in `firmware/`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::board::Board;
use crate::error::{Doing, EmulationError};
use crate::size::Size;

/// Profile of the element's firmware.
const ELEMENT: &str = "element";
/// Ending of the names of programs that test the processor.
const SELFTEST: &str = "-selftest";

/// A firmware, compiled for a board.
#[derive(Clone, Debug)]
pub struct Image {
    board: Board,
    path: PathBuf,
}

impl Image {
    /// Compiles the program `binary` of the package `package` in `firmware/`, with cargo's profile `profile`.
    ///
    /// # Errors
    /// It does not compile, or cargo or the board's target is missing.
    pub fn build_with(board: Board, profile: &str, package: &str, binary: &str) -> Result<Self, EmulationError> {
        let directory = target_directory();
        let path = directory.join(board.target()).join(profile).join(binary);
        let run = TestRun::current(&path);
        if !run.built_already() {
            build(board, profile, package, binary, &directory)?;
            run.remember()?;
        }
        Ok(Self { board, path })
    }

    /// The same with the profile `release`.
    ///
    /// # Errors
    /// As [`build_with`](Self::build_with).
    pub fn build(board: Board, package: &str, binary: &str) -> Result<Self, EmulationError> {
        Self::build_with(board, "release", package, binary)
    }

    /// The element as it is delivered.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn element(board: Board) -> Result<Self, EmulationError> {
        let name = format!("element-{}", board.name());
        Self::build_with(board, ELEMENT, &format!("specie-{name}"), &name)
    }

    /// The element with the constants of its tests.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn element_conformance(board: Board) -> Result<Self, EmulationError> {
        let name = format!("element-{}", board.name());
        Self::build_with(board, ELEMENT, &format!("specie-{name}"), &format!("{name}-conformance"))
    }

    /// A test of the processor, which ends the emulator: with the memory of the element.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn selftest(board: Board) -> Result<Self, EmulationError> {
        let name = format!("element-{}", board.name());
        let package = format!("specie-{name}");
        Self::build_with(board, ELEMENT, &package, &format!("{name}{SELFTEST}"))
    }

    /// An image that was compiled otherwise: an ELF file.
    pub fn from_path(board: Board, path: impl Into<PathBuf>) -> Self {
        Self { board, path: path.into() }
    }

    /// How much of the board it takes.
    ///
    /// # Errors
    /// The file cannot be read, or is no ELF file.
    pub fn size(&self) -> Result<Size, EmulationError> {
        Size::of(&fs::read(&self.path).doing(format!("reading {}", self.path.display()))?, self.board)
    }

    /// The board that it runs on.
    pub fn board(&self) -> Board {
        self.board
    }

    /// The ELF file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The root of the main workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the firmware's workspace puts what it builds.
pub(crate) fn target_directory() -> PathBuf {
    let main = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    main.join("firmware")
}

fn build(board: Board, profile: &str, package: &str, binary: &str, directory: &Path) -> Result<(), EmulationError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root().join("firmware"))
        .args(["build", "--profile", profile, "--locked", "--quiet", "--target", board.target(), "--target-dir"])
        .arg(directory)
        .args(["--package", package, "--bin", binary])
        .args(binary.ends_with(SELFTEST).then_some(["--features", "selftest"]).into_iter().flatten())
        // Flags for the computer's programs are none for the board's.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|_| EmulationError::Missing { program: "cargo".into(), install: "a Rust toolchain".into() })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    // E0463: no library for this target.
    if output.contains("E0463") {
        let (program, target) = (format!("rustc for {}", board.target()), board.target());
        return Err(EmulationError::Missing { program, install: format!("it with `rustup target add {target}`") });
    }
    Err(EmulationError::Build { what: binary.into(), output })
}

/// A run of all tests in processes of their own: what the first of them built is not looked at again by each of them.
struct TestRun {
    name: Option<String>,
    stamp: PathBuf,
}

impl TestRun {
    fn current(image: &Path) -> Self {
        Self { name: env::var("NEXTEST_RUN_ID").ok(), stamp: image.with_extension("run") }
    }

    fn built_already(&self) -> bool {
        self.name.is_some() && fs::read_to_string(&self.stamp).ok() == self.name
    }

    fn remember(&self) -> Result<(), EmulationError> {
        match &self.name {
            Some(name) => fs::write(&self.stamp, name).doing("noting what was built"),
            None => Ok(()),
        }
    }
}
