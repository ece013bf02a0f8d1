//! Payments that devices upload: while their owners agree, and for as long as the tier says.
//!
//! A device uploads nothing before its owner agreed, and stores that itself. Its owner may withdraw this at any time: the PSP then takes no
//! payments and no opened totals of the device any more, so it gets no new limits in the setting that asks for them. What was uploaded before stays
//! until its time is over, since records of transactions have to be kept.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;

use crate::person;
use crate::request::Request;
use crate::service::Psp;
use crate::setting::{Setting, UploadedPayment};
use crate::store::{Records, Store, StoreError};
use crate::totals::ShowError;

/// The most payments in one upload.
pub const UPLOAD_MAX: usize = 200;

/// In seconds.
const DAY_SECONDS: u64 = 86_400;

impl<S: Store, B> Psp<S, B> {
    /// Takes the payments that a device made and got since the limits of that sequence. What came before is passed over.
    ///
    /// # Errors
    /// When the tier asks for no payments, or the owner does not agree any more. Nothing is taken then.
    pub fn upload(
        &self,
        request: &Request<'_>,
        limits_sequence: u64,
        payments: &[UploadedPayment],
        now: Timestamp,
    ) -> Result<(), ShowError> {
        if payments.len() > UPLOAD_MAX {
            return Err(ShowError::TooMany);
        }
        let device = PublicKey(request.who);
        self.store().write(|records| {
            let tier = self.asking(records, &device, now, |setting| setting == Setting::Uploads)?;
            if request.recall(records)?.is_some() {
                return Ok(());
            }
            check_agreed(records, &device)?;
            let days = tier.uploads_kept_days.unwrap_or_default();
            let keep_until = now.saturating_add(u64::from(days) * DAY_SECONDS);
            for payment in payments {
                records.insert_uploaded(&device, limits_sequence, payment, now, keep_until)?;
            }
            request.remember(records, &[], now)?;
            Ok(())
        })
    }

    /// Takes the owner's word whether payments of a device may be uploaded. At first they may: a device that uploads has been told to.
    ///
    /// # Errors
    /// When the device is not enrolled, or lost.
    pub fn agree_to_uploads(&self, request: &Request<'_>, agrees: bool, now: Timestamp) -> Result<(), ShowError> {
        let device = PublicKey(request.who);
        self.store().write(|records| {
            let customer = self.enrolled(records, &device)?.customer.name;
            if request.recall(records)?.is_some() {
                return Ok(());
            }
            let refused = (!agrees).then_some(now);
            if records.uploads_refused(&device)?.is_some() == agrees {
                records.set_uploads_refused(&device, refused)?;
                let kind = if agrees { Kind::UploadsAgreed } else { Kind::UploadsRefused };
                self.audit(records, now, kind, &device.to_string(), &[("customer", customer.as_str())])?;
            }
            Ok(request.remember(records, &[], now)?)
        })
    }

    /// Deletes uploaded payments whose time is over, but not of a person about whom a case is open or was reported.
    pub(crate) fn forget_uploads(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.store().read(|records| records.devices_with_old_uploads(now))?.is_empty() {
            return Ok(());
        }
        self.store().write(|records| {
            for device in records.devices_with_old_uploads(now)? {
                let customers = match records.device(&device)? {
                    Some(device) => person::customers(records, &device.customer)?,
                    None => Vec::new(),
                };
                if person::case_that_keeps(records, &customers)?.is_none() {
                    records.delete_uploads(&device, now)?;
                }
            }
            Ok(())
        })
    }
}

/// Whether the owner of a device did not withdraw its consent.
pub(crate) fn check_agreed(records: &mut dyn Records, device: &PublicKey) -> Result<(), ShowError> {
    records.uploads_refused(device)?.map_or(Ok(()), |at| Err(ShowError::NotAgreed(at)))
}
