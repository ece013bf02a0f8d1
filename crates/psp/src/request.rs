//! Requests as the PSP remembers them: what is done is done once for each.

use specie_core::{hash, label};
use thiserror::Error;

use crate::store::{Records, StoreError};
use specie_core::Timestamp;

/// 16 bytes that name what is done for one request, here and at the bank.
pub type OperationId = [u8; 16];

/// A request: who makes it, its idempotency key, and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    /// `A` of the device that makes it; zeros for a request that no device signs.
    pub who: [u8; 32],
    /// The idempotency key.
    pub key: &'a str,
    /// A hash of everything that it says.
    pub fingerprint: [u8; 32],
}

/// The key came before with another request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the idempotency key was used for another request")]
pub struct KeyConflict;

/// Why what was done for a request is not known.
#[derive(Debug, Error)]
pub enum RecallError {
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a store keeps of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Hash of what it said.
    pub fingerprint: [u8; 32],
    /// What it was answered, where the answer is not kept elsewhere.
    pub answer: Vec<u8>,
}

impl Request<'_> {
    /// Names what is done for it.
    pub fn operation(&self) -> OperationId {
        let wide = hash::h32(label::PSP_OPERATION, &[&self.who, self.key.as_bytes()]);
        wide[..16].try_into().expect("16 of 32 bytes")
    }

    /// What was answered, if the request came before.
    pub(crate) fn recall(&self, records: &mut dyn Records) -> Result<Option<Vec<u8>>, RecallError> {
        match records.request(&self.operation())? {
            None => Ok(None),
            Some(before) if before.fingerprint == self.fingerprint => Ok(Some(before.answer)),
            Some(_) => Err(KeyConflict.into()),
        }
    }

    /// Remembers what is answered.
    pub(crate) fn remember(&self, records: &mut dyn Records, answer: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let remembered = Remembered { fingerprint: self.fingerprint, answer: answer.to_vec() };
        records.insert_request(&self.operation(), &remembered, now)
    }
}
