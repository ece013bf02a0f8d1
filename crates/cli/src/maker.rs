//! `specie maker`: whoever makes secure elements and certifies them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use specie_device::maker::{self, MakerFileError};

use crate::answer::Answer;
use crate::failure::Failure;

/// Make and certify secure elements.
#[derive(Args, Debug)]
pub(crate) struct Maker {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Draw a maker's key and write its file
    #[command(after_help = "\
EXAMPLES:
  specie maker init maker.toml --name acme --series soft-1

The file holds the key that certifies elements: keep it to yourself. PSPs are told the public key \
(`specie psp trust`), devices are made with the file (`specie device new --maker`).")]
    Init {
        /// Where to write it; must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Name of the maker
        #[arg(long, default_value = "maker")]
        name: String,
        /// Name of the series of elements
        #[arg(long, default_value = "software")]
        series: String,
    },
    /// Show a maker's names and public key
    #[command(after_help = "EXAMPLES:\n  specie maker show maker.toml")]
    Show {
        /// The maker's file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl Maker {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        match &self.command {
            Command::Init { file, name, series } => {
                let maker = maker::Maker::init(file, name, series).map_err(failure)?;
                Ok(describe(&maker, &format!("wrote {}", file.display())))
            }
            Command::Show { file } => {
                let maker = maker::Maker::open(file).map_err(failure)?;
                Ok(describe(&maker, &file.display().to_string()))
            }
        }
    }
}

fn describe(maker: &maker::Maker, file: &str) -> Answer {
    let (name, key) = (maker.name().to_string(), maker.public_key().to_string());
    let human = format!("{file}\n  maker       {name}\n  public key  {key}\n");
    Answer::new(human, json!({ "name": name, "public_key": key }))
}

/// What the owner of a maker's file is told.
pub(crate) fn failure(error: MakerFileError) -> Failure {
    let advice = match &error {
        MakerFileError::Io { .. } => "name a file that does not exist yet to `init`, and one that does to `show`",
        MakerFileError::Malformed { .. } => "restore the maker's file from a copy",
        MakerFileError::Name => "choose names of 1 to 32 bytes",
        _ => "try again",
    };
    Failure::refused("maker-file", error, advice)
}
