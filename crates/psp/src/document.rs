//! What a PSP signs for devices: limits (§4) and descriptors (§7).

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::encoding::Encode;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_totals::Bounds;
use thiserror::Error;

use crate::bank::Bank;
use crate::device::{Device, DeviceError, DeviceRefusal};
use crate::registry::RegistryError;
use crate::request::{KeyConflict, RecallError, Request};
use crate::service::Psp;
use crate::setting::{IssuedLimits, Setting};
use crate::share::Allowance;
use crate::store::{Records, Store, StoreError};
use crate::tier::Tier;

/// Why nothing is signed for a device.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The device may not have it.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// The tier asks for totals first.
    #[error("tier `{tier}` is in the setting `{}`: totals come before new limits, at most minutes before", setting.as_str())]
    TotalsNeeded {
        /// Which tier.
        tier: Name,
        /// Its setting.
        setting: Setting,
    },
    /// Other devices of the same person hold all of its limits, or its owner gave this one no share.
    #[error(
        "the owner's limits are shared out among other devices{}",
        free_at.map_or_else(String::new, |at| format!("; what they hold is free at the latest at {at} (Unix time)"))
    )]
    Shared {
        /// When others' documents have run out.
        free_at: Option<Timestamp>,
    },
    /// Another PSP gives the owner its limits, or that cannot be found out.
    #[error(transparent)]
    Registry(RegistryError),
    /// The customer is no merchant.
    #[error("this customer has no name to show to payers")]
    NotAMerchant,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for DocumentError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RegistryError> for DocumentError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            error => Self::Registry(error),
        }
    }
}

impl From<RecallError> for DocumentError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// A new limits document (CBOR) for a device, its share of its owner's limits; the same again for the same request.
    ///
    /// # Errors
    /// When the device may not have one.
    pub fn limits(&self, request: &Request<'_>, now: Timestamp) -> Result<Vec<u8>, DocumentError> {
        let key = PublicKey(request.who);
        self.claim_owner(request, now)?;
        self.store().write(|records| {
            let party = self.active(records, &key, now)?;
            if let Some(document) = request.recall(records)? {
                return Ok(document);
            }
            self.check_claimed(records, &party.customer, now)?;
            let holdings = self.holdings(records, &party.customer, now)?;
            let grant = holdings.grant(records, &key, now)?;
            if grant.max_payment.is_zero() {
                return Err(DocumentError::Shared { free_at: grant.more_from });
            }
            let valid_until = now.saturating_add(holdings.tier.limits_validity_seconds);
            let tier = holdings.tier;
            let bounds = Bounds { max_holding: grant.max_holding, max_cumulative: grant.max_cumulative };
            let sequence = self.sequence_of_next(records, &party.device, tier, &bounds, now)?;
            let body = LimitsBody {
                psp: self.identity().name,
                device: key,
                sequence,
                issued_at: now,
                valid_until,
                max_payment: grant.max_payment,
                max_cumulative: grant.max_cumulative,
                max_holding: grant.max_holding,
            };
            records.insert_issued_limits(&key, &IssuedLimits { sequence, bounds })?;
            let allowance = Allowance {
                device: key,
                sequence: body.sequence,
                valid_until,
                max_cumulative: grant.max_cumulative,
                max_holding: grant.max_holding,
            };
            records.insert_limits(&party.customer.name, &allowance)?;
            self.audit_limits(records, &party.customer.name, tier, &body, now)?;
            let document = Limits::sign(body, &self.identity().key).to_vec();
            request.remember(records, &document, now)?;
            Ok(document)
        })
    }

    /// The sequence of the next document for a device; uses up the totals that it is for.
    ///
    /// Where the PSP is shown totals, the element has said which document it holds. What was issued after that may be kept back, to be
    /// loaded offline one after the other, and each lets go `max_cumulative` anew. So the same limits are signed under one sequence until
    /// the element holds it: of one sequence an element takes one document.
    fn sequence_of_next(
        &self,
        records: &mut dyn Records,
        device: &Device,
        tier: &Tier,
        bounds: &Bounds,
        now: Timestamp,
    ) -> Result<u64, DocumentError> {
        if !tier.setting.asks_for_totals() {
            return Ok(records.next_limits_sequence(&device.key)?);
        }
        let since = now.seconds().saturating_sub(self.policy().periods().nonce_seconds);
        let verdict = records.unused_verdict(&device.key, Timestamp::new(since).unwrap_or_default())?;
        let Some((shown, held)) = verdict else {
            return Err(DocumentError::TotalsNeeded { tier: tier.name, setting: tier.setting });
        };
        let same = records.issued_after(&device.key, held)?.into_iter().find(|issued| issued.bounds == *bounds);
        let sequence = match same {
            Some(issued) => issued.sequence,
            None => records.next_limits_sequence(&device.key)?,
        };
        records.use_verdict(&shown, sequence)?;
        Ok(sequence)
    }

    /// A descriptor (CBOR) for a merchant's device; the same again for the same request.
    ///
    /// # Errors
    /// When the device may not have one.
    pub fn descriptor(&self, request: &Request<'_>, now: Timestamp) -> Result<Vec<u8>, DocumentError> {
        let key = PublicKey(request.who);
        self.store().write(|records| {
            let party = self.active(records, &key, now)?;
            if let Some(document) = request.recall(records)? {
                return Ok(document);
            }
            let merchant = party.customer.merchant.ok_or(DocumentError::NotAMerchant)?;
            let body = DescriptorBody {
                psp: self.identity().name,
                payee: merchant.payee,
                account: party.customer.account,
                category: merchant.category,
                key,
                valid_until: now.saturating_add(self.policy().periods().descriptor_seconds),
            };
            let document = Descriptor::sign(body, &self.identity().key).to_vec();
            request.remember(records, &document, now)?;
            Ok(document)
        })
    }

    /// Writes what a document allows into the audit log, if that is other than what the device's last one did.
    fn audit_limits(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        tier: &Tier,
        body: &LimitsBody,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let allowed = [
            ("customer", customer.to_string()),
            ("tier", tier.name.to_string()),
            ("max_payment", body.max_payment.minor().to_string()),
            ("max_cumulative", body.max_cumulative.minor().to_string()),
            ("max_holding", body.max_holding.minor().to_string()),
            ("valid_seconds", tier.limits_validity_seconds.to_string()),
        ];
        let from = body.sequence.to_string();
        self.audit_news(records, now, Kind::LimitsIssued, &body.device.to_string(), &allowed, &[("sequence", &from)])
    }
}
