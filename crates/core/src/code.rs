//! Codes that people copy by hand: digits of five bits that are not mistaken for each other (Crockford's base 32).

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `LENGTH` digits, at most 32, shown in groups of five. Whoever knows them may do something: it is not printed by accident.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code<const LENGTH: usize>([u8; LENGTH]);

impl<const LENGTH: usize> Code<LENGTH> {
    /// The code of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        const { assert!(LENGTH <= 32) };
        Self(core::array::from_fn(|index| DIGITS[usize::from(seed[index] & 31)]))
    }

    /// What a person typed: small letters, missing or additional hyphens and blanks, `O` for `0`, `I` or `L` for `1` are
    /// forgiven.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = Self([0; LENGTH]);
        let mut typed = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_uppercase());
        for digit in &mut code.0 {
            let meant = match typed.next()? {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                byte => byte,
            };
            *digit = *DIGITS.iter().find(|known| **known == meant)?;
        }
        typed.next().is_none().then_some(code)
    }

    /// The digits, in ASCII.
    pub fn expose_secret_digits(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl<const LENGTH: usize> fmt::Display for Code<LENGTH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks(5).enumerate() {
            let hyphen = if index == 0 { "" } else { "-" };
            write!(f, "{hyphen}{}", core::str::from_utf8(group).expect("digits are ASCII"))?;
        }
        Ok(())
    }
}

impl<const LENGTH: usize> fmt::Debug for Code<LENGTH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::string::ToString;

    use super::*;

    #[test]
    fn forgives_what_people_type() {
        let code = Code::<25>::from_seed(&core::array::from_fn(|index| index as u8 * 7));
        let shown = code.to_string();
        assert_eq!(shown.len(), 25 + 4);
        assert_eq!(Code::parse(&shown), Some(code.clone()));
        assert_eq!(Code::parse(&shown.to_lowercase().replace('-', " ")), Some(code.clone()));
        assert_eq!(Code::parse(&shown.replace('0', "O").replace('1', "l")), Some(code));
        let longer = std::format!("{shown}0");
        for wrong in [&shown[1..], &longer, &shown.replacen(|_: char| true, "U", 1), ""] {
            assert_eq!(Code::<25>::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn is_not_printed_by_accident() {
        assert_eq!(std::format!("{:?}", Code::<30>::from_seed(&[1; 32])), "Code(..)");
    }
}
