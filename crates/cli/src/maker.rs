//! `specie maker`: whoever makes secure elements and certifies them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_device::element::{ChipAddress, ChipElement};
use specie_device::maker::{self, MakerFileError};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::progress::Progress;

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
    Personalise(Personalise),
}

/// Draw the keys of a secure element that is a chip, and certify it
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie maker personalise maker.toml --element serial:/dev/ttyACM0 --root 5f0c…

The chip must be fresh from the factory. It obeys this central bank from now on, and for ever: put it into the device that it is \
for. The PUK that is printed unblocks a blocked PIN; it is told once. An element of a wallet on this computer is personalised by \
`specie device new`.")]
struct Personalise {
    /// The maker's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The chip: `serial:PATH` or `socket:PATH`
    #[arg(long, value_name = "ELEMENT")]
    element: ChipAddress,
    /// Root key of the central bank that the element obeys, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    root: PublicKey,
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
            Command::Personalise(chip) => chip.run(),
        }
    }
}

impl Personalise {
    fn run(&self) -> Result<Answer, Failure> {
        let maker = maker::Maker::open(&self.file).map_err(failure)?;
        let progress = Progress::begin("drawing the keys of the secure element");
        let made = maker.personalise(&mut ChipElement::at(self.element.clone()), &self.root);
        drop(progress);
        let made = made.map_err(specie_device::Failure::from)?;
        let body = made.certificate.body;
        let (identity, key, puk) = (hex::encode(body.U), body.A.to_string(), made.puk.expose_secret_digits());
        let human = format!(
            "Personalised the element at {}.\n  identity U      {identity}\n  key A           {key}\n  PUK             {puk} \
             (write it down: it is not told again)\n",
            self.element
        );
        let machine = json!({ "element": self.element.to_string(), "identity": identity, "key": key, "puk": puk });
        Ok(Answer::new(human, machine))
    }
}

fn describe(maker: &maker::Maker, file: &str) -> Answer {
    let (name, key) = (maker.name().to_string(), maker.public_key().to_string());
    let series = maker.series().to_string();
    let human = format!("{file}\n  maker       {name}\n  series      {series}\n  public key  {key}\n");
    Answer::new(human, json!({ "name": name, "series": series, "public_key": key }))
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
