//! What a PSP allows: tiers of customers, trusted makers of elements, periods of validity.

use specie_core::Amount;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

/// What the customers of one tier may do. Amounts are minor units of the PSP's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    /// Its name.
    pub name: Name,
    /// The most that may leave a device in one transfer.
    pub max_payment: Amount,
    /// The most that may leave a device until it synchronises.
    pub max_cumulative: Amount,
    /// The most that a device may hold.
    pub max_holding: Amount,
    /// How long a device may pay without synchronising, in seconds.
    pub limits_validity_seconds: u64,
    /// The most that a customer may withdraw within 24 hours, to all devices together.
    pub max_withdrawal_per_day: Amount,
    /// How many blanks one device gets in one epoch.
    pub blanks_per_epoch: u32,
    /// The largest cap of a blank.
    pub blank_cap_max: Amount,
    /// How many devices one customer may have.
    pub devices_max: u32,
}

/// A maker of secure elements whose certificates are believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Maker {
    /// Its name in certificates.
    pub name: Name,
    /// Its key.
    pub key: PublicKey,
    /// Series of its elements that are not enrolled any more.
    pub withdrawn_series: Vec<Name>,
}

/// All that a PSP allows; checked when made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    tiers: Vec<Tier>,
    makers: Vec<Maker>,
    periods: Periods,
}

/// How long things are valid, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Periods {
    /// A nonce for an enrolment.
    pub nonce_seconds: u64,
    /// A claim code.
    pub claim_code_seconds: u64,
    /// A descriptor.
    pub descriptor_seconds: u64,
    /// A withdrawal that the device does not carry on; afterwards it is cancelled and refunded.
    pub withdrawal_seconds: u64,
}

/// A policy that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No customer could be anything.
    #[error("there is no tier: name at least one")]
    NoTier,
    /// Two tiers of one name.
    #[error("tier `{0}` is there twice: give every tier a name of its own")]
    TierTwice(Name),
    /// Two makers of one name.
    #[error("maker `{0}` is there twice: give every maker a name of its own")]
    MakerTwice(Name),
    /// Limits that contradict each other.
    #[error("tier `{0}`: max_payment <= max_cumulative and max_payment <= max_holding must hold")]
    LimitsContradict(Name),
    /// Nothing could ever be paid or received.
    #[error("tier `{tier}`: `{limit}` must be more than zero")]
    Zero {
        /// Which tier.
        tier: Name,
        /// Which of its limits.
        limit: &'static str,
    },
    /// A period in which nothing can be done.
    #[error("`{0}` must be more than zero")]
    NoTime(&'static str),
}

impl Default for Periods {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            nonce_seconds: 600,
            claim_code_seconds: 7 * DAY,
            descriptor_seconds: 365 * DAY,
            withdrawal_seconds: 3 * DAY,
        }
    }
}

impl Tier {
    /// Three tiers to begin with, for a currency with cents: `basic` for customers known by a telephone number,
    /// `standard` for customers with an identity document, `merchant` for businesses.
    pub fn examples() -> Vec<Self> {
        let tier = |name: &str, [payment, cumulative, holding, daily, cap]: [u64; 5], days: u64, blanks, devices| {
            let amount = |minor| Amount::new(minor).expect("small constants");
            Self {
                name: Name::new(name).expect("short constants"),
                max_payment: amount(payment),
                max_cumulative: amount(cumulative),
                max_holding: amount(holding),
                limits_validity_seconds: days * 86_400,
                max_withdrawal_per_day: amount(daily),
                blanks_per_epoch: blanks,
                blank_cap_max: amount(cap),
                devices_max: devices,
            }
        };
        vec![
            tier("basic", [5_000, 15_000, 15_000, 15_000, 5_000], 14, 100, 1),
            tier("standard", [50_000, 150_000, 150_000, 100_000, 50_000], 30, 400, 3),
            tier("merchant", [500_000, 2_000_000, 5_000_000, 500_000, 500_000], 30, 4_000, 20),
        ]
    }

