//! What every error of the wallet can tell: a code for machines, what happened, and what to do.

/// An operation that did not happen. `Display` says what happened; no error ever means that money moved.
pub trait WalletError: core::error::Error {
    /// A stable code for machines, in lower case with hyphens.
    fn code(&self) -> &'static str;

    /// What the user can do about it.
    fn advice(&self) -> &'static str;

    /// Whether money moved: never, on an error.
    fn money_moved(&self) -> bool {
        false
    }
}
