//! What a PSP signs for devices: limits (§4) and descriptors (§7).

use specie_aml::calendar;
use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::encoding::Encode;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_totals::{Bounds, Statement, TotalsError};
use thiserror::Error;

use crate::bank::Bank;
use crate::device::{Device, DeviceError, DeviceRefusal};
use crate::registry::RegistryError;
use crate::request::{KeyConflict, OperationId, RecallError, Request};
use crate::service::Psp;
use crate::setting::{IssuedLimits, Setting};
use crate::share::{self, Allowance};
use crate::store::{Records, Store, StoreError};
use crate::tier::Tier;
use crate::totals;

/// The most documents that differ under one number. Each is remembered, since the element may hold any of them.
const CHANGES_MAX: usize = 16;

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
    /// The nonce of what the element says is not the one that this device got, is used, or ran out.
    #[error("the nonce is unknown, used or run out")]
    Nonce,
    /// The element did not say this.
    #[error("{0}")]
    Said(TotalsError),
    /// Other devices of the same person hold all of its limits, or its owner gave this one no share.
    #[error(
        "the owner's limits are shared out among other devices: have those synchronise, twice to give up what they have, or report \
         lost what is lost{}",
        free_at.map_or_else(String::new, |at| format!("; what they have is free at the latest at {}", calendar::show(at)))
    )]
    Shared {
        /// When others' documents have run out.
        free_at: Option<Timestamp>,
    },
    /// It was given too many different documents, none of which its element says to hold.
    #[error(
        "this device was given {CHANGES_MAX} different limits of one number, and says of none that it holds it: load what it was given \
         last and synchronise again"
    )]
    Changes,
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
    /// A limits document (CBOR) for a device that does not say what its element holds, its share of its owner's limits; the same
    /// again for the same request. It has the number of the newest one that the device was given, if it was given one: for the next, the element
    /// has to say which it holds.
    ///
    /// # Errors
    /// When the device may not have one.
    pub fn limits(&self, request: &Request<'_>, now: Timestamp) -> Result<Vec<u8>, DocumentError> {
        self.sign_limits(request, None, now)
    }

    /// The next limits document (CBOR) for a device whose element says which one it holds, for a nonce of [`Psp::totals_nonce`]; the
    /// same again for the same request. Of what is said only that is used, and nothing is kept.
    ///
    /// # Errors
    /// When the device may not have one, or its element did not say this for the nonce. Nothing changes then.
    pub fn next_limits(
        &self,
        request: &Request<'_>,
        said: &Statement,
        now: Timestamp,
    ) -> Result<Vec<u8>, DocumentError> {
        said.verify_signature(&PublicKey(request.who)).map_err(DocumentError::Said)?;
        self.sign_limits(request, Some(said), now)
    }

    fn sign_limits(
        &self,
        request: &Request<'_>,
        said: Option<&Statement>,
        now: Timestamp,
    ) -> Result<Vec<u8>, DocumentError> {
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
            // One that lets nothing go any more is signed where it takes something away.
            if grant.max_payment.is_zero() && !grant.has_something {
                return Err(DocumentError::Shared { free_at: grant.more_from });
            }
            let valid_until = now.saturating_add(holdings.tier.limits_validity_seconds);
            let tier = holdings.tier;
            let bounds = Bounds { max_holding: grant.max_holding, max_cumulative: grant.max_cumulative };
            let held = if tier.setting.asks_for_totals() {
                self.held_with_totals(records, &party.device, tier, now)?
            } else {
                held_as_said(records, &key, said, now)?
            };
            let sequence = sequence_after(records, &key, held.sequence)?;
            check_changes(&records.issued_limits(&key, sequence)?, &bounds)?;
            if let Some(shown) = held.shown {
                records.use_verdict(&shown, sequence)?;
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

    /// The document that the element held when the device showed its totals last, for which it has no new limits yet.
    fn held_with_totals(
        &self,
        records: &mut dyn Records,
        device: &Device,
        tier: &Tier,
        now: Timestamp,
    ) -> Result<Held, DocumentError> {
        let since = now.seconds().saturating_sub(self.policy().periods().nonce_seconds);
        let verdict = records.unused_verdict(&device.key, Timestamp::new(since).unwrap_or_default())?;
        let Some((shown, sequence)) = verdict else {
            return Err(DocumentError::TotalsNeeded { tier: tier.name, setting: tier.setting });
        };
        Ok(Held { sequence, shown: Some(shown) })
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

/// The document that an element said to hold; `sequence` 0 for none, or where nothing was said.
struct Held {
    sequence: u64,
    /// The totals with which it was said.
    shown: Option<OperationId>,
}

/// What the element says without showing anything; uses up the nonce.
fn held_as_said(
    records: &mut dyn Records,
    device: &PublicKey,
    said: Option<&Statement>,
    now: Timestamp,
) -> Result<Held, DocumentError> {
    let Some(said) = said else { return Ok(Held { sequence: 0, shown: None }) };
    if !totals::is_good_nonce(records, device, &said.nonce, now)? {
        return Err(DocumentError::Nonce);
    }
    records.remove_totals_nonce(device)?;
    // What older documents allowed is free for other devices.
    share::note_held(records, device, said.limits_sequence)?;
    Ok(Held { sequence: said.limits_sequence, shown: None })
}

fn check_changes(issued: &[IssuedLimits], bounds: &Bounds) -> Result<(), DocumentError> {
    let is_new = issued.iter().all(|issued| issued.bounds != *bounds);
    if is_new && issued.len() >= CHANGES_MAX { Err(DocumentError::Changes) } else { Ok(()) }
}

/// The sequence of the next document for a device whose element said to hold `held`.
///
/// What was issued after that may be kept back, to be loaded offline one after the other, and each lets go `max_cumulative` anew. So there is
/// one sequence until the element holds it, whatever the limits are: of one sequence an element takes one document.
fn sequence_after(records: &mut dyn Records, device: &PublicKey, held: u64) -> Result<u64, StoreError> {
    let newest = records.newest_issued(device)?;
    if newest > held { Ok(newest) } else { records.next_limits_sequence(device) }
}
