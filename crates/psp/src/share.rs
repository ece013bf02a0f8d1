//! One person's limits, split over its devices.
//!
//! A device's part is the tier's limit in proportion to its weight. What it gets is its part, and never more than what the
//! documents of all other devices leave: a document counts until it runs out, or until the element is known to hold a newer
//! one, for a host may keep a newer one back. So the sum of what all elements may do is never more than the tier allows.

use specie_audit::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use crate::customer::CustomerError;
use crate::device::{Device, DeviceState};
use crate::person::Holdings;
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// The largest weight of a device.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// What a limits document allows, as far as it is shared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// For which device.
    pub device: PublicKey,
    /// Its sequence.
    pub sequence: u64,
    /// Until when.
    pub valid_until: Timestamp,
    /// The most that may leave the device until the next document.
    pub max_cumulative: Amount,
    /// The most that the device may hold.
    pub max_holding: Amount,
}

/// What one device gets of its owner's limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The most that may leave it in one transfer.
    pub max_payment: Amount,
    /// The most that may leave it until the next document.
    pub max_cumulative: Amount,
    /// The most that it may hold.
    pub max_holding: Amount,
    /// When at the latest it could get more, if others hold what is its part.
    pub more_from: Option<Timestamp>,
}

/// A device in its owner's fleet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FleetDevice {
    /// The device.
    pub device: Device,
    /// What it would get if it synchronised now; `None` when nothing.
    pub grant: Option<Grant>,
    /// Until when its newest document counts; `None` when none does.
    pub limits_until: Option<Timestamp>,
}

impl<S: Store, B> Psp<S, B> {
    /// Sets the weights of devices of a person, by which limits are split at their next synchronisations. Devices that are not
    /// named keep theirs; 0 gives a device nothing.
    ///
    /// # Errors
    /// When a device is not one of the person who is `customer`, a weight is too large, or all would be 0.
    pub fn set_weights(
        &self,
        customer: &Name,
        weights: &[(PublicKey, u32)],
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        self.store().write(|records| {
            let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            for (key, weight) in weights {
                let holdings = self.holdings(records, &found, now)?;
                let device = holdings.devices.iter().find(|device| device.key == *key);
                let device = device.ok_or(CustomerError::UnknownDevice(*key))?;
                if *weight > WEIGHT_MAX {
                    return Err(CustomerError::Weight);
                }
                if device.weight == *weight {
                    continue;
                }
                records.set_weight(key, *weight)?;
                let details = [("customer", customer.as_str()), ("weight", &weight.to_string())];
                self.audit(records, now, Kind::WeightSet, &key.to_string(), &details)?;
            }
            let holdings = self.holdings(records, &found, now)?;
            if holdings.total_weight() == 0 { Err(CustomerError::Weight) } else { Ok(()) }
        })
    }

    /// Names a device within its owner's fleet.
    ///
    /// # Errors
    /// When the device is unknown.
    pub fn set_label(&self, device: &PublicKey, label: Option<&Name>) -> Result<(), CustomerError> {
        self.store().write(|records| {
            records.device(device)?.ok_or(CustomerError::UnknownDevice(*device))?;
            Ok(records.set_label(device, label)?)
        })
    }

    /// All devices of the person who is `customer`, with what each gets.
    ///
    /// # Errors
    /// When the customer is unknown.
    pub fn fleet(&self, customer: &Name, now: Timestamp) -> Result<Vec<FleetDevice>, CustomerError> {
        self.store().read(|records| {
            let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            let holdings = self.holdings(records, &found, now)?;
            let live = holdings.live(records, now)?;
            let mut fleet = Vec::new();
            for device in &holdings.devices {
                let own = live.iter().filter(|limits| limits.device == device.key);
                let limits_until = own.map(|limits| limits.valid_until).max();
                let grant = holdings.grant(records, &device.key, now)?;
                let grant = (!grant.max_payment.is_zero()).then_some(grant);
                fleet.push(FleetDevice { device: device.clone(), grant, limits_until });
            }
            Ok(fleet)
        })
    }

    /// Takes note that an element holds the limits of `sequence`, by its own signed word: older ones do not count any more, and
    /// what they allowed beyond it is free for other devices.
    ///
    /// # Errors
    /// When the store fails.
    pub fn limits_are_held(&self, device: &PublicKey, sequence: u64) -> Result<(), StoreError> {
        self.store().write(|records| records.forget_limits_before(device, sequence))
    }
}

impl Holdings<'_> {
    /// What a device gets of the tier.
    pub(crate) fn grant(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        now: Timestamp,
    ) -> Result<Grant, StoreError> {
        let live = self.live(records, now)?;
        let mut others: Vec<Allowance> = Vec::new();
        for limits in live.iter().filter(|limits| limits.device != *device) {
            match others.iter_mut().find(|other| other.device == limits.device) {
                // A host may hold back the newest, so the largest counts.
                Some(other) => {
                    other.max_cumulative = other.max_cumulative.max(limits.max_cumulative);
                    other.max_holding = other.max_holding.max(limits.max_holding);
                }
                None => others.push(*limits),
            }
        }
        let granted = |limit: Amount, of: fn(&Allowance) -> Amount| {
            let taken: u128 = others.iter().map(|limits| u128::from(of(limits).minor())).sum();
            let free = u128::from(limit.minor()).saturating_sub(taken);
            let part = self.part(limit.minor(), device);
            (Amount::new(u64::try_from(free).unwrap_or(u64::MAX).min(part)).unwrap_or(Amount::ZERO), free < part.into())
        };
        let (max_cumulative, cumulative_short) = granted(self.tier.max_cumulative, |limits| limits.max_cumulative);
        let (max_holding, holding_short) = granted(self.tier.max_holding, |limits| limits.max_holding);
        let waits = cumulative_short || holding_short;
        Ok(Grant {
            max_payment: self.tier.max_payment.min(max_cumulative).min(max_holding),
            max_cumulative,
            max_holding,
            more_from: waits.then(|| others.iter().map(|limits| limits.valid_until).max()).flatten(),
        })
    }

    /// How many blanks of an epoch a device may still have.
    pub(crate) fn blanks_left(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        epoch: u32,
    ) -> Result<u64, StoreError> {
        let all = u64::from(self.tier.blanks_per_epoch);
        let mut had_by_all = 0_u64;
        for customer in &self.customers {
            had_by_all = had_by_all.saturating_add(records.blanks_of_customer(customer, epoch)?);
        }
        let own = self.part(all, device).saturating_sub(records.blanks(device, epoch)?);
        Ok(own.min(all.saturating_sub(had_by_all)))
    }

    /// The documents that count.
    fn live(&self, records: &mut dyn Records, now: Timestamp) -> Result<Vec<Allowance>, StoreError> {
        let mut live = Vec::new();
        for customer in &self.customers {
            live.extend(records.live_limits(customer, now)?);
        }
        Ok(live)
    }

    fn part(&self, whole: u64, device: &PublicKey) -> u64 {
        let weight = self.devices.iter().find(|other| other.key == *device).map_or(0, Device::weight_in_use);
        let part = u128::from(whole) * u128::from(weight) / u128::from(self.total_weight().max(1));
        u64::try_from(part).unwrap_or(whole)
    }

    fn total_weight(&self) -> u64 {
        self.devices.iter().map(Device::weight_in_use).sum()
    }
}

impl Device {
    /// The weight with which it takes part in its owner's limits.
    fn weight_in_use(&self) -> u64 {
        match self.state {
            DeviceState::Active | DeviceState::Pending if self.released_at.or(self.lost_at).is_none() => {
                self.weight.into()
            }
            _ => 0,
        }
    }
}
