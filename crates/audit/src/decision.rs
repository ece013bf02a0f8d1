//! What somebody decided, before it has a place in the log.

use std::collections::BTreeMap;
use std::fmt;

use specie_core::Timestamp;
use specie_core::text::{Name, Text};
use thiserror::Error;

use crate::kind::Kind;

/// Whom or what a decision is about, 1 to 128 bytes.
pub type Subject = Text<128>;

/// What else there is to say, by name.
pub type Details = BTreeMap<String, String>;

/// The most bytes of all names and values of one record's details.
pub const DETAILS_MAX: usize = 60_000;

/// Who decided: the service by itself, or an operator, by the name that it gives itself. Nothing here proves that name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor(Name);

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Who decided.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What was decided.
    pub kind: Kind,
    /// About whom or what.
    pub subject: Subject,
    /// What else there is to say.
    pub details: Details,
}

/// Why something cannot be written into the log.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// The subject is empty or too long.
    #[error("the audit log names a subject in 1 to 128 bytes: shorten it; nothing was changed")]
    Subject,
    /// The name of a detail is none, or is there twice.
    #[error("`{0}` is no name of a detail in the audit log, or is there twice; nothing was changed")]
    Detail(String),
    /// The details are too long.
    #[error("the audit log takes {DETAILS_MAX} bytes about one decision: shorten the texts; nothing was changed")]
    TooLong,
}

/// How the service calls itself.
const SERVICE: &str = "service";

impl Actor {
    /// The service by itself.
    pub fn service() -> Self {
        Self(Name::new(SERVICE).expect("short"))
    }

    /// An operator's name: 1 to 32 bytes without control characters, not that of the service.
    pub fn operator(name: &str) -> Option<Self> {
        Self::parse(name).filter(|actor| *actor != Self::service())
    }

    /// Either, from its text.
    pub fn parse(text: &str) -> Option<Self> {
        Name::new(text).filter(|_| !text.chars().any(char::is_control)).map(Self)
    }

    /// The name.
    pub fn name(&self) -> Name {
        self.0
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Decision {
    /// A decision about `subject`; `details` in any order, each name once, of lower-case letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// What the log cannot take.
    pub fn new(
        by: Actor,
        at: Timestamp,
        kind: Kind,
        subject: &str,
        details: &[(&str, &str)],
    ) -> Result<Self, DecisionError> {
        let subject = Subject::new(subject).ok_or(DecisionError::Subject)?;
        let mut named = Details::new();
        for (name, value) in details {
            if named.insert((*name).to_owned(), (*value).to_owned()).is_some() {
                return Err(DecisionError::Detail((*name).to_owned()));
            }
        }
        check_details(&named)?;
        Ok(Self { by, at, kind, subject, details: named })
    }
}

/// Whether the log takes these details.
pub(crate) fn check_details(details: &Details) -> Result<(), DecisionError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let good = |name: &&String| (1..=32).contains(&name.len()) && name.bytes().all(letter);
    if let Some(wrong) = details.keys().find(|name| !good(name)) {
        return Err(DecisionError::Detail(wrong.clone()));
    }
    let length: usize = details.iter().map(|(name, value)| name.len() + value.len()).sum();
    if length > DETAILS_MAX { Err(DecisionError::TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn nobody_is_called_like_the_service() {
        assert_eq!(Actor::operator("anna").unwrap().as_str(), "anna");
        for wrong in ["service", "", "an\nna", &"x".repeat(33)] {
            assert!(Actor::operator(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn refuses_what_the_log_cannot_take() {
        let decide = |subject: &str, details: &[(&str, &str)]| {
            Decision::new(Actor::service(), Timestamp::EPOCH, Kind::TierChanged, subject, details).map(drop)
        };
        let long = "x".repeat(DETAILS_MAX);
        assert_eq!(decide("alice", &[("to", &long[2..])]), Ok(()));
        assert_eq!(decide("alice", &[("to", &long)]), Err(DecisionError::TooLong));
        assert_eq!(decide("", &[]), Err(DecisionError::Subject));
        assert_eq!(decide(&"x".repeat(129), &[]), Err(DecisionError::Subject));
        assert_eq!(decide("alice", &[("to", "a"), ("to", "b")]), Err(DecisionError::Detail("to".into())));
        for wrong in ["", "To", "t o", "tö", &"x".repeat(33)] {
            assert_eq!(decide("alice", &[(wrong, "a")]), Err(DecisionError::Detail(wrong.into())));
        }
    }
}
