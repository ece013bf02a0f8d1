//! Payments that did not reach their payee (§7): uploaded by the payer, fetched by whoever has the request.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use thiserror::Error;

use crate::bank::{Bank, BankError};
use crate::device::{DeviceError, DeviceRefusal};
use crate::request::{KeyConflict, RecallError, Request};
use crate::service::Psp;
use crate::store::{Store, StoreError};

/// Why a payment was not taken, or not found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The device is not enrolled here.
    #[error(transparent)]
    Device(DeviceRefusal),
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

impl From<DeviceError> for PaymentError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RecallError> for PaymentError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Leaves a payment (CBOR) at the bank.
    ///
    /// # Errors
    /// When the bank refuses it.
    pub fn upload_payment(&self, request: &Request<'_>, payment: &[u8], now: Timestamp) -> Result<(), PaymentError> {
        self.admit_relay(request, now)?;
        self.bank().upload_payment(&request.operation(), payment).map_err(PaymentError::Bank)
    }

    /// The payment (CBOR) that was left for a payee's request (CBOR). Looking changes nothing, so the key is not remembered:
    /// what was not there may come.
    ///
    /// # Errors
    /// When there is none.
    pub fn claim_payment(&self, request: &Request<'_>, asked: &[u8]) -> Result<Vec<u8>, PaymentError> {
        self.store().read(|records| {
            self.enrolled(records, &PublicKey(request.who))?;
            Ok::<_, PaymentError>(())
        })?;
        self.bank().claim_payment(&request.operation(), asked).map_err(PaymentError::Bank)
    }

    fn admit_relay(&self, request: &Request<'_>, now: Timestamp) -> Result<(), PaymentError> {
        self.store().write(|records| {
            self.enrolled(records, &PublicKey(request.who))?;
            if request.recall(records)?.is_none() {
                request.remember(records, &[], now)?;
            }
            Ok(())
        })
    }
}
