//! Short texts, held in place.

use core::fmt;

use crate::encoding::{DecodeError, Reader, Writer};

/// A UTF-8 text of 1 to `N` bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

/// A name: of an issuer, a PSP, a payee, an account (1 to 32 bytes).
pub type Name = Text<32>;

/// A note to a payment (1 to 140 bytes).
pub type Memo = Text<140>;

/// An ISO 4217 currency code: three capital letters. `XTS` is for tests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl<const N: usize> Text<N> {
    /// `text` if it has 1 to `N` bytes.
    pub fn new(text: &str) -> Option<Self> {
        let length = u8::try_from(text.len()).ok().filter(|&length| length > 0)?;
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("made from a str")
    }

    pub(crate) fn write<W: minicbor::encode::Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.text(self.as_str())
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(r.text()?).ok_or(DecodeError::WrongLength)
    }
}

impl Currency {
    /// `code` if it is three capital letters.
    pub fn new(code: &str) -> Option<Self> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("capital letters")
    }

    pub(crate) fn write<W: minicbor::encode::Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.text(self.as_str())
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(r.text()?).ok_or(DecodeError::OutOfRange)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_bounds() {
        assert!(Name::new("").is_none());
        assert!(Name::new(&"x".repeat(33)).is_none());
        assert_eq!(Name::new(&"x".repeat(32)).unwrap().as_str().len(), 32);
        assert!(Memo::new(&"x".repeat(256)).is_none());
    }

    #[test]
    fn currencies_are_three_capitals() {
        assert!(Currency::new("EUR").is_some());
        for wrong in ["", "EU", "EURO", "eur", "E1R", "É"] {
            assert!(Currency::new(wrong).is_none(), "{wrong}");
        }
    }
}
