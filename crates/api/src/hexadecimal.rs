//! Binary in JSON: lowercase hexadecimal, in one form only. In a form that is not for people, CBOR, it is bytes.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of any length, written as lowercase hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hex(pub Vec<u8>);

/// `N` bytes, written as lowercase hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexArray<const N: usize>(pub [u8; N]);

/// A text is not lowercase hexadecimal of the length asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not lowercase hexadecimal of the right length")]
pub struct NotHexadecimal;

impl Hex {
    /// Reads lowercase hexadecimal.
    ///
    /// # Errors
    /// When `text` is not.
    pub fn parse(text: &str) -> Result<Self, NotHexadecimal> {
        lowercase(text)?;
        let mut bytes = vec![0; text.len() / 2];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotHexadecimal)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> HexArray<N> {
    /// Reads lowercase hexadecimal of exactly `N` bytes.
    ///
    /// # Errors
    /// When `text` is not.
    pub fn parse(text: &str) -> Result<Self, NotHexadecimal> {
        lowercase(text)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotHexadecimal)?;
        Ok(Self(bytes))
    }
}

fn lowercase(text: &str) -> Result<(), NotHexadecimal> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Err(NotHexadecimal) } else { Ok(()) }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl<const N: usize> fmt::Display for HexArray<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hex({} bytes)", self.0.len())
    }
}

impl<const N: usize> fmt::Debug for HexArray<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HexArray({N} bytes)")
    }
}

impl From<Vec<u8>> for Hex {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Hex {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for HexArray<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
    }
}

impl<const N: usize> Serialize for HexArray<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::parse, |bytes| Ok(Self(bytes.to_vec())))
    }
}

impl<'de, const N: usize> Deserialize<'de> for HexArray<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::parse, |bytes| bytes.try_into().map(Self).map_err(|_| NotHexadecimal))
    }
}

fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    from_text: fn(&str) -> Result<T, NotHexadecimal>,
    from_bytes: fn(&[u8]) -> Result<T, NotHexadecimal>,
) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(TextVisitor { from_text, from_bytes })
    } else {
        deserializer.deserialize_bytes(BytesVisitor(from_bytes))
    }
}

/// Reads a text with a function, without a copy of the text. What serde keeps aside, to read the tag of an enumeration first, says
/// that it is for people also where it came as bytes.
struct TextVisitor<T> {
    from_text: fn(&str) -> Result<T, NotHexadecimal>,
    from_bytes: fn(&[u8]) -> Result<T, NotHexadecimal>,
}

/// The same with bytes, and nothing else.
struct BytesVisitor<T>(fn(&[u8]) -> Result<T, NotHexadecimal>);

impl<T> Visitor<'_> for BytesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string of the right length")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.0)(bytes).map_err(E::custom)
    }
}

impl<T> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lowercase hexadecimal")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.from_text)(text).map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.from_bytes)(bytes).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn one_form_only() {
        assert_eq!(serde_json::to_string(&HexArray([0xab, 0x01])).unwrap(), "\"ab01\"");
        assert_eq!(serde_json::from_str::<Hex>("\"ab01\"").unwrap(), Hex(vec![0xab, 1]));
        assert_eq!(serde_json::from_str::<Hex>("\"\"").unwrap(), Hex(vec![]));
        for wrong in ["\"AB01\"", "\"ab0\"", "\"0xab\"", "\"ab 1\"", "7", "null"] {
            assert!(serde_json::from_str::<Hex>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["\"ab\"", "\"ab0102\""] {
            assert!(serde_json::from_str::<HexArray<2>>(wrong).is_err(), "{wrong}");
        }
    }
}
