//! Persistence before speech: what to store comes with what to say, and is stored first.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// One change to the wallet's records. Keys and values are opaque to whoever stores them; values may be secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Stores `value` under `key`, in place of what may be there.
    Put {
        /// Where.
        key: Vec<u8>,
        /// What; erased from memory when dropped.
        value: Zeroizing<Vec<u8>>,
    },
    /// The same with what is meant for others or opens nothing: it is no secret, and erasing it would only take time.
    PutOpen {
        /// Where.
        key: Vec<u8>,
        /// What.
        value: Vec<u8>,
    },
    /// Removes what is stored under `key`, if anything.
    Delete {
        /// Where.
        key: Vec<u8>,
    },
}

/// A transition that has happened in memory: changes to be stored, and an output to be released after that.
///
/// The driver commits [`Step::changes`] atomically, in order, and then takes the output with [`Step::committed`]. When the commit fails, the
/// driver drops the step and the wallet, and loads the wallet again from what is stored.
#[must_use = "the changes must be committed before anything else is done with the wallet"]
pub struct Step<T> {
    changes: Vec<Change>,
    output: T,
}

impl<T> Step<T> {
    pub(crate) fn new(changes: Vec<Change>, output: T) -> Self {
        Self { changes, output }
    }

    /// The same changes with another output.
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Step<U> {
        Step { changes: self.changes, output: map(self.output) }
    }

    /// What to store, atomically and in this order; may be empty.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The output, once the changes are stored.
    pub fn committed(self) -> T {
        self.output
    }
}

impl Change {
    /// The key that is changed.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::PutOpen { key, .. } | Self::Delete { key } => key,
        }
    }

    /// The value to store, `None` to remove what is there.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Put { value, .. } => Some(value),
            Self::PutOpen { value, .. } => Some(value),
            Self::Delete { .. } => None,
        }
    }
}

impl core::fmt::Debug for Change {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Put { key, value } => write!(f, "Put({key:02x?}, {} bytes)", value.len()),
            Self::PutOpen { key, value } => write!(f, "PutOpen({key:02x?}, {} bytes)", value.len()),
            Self::Delete { key } => write!(f, "Delete({key:02x?})"),
        }
    }
}
