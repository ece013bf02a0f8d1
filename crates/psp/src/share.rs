//! One person's limits, split over its devices.
//!
//! A device's part is the tier's limit in proportion to its weight. What it gets is its part, and never more than what all other
//! devices leave, so the sum of what all elements may do is never more than the tier allows. A document counts until the element is
//! known to hold a newer one, for a host may keep a newer one back, and else
//!
//! - for what may be let go, until it runs out;
//! - for what may be held, also after that (ADR 0026), as long as anything that the device withdrew can be redeemed: an element is paid, by
//!   blanks that it has, after its document ran out, and keeps what it holds. A device that is reported lost counts until its document
//!   runs out.
//!
//! What a device withdrew counts as held in the same way, until its element is known to hold a document, which it says with its totals.

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

/// The sequence under which stands what a device withdrew since its element last said which document it holds.
pub const WITHDRAWN: u64 = 0;

/// What a limits document allows, as far as it is shared, or what a device withdrew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// For which device.
    pub device: PublicKey,
    /// Its sequence, or [`WITHDRAWN`].
    pub sequence: u64,
    /// Until when something may leave the device.
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
    /// Whether it is for now counted as having anything, which a document that allows less would free for others.
    pub has_something: bool,
}

/// What counts of one device now.
#[derive(Clone, Copy)]
struct Counted {
    device: PublicKey,
    cumulative: Amount,
    holding: Amount,
    /// The most that it may hold as soon as it has blanks, whether or not that counts.
    would_hold: Amount,
    until: Timestamp,
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
    /// What it counts as holding.
    pub counts_as_holding: Amount,
    /// Until when at the latest it does; `None` when it counts as holding nothing.
    pub holding_until: Option<Timestamp>,
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
            let allowances = holdings.allowances(records)?;
            let counted = counted(&allowances, now);
            let mut fleet = Vec::new();
            for device in &holdings.devices {
                let own = allowances.iter().map(|(limits, _)| limits).filter(|limits| limits.device == device.key);
                let live = own.filter(|limits| limits.sequence != WITHDRAWN && limits.valid_until >= now);
                let grant = holdings.grant_beside(&counted, &device.key);
                let counts = counted.iter().find(|counted| counted.device == device.key);
                let counts = counts.filter(|counted| !counted.holding.is_zero());
                fleet.push(FleetDevice {
                    device: device.clone(),
                    grant: (!grant.max_payment.is_zero()).then_some(grant),
                    limits_until: live.map(|limits| limits.valid_until).max(),
                    counts_as_holding: counts.map_or(Amount::ZERO, |counted| counted.holding),
                    holding_until: counts.map(|counted| counted.until),
                });
            }
            Ok(fleet)
        })
    }
}

/// Takes note that an element holds the limits of `sequence`, by its own signed word: older ones do not count any more, and neither does what
/// the device withdrew, unless a withdrawal is under way: what it has not taken yet is in no total.
pub(crate) fn note_held(records: &mut dyn Records, device: &PublicKey, sequence: u64) -> Result<(), StoreError> {
    if records.has_unfinished_withdrawal(device)? {
        records.forget_limits(device, WITHDRAWN + 1, sequence)
    } else {
        records.forget_limits(device, WITHDRAWN, sequence)
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
        Ok(self.grant_beside(&counted(&self.allowances(records)?, now), device))
    }

    /// Its part, as far as others leave it or it counts for the device already: so no document adds to what is too much.
    fn grant_beside(&self, counted: &[Counted], device: &PublicKey) -> Grant {
        let own = counted.iter().find(|counted| counted.device == *device);
        let others = || counted.iter().filter(|counted| counted.device != *device);
        let granted = |limit: Amount, of: fn(&Counted) -> Amount| {
            let free = left_by(limit, others().map(of)).max(own.map_or(Amount::ZERO, of));
            let part = self.part(limit.minor(), device);
            (Amount::new(free.minor().min(part)).unwrap_or(Amount::ZERO), free.minor() < part)
        };
        let (max_cumulative, cumulative_short) = granted(self.tier.max_cumulative, |counted| counted.cumulative);
        let (max_holding, holding_short) = granted(self.tier.max_holding, |counted| counted.holding);
        let waits = cumulative_short || holding_short;
        Grant {
            max_payment: self.tier.max_payment.min(max_cumulative).min(max_holding),
            max_cumulative,
            max_holding,
            more_from: waits.then(|| others().map(|counted| counted.until).max()).flatten(),
            has_something: own.is_some_and(|own| !own.cumulative.is_zero() || !own.holding.is_zero()),
        }
    }

    /// Whether a device may have notes and blanks: with what others may hold it would come to no more than the person may. It may in any case when
    /// no other holds anything.
    ///
    /// # Errors
    /// When others hold too much: until when at the latest.
    pub(crate) fn check_room(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        now: Timestamp,
    ) -> Result<Result<(), Timestamp>, StoreError> {
        let counted = counted(&self.allowances(records)?, now);
        let own = counted.iter().find(|counted| counted.device == *device);
        let others = counted.iter().filter(|counted| counted.device != *device && !counted.holding.is_zero());
        let free = left_by(self.tier.max_holding, others.clone().map(|counted| counted.holding));
        Ok(match others.map(|counted| counted.until).max() {
            Some(until) if own.is_some_and(|own| own.would_hold > free) => Err(until),
            _ => Ok(()),
        })
    }

    /// What a device withdrew since its element last said which document it holds.
    pub(crate) fn withdrawn(&self, records: &mut dyn Records, device: &PublicKey) -> Result<Amount, StoreError> {
        let allowances = self.allowances(records)?;
        let of = |(limits, _): &&(Allowance, Timestamp)| limits.device == *device && limits.sequence == WITHDRAWN;
        Ok(allowances.iter().find(of).map_or(Amount::ZERO, |(limits, _)| limits.max_holding))
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

    /// What was given to all devices, each with the last moment at which something that the device withdrew can be redeemed.
    fn allowances(&self, records: &mut dyn Records) -> Result<Vec<(Allowance, Timestamp)>, StoreError> {
        let mut all = Vec::new();
        for customer in &self.customers {
            all.extend(records.allowances(customer)?);
        }
        Ok(all)
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

/// What counts of each device. A host may hold back the newest document, so the largest counts.
fn counted(allowances: &[(Allowance, Timestamp)], now: Timestamp) -> Vec<Counted> {
    let mut all: Vec<Counted> = Vec::new();
    for (limits, redeem_until) in allowances {
        let index = all.iter().position(|counted| counted.device == limits.device).unwrap_or_else(|| {
            let (none, device) = (Amount::ZERO, limits.device);
            all.push(Counted { device, cumulative: none, holding: none, would_hold: none, until: Timestamp::EPOCH });
            all.len() - 1
        });
        let counted = &mut all[index];
        counted.would_hold = counted.would_hold.max(limits.max_holding);
        if limits.valid_until >= now {
            counted.cumulative = counted.cumulative.max(limits.max_cumulative);
        }
        let until = limits.valid_until.max(*redeem_until);
        if until >= now {
            counted.holding = counted.holding.max(limits.max_holding);
            counted.until = counted.until.max(until);
        }
    }
    all
}

fn left_by(limit: Amount, taken: impl Iterator<Item = Amount>) -> Amount {
    let taken: u128 = taken.map(|amount| u128::from(amount.minor())).sum();
    let left = u128::from(limit.minor()).saturating_sub(taken);
    u64::try_from(left).ok().and_then(Amount::new).unwrap_or(Amount::ZERO)
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