    fn check(&self) -> Result<(), PolicyError> {
        let limits = [
            ("max_payment", self.max_payment.minor()),
            ("max_cumulative", self.max_cumulative.minor()),
            ("max_holding", self.max_holding.minor()),
            ("limits_validity_seconds", self.limits_validity_seconds),
            ("devices_max", self.devices_max.into()),
        ];
        if let Some((limit, _)) = limits.iter().find(|(_, value)| *value == 0) {
            return Err(PolicyError::Zero { tier: self.name, limit });
        }
        if self.max_payment > self.max_cumulative || self.max_payment > self.max_holding {
            return Err(PolicyError::LimitsContradict(self.name));
        }
        Ok(())
    }
}

impl Policy {
    /// A policy, if it makes sense.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn new(tiers: Vec<Tier>, makers: Vec<Maker>, periods: Periods) -> Result<Self, PolicyError> {
        if tiers.is_empty() {
            return Err(PolicyError::NoTier);
        }
        for (index, tier) in tiers.iter().enumerate() {
            tier.check()?;
            if tiers[..index].iter().any(|other| other.name == tier.name) {
                return Err(PolicyError::TierTwice(tier.name));
            }
        }
        for (index, maker) in makers.iter().enumerate() {
            if makers[..index].iter().any(|other| other.name == maker.name) {
                return Err(PolicyError::MakerTwice(maker.name));
            }
        }
        let Periods { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds } = periods;
        for (name, seconds) in [
            ("nonce_seconds", nonce_seconds),
            ("claim_code_seconds", claim_code_seconds),
            ("descriptor_seconds", descriptor_seconds),
            ("withdrawal_seconds", withdrawal_seconds),
        ] {
            if seconds == 0 {
                return Err(PolicyError::NoTime(name));
            }
        }
        Ok(Self { tiers, makers, periods })
    }

    /// The tier of that name.
    pub fn tier(&self, name: &Name) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == *name)
    }

    /// The tiers, in the order given.
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// The maker of that name.
    pub fn maker(&self, name: &Name) -> Option<&Maker> {
        self.makers.iter().find(|maker| maker.name == *name)
    }

    /// How long things are valid.
    pub fn periods(&self) -> &Periods {
        &self.periods
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn policy(change: impl FnOnce(&mut Vec<Tier>, &mut Vec<Maker>, &mut Periods)) -> Result<Policy, PolicyError> {
        let key = PublicKey([7; 32]);
        let maker = Maker { name: Name::new("maker").unwrap(), key, withdrawn_series: Vec::new() };
        let (mut tiers, mut makers, mut periods) = (Tier::examples(), vec![maker], Periods::default());
        change(&mut tiers, &mut makers, &mut periods);
        Policy::new(tiers, makers, periods)
    }

    #[test]
    fn the_examples_make_sense() {
        let policy = policy(|_, _, _| ()).unwrap();
        assert!(policy.tier(&Name::new("standard").unwrap()).is_some());
        assert!(policy.tier(&Name::new("golden").unwrap()).is_none());
    }

    #[test]
    fn rejects_each_contradiction() {
        assert_eq!(policy(|tiers, _, _| tiers.clear()), Err(PolicyError::NoTier));
        let basic = Name::new("basic").unwrap();
        assert_eq!(policy(|tiers, _, _| tiers[1].name = basic), Err(PolicyError::TierTwice(basic)));
        let maker = Name::new("maker").unwrap();
        assert_eq!(policy(|_, makers, _| makers.push(makers[0].clone())), Err(PolicyError::MakerTwice(maker)));
        let more = Amount::new(15_001).unwrap();
        assert_eq!(policy(|tiers, _, _| tiers[0].max_payment = more), Err(PolicyError::LimitsContradict(basic)));
        let zero = |limit| Err(PolicyError::Zero { tier: basic, limit });
        assert_eq!(policy(|tiers, _, _| tiers[0].max_payment = Amount::ZERO), zero("max_payment"));
        assert_eq!(policy(|tiers, _, _| tiers[0].devices_max = 0), zero("devices_max"));
        let no_time = policy(|_, _, periods| periods.withdrawal_seconds = 0);
        assert_eq!(no_time, Err(PolicyError::NoTime("withdrawal_seconds")));
    }
}
