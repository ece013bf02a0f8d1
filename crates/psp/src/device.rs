//! Devices: whose they are, and whether they may do anything.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::customer::Customer;
use crate::person;
use crate::service::Psp;
use crate::store::{Records, StoreError};
use crate::tier::Tier;

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
    /// When it was reported lost, if it is.
    pub lost_at: Option<Timestamp>,
    /// Its name in its owner's fleet.
    pub label: Option<Name>,
    /// Its weight in the sharing of its owner's limits.
    pub weight: u32,
    /// When its owner gave it up.
    pub released_at: Option<Timestamp>,
    /// What its maker certified; `None` for one that was enrolled before that was kept.
    pub made: Option<Made>,
}

/// What the maker of an element certified of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// Who made it.
    pub maker: Name,
    /// In which series.
    pub series: Name,
    /// Hash of its firmware.
    pub firmware: [u8; 32],
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
    /// Its owner gave it up.
    #[error("the owner gave this device up: it may redeem, and be enrolled by its new owner")]
    Released,
    /// Its series or firmware is withdrawn.
    #[error("the series or firmware of this device's element is withdrawn")]
    Withdrawn,
    /// What was seen of its owner is not enough for the tier, or not any more.
    #[error("the owner's tier asks for evidence of who the owner is that the PSP does not have, or that ran out")]
    Evidence,
    /// Its owner reported it lost.
    #[error("this device is reported lost")]
    Lost,
    /// The owner is frozen.
    #[error("the PSP froze the owner of this device: no money moves but into its account")]
    Frozen,
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

/// A device that may do what it asks for, with its customer.
pub(crate) struct Party {
    pub(crate) device: Device,
    pub(crate) customer: Customer,
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
    pub(crate) fn check_active(&self) -> Result<(), DeviceRefusal> {
        match self.state {
            DeviceState::Active if self.released_at.is_some() => Err(DeviceRefusal::Released),
            DeviceState::Active => Ok(()),
            DeviceState::Pending => Err(DeviceRefusal::Unknown),
            DeviceState::Blocked => Err(DeviceRefusal::Blocked),
            DeviceState::StruckOff => Err(DeviceRefusal::StruckOff),
        }
    }
}

impl<S, B> Psp<S, B> {
    /// The device of key `key`, whatever it did: what it holds is its owner's. Not one that its owner lost.
    pub(crate) fn enrolled(&self, records: &mut dyn Records, key: &PublicKey) -> Result<Party, DeviceError> {
        let device = records.device(key)?.filter(|device| device.state != DeviceState::Pending);
        let device = device.ok_or(DeviceRefusal::Unknown)?;
        if device.lost_at.is_some() {
            return Err(DeviceRefusal::Lost.into());
        }
        let customer = records.customer(&device.customer)?;
        let customer = customer.ok_or_else(|| StoreError::Damaged(format!("device {key} has no customer")))?;
        Ok(Party { device, customer })
    }

    /// The device of key `key`, if it is in good standing, and its owner too.
    pub(crate) fn active(
        &self,
        records: &mut dyn Records,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Party, DeviceError> {
        let party = self.enrolled(records, key)?;
        party.device.check_active()?;
        if person::frozen_by(records, &party.customer.name)?.is_some() {
            return Err(DeviceRefusal::Frozen.into());
        }
        if party.device.made.is_some_and(|made| self.policy().check_made(&made).is_err()) {
            return Err(DeviceRefusal::Withdrawn.into());
        }
        let tier = self.tier_of(&party.customer, now)?;
        // Whoever is suspected is not told so: what is missing, the customer hears from the PSP's people.
        match self.lack(records, &party.customer.name, tier, now)? {
            None => Ok(party),
            Some(_) => Err(DeviceRefusal::Evidence.into()),
        }
    }

    /// The tier of a customer as it is in force.
    pub(crate) fn tier_of(&self, customer: &Customer, now: Timestamp) -> Result<&Tier, StoreError> {
        let tier = self.policy().tier(&customer.tier, now);
        tier.ok_or_else(|| StoreError::Damaged(format!("tier `{}` is not in force", customer.tier)))
    }
}
