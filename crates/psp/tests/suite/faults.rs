//! Breaks a PSP at its n-th step: a commit of its store or a call of the bank, before it takes effect or after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use specie_core::{Amount, ClassId, Timestamp};
use specie_psp::bank::{
    Bank, BankError, BatchStanding, Credit, Manifests, Redemption, RedemptionResult, ReserveTransfer, Restitution,
    RestitutionResult, Session, StruckOff,
};
use specie_psp::request::OperationId;
use specie_psp::store::{Records, Store, StoreError};

/// Where the effect of the broken step ends up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The step is not done.
    Before,
    /// It is done, and its answer is lost.
    After,
}

/// Counts steps and breaks from one on: nothing works after it, as in a crash.
#[derive(Debug)]
pub struct Fuse {
    steps: AtomicU64,
    at: u64,
    cut: Cut,
}

impl Fuse {
    /// Breaks at step `at`, from 0.
    pub fn new(at: u64, cut: Cut) -> Arc<Self> {
        Arc::new(Self { steps: AtomicU64::new(0), at, cut })
    }

    /// Never breaks.
    pub fn sound() -> Arc<Self> {
        Self::new(u64::MAX, Cut::Before)
    }

    /// Whether it has broken.
    pub fn is_broken(&self) -> bool {
        self.steps.load(SeqCst) > self.at
    }

    fn step<T, E>(&self, lost: impl Fn() -> E, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let step = self.steps.fetch_add(1, SeqCst);
        if step < self.at {
            return work();
        }
        if step == self.at && self.cut == Cut::After {
            drop(work());
        }
        Err(lost())
    }
}

/// A store or a bank behind a fuse.
pub struct Fused<T> {
    pub inner: Arc<T>,
    pub fuse: Arc<Fuse>,
}

fn crashed() -> StoreError {
    StoreError::Failed("the fuse has broken".into())
}

fn silent() -> BankError {
    BankError::Unavailable("the fuse has broken".into())
}

impl<S: Store> Store for Fused<S> {
    fn write<T, E: From<StoreError>>(&self, work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E> {
        self.fuse.step(|| E::from(crashed()), || self.inner.write(work))
    }

    fn read<T, E: From<StoreError>>(&self, work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E> {
        if self.fuse.is_broken() { Err(crashed().into()) } else { self.inner.read(work) }
    }
}

impl<B: Bank> Bank for Fused<B> {
    fn register_device(&self, operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.register_device(operation, identity))
    }

    fn registry(&self) -> Result<Option<[u8; 32]>, BankError> {
        self.fuse.step(silent, || self.inner.registry())
    }

    fn claim_person(
        &self,
        operation: &OperationId,
        pepper: &[u8; 32],
        pseudonyms: &[[u8; 32]],
    ) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.claim_person(operation, pepper, pseudonyms))
    }

    fn release_person(&self, operation: &OperationId, pseudonym: &[u8; 32], until: Timestamp) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.release_person(operation, pseudonym, until))
    }

    fn open_batch(
        &self,
        batch: &OperationId,
        identity: &[u8; 32],
        items: &[(ClassId, u64)],
    ) -> Result<Vec<Session>, BankError> {
        self.fuse.step(silent, || self.inner.open_batch(batch, identity, items))
    }

    fn answer_batch(&self, batch: &OperationId, challenges: &[[u8; 32]]) -> Result<Vec<[u8; 128]>, BankError> {
        self.fuse.step(silent, || self.inner.answer_batch(batch, challenges))
    }

    fn acknowledge_batch(&self, batch: &OperationId) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.acknowledge_batch(batch))
    }

    fn cancel_batch(&self, batch: &OperationId) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.cancel_batch(batch))
    }

    fn batch_standing(&self, batch: &OperationId) -> Result<BatchStanding, BankError> {
        self.fuse.step(silent, || self.inner.batch_standing(batch))
    }

    fn redeem(&self, operation: &OperationId, redemption: &Redemption) -> Result<Vec<RedemptionResult>, BankError> {
        self.fuse.step(silent, || self.inner.redeem(operation, redemption))
    }

    fn claim_restitution(
        &self,
        operation: &OperationId,
        identity: &[u8; 32],
        account: &str,
        holdings: &[Vec<u8>],
    ) -> Result<Vec<RestitutionResult>, BankError> {
        self.fuse.step(silent, || self.inner.claim_restitution(operation, identity, account, holdings))
    }

    fn restitutions(&self, identity: &[u8; 32]) -> Result<Vec<Restitution>, BankError> {
        self.fuse.step(silent, || self.inner.restitutions(identity))
    }

    fn give_up_restitutions(&self, operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.give_up_restitutions(operation, identity))
    }

    fn transfer(&self, transfer: &ReserveTransfer<'_>) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.transfer(transfer))
    }

    fn upload_payment(&self, operation: &OperationId, payment: &[u8]) -> Result<(), BankError> {
        self.fuse.step(silent, || self.inner.upload_payment(operation, payment))
    }

    fn claim_payment(&self, operation: &OperationId, request: &[u8]) -> Result<Vec<u8>, BankError> {
        self.fuse.step(silent, || self.inner.claim_payment(operation, request))
    }

    fn credits(&self, after: u64) -> Result<Vec<Credit>, BankError> {
        self.fuse.step(silent, || self.inner.credits(after))
    }

    fn struck_off(&self, after: u64) -> Result<Vec<StruckOff>, BankError> {
        self.fuse.step(silent, || self.inner.struck_off(after))
    }

    fn manifests(&self, after: u64) -> Result<Manifests, BankError> {
        self.fuse.step(silent, || self.inner.manifests(after))
    }

    fn revocations(&self, after: u64) -> Result<Vec<Vec<u8>>, BankError> {
        self.fuse.step(silent, || self.inner.revocations(after))
    }

    fn reserve(&self) -> Result<Amount, BankError> {
        self.fuse.step(silent, || self.inner.reserve())
    }
}
