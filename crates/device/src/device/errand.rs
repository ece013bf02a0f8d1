//! Errands: requests to the PSP whose key is stored before they are sent, so that a killed process repeats them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use specie_api::idempotency::Key;
use specie_api::psp::TransferRequest;

use super::online::fresh_key;
use super::{Device, Done};
use crate::failure::Failure;

/// A request with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Errand<T> {
    key: String,
    /// What is asked for.
    pub(super) request: T,
}

/// An online payment, as this device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlinePayment {
    /// What was asked of the PSP.
    pub order: TransferRequest,
    /// The PSP's name for it, in hexadecimal; `None` while its answer is not known.
    pub transfer: Option<String>,
}

impl<T> Errand<T> {
    /// A new errand.
    pub(super) fn new(request: T) -> Done<Self> {
        Ok(Self { key: fresh_key()?.as_str().to_owned(), request })
    }

    /// Its key.
    pub(super) fn key(&self) -> Done<Key> {
        Key::new(&self.key).map_err(|_| damaged())
    }
}

impl Device {
    /// The errand under way under `name`.
    pub(super) fn errand<T: DeserializeOwned>(&self, name: &str) -> Done<Option<T>> {
        let Some(stored) = self.file.errand(name)? else {
            return Ok(None);
        };
        serde_json::from_slice(&stored).map(Some).map_err(|_| damaged())
    }

    /// Stores an errand before it is run.
    pub(super) fn note_errand<T: Serialize>(&mut self, name: &str, errand: &T) -> Done<()> {
        let encoded = serde_json::to_vec(errand).expect("errands are JSON");
        Ok(self.file.note_errand(name, &encoded)?)
    }

    /// The errand is done, or never will be.
    pub(super) fn forget_errand(&mut self, name: &str) -> Done<()> {
        Ok(self.file.forget_errand(name)?)
    }
}

fn damaged() -> Failure {
    Failure::new("damaged-wallet", "a stored request to the PSP is damaged", "restore the wallet from its newest copy")
}
