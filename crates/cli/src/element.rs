//! `specie element`: the software secure element, in a process of its own.

use std::io;
use std::path::PathBuf;

use clap::Args;
use specie_device::element::{FileFlash, serve_element};

use crate::answer::Answer;
use crate::failure::Failure;

/// Be a software secure element: commands on standard input, answers on standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie element --flash alice/element.flash

Each command and each answer is preceded by its length, 16 bits, big-endian. `specie device` starts this by itself.")]
pub(crate) struct Element {
    /// Its flash
    #[arg(long, value_name = "FILE")]
    flash: PathBuf,
}

impl Element {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let flash = FileFlash::open(&self.flash).map_err(|error| {
            Failure::refused("element-flash", error, "name the flash of an element that nobody uses now")
        })?;
        serve_element(flash, io::stdin().lock(), io::stdout().lock())
            .map_err(|error| Failure::refused("element", error, "start the element again and repeat the command"))?;
        Ok(Answer::silent())
    }
}
