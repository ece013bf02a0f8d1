//! Messages in files and pipes. What is read may be a message itself, an image of its QR codes, or the text of them.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::MESSAGE_MAX;
use super::qr::{self, Collector, PART_PREFIX, PartError, ScanError};
use crate::durable::{self, Access};

/// Where a message is read from or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Standard input or output: `-`.
    Pipe,
    /// A file.
    File(PathBuf),
}

/// Why a message could not be read or written. Writing leaves no half file behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MessageFileError {
    /// The operating system refused.
    #[error("{place}: {source}")]
    Io {
        /// Where.
        place: Place,
        /// What it said.
        source: io::Error,
    },
    /// Bytes would go to a terminal.
    #[error("the message is binary and would spoil the terminal; name a file, or pipe it into a program")]
    Terminal,
    /// The image holds no message.
    #[error("{place}: {source}")]
    Scan {
        /// Where.
        place: Place,
        /// What is wrong with it.
        source: ScanError,
    },
    /// The parts do not make a message.
    #[error(transparent)]
    Parts(#[from] PartError),
    /// Several files that are not parts of one message.
    #[error("several files make one message only where each holds QR codes of it; name one file")]
    SeveralMessages,
}

impl Place {
    /// The place that a user named: `-` is the pipe.
    pub fn named(name: &Path) -> Self {
        if name == Path::new("-") { Self::Pipe } else { Self::File(name.to_owned()) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pipe => f.write_str("standard input or output"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Reads one message, whatever carries it: its bytes, PNG images of its QR codes, or their texts, one to a line.
///
/// Several places may be given for the parts of one message. What the message says is not checked here.
///
/// # Errors
/// Nothing can be read, or it does not make one message.
pub fn read(places: &[Place]) -> Result<Vec<u8>, MessageFileError> {
    let mut collector = Collector::new();
    for place in places {
        let bytes = read_bytes(place)?;
        if bytes.starts_with(b"\x89PNG") {
            let texts = qr::scan(&bytes).map_err(|source| MessageFileError::Scan { place: place.clone(), source })?;
            for text in texts {
                collector.add(&text)?;
            }
        } else if let Some(text) = text_of_parts(&bytes) {
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                collector.add(line)?;
            }
        } else if places.len() == 1 {
            return Ok(bytes);
        } else {
            return Err(MessageFileError::SeveralMessages);
        }
    }
    Ok(collector.finish()?)
}

/// Writes bytes: a file in one step, so that whoever reads it finds the whole or nothing.
///
/// # Errors
/// The place cannot be written, or is a terminal.
pub fn write(place: &Place, bytes: &[u8]) -> Result<(), MessageFileError> {
    let failed = |source| MessageFileError::Io { place: place.clone(), source };
    match place {
        Place::File(path) => durable::replace(path, bytes, Access::Everyone).map_err(failed),
        Place::Pipe => {
            let mut output = io::stdout().lock();
            if output.is_terminal() {
                return Err(MessageFileError::Terminal);
            }
            output.write_all(bytes).and_then(|()| output.flush()).map_err(failed)
        }
    }
}

fn read_bytes(place: &Place) -> Result<Vec<u8>, MessageFileError> {
    // Pictures are larger than messages; both are bounded.
    const LIMIT: usize = 8 * MESSAGE_MAX;
    let read = match place {
        Place::Pipe => durable::read_at_most(io::stdin().lock().by_ref(), LIMIT),
        Place::File(path) => std::fs::File::open(path).and_then(|file| durable::read_at_most(file, LIMIT)),
    };
    read.map_err(|source| MessageFileError::Io { place: place.clone(), source })
}

/// The bytes as text, where they are the texts of QR codes. A message begins with the head of a CBOR array, never so.
fn text_of_parts(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?;
    let start = text.trim_start().get(..PART_PREFIX.len())?;
    start.eq_ignore_ascii_case(PART_PREFIX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::qr::Density;

    fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> Place {
        let place = Place::File(folder.path().join(name));
        write(&place, bytes).unwrap();
        place
    }

    #[test]
    fn reads_a_message_whatever_carries_it() {
        let folder = tempfile::tempdir().unwrap();
        let message = [0x83, 1, 2, 0x80];
        assert_eq!(read(&[file(&folder, "a", &message)]).unwrap(), message);
        let sheet = qr::encode(&message, Density::Image).unwrap();
        assert_eq!(read(&[file(&folder, "b", &sheet.to_png())]).unwrap(), message);
        let texts = qr::parts(&message, 2).unwrap();
        assert_eq!(read(&[file(&folder, "c", texts.join("\n\n").as_bytes())]).unwrap(), message);
        let places: Vec<Place> =
            texts.iter().zip(["d", "e"]).map(|(text, name)| file(&folder, name, text.as_bytes())).collect();
        assert_eq!(read(&places).unwrap(), message);
        assert!(matches!(
            read(&places[..1]),
            Err(MessageFileError::Parts(PartError::Incomplete { have: 1, total: 2 }))
        ));
    }

    #[test]
    fn rejects_several_messages_and_missing_files() {
        let folder = tempfile::tempdir().unwrap();
        let places = [file(&folder, "a", &[0x80]), file(&folder, "b", &[0x80])];
        assert!(matches!(read(&places), Err(MessageFileError::SeveralMessages)));
        let missing = Place::File(folder.path().join("missing"));
        assert!(matches!(read(&[missing]), Err(MessageFileError::Io { .. })));
        assert_eq!(Place::named(Path::new("-")), Place::Pipe);
    }
}
