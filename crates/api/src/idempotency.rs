//! Idempotency keys: the same key with the same request takes effect once, however often it is sent.

use alloc::string::String;
use core::fmt;

/// The header that carries the key.
pub const HEADER: &str = "idempotency-key";

/// The fewest characters of a key.
pub const LENGTH_MIN: usize = 16;

/// The most characters of a key.
pub const LENGTH_MAX: usize = 64;

/// 16 to 64 visible ASCII characters, chosen by the one who asks: random, and kept until the answer is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// A text is no idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an idempotency key has 16 to 64 visible ASCII characters")]
pub struct NotAKey;

impl Key {
    /// `text` if it is a key.
    ///
    /// # Errors
    /// When it is not.
    pub fn new(text: &str) -> Result<Self, NotAKey> {
        let fits = (LENGTH_MIN..=LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(Self(text.into())) } else { Err(NotAKey) }
    }

    /// The key made of 16 random bytes, or of a name that is unique already.
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_bounds() {
        for good in ["0123456789abcdef", &"~".repeat(64)] {
            assert!(Key::new(good).is_ok(), "{good}");
        }
        for wrong in
            ["", "0123456789abcde", &"x".repeat(65), "0123456789 abcdef", "0123456789äbcdef", "0123456789\nabcdef"]
        {
            assert_eq!(Key::new(wrong), Err(NotAKey), "{wrong:?}");
        }
        assert!(Key::new(Key::from_bytes(&[7; 16]).as_str()).is_ok());
    }
}
