//! The wallet's view of its secure element.

use alloc::string::{String, ToString};
use core::fmt::Display;

use specie_element::client::{ElementError, Link};
use specie_element::status::StatusWord;
use thiserror::Error;

use crate::error::WalletError;

/// A link to the element whose failures can be told to people.
pub trait Element: Link<Error: Display> {}

impl<L: Link<Error: Display>> Element for L {}

/// Why the element did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ElementFault {
    /// The link failed.
    #[error("the secure element could not be reached: {0}")]
    Unreachable(String),
    /// The element refused, and nothing changed in it; where its flash failed, that shows when it is asked again.
    #[error("the secure element refused: {0}")]
    Refused(StatusWord),
    /// The element answered something that the command does not answer, or other than the wallet computed itself.
    #[error("the secure element's answer makes no sense")]
    Nonsense,
    /// The element holds a newer manifest than the wallet.
    #[error("the secure element holds a newer manifest than the wallet")]
    ManifestAhead,
    /// The wallet's manifest does not have the class or PSP that the element has to be told of.
    #[error("the manifest at hand does not prove what the secure element has to be told")]
    NotInManifest,
}

impl<E: Display> From<ElementError<E>> for ElementFault {
    fn from(error: ElementError<E>) -> Self {
        match error {
            ElementError::Link(error) => Self::Unreachable(error.to_string()),
            ElementError::Refused(status) => Self::Refused(status),
            _ => Self::Nonsense,
        }
    }
}

impl ElementFault {
    /// The element's status word, where it refused.
    pub fn status(&self) -> Option<StatusWord> {
        match self {
            Self::Refused(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether the element refused, so that nothing was done. A flash that failed leaves that open, as a lost answer does.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status().is_some_and(|status| status != StatusWord::FLASH_FAILED)
    }

    /// Whether the element has spent the coin otherwise, or never knew it.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status(), Some(StatusWord::ALREADY_SPENT | StatusWord::UNKNOWN_INDEX))
    }
}

impl WalletError for ElementFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "element-unreachable",
            Self::Nonsense => "element-nonsense",
            Self::ManifestAhead => "element-manifest-ahead",
            Self::NotInManifest => "not-in-manifest",
            Self::Refused(status) => match *status {
                StatusWord::PIN_NEEDED => "pin-needed",
                StatusWord::PIN_BLOCKED => "pin-blocked",
                StatusWord::NO_ROOM => "element-full",
                StatusWord::FLASH_FAILED => "element-flash-failed",
                StatusWord::ENTROPY_FAILED => "element-entropy-failed",
                StatusWord::OVER_PAYMENT => "over-payment-limit",
                StatusWord::OVER_CUMULATIVE => "over-cumulative-limit",
                StatusWord::OVER_HOLDING => "over-holding-limit",
                StatusWord::LIMITS_RUN_OUT => "limits-run-out",
                StatusWord::ALREADY_SPENT => "spent-otherwise",
                StatusWord::UNKNOWN_INDEX => "element-does-not-know-note",
                StatusWord::STALE => "element-holds-newer",
                StatusWord::WRONG_PROOF => "element-refused-proof",
                StatusWord::MANDATE_ENDED => "mandate-expired",
                StatusWord::OVER_MANDATE_PAYMENT => "mandate-per-payment",
                StatusWord::OVER_MANDATE_PERIOD => "mandate-per-period",
                StatusWord::OVER_MANDATE_TOTAL => "mandate-total",
                StatusWord::OUTSIDE_MANDATE => "mandate-account",
                _ => "element-refused",
            },
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "check the connection to the secure element and do the same again",
            Self::Nonsense => "check that this is the secure element with which the wallet was made",
            Self::ManifestAhead | Self::NotInManifest => {
                "synchronise to get the newest manifest, then do the same again"
            }
            Self::Refused(status) => match *status {
                StatusWord::PIN_NEEDED
                | StatusWord::MANDATE_ENDED
                | StatusWord::OVER_MANDATE_PAYMENT
                | StatusWord::OVER_MANDATE_PERIOD
                | StatusWord::OVER_MANDATE_TOTAL
                | StatusWord::OUTSIDE_MANDATE => "enter the PIN and do the same again",
                StatusWord::PIN_BLOCKED => "unblock the PIN with the PUK",
                StatusWord::NO_ROOM | StatusWord::OVER_HOLDING => "synchronise: what is redeemed makes room",
                StatusWord::ENTROPY_FAILED => {
                    "take the secure element off its power and do the same again, or use another one"
                }
                StatusWord::OVER_PAYMENT => "pay a smaller amount, or pay online",
                StatusWord::OVER_CUMULATIVE | StatusWord::LIMITS_RUN_OUT => "synchronise to get new limits",
                StatusWord::ALREADY_SPENT | StatusWord::UNKNOWN_INDEX => {
                    "the wallet's records are older than its secure element: restore newer ones and synchronise"
                }
                StatusWord::STALE => "synchronise to get the newest document",
                _ => "do the same again; if it keeps failing, synchronise and redeem what you hold",
            },
        }
    }
}
