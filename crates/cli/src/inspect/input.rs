//! Reads what is to be inspected: binary, hex, base64, QR codes or JSON; from files or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use specie_device::link::qr::{self, Collector, PART_PREFIX};

use crate::failure::Failure;

/// One thing to inspect.
pub(crate) struct Input {
    /// Where it came from.
    pub(crate) source: String,
    pub(crate) content: Content,
}

/// What it was read as.
pub(crate) enum Content {
    /// Something encoded.
    Binary(Vec<u8>),
    /// A document with shows in it.
    Json(Value),
    /// None of these.
    Unreadable(String),
}

impl Input {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let stdin = path == Path::new("-");
        let source = if stdin { "standard input".to_owned() } else { path.display().to_string() };
        let read = if stdin { read_start(io::stdin().lock()) } else { File::open(path).and_then(read_start) };
        let bytes = read.map_err(|error| Failure::file(&source, &error))?;
        Ok(Self { source, content: Content::of(bytes) })
    }
}

/// Larger than any message, its picture, or a file of test vectors.
const LARGEST: usize = 64 << 20;

/// All of it, or more than the largest.
fn read_start(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Content {
    /// Every structure of the schema is an array, so its first byte is no ASCII, and text is told apart by that.
    fn of(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::Unreadable("empty".to_owned());
        }
        if bytes.len() > LARGEST {
            return Self::Unreadable("more than 64 MiB: larger than anything that could be inspected".to_owned());
        }
        if bytes.starts_with(b"\x89PNG") {
            return qr::scan(&bytes)
                .map_or_else(|error| Self::Unreadable(error.to_string()), |texts| Self::collect(&texts));
        }
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) if text.is_ascii() || text.trim_start().starts_with(['{', '[']) => text.trim(),
            _ => return Self::Binary(bytes),
        };
        if text.starts_with(PART_PREFIX) {
            return Self::collect(&text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>());
        }
        if text.starts_with(['{', '[']) {
            return match serde_json::from_str(text) {
                Ok(value) => Self::Json(value),
                Err(error) => Self::Unreadable(format!("begins like JSON, but is none: {error}")),
            };
        }
        let packed: String = text.split_ascii_whitespace().collect();
        let decoded = hex::decode(&packed).ok().or_else(|| base64(&packed));
        decoded.map_or_else(|| Self::Unreadable("neither CBOR nor hex, base64 or JSON".to_owned()), Self::Binary)
    }
}

impl Content {
    /// The message that the texts of QR codes make.
    fn collect(texts: &[String]) -> Self {
        let mut collector = Collector::new();
        let added = texts.iter().try_for_each(|text| collector.add(text).map(drop));
        added.and_then(|()| collector.finish()).map_or_else(|error| Self::Unreadable(error.to_string()), Self::Binary)
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let relaxed = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| GeneralPurpose::new(alphabet, relaxed).decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(bytes: &[u8]) -> Option<Vec<u8>> {
        match Content::of(bytes.to_vec()) {
            Content::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    #[test]
    fn reads_qr_codes_as_pictures_and_as_text() {
        let message = [0x82; 1000];
        let sheet = qr::encode(&message, qr::Density::Image).unwrap();
        assert_eq!(binary(&sheet.to_png()).unwrap(), message);
        let texts = qr::parts(&message, 400).unwrap();
        assert_eq!(binary(texts.join("\n").as_bytes()).unwrap(), message);
        assert!(matches!(Content::of(texts[0].clone().into_bytes()), Content::Unreadable(_)));
    }

    #[test]
    fn reads_each_form() {
        for form in [&b"\x82\x01\x02"[..], b"820102", b" 8201\n02\n", b"ggEC", b"ggEC\n"] {
            assert_eq!(binary(form).unwrap(), [0x82, 1, 2], "{form:?}");
        }
        assert_eq!(binary(b"g_8").unwrap(), [0x83, 0xff]);
        assert!(matches!(Content::of(vec![0x82; LARGEST + 1]), Content::Unreadable(_)));
        assert_eq!(read_start(io::repeat(0)).unwrap().len(), LARGEST + 1, "an endless input ends");
        assert!(matches!(Content::of(b"{\"a\":1}".to_vec()), Content::Json(_)));
        for wrong in [&b""[..], b"{\"a\":", b"hello, world"] {
            assert!(matches!(Content::of(wrong.to_vec()), Content::Unreadable(_)), "{wrong:?}");
        }
    }
}
