//! The test programs in C.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{Places, compiler, under};
use crate::command::run;

/// Cargo's profile of the library for computers.
pub(super) const PROFILE: &str = "hosted";

/// valgrind, for which every leak and every error is one.
pub(super) const VALGRIND: &[&str] =
    &["valgrind", "--quiet", "--error-exitcode=1", "--leak-check=full", "--errors-for-leak-kinds=all"];

/// Sanitizers of the C compiler, which end the program at the first error.
pub(super) const SANITIZERS: &[&str] =
    &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// How C is compiled here: strictly, and with what POSIX has besides.
const FLAGS: &[&str] = &[
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Werror",
    "-pedantic",
    "-D_POSIX_C_SOURCE=200809L",
    "-O1",
    "-g",
];

/// What a program in C needs besides the library.
const SYSTEM: &[&str] = &["-lpthread", "-lm", "-ldl"];

/// Sources of the program that needs no bank, and of the one that does.
const BORDER: &[&str] = &["border", "flash"];
const LIFE: &[&str] = &["life", "paying", "breaking", "party", "element", "flash", "psp"];

/// The library, compiled for a computer.
pub(super) struct Library(PathBuf);

/// Both programs.
pub(super) struct Programs {
    border: PathBuf,
    /// The whole life; its arguments are the world's to give.
    pub(super) life: PathBuf,
}

impl Library {
    /// The library in this target directory.
    pub(super) fn new(target: &Path) -> Self {
        Self(target.join(PROFILE).join("libspecie_capi.a"))
    }
}

impl Programs {
    /// Compiles both with these flags; `name` tells them from others.
    pub(super) fn compile(places: &Places, library: &Library, name: &str, flags: &[&str]) -> Result<Self> {
        let compile = |program: &str, sources: &[&str]| {
            let path = places.scratch.join(format!("{program}-{name}"));
            let mut cc = Command::new(compiler("CC", "cc"));
            cc.args(FLAGS).args(flags).arg("-I").arg(places.library.join("include"));
            let folder = places.library.join("tests").join("c");
            cc.args(sources.iter().map(|source| folder.join(format!("{source}.c"))));
            run(cc.arg(&library.0).args(SYSTEM).arg("-o").arg(&path))?;
            anyhow::Ok(path)
        };
        Ok(Self { border: compile("border", BORDER)?, life: compile("life", LIFE)? })
    }

    /// Runs the one that needs no bank.
    pub(super) fn run_border(&self, wrapper: Option<&[&str]>) -> Result<()> {
        run(&mut under(wrapper, &self.border))
    }
}
