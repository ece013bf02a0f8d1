//! A PSP, put together from its parts.

use std::sync::{Mutex, PoisonError};

use specie_audit::Actor;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::identification::Identification;
use crate::policy::Policy;

/// Who a PSP is.
pub struct Identity {
    /// Its name in the bank's manifest.
    pub name: Name,
    /// Signs limits, descriptors, and requests to the bank.
    pub key: SigningKey,
    /// The currency of its accounts.
    pub currency: Currency,
    /// The bank's root key: manifests are believed by it alone.
    pub root_key: PublicKey,
}

/// A PSP. Its methods are in the modules of the concepts; each blocks until it is done.
pub struct Psp<S, B> {
    identity: Identity,
    policy: Policy,
    store: S,
    bank: B,
    actor: Actor,
    identification: Option<Identification>,
    catalogue: Mutex<Arc<Catalogue>>,
}

impl<S, B> Psp<S, B> {
    /// A PSP that keeps its records in `store` and talks to `bank`.
    pub fn new(identity: Identity, policy: Policy, store: S, bank: B) -> Self {
        Self {
            identity,
            policy,
            store,
            bank,
            actor: Actor::service(),
            identification: None,
            catalogue: Mutex::new(Arc::default()),
        }
    }

    /// The same for an operator: the audit log says that it did what is done here.
    #[must_use]
    pub fn acting_for(self, operator: Actor) -> Self {
        Self { actor: operator, ..self }
    }

    /// In whose name this acts: the service's own, without [`Psp::acting_for`].
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The same, and it finds out who its customers are.
    pub fn identifying_with(self, identification: Identification) -> Self {
        Self { identification: Some(identification), ..self }
    }

    pub(crate) fn configured_identification(&self) -> Option<&Identification> {
        self.identification.as_ref()
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it allows.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its records.
    pub fn store(&self) -> &S {
        &self.store
    }

    pub(crate) fn bank(&self) -> &B {
        &self.bank
    }

    pub(crate) fn cached_catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn cache_catalogue(&self, catalogue: Arc<Catalogue>) {
        *self.catalogue.lock().unwrap_or_else(PoisonError::into_inner) = catalogue;
    }
}
