//! What the device holds, what happened, and what is under way.

use specie_api::psp;
use specie_core::text::Currency;
use specie_wallet::balance::{Balance, BlankCount};
use specie_wallet::history::HistoryEntry;
use specie_wallet::recovery::Pending;

use super::{Device, Done};

/// What a device holds in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// The currency.
    pub currency: Currency,
    /// Money, by what can be done with it.
    pub balance: Balance,
    /// Blanks.
    pub blanks: BlankCount,
}

/// What a device holds and has under way; needs neither the PSP nor the element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// By currency.
    pub holdings: Vec<Holdings>,
    /// What is unfinished.
    pub pending: Vec<Pending>,
}

impl Device {
    /// What the device holds and has under way.
    pub fn overview(&self) -> Overview {
        let now = self.now();
        let holdings = self.wallet.currencies().map(|currency| Holdings {
            currency,
            balance: self.wallet.balance(currency, now),
            blanks: self.wallet.blanks(currency, now),
        });
        Overview { holdings: holdings.collect(), pending: self.wallet.pending() }
    }

    /// What happened, newest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.wallet.history().collect()
    }

    /// The account at the PSP.
    ///
    /// # Errors
    /// The PSP refuses or does not answer.
    pub fn account(&mut self) -> Done<psp::Account> {
        Ok(self.signed_call(|psp, device| psp.account(device))?)
    }
}
