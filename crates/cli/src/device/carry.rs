//! How a message leaves this program: as a file, through a pipe, as QR codes.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use specie_device::link::file::{self, MessageFileError, Place};
use specie_device::link::qr::{self, Density};
use specie_device::link::{compact, qr::Sheet};

use crate::answer::Answer;
use crate::failure::Failure;

/// Where a message goes; several at once are fine.
#[derive(Args, Debug)]
pub(super) struct Carry {
    /// Write the message to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write files in the compact form, as QR codes always are
    #[arg(long)]
    compact: bool,
    /// Show QR codes in the terminal
    #[arg(long)]
    qr: bool,
    /// Write QR codes as a PNG image
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write QR codes as an SVG image
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What was done with a message.
pub(super) struct Carried {
    /// Standard output carries the message: nothing else may be printed there.
    piped: bool,
    codes: Option<String>,
    notes: Vec<String>,
    fields: Map<String, Value>,
}

impl Carry {
    /// Refuses what cannot work, before anything is done.
    pub(super) fn check(&self, json: bool) -> Result<(), Failure> {
        if json && self.out.as_deref() == Some(Path::new("-")) {
            let advice = "name a file, or take the message from the JSON document";
            return Err(Failure::usage("--json and --out - both want standard output", advice));
        }
        Ok(())
    }

    /// Sends `message` where it is wanted: to the terminal as QR codes, or into a pipe, where nothing was named.
    pub(super) fn send(&self, message: &[u8], json: bool) -> Result<Carried, Failure> {
        let short = compact(message).map_err(|error| Failure::refused("malformed", error, "make the message again"))?;
        let mut carried = Carried { piped: false, codes: None, notes: Vec::new(), fields: Map::new() };
        let named = self.out.is_some() || self.qr || self.png.is_some() || self.svg.is_some();
        let terminal = io::stdout().is_terminal();
        let pipe = !json && !named && !terminal;
        if let Some(path) = self.out.as_deref().or(pipe.then_some(Path::new("-"))) {
            let bytes = if self.compact { &short[..] } else { message };
            let place = Place::named(path);
            file::write(&place, bytes).map_err(not_written)?;
            carried.piped = place == Place::Pipe;
            let place = if carried.piped { "standard output".to_owned() } else { place.to_string() };
            carried.notes.push(format!("{} bytes to {place}", bytes.len()));
        }
        if self.qr || (!json && !named && terminal) {
            carried.codes = Some(sheet(&short, Density::Terminal)?.to_terminal());
        }
        if let Some(path) = &self.png {
            carried.write_image(path, &sheet(&short, Density::Image)?.to_png())?;
        }
        if let Some(path) = &self.svg {
            carried.write_image(path, sheet(&short, Density::Image)?.to_svg().as_bytes())?;
        }
        carried.fields.insert("message".to_owned(), json!(hex::encode(message)));
        carried.fields.insert("bytes".to_owned(), json!(message.len()));
        carried.fields.insert("compact".to_owned(), json!(hex::encode(&short)));
        carried.fields.insert("compact_bytes".to_owned(), json!(short.len()));
        Ok(carried)
    }
}

impl Carried {
    fn write_image(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        file::write(&Place::File(path.to_owned()), bytes).map_err(not_written)?;
        self.notes.push(format!("QR codes to {}", path.display()));
        Ok(())
    }

    /// The answer of the command: `human` and `machine`, with what became of the message.
    pub(super) fn answer(self, human: &str, machine: Value) -> Answer {
        let mut text = human.to_owned();
        for note in &self.notes {
            text.push_str(&format!("Wrote {note}.\n"));
        }
        text.push_str(self.codes.as_deref().unwrap_or_default());
        if self.piped {
            eprint!("{text}");
            return Answer::silent();
        }
        let mut fields = self.fields;
        if let Value::Object(more) = machine {
            fields.extend(more);
        }
        Answer::new(text, Value::Object(fields))
    }
}

fn sheet(message: &[u8], density: Density) -> Result<Sheet, Failure> {
    qr::encode(message, density)
        .map_err(|error| Failure::refused("no-qr-code", error, "send the message as a file or over TCP"))
}

/// A message is there and could not be written.
pub(super) fn not_written(error: MessageFileError) -> Failure {
    let what = format!("the message is not written: {error}");
    Failure::refused("not-written", what, "give the same command again and name another file")
}

/// Reads a message from files, images of its QR codes or standard input.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<u8>, Failure> {
    let places: Vec<Place> = paths.iter().map(|path| Place::named(path)).collect();
    file::read(&places)
        .map_err(|error| Failure::refused("not-read", error, "name the file or the images of one message"))
}
