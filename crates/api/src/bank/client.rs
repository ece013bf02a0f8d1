//! Calls of the bank, typed.

use alloc::format;
use alloc::string::{String, ToString};

use super::{
    Batch, BatchStatus, Challenges, ClaimedPayment, Conservation, CreditsPage, DeviceRegistration, Empty, EvidencePage,
    IssuanceRequest, Manifests, PaymentClaim, PaymentUpload, PersonClaim, PersonRelease, Redemption, RedemptionRequest,
    Registry, Reserve, Responses, Restitution, RestitutionClaims, RestitutionRequest, Revocations, Status,
    StruckOffPage, TransferRequest, path,
};
use crate::authorization::{Anonymous, Authorize};
use crate::client::{CallError, Http};
use crate::hexadecimal::HexArray;
use crate::idempotency::Key;

/// Calls the bank. Calls that need a PSP take whoever signs for it: an
/// [`authorization::Psp`](crate::authorization::Psp).
///
/// Every call fails with [`CallError`]; every `key` names one thing to be done and must be kept, with the request,
/// until there is an answer. A request of a device may pass the device's key on.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
}

type Answer<T> = Result<T, CallError>;

impl Client {
    /// Calls the bank behind `http`.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The address of the bank.
    pub fn address(&self) -> &str {
        self.http.address()
    }

    /// Who the bank is.
    pub fn status(&self) -> Answer<Status> {
        self.http.get(path::STATUS, &mut Anonymous)
    }

    /// Headers after sequence `after` and the newest manifest.
    pub fn manifests(&self, after: u64) -> Answer<Manifests> {
        self.http.get(&page(path::MANIFESTS, after), &mut Anonymous)
    }

    /// Pages of the revocation list signed after sequence `after`.
    pub fn revocations(&self, after: u64) -> Answer<Revocations> {
        self.http.get(&page(path::REVOCATIONS, after), &mut Anonymous)
    }

    /// Evidence after sequence `after`.
    pub fn evidence(&self, after: u64) -> Answer<EvidencePage> {
        self.http.get(&page(path::EVIDENCE, after), &mut Anonymous)
    }

    /// Whether the books hold.
    pub fn conservation(&self) -> Answer<Conservation> {
        self.http.get(path::CONSERVATION, &mut Anonymous)
    }

    /// Registers the device `U`.
    pub fn register_device(&self, psp: &mut dyn Authorize, key: &Key, device: &HexArray<32>) -> Answer<Empty> {
        self.http.post(path::DEVICES, key, &DeviceRegistration { device: *device }, psp)
    }

    /// Devices of this PSP struck off by evidence after sequence `after`.
    pub fn struck_off(&self, psp: &mut dyn Authorize, after: u64) -> Answer<StruckOffPage> {
        self.http.get(&page(path::STRUCK_OFF, after), psp)
    }

    /// How the registry of persons is kept.
    pub fn registry(&self) -> Answer<Registry> {
        self.http.get(path::PERSONS, &mut Anonymous)
    }

    /// Claims a person.
    pub fn claim_person(&self, psp: &mut dyn Authorize, key: &Key, claim: &PersonClaim) -> Answer<Empty> {
        self.http.post(path::CLAIM_PERSON, key, claim, psp)
    }

    /// Gives a person back.
    pub fn release_person(&self, psp: &mut dyn Authorize, key: &Key, release: &PersonRelease) -> Answer<Empty> {
        self.http.post(path::RELEASE_PERSON, key, release, psp)
    }

    /// Opens a batch (W1, W2). The same batch again: the same commitments.
    pub fn open_batch(
        &self,
        psp: &mut dyn Authorize,
        key: &Key,
        batch: &HexArray<16>,
        request: &IssuanceRequest,
    ) -> Answer<Batch> {
        self.http.post(&named(path::ISSUANCE, batch), key, request, psp)
    }

