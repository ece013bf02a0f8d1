//! Synchronising (§8): redeem what was received and change, renew what expires, upload what was not delivered.
//!
//! A driver fetches the newest publications first, then: [`Wallet::plan_redemptions`], [`Wallet::execute_redemptions`] until nothing is left to
//! execute, sends [`Wallet::redemption_batch`]es and feeds the results to [`Wallet::apply_redemptions`], uploads
//! [`Wallet::uploads`], claims [`Wallet::claimable_requests`], withdraws [`Wallet::shortfall`], and lets
//! [`Wallet::keep_house`] tell the element.

mod redemption;
mod state;

use alloc::string::String;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Currency;
use thiserror::Error;

use crate::element::ElementFault;
use crate::error::WalletError;
use crate::identity::Account;
use crate::wallet::Wallet;
use crate::withdrawal::{Item, NOTES_MAX, WithdrawalError};

pub(crate) use state::Redemptions;

/// Names what is redeemed: the element's index of the note or blank shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CoinId(pub u32);

/// What a plan of redemptions will do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RedemptionPlan {
    /// Coins to be redeemed.
    pub coins: usize,
    /// Of these, residuals worth nothing that only name where leftovers of undelivered payments go.
    pub residuals: usize,
}

/// Some coins on their way to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedemptionBatch {
    /// Where they go.
    pub destination: Account,
    /// Each coin with its chain, encoded, redeeming transfer included.
    pub coins: Vec<(CoinId, Vec<u8>)>,
}

/// What the bank made of one coin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RedemptionResult {
    /// Credited, now or before: this much.
    Credited(Amount),
    /// Refused for good, with the bank's code.
    Refused(String),
    /// Not decided: send it again another time.
    Later,
}

/// What to have after a synchronisation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Targets {
    /// In which currency.
    pub currency: Currency,
    /// How much to be able to spend offline.
    pub value: Amount,
    /// How many free blanks.
    pub blanks: u16,
    /// What each blank may at least own.
    pub blank_cap: Amount,
}

/// Why nothing is redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// The device is not enrolled: there is no account.
    #[error("the device is not enrolled with a PSP")]
    NotEnrolled,
    /// Results for coins that were not sent.
    #[error("a result is for a coin that was not sent")]
    UnknownCoin(CoinId),
    /// A coin is said to be credited with another amount than it is worth.
    #[error("the answer credits a coin with another amount than it is worth: nothing of the answer is believed")]
    WrongAmount(CoinId),
    /// The element cannot be asked.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for RedemptionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::UnknownCoin(_) => "unknown-coin",
            Self::WrongAmount(_) => "wrong-amount",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "enrol the device first",
            Self::UnknownCoin(_) | Self::WrongAmount(_) => "do the same again; if it keeps failing, ask the PSP",
            Self::Element(fault) => fault.advice(),
        }
    }
}

impl Wallet {
    /// What to withdraw to reach `targets`, given what is there and under way. `account_balance` bounds the value asked for.
    ///
    /// # Errors
    /// When the classes being issued do not allow it.
    pub fn shortfall(
        &self,
        targets: &Targets,
        account_balance: Amount,
        now: Timestamp,
    ) -> Result<Vec<Item>, WithdrawalError> {
        let (currency, at) = (targets.currency, self.not_before_floor(now));
        let (value_arriving, blanks_arriving) = self.arriving(currency);
        let there = self.purse.spendable().sum(currency, at).checked_add(value_arriving).unwrap_or(Amount::MAX);
        let missing = targets.value.checked_sub(there).unwrap_or_default().min(account_balance);
        let withdrawn = self.withdrawable(currency, missing, now);
        let mut items = match withdrawn.is_zero() {
            true => Vec::new(),
            false => self.missing_items(currency, targets.value, withdrawn, now)?,
        };
        let notes: usize = items.iter().map(|item| usize::from(item.count)).sum();
        let free = self.purse.free_blanks().at_least(currency, targets.blank_cap, at).count();
        let blanks = usize::from(targets.blanks).saturating_sub(free + blanks_arriving);
        // At most `NOTES_MAX`.
        let blanks = blanks.min(NOTES_MAX - notes.min(NOTES_MAX)) as u16;
        if blanks > 0 {
            items.extend(self.blank_items(currency, blanks, targets.blank_cap, now)?);
        }
        Ok(items)
    }
}
