//! Claim codes: what a customer types to enrol a device.

use core::fmt;

use specie_core::text::Name;
use specie_core::{hash, label};

/// Digits of five bits that are not mistaken for each other (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Digits of a code; 125 bits.
const LENGTH: usize = 25;

/// A claim code: 25 digits in groups of five. Good for one device.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimCode([u8; LENGTH]);

impl ClaimCode {
    /// The code of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(core::array::from_fn(|index| DIGITS[usize::from(seed[index] & 31)]))
    }

    /// What a person typed: small letters, missing or additional hyphens and blanks, `O` for `0`, `I` or `L` for `1` are
    /// forgiven.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = [0; LENGTH];
        let mut typed = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_uppercase());
        for digit in &mut digits {
            let meant = match typed.next()? {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                byte => byte,
            };
            *digit = *DIGITS.iter().find(|known| **known == meant)?;
        }
        typed.next().is_none().then_some(Self(digits))
    }
}

/// How a code for `customer` is stored and found.
pub(crate) fn code_hash(customer: &Name, code: &ClaimCode) -> [u8; 32] {
    hash::h32(label::CLAIM_CODE, &[customer.as_str().as_bytes(), &code.0])
}

impl fmt::Display for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks(5).enumerate() {
            let hyphen = if index == 0 { "" } else { "-" };
            write!(f, "{hyphen}{}", core::str::from_utf8(group).expect("digits are ASCII"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn forgives_what_people_type() {
        let code = ClaimCode::from_seed(&core::array::from_fn(|index| index as u8 * 7));
        let shown = code.to_string();
        assert_eq!(shown.len(), LENGTH + 4);
        assert_eq!(ClaimCode::parse(&shown), Some(code.clone()));
        assert_eq!(ClaimCode::parse(&shown.to_lowercase().replace('-', " ")), Some(code.clone()));
        assert_eq!(ClaimCode::parse(&shown.replace('0', "O").replace('1', "l")), Some(code));
        for wrong in [&shown[1..], &format!("{shown}0"), &shown.replacen(|_: char| true, "U", 1), ""] {
            assert_eq!(ClaimCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn is_not_printed_by_accident() {
        assert_eq!(format!("{:?}", ClaimCode::from_seed(&[1; 32])), "ClaimCode(..)");
    }
}
