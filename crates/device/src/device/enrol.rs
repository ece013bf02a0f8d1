//! Enrolment (§4): the PSP gets to know the element, and ties it to a customer.

use specie_api::hexadecimal::Hex;
use specie_api::psp::{self, EnrolmentRequest};
use specie_core::enrolment::DEVICE_INFO_LENGTH_MAX;
use specie_core::text::Name;
use specie_wallet::identity::Account;

use super::errand::Errand;
use super::online::fresh_key;
use super::synchronise::SyncReport;
use super::{Device, Done, beginning};
use crate::failure::Failure;

const ERRAND: &str = "enrolment";

/// Where a device is enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// PSP and account.
    pub account: Account,
    /// The customer's tier.
    pub tier: String,
}

impl Device {
    /// Enrols the device for `customer` with the claim code that the PSP gave out. After a break, the same again.
    ///
    /// # Errors
    /// The PSP refuses or cannot be reached, or the device is enrolled already.
    pub fn enrol(&mut self, customer: &str, claim_code: &str) -> Done<Enrolled> {
        if self.wallet.account().is_some() {
            return Err(Failure::new(
                "enrolled-already",
                "the device is enrolled already",
                "use it, or make a new one; for a new owner, enrol it as that",
            ));
        }
        self.enrol_as(customer, claim_code)
    }

    /// Enrols a device that its former owner released for its new owner, `customer`. What it holds is the new owner's from then on, and what the
    /// former one let it do ends: mandates, uploads, the recovery code. Where it has a PIN, it takes that. After a break, the same again.
    ///
    /// # Errors
    /// The PSP refuses or cannot be reached; the device stays as it is then. Or the PIN is missing: then the same again, with it.
    pub fn enrol_for_new_owner(&mut self, customer: &str, claim_code: &str) -> Done<Enrolled> {
        if self.wallet.account().is_none() {
            return Err(Failure::new("not-enrolled", "the device has no owner yet", "enrol it as a new device"));
        }
        self.enrol_as(customer, claim_code)
    }

    fn enrol_as(&mut self, customer: &str, claim_code: &str) -> Done<Enrolled> {
        self.check_root()?;
        let stored: Option<Errand<EnrolmentRequest>> = self.errand(ERRAND)?;
        let stored =
            stored.filter(|errand| errand.request.customer == customer && errand.request.claim_code == claim_code);
        let repeats = stored.is_some();
        let answer = match stored {
            Some(errand) => self.run_enrolment(&errand),
            None => self.begin_enrolment(customer, claim_code),
        };
        match answer {
            // The nonce ran out while the device was away.
            Err(failure) if repeats && failure.code() == psp::NONCE.name => self.begin_enrolment(customer, claim_code),
            decided => decided,
        }
    }

    /// The PSP must obey the central bank that the element obeys.
    fn check_root(&self) -> Done<()> {
        let status = self.call(psp::Client::status)?;
        if status.root_key.0 == self.wallet.root().0 {
            return Ok(());
        }
        Err(Failure::new(
            "other-central-bank",
            format!("{} serves another central bank than the one that this device obeys", status.psp),
            "choose a PSP of the device's central bank",
        ))
    }

    fn begin_enrolment(&mut self, customer: &str, claim_code: &str) -> Done<Enrolled> {
        let nonce_key = fresh_key()?;
        let nonce = self.call(|psp| psp.enrolment_nonce(&nonce_key))?.nonce;
        let info = beginning(&self.config.name, DEVICE_INFO_LENGTH_MAX).as_bytes();
        let enrolment = self.wallet.enrolment(&nonce.0, info, &mut self.element)?;
        let errand = Errand::new(EnrolmentRequest {
            customer: customer.to_owned(),
            claim_code: claim_code.to_owned(),
            enrolment: Hex(enrolment),
        })?;
        self.note_errand(ERRAND, &errand)?;
        self.run_enrolment(&errand)
    }

    fn run_enrolment(&mut self, errand: &Errand<EnrolmentRequest>) -> Done<Enrolled> {
        let key = errand.key()?;
        let answer = match self.call(|psp| psp.enrol(&key, &errand.request)) {
            Ok(answer) => answer,
            Err(error) => {
                if !error.may_retry() {
                    self.forget_errand(ERRAND)?;
                }
                return Err(error.into());
            }
        };
        let (Some(psp), Some(account)) = (Name::new(&answer.psp), Name::new(&answer.account)) else {
            return Err(Failure::new("wrong-answer", "the PSP named an account that cannot be", "ask the PSP"));
        };
        let account = Account { psp, account };
        if self.wallet.account().is_some() {
            self.end_what_was_allowed()?;
        }
        let step = self.wallet.enrolled(account);
        self.commit(step)?;
        self.forget_errand(ERRAND)?;
        // What the bank publishes, so that the device can be used at once. Without it, it has to synchronise first.
        let _ = self.fetch_publications(&mut SyncReport::default());
        Ok(Enrolled { account, tier: answer.tier })
    }

    /// Ends what the former owner let the device do, who may have kept the keys for it.
    fn end_what_was_allowed(&mut self) -> Done<()> {
        let step = self.wallet.end_mandate(&*Self::seed()?, &mut self.element)?;
        self.commit(step)?;
        self.refuse_uploads()?;
        self.forget_recovery_code()
    }
}
