//! The registry of persons: what PSPs ask of it, and what the bank's operator does with it.

use axum::extract::State;
use specie_api::bank as api;
use specie_api::hexadecimal::HexArray;
use specie_bank::person::{self, PersonError, PersonRecord};
use specie_bank::storage::{Storage, StorageError};
use specie_core::Timestamp;
use specie_core::text::Name;

use super::routes::{Asked, Shared, malformed};
use super::setup::CentralBank;
use crate::call::Call;
use crate::reply::{Refusal, Reply, blocking};

/// The registry as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryState {
    /// The name of the pepper under which it is kept; `None` while it is not.
    pub pepper: Option<[u8; 32]>,
    /// How many persons each PSP has. A person counts once for each of its pseudonyms.
    pub persons: Vec<(Name, u64)>,
}

impl CentralBank {
    /// The registry as a whole.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn registry(&self) -> Result<RegistryState, StorageError> {
        let storage = self.bank.storage();
        storage.read(|view| Ok(RegistryState { pepper: view.registry()?, persons: view.person_counts()? }))
    }

    /// Has the registry kept under the pepper of that name, or not kept at all. PSPs hear of it when they next look.
    ///
    /// # Errors
    /// When it is kept under another pepper.
    pub fn keep_registry(&self, pepper: Option<&[u8; 32]>) -> Result<(), PersonError> {
        let (by, now) = (self.bank.actor(), self.clock.now());
        self.bank.storage().transact(|tx| person::keep_registry(tx, by, pepper, now))
    }

    /// Which PSP has a person.
    ///
    /// # Errors
    /// When nobody ever claimed it.
    pub fn person(&self, pseudonym: &[u8; 32]) -> Result<PersonRecord, PersonError> {
        self.bank.storage().read(|view| view.person(pseudonym)?.ok_or(PersonError::Unknown))
    }

    /// Takes a person from the PSP that has it.
    ///
    /// # Errors
    /// When nobody ever claimed it, or there is no reason.
    pub fn free_person(
        &self,
        pseudonym: &[u8; 32],
        until: Timestamp,
        reason: &str,
    ) -> Result<PersonRecord, PersonError> {
        let (by, now) = (self.bank.actor(), self.clock.now());
        self.bank.storage().transact(|tx| person::free(tx, by, pseudonym, until, reason, now))
    }
}

pub(super) async fn registry(State(central): Shared) -> Reply<api::Registry> {
    blocking(move || Ok::<_, Refusal>(api::Registry { pepper: central.registry()?.pepper.map(HexArray) })).await
}

pub(super) async fn claim(State(central): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::PersonClaim>::new(&central, &call)?;
        let pseudonyms: Vec<_> = asked.body.pseudonyms.iter().map(|pseudonym| pseudonym.0).collect();
        asked.once(|tx| {
            person::claim(tx, &asked.psp, &asked.body.pepper.0, &pseudonyms, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}

pub(super) async fn release(State(central): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::PersonRelease>::new(&central, &call)?;
        let until = Timestamp::new(asked.body.until).ok_or_else(|| malformed("`until` is beyond all times"))?;
        asked.once(|tx| {
            person::release(tx, &asked.psp, &asked.body.pseudonym.0, until, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}
