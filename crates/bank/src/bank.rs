//! The bank as one value: its storage, its signer, and what it keeps in memory.
//!
//! Operations come in two steps. What costs time and changes nothing (commitments, verification) runs outside any
//! transaction and gives a checked value; what changes something takes the transaction as an argument, so that the
//! caller can land it together with the answer to the request ([`Bank::once`]).

use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};

use specie_audit::{Actor, Kind};
use specie_core::Timestamp;
use specie_core::group::Generators;
use thiserror::Error;

use crate::audit;
use crate::classes::ClassTable;
use crate::settings::Settings;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, View};
use crate::watch::Watched;

/// The central bank.
pub struct Bank<S, K> {
    storage: S,
    signer: K,
    settings: Settings,
    actor: Actor,
    generators: Generators,
    workers: NonZeroUsize,
    classes: RwLock<Option<Published>>,
    watched: RwLock<Option<Arc<Watched>>>,
    revocations_per_day: u32,
}

/// Classes as of the manifest with this signature: of two with one sequence, one was perhaps undone.
type Published = ([u8; 64], Arc<ClassTable>);

/// Why a bank cannot be set up or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenBankError {
    /// The storage holds no bank.
    #[error("the storage holds no bank: set it up first")]
    NotSetUp,
    /// The storage holds a bank already.
    #[error("the storage holds a bank already: nothing was changed")]
    SetUp,
    /// The signer has another ledger key than the bank was set up with.
    #[error("the signer has another ledger key than the bank: give it the keys of this bank")]
    OtherKeys,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Sets up a bank in an empty storage.
    ///
    /// # Errors
    /// When there is one already, or `settings` name another ledger key than the signer has.
    pub fn set_up(
        storage: &S,
        signer: &K,
        settings: &Settings,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), OpenBankError> {
        if signer.ledger_key() != settings.ledger_key {
            return Err(OpenBankError::OtherKeys);
        }
        let details = [
            ("currency", settings.currency.to_string()),
            ("root_key", settings.root_key.to_string()),
            ("ledger_key", settings.ledger_key.to_string()),
        ];
        storage.transact(|tx| {
            if !tx.insert_settings(settings)? {
                return Err(OpenBankError::SetUp);
            }
            Ok(audit::append(tx, by, now, Kind::BankSetUp, settings.issuer.as_str(), &details)?)
        })
    }

    /// Opens the bank that the storage holds.
    ///
    /// # Errors
    /// When it holds none, or the keys are of another bank.
    pub fn open(storage: S, signer: K) -> Result<Self, OpenBankError> {
        let settings = storage.read(|view| view.settings().map_err(OpenBankError::from))?;
        let settings = settings.ok_or(OpenBankError::NotSetUp)?;
        if signer.ledger_key() != settings.ledger_key {
            return Err(OpenBankError::OtherKeys);
        }
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let generators = Generators::new();
        let (classes, watched) = (RwLock::new(None), RwLock::new(None));
        let (actor, revocations_per_day) = (Actor::service(), crate::revocation::LISTED_PER_DAY);
        Ok(Self { storage, signer, settings, actor, generators, workers, classes, watched, revocations_per_day })
    }

    /// The same bank, listing at most so many notes within a day on the revocation list.
    #[must_use]
    pub fn with_revocations_per_day(self, revocations_per_day: u32) -> Self {
        Self { revocations_per_day, ..self }
    }

    /// The same for an operator: the audit log says that it did what is done here.
    #[must_use]
    pub fn acting_for(self, operator: Actor) -> Self {
        Self { actor: operator, ..self }
    }

    /// In whose name this acts: the service's own, without [`Bank::acting_for`].
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Where everything is kept.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Who signs.
    pub fn signer(&self) -> &K {
        &self.signer
    }

    /// Who the bank is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What [`Bank::watch_conservation`] found last, here and since this was opened: the numbers without another look.
    pub fn watched(&self) -> Option<Arc<Watched>> {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn keep_watched(&self, watched: &Watched) {
        *self.watched.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watched.clone()));
    }

    pub(crate) fn revocations_per_day(&self) -> u32 {
        self.revocations_per_day
    }

    pub(crate) fn generators(&self) -> &Generators {
        &self.generators
    }

    pub(crate) fn workers(&self) -> NonZeroUsize {
        self.workers
    }

    /// All classes as of the newest manifest that `view` sees; read again only when there is a newer one.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn class_table(&self, view: &mut (impl View + ?Sized)) -> Result<Arc<ClassTable>, StorageError> {
        let signature = view.manifest_signature()?.unwrap_or([0; 64]);
        let kept = self.classes.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, kept)) = kept.filter(|(of, _)| *of == signature) {
            return Ok(kept);
        }
        let sequence = view.manifest_sequence()?;
        let loaded = Arc::new(ClassTable::load(view, sequence)?);
        *self.classes.write().unwrap_or_else(PoisonError::into_inner) = Some((signature, Arc::clone(&loaded)));
        Ok(loaded)
    }
}
