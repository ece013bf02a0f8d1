//! A list, from whichever format it is published in.

use std::collections::HashSet;

use specie_core::{hash, label};
use thiserror::Error;

use super::birth::Birth;
use super::name::Comparable;
use super::{neutral, un};

/// Bytes of a list, at most.
const LENGTH_MAX: usize = 64 * 1024 * 1024;
/// Entries of a list, at most.
const ENTRIES_MAX: usize = 200_000;
/// Names of an entry, at most.
const NAMES_MAX: usize = 500;

/// A sanctions list; checked when made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SanctionsList {
    /// Who publishes it.
    pub source: String,
    /// When it was published, as it says.
    pub published: String,
    /// `H32` of the file: names it in records.
    pub hash: [u8; 32],
    entries: Vec<Entry>,
}

/// Whom an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A natural person.
    Person,
    /// Anything else.
    Entity,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its reference in the list.
    pub reference: String,
    /// Whom it is about.
    pub kind: Kind,
    /// When the person may have been born; empty when that is not known.
    pub births: Vec<Birth>,
    /// Names and aliases.
    names: Vec<(String, Comparable)>,
}

/// Why a file is no list. Nothing is screened against a part of one.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// It is too long.
    #[error("the list is larger than {LENGTH_MAX} bytes or has more than {ENTRIES_MAX} entries")]
    TooLong,
    /// It is in no known format.
    #[error(
        "the list is neither XML nor JSON: load the consolidated list of the United Nations as XML, or the neutral JSON"
    )]
    UnknownFormat,
    /// It cannot be read.
    #[error("the list cannot be read: {0}")]
    Malformed(String),
    /// It has a document type definition or entities of its own.
    #[error(
        "the list has a document type definition or an entity of its own, which is refused: load it as it is published"
    )]
    Entities,
    /// An entry says too little, or too much.
    #[error("entry `{reference}`: {why}")]
    Entry {
        /// Which entry.
        reference: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Nobody is on it.
    #[error("the list has no entry: everybody would pass")]
    Empty,
}

impl SanctionsList {
    /// Reads a list: the United Nations' consolidated list in XML, or the neutral JSON of `docs/spec/identity.md`.
    ///
    /// # Errors
    /// When anything in it is not understood.
    pub fn read(file: &[u8]) -> Result<Self, ListError> {
        if file.len() > LENGTH_MAX {
            return Err(ListError::TooLong);
        }
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let text = core::str::from_utf8(file).map_err(|_| ListError::Malformed("it is not UTF-8".into()))?;
        let mut list = match text.trim_start().bytes().next() {
            Some(b'<') => un::read(text)?,
            Some(b'{') => neutral::read(text)?,
            _ => return Err(ListError::UnknownFormat),
        };
        list.hash = hash::h32(label::SANCTIONS_LIST, &[file]);
        Ok(list)
    }

    /// The entries, in the order of the list.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn new(source: String, published: String, entries: Vec<Entry>) -> Result<Self, ListError> {
        // What is decided is decided about a reference: of two entries of one, only the lesser likeness would be.
        let mut references = HashSet::new();
        if let Some(entry) = entries.iter().find(|entry| !references.insert(entry.reference.as_str())) {
            return Err(ListError::Entry { reference: entry.reference.clone(), why: "its reference is there twice" });
        }
        match entries.len() {
            0 => Err(ListError::Empty),
            1..=ENTRIES_MAX => Ok(Self { source, published, hash: [0; 32], entries }),
            _ => Err(ListError::TooLong),
        }
    }
}

impl Entry {
    pub(super) fn new(
        reference: String,
        kind: Kind,
        names: impl IntoIterator<Item = String>,
        births: Vec<Birth>,
    ) -> Result<Self, ListError> {
        let names: Vec<_> =
            names.into_iter().filter_map(|name| Comparable::new(&name).map(|words| (name, words))).collect();
        let wrong = |why| Err(ListError::Entry { reference: reference.clone(), why });
        if reference.trim().is_empty() {
            return wrong("it has no reference");
        }
        match names.len() {
            0 => wrong("it has no name that can be compared"),
            1..=NAMES_MAX => Ok(Self { reference, kind, births, names }),
            _ => wrong("it has too many names"),
        }
    }

    /// Names and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The name most like `other`, and how much.
    pub(super) fn nearest(&self, other: &Comparable) -> Option<(u16, &str)> {
        let likeness = self.names.iter().map(|(name, words)| (words.likeness(other), name.as_str()));
        likeness.max_by_key(|(score, _)| *score)
    }
}