    /// Where a batch stands.
    pub fn batch(&self, psp: &mut dyn Authorize, batch: &HexArray<16>) -> Answer<BatchStatus> {
        self.http.get(&named(path::ISSUANCE, batch), psp)
    }

    /// Has the challenges of a batch answered (W3, W4). The same challenges again: the same answers.
    pub fn challenge(
        &self,
        psp: &mut dyn Authorize,
        key: &Key,
        batch: &HexArray<16>,
        challenges: &Challenges,
    ) -> Answer<Responses> {
        self.http.post(&named(path::CHALLENGES, batch), key, challenges, psp)
    }

    /// Says that the device keeps the notes: the bank erases how it made them.
    pub fn acknowledge(&self, psp: &mut dyn Authorize, key: &Key, batch: &HexArray<16>) -> Answer<BatchStatus> {
        self.http.post(&named(path::ACKNOWLEDGE, batch), key, &Empty {}, psp)
    }

    /// Makes a batch void if it was not answered. Refund it only when the state that comes back is void.
    pub fn cancel(&self, psp: &mut dyn Authorize, key: &Key, batch: &HexArray<16>) -> Answer<BatchStatus> {
        self.http.post(&named(path::CANCEL, batch), key, &Empty {}, psp)
    }

    /// Redeems chains.
    pub fn redeem(&self, psp: &mut dyn Authorize, key: &Key, request: &RedemptionRequest) -> Answer<Redemption> {
        self.http.post(path::REDEMPTIONS, key, request, psp)
    }

    /// Claims what the lost device `U` held.
    pub fn claim_restitution(
        &self,
        psp: &mut dyn Authorize,
        key: &Key,
        device: &HexArray<32>,
        request: &RestitutionRequest,
    ) -> Answer<Restitution> {
        self.http.post(&of_device(path::RESTITUTIONS, device), key, request, psp)
    }

    /// What is claimed of what the device `U` held.
    pub fn restitutions(&self, psp: &mut dyn Authorize, device: &HexArray<32>) -> Answer<RestitutionClaims> {
        self.http.get(&of_device(path::RESTITUTIONS, device), psp)
    }

    /// Gives up what is claimed of what the device `U` holds: it was found.
    pub fn give_up_restitutions(&self, psp: &mut dyn Authorize, key: &Key, device: &HexArray<32>) -> Answer<Empty> {
        self.http.post(&of_device(path::GIVE_UP, device), key, &Empty {}, psp)
    }

    /// Leaves a payment that did not reach its payee.
    pub fn upload_payment(&self, psp: &mut dyn Authorize, key: &Key, payment: &PaymentUpload) -> Answer<Empty> {
        self.http.post(path::PAYMENTS, key, payment, psp)
    }

    /// Looks for what was uploaded for a request.
    pub fn claim_payment(&self, psp: &mut dyn Authorize, key: &Key, claim: &PaymentClaim) -> Answer<ClaimedPayment> {
        self.http.post(path::CLAIM, key, claim, psp)
    }

    /// Pays from the reserve of this PSP to an account at another.
    pub fn transfer(&self, psp: &mut dyn Authorize, key: &Key, request: &TransferRequest) -> Answer<Empty> {
        self.http.post(path::TRANSFERS, key, request, psp)
    }

    /// Credits of this PSP after sequence `after`.
    pub fn credits(&self, psp: &mut dyn Authorize, after: u64) -> Answer<CreditsPage> {
        self.http.get(&page(path::CREDITS, after), psp)
    }

    /// The reserve of this PSP.
    pub fn reserve(&self, psp: &mut dyn Authorize) -> Answer<Reserve> {
        self.http.get(path::RESERVE, psp)
    }
}

fn page(path: &str, after: u64) -> String {
    format!("{path}?after={after}")
}

/// A path with the name of a batch in it.
fn named(path: &str, batch: &HexArray<16>) -> String {
    path.replace("{batch}", &batch.to_string())
}

/// A path with the identity of a device in it.
fn of_device(path: &str, device: &HexArray<32>) -> String {
    path.replace("{device}", &device.to_string())
}
