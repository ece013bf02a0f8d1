//! Synchronising (§8): redeem what was received and change, renew what expires, upload what was not delivered.
//!
//! A driver fetches the newest publications first, then: [`Wallet::plan_redemptions`], [`Wallet::execute_redemptions`] until nothing is left to
//! execute, sends [`Wallet::redemption_batch`]es and feeds the results to [`Wallet::apply_redemptions`], uploads
//! [`Wallet::uploads`], claims [`Wallet::claimable_requests`], withdraws [`Wallet::shortfall`], and lets
//! [`Wallet::keep_house`] tell the element.

use alloc::string::String;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Currency;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::identity::Account;
use crate::payment::PaymentId;
use crate::step::Step;
use crate::wallet::Wallet;
use crate::withdrawal::{Item, WithdrawalError};

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
    /// The element cannot be asked.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for RedemptionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::UnknownCoin(_) => "unknown-coin",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "enrol the device first",
            Self::UnknownCoin(_) => "do the same again; if it keeps failing, ask the PSP",
            Self::Element(fault) => fault.advice(),
        }
    }
}

impl Wallet {
    /// Sets aside what a synchronisation redeems: everything received, change, notes close to or past `spend_until`, and the residuals of
    /// undelivered payments.
    ///
    /// # Errors
    /// When there is no account to redeem to.
    pub fn plan_redemptions(&mut self, now: Timestamp) -> Result<Step<RedemptionPlan>, RedemptionError> {
        let _ = now;
        todo!()
    }

    /// As [`Wallet::plan_redemptions`], for everything that the wallet holds, notes included.
    ///
    /// # Errors
    /// When there is no account to redeem to.
    pub fn plan_redemption_of_everything(&mut self, now: Timestamp) -> Result<Step<RedemptionPlan>, RedemptionError> {
        let _ = now;
        todo!()
    }

    /// Has the element show coins that are set aside, some at a time; gives how many are left to be shown.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn execute_redemptions(&mut self, element: &mut impl Element) -> Result<Step<usize>, RedemptionError> {
        let _ = element;
        todo!()
    }

    /// Up to `coins_max` coins to send to the PSP; `None` when there are none. The same until their results are applied.
    pub fn redemption_batch(&self, coins_max: usize) -> Option<RedemptionBatch> {
        let _ = coins_max;
        todo!()
    }

    /// Takes the bank's results, for some or all coins of a batch.
    ///
    /// # Errors
    /// When one is for a coin that was not sent.
    pub fn apply_redemptions(
        &mut self,
        results: &[(CoinId, RedemptionResult)],
        now: Timestamp,
    ) -> Result<Step<()>, RedemptionError> {
        let _ = (results, now);
        todo!()
    }

    /// Undelivered payments that the bank does not have yet, with their messages in extended form.
    pub fn uploads(&self) -> impl Iterator<Item = (PaymentId, Vec<u8>)> {
        core::iter::empty()
    }

    /// The bank has this payment and keeps it for the payee.
    pub fn uploaded(&mut self, id: &PaymentId) -> Step<()> {
        let _ = id;
        todo!()
    }

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
        let _ = (targets, account_balance, now);
        todo!()
    }
}
