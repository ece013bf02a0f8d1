//! Where an element is: how `device.toml` and `specie device new --element` name it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const SOCKET: &str = "socket";
const SERIAL: &str = "serial";

/// An element, as text: the path of a program, `socket:PATH` or `serial:PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ElementAddress {
    /// A program that is a software element, started as `PROGRAM element --flash FILE`.
    Program(PathBuf),
    /// A chip of its own.
    Chip(ChipAddress),
}

/// The near end of the line to a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChipAddress {
    /// A UNIX stream socket.
    Socket(PathBuf),
    /// A serial device, such as `/dev/ttyACM0`.
    Serial(PathBuf),
}

/// The text names no element.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ElementAddressError {
    /// What stands before the colon is no kind of element.
    #[error(
        "`{0}:` is no kind of element; give socket:PATH, serial:PATH, or the path of a program (as ./PATH if it has a colon)"
    )]
    UnknownKind(String),
    /// There is no path.
    #[error("a path is missing; give socket:PATH, serial:PATH, or the path of a program")]
    NoPath,
    /// A path is no text, so no configuration can name it.
    #[error("the path of an element must be text; rename it")]
    NotText,
}

/// The text names no line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` names no line; give socket:PATH or serial:PATH, such as serial:/dev/ttyACM0")]
pub struct ChipAddressError(String);

impl ElementAddress {
    /// The same with a relative path taken from `folder`.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Self {
        match self {
            Self::Program(path) => Self::Program(folder.join(path)),
            Self::Chip(ChipAddress::Socket(path)) => Self::Chip(ChipAddress::Socket(folder.join(path))),
            Self::Chip(ChipAddress::Serial(path)) => Self::Chip(ChipAddress::Serial(folder.join(path))),
        }
    }
}

impl ChipAddress {
    /// The file of the socket or device.
    pub fn path(&self) -> &Path {
        match self {
            Self::Socket(path) | Self::Serial(path) => path,
        }
    }
}

impl FromStr for ChipAddress {
    type Err = ChipAddressError;

    fn from_str(text: &str) -> Result<Self, ChipAddressError> {
        let address = match text.split_once(':') {
            Some((SOCKET, path)) => Self::Socket(path.into()),
            Some((SERIAL, path)) => Self::Serial(path.into()),
            _ => return Err(ChipAddressError(text.to_owned())),
        };
        if address.path().as_os_str().is_empty() { Err(ChipAddressError(text.to_owned())) } else { Ok(address) }
    }
}

impl FromStr for ElementAddress {
    type Err = ElementAddressError;

    fn from_str(text: &str) -> Result<Self, ElementAddressError> {
        let address = match text.split_once(':') {
            Some((SOCKET, path)) => Self::Chip(ChipAddress::Socket(path.into())),
            Some((SERIAL, path)) => Self::Chip(ChipAddress::Serial(path.into())),
            // A colon within a path is none after a kind.
            Some((kind, _)) if !kind.contains('/') => return Err(ElementAddressError::UnknownKind(kind.to_owned())),
            _ => Self::Program(text.into()),
        };
        let (Self::Program(path) | Self::Chip(ChipAddress::Socket(path) | ChipAddress::Serial(path))) = &address;
        if path.as_os_str().is_empty() { Err(ElementAddressError::NoPath) } else { Ok(address) }
    }
}

impl TryFrom<String> for ElementAddress {
    type Error = ElementAddressError;

    fn try_from(text: String) -> Result<Self, ElementAddressError> {
        text.parse()
    }
}

impl From<ElementAddress> for String {
    fn from(address: ElementAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for ElementAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What could be taken for a kind is marked as a path.
            Self::Program(path) if path.parent() == Some(Path::new("")) && path.to_string_lossy().contains(':') => {
                write!(f, "./{}", path.display())
            }
            Self::Program(path) => write!(f, "{}", path.display()),
            Self::Chip(chip) => chip.fmt(f),
        }
    }
}

impl fmt::Display for ChipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Socket(_) => SOCKET,
            Self::Serial(_) => SERIAL,
        };
        write!(f, "{kind}:{}", self.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        for (text, address) in [
            ("bin/specie", ElementAddress::Program("bin/specie".into())),
            ("/opt/specie", ElementAddress::Program("/opt/specie".into())),
            ("./a:b", ElementAddress::Program("./a:b".into())),
            ("/a:b/c", ElementAddress::Program("/a:b/c".into())),
            ("socket:chip.sock", ElementAddress::Chip(ChipAddress::Socket("chip.sock".into()))),
            ("socket:/run/a:b", ElementAddress::Chip(ChipAddress::Socket("/run/a:b".into()))),
            ("serial:/dev/ttyACM0", ElementAddress::Chip(ChipAddress::Serial("/dev/ttyACM0".into()))),
        ] {
            assert_eq!(text.parse(), Ok(address.clone()));
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(ElementAddress::Program("socket:x".into()).to_string(), "./socket:x");
    }

    #[test]
    fn rejects_other_forms_and_says_which_there_are() {
        for text in ["usb:/dev/ttyACM0", "SERIAL:/dev/ttyACM0", "tcp://chip:7", ":x", "C:element"] {
            let error = text.parse::<ElementAddress>().unwrap_err();
            assert!(matches!(error, ElementAddressError::UnknownKind(_)), "{text}: {error}");
            assert!(error.to_string().contains("serial:PATH"), "{error}");
        }
        for text in ["", "socket:", "serial:"] {
            assert_eq!(text.parse::<ElementAddress>(), Err(ElementAddressError::NoPath), "{text}");
        }
    }

    #[test]
    fn a_line_is_a_socket_or_a_serial_device() {
        for text in ["socket:chip.sock", "serial:/dev/ttyACM0"] {
            assert_eq!(text.parse::<ChipAddress>().unwrap().to_string(), text);
        }
        for text in ["", "socket:", "serial:", "/dev/ttyACM0", "usb:1"] {
            assert!(text.parse::<ChipAddress>().unwrap_err().to_string().contains("serial:PATH"), "{text}");
        }
    }

    #[test]
    fn relative_paths_begin_at_the_folder() {
        let folder = Path::new("/devices/anna");
        for (text, within) in [
            ("bin/specie", "/devices/anna/bin/specie"),
            ("/bin/specie", "/bin/specie"),
            ("socket:chip.sock", "socket:/devices/anna/chip.sock"),
            ("serial:/dev/ttyACM0", "serial:/dev/ttyACM0"),
        ] {
            assert_eq!(text.parse::<ElementAddress>().unwrap().within(folder).to_string(), within);
        }
    }
}
