//! The wallet in memory, and how it is made and loaded.

use alloc::vec::Vec;

use specie_core::signature::PublicKey;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::step::Step;

/// A device's money and what is known of it, in memory.
pub struct Wallet {
    _private: (),
}

/// Why records are not a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no wallet in the records.
    #[error("there is no wallet here")]
    Empty,
    /// The records are of another version of this program.
    #[error("the wallet was stored by another version of this program ({0})")]
    UnknownVersion(u64),
    /// A record is damaged.
    #[error("a record of the wallet is damaged (key {})", Hex(.0))]
    Damaged(Vec<u8>),
}

struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl WalletError for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no-wallet",
            Self::UnknownVersion(_) => "unknown-wallet-version",
            Self::Damaged(_) => "damaged-wallet",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "make a wallet first",
            Self::UnknownVersion(_) => "use the version of the program that stored it, or a newer one",
            Self::Damaged(_) => "restore the wallet's records from their newest copy",
        }
    }
}

impl Wallet {
    /// Makes an empty wallet around a personalised element, obeying the central bank of root key `root`.
    ///
    /// # Errors
    /// When the element cannot say who it is.
    pub fn create(root: PublicKey, element: &mut impl Element) -> Result<Step<Self>, ElementFault> {
        let _ = (root, element);
        todo!()
    }

    /// Loads a wallet from all its records, in any order.
    ///
    /// # Errors
    /// When they are not those of a wallet.
    pub fn load(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, LoadError> {
        let _ = records;
        todo!()
    }
}
