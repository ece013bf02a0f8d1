//! Calls of a PSP, typed.

use alloc::format;
use alloc::string::{String, ToString};

use super::setting::{Consent, LimitsRequest, Said, Setting, Totals, TotalsNonce, Upload};
use super::{
    Account, BackupUpload, Backups, Challenges, ClaimedPayment, Descriptor, Empty, Enrolled, EnrolmentNonce,
    EnrolmentRequest, Limits, Manifests, PaymentClaim, PaymentUpload, Redemption, RedemptionRequest, Responses,
    Restitution, RestitutionClaims, RestitutionRequest, Revocations, Status, Time, Transfer, TransferRequest,
    Withdrawal, WithdrawalRequest, path,
};
use crate::authorization::{Anonymous, Authorize};
use crate::client::{CallError, Http};
use crate::hexadecimal::HexArray;
use crate::idempotency::Key;

/// Calls one PSP. Calls that need a device take whoever signs for it, usually an
/// [`authorization::Device`](crate::authorization::Device) made for the one call.
///
/// Every call fails with [`CallError`]; every `key` names one thing to be done and must be kept, with the request,
/// until there is an answer.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
}

type Answer<T> = Result<T, CallError>;

impl Client {
    /// Calls the PSP behind `http`.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The address of the PSP.
    pub fn address(&self) -> &str {
        self.http.address()
    }

    /// Who the PSP is.
    pub fn status(&self) -> Answer<Status> {
        self.http.get(path::STATUS, &mut Anonymous)
    }

    /// What time it is there.
    pub fn time(&self) -> Answer<Time> {
        self.http.get(path::TIME, &mut Anonymous)
    }

    /// Headers after sequence `after` and the newest manifest.
    pub fn manifests(&self, after: u64) -> Answer<Manifests> {
        self.http.get(&format!("{}?after={after}", path::MANIFESTS), &mut Anonymous)
    }

    /// Pages of the revocation list signed after sequence `after`.
    pub fn revocations(&self, after: u64) -> Answer<Revocations> {
        self.http.get(&format!("{}?after={after}", path::REVOCATIONS), &mut Anonymous)
    }

    /// A nonce for [`Client::enrol`].
    pub fn enrolment_nonce(&self, key: &Key) -> Answer<EnrolmentNonce> {
        self.http.post(path::ENROLMENT_NONCE, key, &Empty {}, &mut Anonymous)
    }

    /// Enrols a device; the enrolment is signed in itself.
    pub fn enrol(&self, key: &Key, request: &EnrolmentRequest) -> Answer<Enrolled> {
        self.http.post(path::ENROLMENTS, key, request, &mut Anonymous)
    }

    /// A limits document: the next one where the element says which one it holds, or totals were shown.
    pub fn limits(&self, device: &mut dyn Authorize, key: &Key, said: Option<Said>) -> Answer<Limits> {
        self.http.post(path::LIMITS, key, &LimitsRequest { said }, device)
    }

    /// What the device has to show before its limits are renewed.
    pub fn setting(&self, device: &mut dyn Authorize) -> Answer<Setting> {
        self.http.get(path::SETTING, device)
    }

    /// A nonce for what the device's element says of its totals and limits.
    pub fn totals_nonce(&self, device: &mut dyn Authorize, key: &Key) -> Answer<TotalsNonce> {
        self.http.post(path::TOTALS_NONCE, key, &Empty {}, device)
    }

    /// Shows the device's totals.
    pub fn show_totals(&self, device: &mut dyn Authorize, key: &Key, totals: &Totals) -> Answer<Empty> {
        self.http.post(path::TOTALS, key, totals, device)
    }

    /// Uploads payments that the device made and got.
    pub fn upload(&self, device: &mut dyn Authorize, key: &Key, upload: &Upload) -> Answer<Empty> {
        self.http.post(path::UPLOADS, key, upload, device)
    }

    /// Says whether the device's owner agrees that its payments are uploaded.
    pub fn agree_to_uploads(&self, device: &mut dyn Authorize, key: &Key, uploads: bool) -> Answer<Empty> {
        self.http.post(path::UPLOADS_CONSENT, key, &Consent { uploads }, device)
    }

