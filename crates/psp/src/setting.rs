//! The four settings: what a PSP learns of what a device does offline before it renews the device's limits.
//!
//! A tier is in one of them. In the first two the PSP learns which limits document the element holds, and nothing else. In `proofs` it learns that held and turned over are
//! within the limits, in `uploads` what was paid and received as well. It takes nothing that the tier's setting does not
//! name, so that it cannot come to know more by mistake.

use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_totals::Bounds;

use crate::device::DeviceError;
use crate::service::Psp;
use crate::store::{Store, StoreError};
use crate::tier::Tier;

/// What a device shows before its limits are renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// Nothing; nobody knows the customer.
    OfflineAnonymous,
    /// Nothing; the PSP knows the customer.
    OfflineKnown,
    /// A proof that its totals are within its limits.
    Proofs,
    /// Its totals, and the payments that they come from.
    Uploads,
}

/// Every setting with its stable name, as configured and shown.
const NAMES: [(Setting, &str); 4] = [
    (Setting::OfflineAnonymous, "offline-anonymous"),
    (Setting::OfflineKnown, "offline-known"),
    (Setting::Proofs, "proofs"),
    (Setting::Uploads, "uploads"),
];

impl Setting {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(setting, _)| *setting == self).map_or("", |(_, name)| name)
    }

    /// The setting of that name.
    pub fn parse(text: &str) -> Option<Self> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(setting, _)| *setting)
    }

    /// Whether the device shows anything of its totals.
    pub(crate) fn asks_for_totals(self) -> bool {
        matches!(self, Self::Proofs | Self::Uploads)
    }
}

/// A limits document, as far as totals are compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IssuedLimits {
    /// Its sequence.
    pub sequence: u64,
    /// What it allows.
    pub bounds: Bounds,
}

/// The totals of a device were within its limits: all that is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Sequence of the limits that they were compared with.
    pub limits_sequence: u64,
    /// When.
    pub at: Timestamp,
}

/// Which way money went in an uploaded payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The device paid.
    Paid,
    /// The device was paid.
    Received,
}

impl Direction {
    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Received => "received",
        }
    }

    /// The direction of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Paid, Self::Received].into_iter().find(|direction| direction.as_str() == text)
    }
}

/// A payment as a device tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadedPayment {
    /// Which way the money went.
    pub direction: Direction,
    /// The request that was paid: it names the payment, for payer and payee alike.
    pub request: [u8; 32],
    /// When, by the device's clock.
    pub at: Timestamp,
    /// Minor units.
    pub amount: Amount,
    /// Of which currency.
    pub currency: Currency,
    /// The other side's verified name, if it showed one.
    pub counterparty: Option<Name>,
}

impl<S: Store, B> Psp<S, B> {
    /// The tier of a device's owner, with its setting.
    ///
    /// # Errors
    /// The device is not enrolled here.
    pub fn setting(&self, device: &PublicKey, now: Timestamp) -> Result<Tier, DeviceError> {
        self.store().read(|records| {
            let party = self.enrolled(records, device)?;
            Ok(self.tier_of(&party.customer, now)?.clone())
        })
    }

    /// What a device uploaded, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn uploaded(&self, device: &PublicKey) -> Result<Vec<UploadedPayment>, StoreError> {
        self.store().read(|records| records.uploaded(device))
    }

    /// When the totals of a device were found to be within its limits, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn verdicts(&self, device: &PublicKey) -> Result<Vec<Verdict>, StoreError> {
        self.store().read(|records| records.verdicts(device))
    }
}
