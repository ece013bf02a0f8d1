//! Why a withdrawal does not go on.

use specie_aml::{calendar, money};
use specie_core::text::Currency;
use specie_core::{Amount, ClassId, Timestamp};
use thiserror::Error;

use super::COUNT_MAX;
use crate::bank::BankError;
use crate::device::{DeviceError, DeviceRefusal};
use crate::registry::RegistryError;
use crate::request::{KeyConflict, RecallError};
use crate::store::StoreError;

/// Why a withdrawal does not go on. Whatever the reason, no money moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WithdrawalError {
    /// The device may not withdraw.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// Another PSP gives the owner its limits, or that cannot be found out.
    #[error(transparent)]
    Registry(RegistryError),
    /// It asks for nothing, too much at once, or a class twice.
    #[error("a withdrawal has 1 to {COUNT_MAX} notes and names each class once")]
    Items,
    /// A class is unknown, not issued now, or of another currency.
    #[error("class {0} is not issued now in the currency of the account")]
    Class(ClassId),
    /// The account holds less.
    #[error("the account does not hold enough")]
    Balance,
    /// More than the tier allows.
    #[error(
        "the tier allows {} more, {} was asked for",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    TierLimit {
        /// What may still be withdrawn.
        allowed: Amount,
        /// What was asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// More than the device may hold, with what it withdrew since it last synchronised.
    #[error(
        "of what its owner may hold this device may withdraw {} more until it synchronises, {} was asked for: synchronise it first",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    Holding {
        /// What may still be withdrawn.
        allowed: Amount,
        /// What was asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// With what other devices of its owner may hold it would come to more than the owner may.
    #[error(
        "with this device's other devices of its owner may hold more than the owner may: have all of them synchronise, twice to give up \
         what they have, or report lost what is lost; what they have is free at the latest at {}",
        calendar::show(*free_at)
    )]
    Shared {
        /// When at the latest others hold nothing.
        free_at: Timestamp,
    },
    /// More blanks than the device's ration of an epoch.
    #[error("{left} blanks are left of the ration of epoch {epoch}, {asked} were asked for")]
    Ration {
        /// Which epoch.
        epoch: u32,
        /// How many may still be had.
        left: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// A blank with a larger cap than the tier allows.
    #[error(
        "the tier allows blanks up to {}, one up to {} was asked for",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    Cap {
        /// The largest cap allowed.
        allowed: Amount,
        /// The cap asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// The device has no such withdrawal.
    #[error("this device has no such withdrawal")]
    Unknown,
    /// It is void; the amount is back in the account.
    #[error("the withdrawal is void, and its amount back in the account")]
    Void,
    /// It was answered, for other challenges or before it was to be cancelled.
    #[error("the withdrawal was answered already")]
    Answered,
    /// The device said that it has the notes; the answers are gone.
    #[error("the withdrawal is closed: the device acknowledged it")]
    Closed,
    /// The bank committed itself and does not know it any more. The amount stays held; people have to look.
    #[error("the bank has forgotten a withdrawal that it had opened; its amount stays held")]
    Forgotten,
    /// The challenges are not canonical, or not one for each note.
    #[error("not one canonical challenge for each note")]
    Challenges,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank refuses, or cannot be reached.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for WithdrawalError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RegistryError> for WithdrawalError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            error => Self::Registry(error),
        }
    }
}

impl From<RecallError> for WithdrawalError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}
