//! Why something did not happen: a code for machines, a sentence for people, and what to do.

use alloc::string::{String, ToString};
use core::fmt;

use specie_wallet::WalletError;

use crate::records::RecordsError;

/// An operation that did not happen. No money moved, unless it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable code, in lower case with hyphens, at most 64 bytes.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub advice: &'static str,
    /// Whether money moved, or may have.
    pub money_moved: bool,
}

impl Failure {
    pub(crate) fn new(code: &'static str, what: &str, advice: &'static str) -> Self {
        Self { code, what: what.into(), advice, money_moved: false }
    }

    /// Once for all kinds of errors: each would bring code of its own for the same.
    #[inline(never)]
    fn told(code: &'static str, what: &dyn fmt::Display, advice: &'static str, money_moved: bool) -> Self {
        Self { code, what: what.to_string(), advice, money_moved }
    }

    /// Whether the device itself is in trouble: that says nothing about what it was given, which may be given again.
    pub(crate) fn is_own(&self) -> bool {
        let of_parts = ["storage-", "element-", "pin-"].iter().any(|part| self.code.starts_with(part));
        of_parts
            || ["another-element", "memory-full", "no-entropy", "damaged-wallet", "time-unknown"].contains(&self.code)
    }

    /// The same where money moved, or may have.
    pub(crate) fn of_money(self) -> Self {
        Self { money_moved: true, ..self }
    }
}

impl<E: WalletError> From<E> for Failure {
    #[inline(never)]
    fn from(error: E) -> Self {
        Self::told(error.code(), &error, error.advice(), error.money_moved())
    }
}

/// What the records fail with says nothing about money: whether the step before was stored shows when they are read again.
impl WalletError for RecordsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no-wallet",
            Self::Full => "storage-full",
            Self::FlashUnfit => "storage-unfit",
            Self::Damaged => "damaged-wallet",
            _ => "storage-failed",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "make a wallet first",
            Self::Full => "synchronise: what is redeemed makes room; or have it keep less",
            Self::FlashUnfit => "give the device a flash that suits: see docs/porting.md",
            Self::Damaged => "replace the device and keep its flash",
            _ => "do the same again; if it keeps failing, replace the device and keep its flash",
        }
    }
}
