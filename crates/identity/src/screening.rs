//! Names against a sanctions list.
//!
//! A list says who must not be served. A name alone proves nothing: many people share one, and one is spelt in many ways. So
//! screening finds resemblances and says how near they are; a person decides what they mean, and that decision is recorded by
//! whoever asked. What cannot be compared is an error, never a clean result.

mod birth;
mod list;
mod name;
mod neutral;
mod un;

pub use birth::Birth;
pub use list::{Entry, Kind, ListError, SanctionsList};

use name::Comparable;
use thiserror::Error;

/// What scores are counted in: a name spelt as on the list scores a thousand.
pub const SCORE_MAX: u16 = 1000;
/// The threshold to begin with. `docs/spec/identity.md` says what it finds and what not.
pub const THRESHOLD: u16 = 880;
/// The lowest and the highest threshold that make sense.
pub const THRESHOLDS: core::ops::RangeInclusive<u16> = 700..=SCORE_MAX;

/// Added when the dates of birth are the same, taken away when they cannot be.
const SAME_BIRTH: u16 = 50;
const OTHER_BIRTH: u16 = 100;

/// Whom to look for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The name, of a person or of an organisation.
    pub name: String,
    /// When the person was born, if that is known.
    pub birth: Option<Birth>,
}

/// An entry that the subject resembles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The entry's reference in the list.
    pub reference: String,
    /// The name of the entry that is nearest.
    pub name: String,
    /// How near, up to [`SCORE_MAX`].
    pub score: u16,
    /// What the dates of birth say: `Some(true)` they agree, `Some(false)` they cannot be the same person's.
    pub birth: Option<bool>,
}

/// The subject's name has nothing in it that can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the name has no letter that can be compared: write it as it stands in the document, or in Latin letters")]
pub struct NoName;

impl SanctionsList {
    /// The entries that resemble the subject by at least `threshold`, nearest first.
    ///
    /// # Errors
    /// When the subject has no name to compare.
    pub fn screen(&self, subject: &Subject, threshold: u16) -> Result<Vec<Hit>, NoName> {
        let name = Comparable::new(&subject.name).ok_or(NoName)?;
        let mut hits: Vec<_> = self
            .entries()
            .iter()
            .filter_map(|entry| {
                let (score, nearest) = entry.nearest(&name)?;
                let birth = subject.birth.as_ref().and_then(|birth| birth.agrees_with(&entry.births));
                let score = match birth {
                    Some(true) => (score + SAME_BIRTH).min(SCORE_MAX),
                    Some(false) => score.saturating_sub(OTHER_BIRTH),
                    None => score,
                };
                let hit = || Hit { reference: entry.reference.clone(), name: nearest.into(), score, birth };
                (score >= threshold).then(hit)
            })
            .collect();
        hits.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.reference.cmp(&other.reference)));
        Ok(hits)
    }
}
