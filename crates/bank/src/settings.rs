//! Who the bank is.

use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};

/// What is settled when a bank is set up, for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The issuer's name in every class.
    pub issuer: Name,
    /// The one currency that it issues.
    pub currency: Currency,
    /// Verifies manifests. Its secret half is kept offline.
    pub root_key: PublicKey,
    /// Verifies revocation lists.
    pub ledger_key: PublicKey,
}
