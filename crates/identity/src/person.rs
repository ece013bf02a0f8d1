//! By what a person is known again without writing down who it is: keyed hashes.
//!
//! Numbers of persons and documents are few enough to be tried out one by one, so a plain hash of one hides nothing. The key, a
//! *pepper*, is kept apart from the records.

use core::fmt;

use specie_core::{hash, label};
use zeroize::Zeroizing;

/// A secret of 32 bytes. Who has it and a tag can try out numbers; who changes it knows nobody again.
pub struct Pepper(Zeroizing<[u8; 32]>);

/// The same for all credentials of one issuer about one person, and nothing to anybody without the pepper.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonTag(pub [u8; 32]);

impl Pepper {
    /// A pepper from 32 secret random bytes that are used for nothing else.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The tag of the person whom `issuer` tells apart by `value`.
    pub fn person(&self, issuer: &str, value: &str) -> PersonTag {
        PersonTag(hash::h32(label::PERSON, &[&*self.0, issuer.as_bytes(), value.as_bytes()]))
    }

    /// By what the bank's registry knows whoever has this tag, of a person or of a document. Two PSPs with one pepper make the same of
    /// one person.
    pub fn pseudonym(tag: &[u8; 32]) -> [u8; 32] {
        hash::h32(label::REGISTERED_PERSON, &[tag])
    }

    /// Names the pepper, and says nothing about it: it is as long as the name, and random.
    pub fn name(&self) -> [u8; 32] {
        hash::h32(label::PEPPER, &[&*self.0])
    }

    /// The tag of a document: `kind` and number as they stand on it. Spaces, hyphens and case of the number make no difference.
    pub fn document(&self, kind: &str, number: &str) -> [u8; 32] {
        let number: String =
            number.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        hash::h32(label::DOCUMENT_NUMBER, &[&*self.0, kind.as_bytes(), number.as_bytes()])
    }

    /// The tag of whoever answers a telephone number, `+` and digits.
    pub fn telephone(&self, number: &str) -> [u8; 32] {
        self.document("telephone", number)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

impl fmt::Display for PersonTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PersonTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonTag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_depend_on_pepper_issuer_and_value() {
        let pepper = |byte| Pepper::new(Zeroizing::new([byte; 32]));
        let tag = pepper(1).person("https://a", "42");
        assert_eq!(tag, pepper(1).person("https://a", "42"));
        for other in [
            pepper(2).person("https://a", "42"),
            pepper(1).person("https://b", "42"),
            pepper(1).person("https://a", "43"),
        ] {
            assert_ne!(tag, other);
        }
        assert_ne!(pepper(1).person("a", "b42"), pepper(1).person("ab", "42"));
    }

    #[test]
    fn a_document_is_known_however_its_number_is_typed() {
        let pepper = Pepper::new(Zeroizing::new([1; 32]));
        assert_eq!(pepper.document("passport", "c01x-00 t47"), pepper.document("passport", "C01X00T47"));
        assert_ne!(pepper.document("passport", "C01X00T47"), pepper.document("identity-card", "C01X00T47"));
        assert_eq!(format!("{pepper:?}"), "Pepper(..)");
    }
}