    /// A descriptor, for a merchant's device.
    pub fn descriptor(&self, device: &mut dyn Authorize, key: &Key) -> Answer<Descriptor> {
        self.http.post(path::DESCRIPTORS, key, &Empty {}, device)
    }

    /// Opens a withdrawal (W1, W2).
    pub fn withdraw(&self, device: &mut dyn Authorize, key: &Key, request: &WithdrawalRequest) -> Answer<Withdrawal> {
        self.http.post(path::WITHDRAWALS, key, request, device)
    }

    /// Has the bank answer the challenges of a withdrawal (W3, W4).
    pub fn challenge(
        &self,
        device: &mut dyn Authorize,
        key: &Key,
        withdrawal: &HexArray<16>,
        challenges: &Challenges,
    ) -> Answer<Responses> {
        self.http.post(&named(path::CHALLENGES, withdrawal), key, challenges, device)
    }

    /// Says that the device keeps the notes of a withdrawal: the bank forgets how it made them.
    pub fn acknowledge(&self, device: &mut dyn Authorize, key: &Key, withdrawal: &HexArray<16>) -> Answer<Empty> {
        self.http.post(&named(path::ACKNOWLEDGE, withdrawal), key, &Empty {}, device)
    }

    /// Gives a withdrawal up before its challenges were sent.
    pub fn cancel(&self, device: &mut dyn Authorize, key: &Key, withdrawal: &HexArray<16>) -> Answer<Empty> {
        self.http.post(&named(path::CANCEL, withdrawal), key, &Empty {}, device)
    }

    /// Redeems chains.
    pub fn redeem(&self, device: &mut dyn Authorize, key: &Key, request: &RedemptionRequest) -> Answer<Redemption> {
        self.http.post(path::REDEMPTIONS, key, request, device)
    }

    /// Leaves a payment that did not reach its payee at the bank.
    pub fn upload_payment(&self, device: &mut dyn Authorize, key: &Key, payment: &PaymentUpload) -> Answer<Empty> {
        self.http.post(path::PAYMENTS, key, payment, device)
    }

    /// Looks for what was uploaded for a request.
    pub fn claim_payment(&self, device: &mut dyn Authorize, key: &Key, claim: &PaymentClaim) -> Answer<ClaimedPayment> {
        self.http.post(path::CLAIM, key, claim, device)
    }

    /// Leaves what the device holds, encrypted.
    pub fn keep_backup(&self, device: &mut dyn Authorize, key: &Key, upload: &BackupUpload) -> Answer<Empty> {
        self.http.post(path::BACKUPS, key, upload, device)
    }

    /// What the lost device `A` left.
    pub fn backups(&self, device: &mut dyn Authorize, lost: &HexArray<32>) -> Answer<Backups> {
        self.http.get(&of_device(path::BACKUPS_OF, lost), device)
    }

    /// Claims what the lost device `A` held.
    pub fn claim_restitution(
        &self,
        device: &mut dyn Authorize,
        key: &Key,
        lost: &HexArray<32>,
        request: &RestitutionRequest,
    ) -> Answer<Restitution> {
        self.http.post(&of_device(path::RESTITUTIONS, lost), key, request, device)
    }

    /// What is claimed of what the lost device `A` held.
    pub fn restitutions(&self, device: &mut dyn Authorize, lost: &HexArray<32>) -> Answer<RestitutionClaims> {
        self.http.get(&of_device(path::RESTITUTIONS, lost), device)
    }

    /// Pays online, from account to account.
    pub fn transfer(&self, device: &mut dyn Authorize, key: &Key, request: &TransferRequest) -> Answer<Transfer> {
        self.http.post(path::TRANSFERS, key, request, device)
    }

    /// Balance, rations and history.
    pub fn account(&self, device: &mut dyn Authorize) -> Answer<Account> {
        self.http.get(path::ACCOUNT, device)
    }
}

/// A path with the name of a withdrawal in it.
fn named(path: &str, withdrawal: &HexArray<16>) -> String {
    path.replace("{id}", &withdrawal.to_string())
}

/// A path with the key of a device in it.
fn of_device(path: &str, device: &HexArray<32>) -> String {
    path.replace("{device}", &device.to_string())
}
