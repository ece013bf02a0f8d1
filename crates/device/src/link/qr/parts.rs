//! Cutting a message into texts that each fit a code, and putting them together in any order.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What every part begins with.
pub const PART_PREFIX: &str = "SPECIE:";

/// Most parts of one message.
const PARTS_MAX: usize = 99;

/// Bytes of the check, 8 characters of base32.
const CHECK_LENGTH: usize = 5;

type Check = [u8; CHECK_LENGTH];

/// Why parts do not make a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartError {
    /// The message does not fit the most codes, or is empty.
    #[error("the message has {0} bytes, which is none or too many for QR codes; send it as a file or over TCP")]
    Length(usize),
    /// It is not a part of a Specie message.
    #[error("a code or text is not part of a Specie message; scan the codes that belong to it")]
    NotAPart,
    /// It belongs to another message than the parts before.
    #[error("the codes belong to different messages; scan those of one message only")]
    OtherMessage,
    /// Not all parts are there.
    #[error("{have} of {total} codes read; scan the others too")]
    Incomplete {
        /// Parts read.
        have: usize,
        /// Parts of the message.
        total: usize,
    },
    /// All parts are there and do not make what was cut.
    #[error("the codes do not make a whole message; scan them again")]
    Damaged,
}

/// The parts of `message`, none of more than `part_max` bytes.
///
/// # Errors
/// The message is empty or too long.
pub fn parts(message: &[u8], part_max: usize) -> Result<Vec<String>, PartError> {
    let total = message.len().div_ceil(part_max);
    if total == 0 || total > PARTS_MAX {
        return Err(PartError::Length(message.len()));
    }
    let check = BASE32_NOPAD.encode(&check(message));
    // Of one length, so that the codes are of one size.
    let length = message.len().div_ceil(total);
    let bodies = message.chunks(length).map(|part| BASE32_NOPAD.encode(part));
    Ok((1..).zip(bodies).map(|(part, body)| format!("{PART_PREFIX}{part}/{total}/{check}/{body}")).collect())
}

fn check(message: &[u8]) -> Check {
    Sha256::digest(message)[..CHECK_LENGTH].try_into().expect("a hash is longer")
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Parts read.
    pub have: usize,
    /// Parts of the message.
    pub total: usize,
}

/// Puts the parts of one message together, in any order, each as often as it comes.
#[derive(Debug, Default)]
pub struct Collector {
    check: Check,
    parts: Vec<Option<Vec<u8>>>,
}

struct Part {
    number: usize,
    total: usize,
    check: Check,
    body: Vec<u8>,
}

impl Collector {
    /// No part yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one part.
    ///
    /// # Errors
    /// It is no part, or of another message; what was read before stays.
    pub fn add(&mut self, text: &str) -> Result<Collected, PartError> {
        let part = Part::decode(text).ok_or(PartError::NotAPart)?;
        if self.parts.is_empty() {
            self.check = part.check;
            self.parts.resize(part.total, None);
        }
        if self.check != part.check || self.parts.len() != part.total {
            return Err(PartError::OtherMessage);
        }
        let slot = &mut self.parts[part.number - 1];
        if slot.as_ref().is_some_and(|known| *known != part.body) {
            return Err(PartError::OtherMessage);
        }
        *slot = Some(part.body);
        Ok(self.collected())
    }

    /// How many parts are there.
    pub fn collected(&self) -> Collected {
        Collected { have: self.parts.iter().flatten().count(), total: self.parts.len() }
    }

    /// The message.
    ///
    /// # Errors
    /// Parts are missing or do not belong together.
    pub fn finish(self) -> Result<Vec<u8>, PartError> {
        let Collected { have, total } = self.collected();
        if have < total || total == 0 {
            return Err(PartError::Incomplete { have, total });
        }
        let message: Vec<u8> = self.parts.into_iter().flatten().flatten().collect();
        if check(&message) == self.check { Ok(message) } else { Err(PartError::Damaged) }
    }
}

impl Part {
    fn decode(text: &str) -> Option<Self> {
        let text = text.trim();
        // Some scanners give a URI's scheme in lower case, some people copy it so.
        let prefix = text.get(..PART_PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PART_PREFIX))?;
        let mut fields = text[prefix.len()..].split('/');
        let (number, total) = (number(fields.next()?)?, number(fields.next()?)?);
        let (check, body) = (base32(fields.next()?)?.try_into().ok()?, base32(fields.next()?)?);
        let sound = fields.next().is_none() && number <= total && !body.is_empty();
        sound.then_some(Self { number, total, check, body })
    }
}

/// A number from 1 to [`PARTS_MAX`], without leading zeros or signs.
fn number(text: &str) -> Option<usize> {
    let number = text.parse().ok().filter(|number| (1..=PARTS_MAX).contains(number))?;
    (number.to_string() == text).then_some(number)
}

fn base32(text: &str) -> Option<Vec<u8>> {
    BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect<'a>(parts: impl IntoIterator<Item = &'a String>) -> Result<Vec<u8>, PartError> {
        let mut collector = Collector::new();
        for part in parts {
            collector.add(part)?;
        }
        collector.finish()
    }

    #[test]
    fn parts_in_any_order_and_twice_make_the_message() {
        let message: Vec<u8> = (0..=255).collect();
        let parts = parts(&message, 30).unwrap();
        assert_eq!(parts.len(), 9);
        assert_eq!(collect(parts.iter().rev().chain(&parts)).unwrap(), message);
        assert!(
            parts
                .iter()
                .all(|part| part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || ":/".contains(c)))
        );
    }

    #[test]
    fn missing_parts_are_counted() {
        let parts = parts(&[1; 100], 30).unwrap();
        assert_eq!(collect(&parts[1..]), Err(PartError::Incomplete { have: 3, total: 4 }));
        assert_eq!(collect([]), Err(PartError::Incomplete { have: 0, total: 0 }));
    }

    #[test]
    fn rejects_parts_of_different_messages() {
        let (one, two) = (parts(&[1; 100], 50).unwrap(), parts(&[2; 100], 50).unwrap());
        assert_eq!(collect([&one[0], &two[1]]), Err(PartError::OtherMessage));
        let swapped = one[1].replace("2/2", "1/2");
        let other = format!("{}AA", &swapped[..swapped.len() - 2]);
        assert_eq!(collect([&one[0], &other]), Err(PartError::OtherMessage));
        assert_eq!(collect([&one[1], &other]), Err(PartError::Damaged));
    }

    #[test]
    fn rejects_what_is_no_part() {
        let good = parts(&[7; 10], 50).unwrap().remove(0);
        assert!(Part::decode(&good.to_lowercase()).is_some() && Part::decode(&format!(" {good}\n")).is_some());
        for bad in [
            "",
            "SPECIE:",
            "https://example.org",
            &good.replace("1/1", "2/1"),
            &good.replace("1/1", "0/1"),
            &good.replace("1/1", "1/100"),
            &good.replace("1/1", "01/1"),
            &good.replace("1/1", "+1/1"),
            &format!("{good}/"),
            &format!("{good}="),
            &format!("{good}A"),
            &good[..good.rfind('/').unwrap() + 1],
            "SPECIÉ:1/1/AAAAAAAA/AA",
        ] {
            assert!(Part::decode(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn rejects_messages_of_no_or_too_many_bytes() {
        assert_eq!(parts(&[], 10), Err(PartError::Length(0)));
        assert_eq!(parts(&[0; 991], 10), Err(PartError::Length(991)));
        assert_eq!(parts(&[0; 990], 10).unwrap().len(), 99);
    }
}
