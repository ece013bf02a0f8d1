//! One balance that explains its parts.

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Currency;

use crate::wallet::Wallet;

/// What the device holds in one currency, by what can be done with it. The parts do not overlap, except that `expiring` is among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// Issued notes that can be paid with now, offline.
    pub notes: Amount,
    /// Received, and can be paid with now, offline.
    pub received: Amount,
    /// Change that can be paid with now, offline (only if the settings allow it).
    pub change_spendable: Amount,
    /// Change kept until the next synchronisation.
    pub change_kept: Amount,
    /// Good at the bank but not offline: out of hops, past `spend_until`, or on the revocation list.
    pub redeem_only: Amount,
    /// Asked of the bank, not yet in the wallet.
    pub in_withdrawal: Amount,
    /// On its way to the account.
    pub in_redemption: Amount,
    /// Set aside for payments that are planned but not complete.
    pub in_planned_payments: Amount,
    /// Paid, and no receipt yet: it left the wallet, and comes back only if the payee never claims it.
    pub undelivered: Amount,
    /// Of the above, what has to be redeemed soon: close to `spend_until`, or past it.
    pub expiring: Amount,
    /// Past `redeem_until`, or refused by the bank for good.
    pub lost: Amount,
}

impl Balance {
    /// What can be paid with now, offline.
    pub fn spendable(&self) -> Amount {
        todo!()
    }

    /// Everything that is the owner's: all but what is undelivered or lost.
    pub fn total(&self) -> Amount {
        todo!()
    }
}

/// The blanks of a wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlankCount {
    /// Ready to own something.
    pub free: usize,
    /// In requests that are neither paid nor expired.
    pub reserved: usize,
    /// Own something.
    pub owning: usize,
}

impl Wallet {
    /// What the device holds in `currency`.
    pub fn balance(&self, currency: Currency, now: Timestamp) -> Balance {
        let _ = (currency, now);
        todo!()
    }

    /// The currencies that the manifest has classes of.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        core::iter::empty()
    }

    /// The blanks in `currency`.
    pub fn blanks(&self, currency: Currency, now: Timestamp) -> BlankCount {
        let _ = (currency, now);
        todo!()
    }
}
