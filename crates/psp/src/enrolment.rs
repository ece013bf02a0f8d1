//! Enrolment (§4): a customer's device proves its identity and what kind of element it is; the bank is told `U` and nothing
//! else.
//!
//! Nonce, claim code and device change in one transaction, with the device still pending. Then the bank is told, and the
//! device becomes active; or the bank knows `U` already, the device is removed and the claim code is good again.

use specie_aml::calendar;
use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::enrolment::{Enrolment, EnrolmentError as ProofError};
use specie_core::group::Generators;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::bank::{Bank, BankError, Refusal};
use crate::claim::{ClaimCode, code_hash};
use crate::device::{Device, DeviceState, Made};
use crate::policy::NotAccepted;
use crate::request::{KeyConflict, OperationId, RecallError, Request};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// The most nonces that wait for an enrolment at any time.
const NONCES_MAX: u64 = 10_000;

/// A nonce for one enrolment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nonce {
    /// The nonce.
    pub nonce: [u8; 32],
    /// Last moment of validity.
    pub valid_until: Timestamp,
}

/// A device that is enrolled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolled {
    /// `A`, its name here.
    pub device: PublicKey,
    /// The customer's account.
    pub account: Name,
    /// The customer's tier.
    pub tier: Name,
}

/// Why a device is not enrolled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// Too many nonces wait.
    #[error("too many enrolments are under way")]
    Crowded,
    /// The claim code is not one of this customer.
    #[error("the claim code is wrong, used or run out")]
    ClaimCode,
    /// The nonce is not one that this PSP gave, is used, or ran out.
    #[error("the nonce is unknown, used or run out")]
    Nonce,
    /// Nobody trusts this maker.
    #[error("elements of maker `{0}` are not accepted here")]
    UnknownMaker(Name),
    /// The series is withdrawn.
    #[error("elements of series `{0}` are not accepted any more")]
    WithdrawnSeries(Name),
    /// The firmware is not accepted.
    #[error("elements with firmware {0} are not accepted")]
    Firmware(String),
    /// A released device whose former owner's limits have not run out.
    #[error("the element may go by the limits of its former owner until {}: enrol it then, the claim code stays good", calendar::show(*.0))]
    StillLimited(Timestamp),
    /// Certificate, proof or attestation do not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The customer has as many devices as its tier allows.
    #[error(
        "the customer has as many devices as its tier allows ({0}, those of all its accounts and those that it gave up included): report lost what \
         is lost, have another customer enrol what was given up, or ask for a larger tier; the claim code stays good"
    )]
    TooManyDevices(u32),
    /// The identity or the key is enrolled already.
    #[error("this element is enrolled already, here or elsewhere")]
    AlreadyEnrolled,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank did not register the device.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecallError> for EnrolmentError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// A nonce for an enrolment, made of 32 random bytes; the same again for the same request.
    ///
    /// # Errors
    /// When too many wait already.
    pub fn enrolment_nonce(
        &self,
        request: &Request<'_>,
        seed: &[u8; 32],
        now: Timestamp,
    ) -> Result<Nonce, EnrolmentError> {
        let operation = request.operation();
        self.store().write(|records| {
            if let Some((nonce, valid_until)) = records.nonce(&operation)? {
                return Ok(Nonce { nonce, valid_until });
            }
            if records.nonce_count()? >= NONCES_MAX {
                return Err(EnrolmentError::Crowded);
            }
            let valid_until = now.saturating_add(self.policy().periods().nonce_seconds);
            records.insert_nonce(&operation, seed, valid_until)?;
            Ok(Nonce { nonce: *seed, valid_until })
        })
    }

    /// Enrols the device of a customer.
    ///
    /// # Errors
    /// When anything of it does not hold.
    pub fn enrol(
        &self,
        request: &Request<'_>,
        customer: &Name,
        claim_code: &ClaimCode,
        enrolment: &Enrolment<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, EnrolmentError> {
        self.check_element(enrolment)?;
        let claim = code_hash(customer, claim_code);
        let device = self.store().write(|records| self.admit(records, request, customer, &claim, enrolment, now))?;
        if device.state == DeviceState::Pending {
            self.register(&device, now)?;
        }
        self.store().read(|records| {
            let owner = records.customer(customer)?.ok_or(EnrolmentError::ClaimCode)?;
            Ok(Enrolled { device: device.key, account: owner.account, tier: owner.tier })
        })
    }

    /// What can be checked without records: maker, series, certificate, proof, attestation.
    fn check_element(&self, enrolment: &Enrolment<'_>) -> Result<(), EnrolmentError> {
        let body = &enrolment.certificate.body;
        let maker = self.policy().check_made(&made(enrolment)).map_err(|refused| match refused {
            NotAccepted::Maker => EnrolmentError::UnknownMaker(body.maker),
            NotAccepted::Series => EnrolmentError::WithdrawnSeries(body.series),
            NotAccepted::Firmware => {
                EnrolmentError::Firmware(body.firmware.iter().map(|byte| format!("{byte:02x}")).collect())
            }
        })?;
        Ok(enrolment.verify_vartime(&Generators::new(), &maker.key, &enrolment.nonce)?)
    }

    /// Uses up nonce and claim code for a pending device; finds the device when the request came before.
    fn admit(
        &self,
        records: &mut dyn Records,
        request: &Request<'_>,
        customer: &Name,
        claim: &[u8; 32],
        enrolment: &Enrolment<'_>,
        now: Timestamp,
    ) -> Result<Device, EnrolmentError> {
        let body = &enrolment.certificate.body;
        if request.recall(records)?.is_some() {
            return records.device(&body.A)?.ok_or(EnrolmentError::AlreadyEnrolled);
        }
        let owner = records.customer(customer)?.ok_or(EnrolmentError::ClaimCode)?;
        if !records.use_claim_code(claim, now)? {
            return Err(EnrolmentError::ClaimCode);
        }
        if !records.use_nonce(&enrolment.nonce, now)? {
            return Err(EnrolmentError::Nonce);
        }
        let known = records.device(&body.A)?;
        let holdings = self.holdings(records, &owner, now)?;
        let devices =
            holdings.devices.iter().filter(|device| known.as_ref().is_none_or(|known| known.key != device.key));
        // What a lost device held is claimed from another one: whoever may have one device may have that.
        let counts = |device: &&Device| device.state != DeviceState::StruckOff && device.lost_at.is_none();
        let devices = devices.filter(counts).count();
        if devices >= usize::try_from(holdings.tier.devices_max).unwrap_or(usize::MAX) {
            return Err(EnrolmentError::TooManyDevices(holdings.tier.devices_max));
        }
        if let Some(known) = known {
            let device = self.take_over(records, &known, &body.U, &owner, claim, now)?;
            request.remember(records, &[], now)?;
            return Ok(device);
        }
        let device = Device {
            key: body.A,
            identity: body.U,
            customer: *customer,
            state: DeviceState::Pending,
            limits_sequence: 0,
            claim: *claim,
            enrolled_at: now,
            lost_at: None,
            label: None,
            weight: 1,
            released_at: None,
            made: Some(made(enrolment)),
        };
        if !records.insert_device(&device)? {
            return Err(EnrolmentError::AlreadyEnrolled);
        }
        request.remember(records, &[], now)?;
        Ok(device)
    }

    /// Tells the bank of a pending device.
    pub(crate) fn register(&self, device: &Device, now: Timestamp) -> Result<(), EnrolmentError> {
        let told = self.bank().register_device(&registration(device), &device.identity);
        let refused = told.as_ref().err().and_then(BankError::refusal);
        self.store().write(|records| {
            // Another run may have heard the same, and the device may have been struck off since.
            if records.device(&device.key)?.is_none_or(|current| current.state != DeviceState::Pending) {
                return Ok(());
            }
            let kind = match refused {
                None if told.is_ok() => {
                    records.set_device_state(&device.key, DeviceState::Active)?;
                    Kind::DeviceEnrolled
                }
                None => return Ok(()),
                Some(_) => {
                    records.remove_pending_device(&device.key)?;
                    records.restore_claim_code(&device.claim)?;
                    Kind::DeviceRefused
                }
            };
            let identity: String = device.identity.iter().map(|byte| format!("{byte:02x}")).collect();
            let details = [("customer", device.customer.as_str()), ("identity", &identity)];
            self.audit(records, now, kind, &device.key.to_string(), &details)
        })?;
        told.map_err(|error| match refused {
            Some(Refusal::DeviceKnown) => EnrolmentError::AlreadyEnrolled,
            Some(Refusal::DeviceInvalid) => ProofError::Proof.into(),
            _ => EnrolmentError::Bank(error),
        })
    }
}

fn made(enrolment: &Enrolment<'_>) -> Made {
    let body = &enrolment.certificate.body;
    Made { maker: body.maker, series: body.series, firmware: body.firmware }
}

/// The name under which the bank is told of a device: one that no other enrolment of it has.
fn registration(device: &Device) -> OperationId {
    let wide = specie_core::hash::h32(specie_core::label::PSP_OPERATION, &[&device.key.0, &device.claim]);
    wide[..16].try_into().expect("16 of 32 bytes")
}
