//! Messages as QR codes: on a terminal, as SVG or PNG, and back from a PNG.
//!
//! A message that does not fit one code is cut into parts. Each code holds the text `SPECIE:1/3/CHECK/DATA`: part,
//! number of parts, the first 40 bits of the message's SHA-256, and the part's bytes, both in base32 (RFC 4648, no padding).
//! All of it is in QR's alphanumeric set, is a URI, and survives being copied as text.

mod parts;
mod scan;
mod sheet;

pub use parts::{Collected, Collector, PART_PREFIX, PartError, parts};
pub use scan::{ScanError, scan};
pub use sheet::Sheet;

use qrcode::{EcLevel, QrCode, Version};

/// How dense codes may be: bounds their size and so what fits one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Fits a terminal of 80 columns.
    Terminal,
    /// Reads well off paper and screens.
    Image,
}

impl Density {
    const fn version(self) -> Version {
        match self {
            Self::Terminal => Version::Normal(13),
            Self::Image => Version::Normal(25),
        }
    }

    const fn correction(self) -> EcLevel {
        match self {
            Self::Terminal => EcLevel::L,
            Self::Image => EcLevel::M,
        }
    }

    /// Most bytes of a message in one code.
    const fn part_max(self) -> usize {
        match self {
            Self::Terminal => 370,
            Self::Image => 890,
        }
    }

    /// The code of one part.
    fn code(self, text: &str) -> QrCode {
        // As small as the part allows; all but the last part are of one length, and so of one size.
        (1..=40)
            .map(Version::Normal)
            .take_while(|version| version.width() <= self.version().width())
            .find_map(|version| QrCode::with_version(text, version, self.correction()).ok())
            .expect("a part is cut to fit the largest code")
    }
}

/// The codes of `message`, laid out to be shown or printed.
///
/// # Errors
/// The message is too long for QR codes.
pub fn encode(message: &[u8], density: Density) -> Result<Sheet, PartError> {
    let codes: Vec<QrCode> = parts(message, density.part_max())?.iter().map(|part| density.code(part)).collect();
    let columns = match density {
        Density::Terminal => 1,
        Density::Image => codes.len().isqrt().max(1),
    };
    Ok(Sheet::lay_out(&codes, columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        Random::new(length as u64).fill(&mut bytes);
        bytes
    }

    fn read_back(png: &[u8]) -> Vec<u8> {
        let mut collector = Collector::new();
        for text in scan(png).unwrap() {
            collector.add(&text).unwrap();
        }
        collector.finish().unwrap()
    }

    #[test]
    fn messages_of_one_byte_to_8_kilobytes_come_back_from_a_png() {
        for length in [1, 2, 100, 369, 370, 371, 890, 891, 1024, 2000, 3333, 5000, 8192] {
            let message = message(length);
            for density in [Density::Terminal, Density::Image] {
                let png = encode(&message, density).unwrap().to_png();
                assert_eq!(read_back(&png), message, "{length} bytes, {density:?}");
            }
        }
    }

    #[test]
    fn full_codes_are_as_large_as_promised() {
        assert_eq!(encode(&message(370), Density::Terminal).unwrap().width(), 69 + 8);
        assert_eq!(encode(&message(890), Density::Image).unwrap().width(), 117 + 8);
    }
}
