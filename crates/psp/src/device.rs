//! Devices: whose they are, and whether they may do anything.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::customer::Customer;
use crate::policy::Tier;
use crate::service::Psp;
use crate::store::{Records, StoreError};

/// A device, named by its key `A`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// `A`: signs its requests.
    pub key: PublicKey,
    /// `U`: the identity in its notes, encoded.
    pub identity: [u8; 32],
    /// Whose it is.
    pub customer: Name,
    /// What it may do.
    pub state: DeviceState,
    /// Sequence of its newest limits document; 0 for none.
    pub limits_sequence: u64,
    /// Hash of the claim code that it was enrolled with.
    pub claim: [u8; 32],
    /// When.
    pub enrolled_at: Timestamp,
}

/// What a device may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceState {
    /// Nothing yet: the bank has not been told of it.
    Pending,
    /// Everything.
    Active,
    /// Redeem only: the PSP blocked it.
    Blocked,
    /// Redeem only, for ever: the bank has evidence of a double spend.
    StruckOff,
}

/// Why a device may not do what it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DeviceRefusal {
    /// It is not enrolled.
    #[error("no device with this key is enrolled here")]
    Unknown,
    /// The PSP blocked it.
    #[error("the PSP blocked this device")]
    Blocked,
    /// The bank struck it off.
    #[error("the bank has evidence that this device spent twice")]
    StruckOff,
}

/// Why a device is not let through.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] DeviceRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A device that may do what it asks for, with its customer and tier.
pub(crate) struct Party<'p> {
    pub(crate) device: Device,
    pub(crate) customer: Customer,
    pub(crate) tier: &'p Tier,
}

/// What a device has to be to be let through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// In good standing.
    Active,
    /// Enrolled: what it holds is its owner's, whatever it did.
    Enrolled,
}

macro_rules! states {
    ($($state:ident = $text:literal,)*) => {
        impl DeviceState {
            /// The stable name, as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$state => $text,)* }
            }

            /// The state of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$state),)* _ => None }
            }
        }
    };
}

states! {
    Pending = "pending",
    Active = "active",
    Blocked = "blocked",
    StruckOff = "struck-off",
}

impl Device {
    fn check(&self, standing: Standing) -> Result<(), DeviceRefusal> {
        match (self.state, standing) {
            (DeviceState::Pending, _) => Err(DeviceRefusal::Unknown),
            (DeviceState::Active, _) | (_, Standing::Enrolled) => Ok(()),
            (DeviceState::Blocked, Standing::Active) => Err(DeviceRefusal::Blocked),
            (DeviceState::StruckOff, Standing::Active) => Err(DeviceRefusal::StruckOff),
        }
    }
}

impl<S, B> Psp<S, B> {
    /// The device of key `key` with its customer, if it has the standing asked for.
    pub(crate) fn party(
        &self,
        records: &mut dyn Records,
        key: &PublicKey,
        standing: Standing,
    ) -> Result<Party<'_>, DeviceError> {
        let device = records.device(key)?.ok_or(DeviceRefusal::Unknown)?;
        device.check(standing)?;
        let missing = |what: &str| StoreError::Damaged(format!("device {key} has no {what}"));
        let customer = records.customer(&device.customer)?.ok_or_else(|| missing("customer"))?;
        let tier = self.policy().tier(&customer.tier);
        let tier = tier.ok_or_else(|| StoreError::Damaged(format!("tier `{}` is not configured", customer.tier)))?;
        Ok(Party { device, customer, tier })
    }
}
