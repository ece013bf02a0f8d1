//! Mending what a crash, here or at the bank, has left half done. Every step may be interrupted and run again.

use specie_core::Timestamp;

use crate::bank::{Bank, BankError, BatchStanding};
use crate::credit::CreditError;
use crate::enrolment::EnrolmentError;
use crate::publication::PublicationError;
use crate::registry::RegistryError;
use crate::service::Psp;
use crate::store::{Feed, Store, StoreError};
use crate::transfer::TransferError;
use crate::withdrawal::{Withdrawal, WithdrawalError, WithdrawalState};

/// How long requests are remembered, in seconds: longer than any device keeps a key.
const REQUESTS_SECONDS: u64 = 180 * 86_400;

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reconciled {
    /// Withdrawals settled or refunded.
    pub withdrawals: u64,
    /// Payments to other PSPs made or refunded.
    pub transfers: u64,
    /// Credits applied.
    pub credits: u64,
    /// Devices registered at the bank.
    pub devices: u64,
    /// What people should look at, in words.
    pub findings: Vec<String>,
}

/// Why a run ended early. What it did before stays done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The bank cannot be reached.
    #[error(transparent)]
    Bank(BankError),
    /// Something that the bank published cannot be believed.
    #[error(transparent)]
    Publication(PublicationError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Takes over what the bank published and credited, and finishes whatever is half done.
    ///
    /// # Errors
    /// When the bank cannot be reached, or the store fails.
    pub fn reconcile(&self, now: Timestamp) -> Result<Reconciled, ReconcileError> {
        let mut done = Reconciled::default();
        self.pull_publications().map_err(|error| match error {
            PublicationError::Bank(error) => ReconcileError::Bank(error),
            PublicationError::Store(error) => error.into(),
            error => ReconcileError::Publication(error),
        })?;
        done.credits = self.pull_credits(now).map_err(|error| match error {
            CreditError::Bank(error) => ReconcileError::Bank(error),
            CreditError::Store(error) => error.into(),
        })?;
        self.pull_struck_off(now)?;
        self.follow_registry(&mut done, now)?;
        self.finish_enrolments(&mut done, now)?;
        self.finish_withdrawals(&mut done, now)?;
        self.finish_transfers(&mut done, now)?;
        let requests_before = Timestamp::new(now.seconds().saturating_sub(REQUESTS_SECONDS)).unwrap_or_default();
        self.store().write(|records| records.forget(now, requests_before))?;
        self.forget_uploads(now)?;
        Ok(done)
    }

    fn pull_struck_off(&self, now: Timestamp) -> Result<(), ReconcileError> {
        loop {
            let after = self.store().read(|records| records.feed_position(Feed::StruckOff))?;
            let devices = self.bank().struck_off(after).map_err(ReconcileError::Bank)?;
            let Some(last) = devices.last().map(|device| device.sequence).filter(|last| *last > after) else {
                return Ok(());
            };
            for device in devices {
                self.strike_off(&device.identity, now)?;
            }
            self.store().write(|records| records.set_feed_position(Feed::StruckOff, last))?;
        }
    }

    fn follow_registry(&self, done: &mut Reconciled, now: Timestamp) -> Result<(), ReconcileError> {
        for followed in [self.pull_registry(now), self.finish_releases(now)] {
            match followed {
                Ok(()) => {}
                Err(RegistryError::Bank(error @ BankError::Unavailable(_))) => return Err(ReconcileError::Bank(error)),
                Err(RegistryError::Store(error)) => return Err(error.into()),
                Err(error) => done.findings.push(format!("registry of persons: {error}")),
            }
        }
        Ok(())
    }

    fn finish_enrolments(&self, done: &mut Reconciled, now: Timestamp) -> Result<(), ReconcileError> {
        for device in self.store().read(|records| records.pending_devices())? {
            match self.register(&device, now) {
                Ok(()) => done.devices += 1,
                Err(EnrolmentError::Bank(error @ BankError::Unavailable(_))) => {
                    return Err(ReconcileError::Bank(error));
                }
                Err(EnrolmentError::Store(error)) => return Err(error.into()),
                Err(error) => done.findings.push(format!("device {}: {error}", device.key)),
            }
        }
        Ok(())
    }

    fn finish_withdrawals(&self, done: &mut Reconciled, now: Timestamp) -> Result<(), ReconcileError> {
        for withdrawal in self.store().read(|records| records.unsettled_withdrawals())? {
            let name = || withdrawal.id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            match self.finish_withdrawal(&withdrawal, now) {
                Ok(state) if state.is_held() => {}
                Ok(_) | Err(WithdrawalError::Answered) => done.withdrawals += 1,
                Err(WithdrawalError::Bank(error @ BankError::Unavailable(_))) => {
                    return Err(ReconcileError::Bank(error));
                }
                Err(WithdrawalError::Store(error)) => return Err(error.into()),
                Err(error) => done.findings.push(format!("withdrawal {}: {error}", name())),
            }
        }
        Ok(())
    }

    fn finish_withdrawal(&self, withdrawal: &Withdrawal, now: Timestamp) -> Result<WithdrawalState, WithdrawalError> {
        let standing = self.bank().batch_standing(&withdrawal.id).map_err(WithdrawalError::Bank)?;
        let too_old = now > withdrawal.opened_at.saturating_add(self.policy().periods().withdrawal_seconds);
        match (standing, withdrawal.state) {
            (BatchStanding::Open | BatchStanding::Unknown, _) if too_old => {
                self.give_up(withdrawal, now).map(|()| WithdrawalState::Void)
            }
            // The device may still come for it: nothing is lost while the amount is held.
            (BatchStanding::Unknown, WithdrawalState::Opening) => Ok(WithdrawalState::Opening),
            (BatchStanding::Unknown, _) => Err(WithdrawalError::Forgotten),
            (standing, _) => Ok(self.follow(&withdrawal.id, standing, now)?),
        }
    }

    fn finish_transfers(&self, done: &mut Reconciled, now: Timestamp) -> Result<(), ReconcileError> {
        for transfer in self.store().read(|records| records.pending_transfers())? {
            match self.complete(&transfer, now) {
                Ok(_) => done.transfers += 1,
                Err(TransferError::Bank(error @ BankError::Unavailable(_))) => return Err(ReconcileError::Bank(error)),
                Err(TransferError::Store(error)) => return Err(error.into()),
                Err(error) => done.findings.push(format!("payment to {}: {error}", transfer.to_psp)),
            }
        }
        Ok(())
    }
}
