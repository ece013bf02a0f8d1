//! What the firmware costs on the emulated boards: instructions, stack, heap, flash and memory; written down, and held
//! against what was written down.

mod bars;
mod comparison;
mod document;
mod measured;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    command::{output_of, rustc_program},
    metadata::Metadata,
};
use comparison::Comparison;
use report::Figures;

/// The figures for machines, and the document with those for people.
const FIGURES: &str = "firmware/figures.toml";
const DOCUMENT: &str = "docs/benchmarks.md";

/// How figures that grew are accepted.
const ACCEPT: &str = "accept it with `cargo xtask figures`, and commit firmware/figures.toml and docs/benchmarks.md";

/// Measures everything, and writes it down.
///
/// # Errors
/// Says what could not be measured or written.
pub(crate) fn write() -> Result<()> {
    let places = Places::of_workspace()?;
    let figures = measure()?;
    let document = fs::read_to_string(&places.document).with_context(|| format!("reading {DOCUMENT}"))?;
    fs::write(&places.document, document::with_figures(&document, &figures)?)?;
    fs::write(&places.figures, figures.to_toml()?)?;
    println!("{}", document::tables(&figures));
    println!("written to {FIGURES} and {DOCUMENT}");
    match bars::broken(&figures).as_slice() {
        [] => Ok(()),
        broken => bail!("bars are broken:\n  {}", broken.join("\n  ")),
    }
}

/// Measures everything, and compares it with what is written down.
///
/// # Errors
/// Says which figures grew by more than 5 %, which bars are broken, and whether the document is of other figures.
pub(crate) fn check() -> Result<()> {
    let places = Places::of_workspace()?;
    let committed = fs::read_to_string(&places.figures).with_context(|| format!("reading {FIGURES}"))?;
    let committed = Figures::from_toml(&committed).with_context(|| format!("{FIGURES} makes no sense"))?;
    let document = fs::read_to_string(&places.document).with_context(|| format!("reading {DOCUMENT}"))?;
    if document::with_figures(&document, &committed)? != document {
        bail!("{DOCUMENT} does not tell the figures of {FIGURES}: run `cargo xtask figures`, and commit both");
    }
    let measured = measure()?;
    let comparison = Comparison::of(&committed, &measured);
    println!("{comparison}");
    comparison.verdict()
}

fn measure() -> Result<Figures> {
    let compiler = output_of(rustc_program(), &["--version"]).context("asking the compiler for its version")?;
    Ok(Figures { compiler, boards: measured::boards()? })
}

/// Where the files are.
struct Places {
    figures: PathBuf,
    document: PathBuf,
}

impl Places {
    fn of_workspace() -> Result<Self> {
        let root = Metadata::of_workspace()?.workspace_root;
        let root = Path::new(&root);
        Ok(Self { figures: root.join(FIGURES), document: root.join(DOCUMENT) })
    }
}
