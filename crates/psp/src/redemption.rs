//! Redemption (§8), relayed to the bank. Money comes with the bank's credits, not with its answer.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::bank::{Bank, BankError, Redemption, RedemptionResult};
use crate::credit::CreditError;
use crate::device::{DeviceError, DeviceRefusal};
use crate::person;
use crate::request::{KeyConflict, RecallError, Request};
use crate::service::Psp;
use crate::store::{Store, StoreError};

/// The most chains in one redemption.
pub const CHAINS_MAX: usize = 100;

/// Why a redemption does not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// The device is not enrolled here.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// There is nothing to redeem, or too much at once.
    #[error("a redemption has 1 to {CHAINS_MAX} chains")]
    Chains,
    /// The account is to be at this PSP, and is not.
    #[error("there is no account `{0}` here")]
    UnknownAccount(String),
    /// The owner is frozen: what is redeemed stays in its account.
    #[error("the PSP froze the owner of this device: it may redeem into account `{0}` here, and nowhere else")]
    Frozen(Name),
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank refuses the whole, or cannot be reached.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for RedemptionError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RecallError> for RedemptionError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Relays a redemption, and credits what came of it at once if the bank can still be reached. A device that is blocked or
    /// struck off may redeem: what it holds is its owner's. One of a frozen owner may, into the owner's account here.
    ///
    /// # Errors
    /// When the bank refuses the whole.
    pub fn redeem(
        &self,
        request: &Request<'_>,
        redemption: &Redemption,
        now: Timestamp,
    ) -> Result<Vec<RedemptionResult>, RedemptionError> {
        if redemption.chains.is_empty() || redemption.chains.len() > CHAINS_MAX {
            return Err(RedemptionError::Chains);
        }
        self.store().write(|records| {
            let owner = self.enrolled(records, &PublicKey(request.who))?.customer;
            let unknown = || RedemptionError::UnknownAccount(redemption.account.clone());
            if redemption.psp == self.identity().name.as_str() {
                let account = Name::new(&redemption.account).ok_or_else(unknown)?;
                records.account_exists(&account)?.then_some(()).ok_or_else(unknown)?;
            }
            // What was relayed before is done, and may be asked for again.
            if request.recall(records)?.is_none() {
                let own =
                    redemption.psp == self.identity().name.as_str() && redemption.account == owner.account.as_str();
                if !own && person::frozen_by(records, &owner.name)?.is_some() {
                    return Err(RedemptionError::Frozen(owner.account));
                }
                request.remember(records, &[], now)?;
            }
            Ok::<_, RedemptionError>(())
        })?;
        let results = self.bank().redeem(&request.operation(), redemption).map_err(RedemptionError::Bank)?;
        match self.pull_credits(now) {
            // The redemption is done; its credit comes with the next pull.
            Ok(_) | Err(CreditError::Bank(_)) => Ok(results),
            Err(CreditError::Store(error)) => Err(error.into()),
        }
    }
}
