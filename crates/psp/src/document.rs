//! What a PSP signs for devices: limits (§4) and descriptors (§7).

use specie_core::Timestamp;
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::encoding::Encode;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_totals::Bounds;
use thiserror::Error;

use crate::device::{DeviceError, DeviceRefusal};
use crate::request::{KeyConflict, RecallError, Request};
use crate::service::Psp;
use crate::setting::{IssuedLimits, Setting};
use crate::share::Allowance;
use crate::store::{Store, StoreError};

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

impl From<RecallError> for DocumentError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B> Psp<S, B> {
    /// A new limits document (CBOR) for a device, its share of its owner's limits; the same again for the same request.
    ///
    /// # Errors
    /// When the device may not have one.
    pub fn limits(&self, request: &Request<'_>, now: Timestamp) -> Result<Vec<u8>, DocumentError> {
        let key = PublicKey(request.who);
        self.store().write(|records| {
            let party = self.active(records, &key, now)?;
            if let Some(document) = request.recall(records)? {
                return Ok(document);
            }
            let holdings = self.holdings(records, &party.customer, now)?;
            let grant = holdings.grant(records, &key, now)?;
            if grant.max_payment.is_zero() {
                return Err(DocumentError::Shared { free_at: grant.more_from });
            }
            let valid_until = now.saturating_add(holdings.tier.limits_validity_seconds);
            let tier = holdings.tier;
            let sequence = records.next_limits_sequence(&key)?;
            if !self.may_renew(records, &key, tier.setting, sequence, now)? {
                return Err(DocumentError::TotalsNeeded { tier: tier.name, setting: tier.setting });
            }
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
            let bounds = Bounds { max_holding: body.max_holding, max_cumulative: body.max_cumulative };
            records.insert_issued_limits(&key, &IssuedLimits { sequence, bounds })?;
            let allowance = Allowance {
                device: key,
                sequence: body.sequence,
                valid_until,
                max_cumulative: grant.max_cumulative,
                max_holding: grant.max_holding,
            };
            records.insert_limits(&party.customer.name, &allowance)?;
            let document = Limits::sign(body, &self.identity().key).to_vec();
            request.remember(records, &document, now)?;
            Ok(document)
        })
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
}
