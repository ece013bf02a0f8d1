//! What a PSP allows: tiers of customers, trusted makers of elements, periods of validity.

use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::device::Made;
use crate::tier::{self, Tier, TierVersion};

/// A maker of secure elements whose certificates are believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Maker {
    /// Its name in certificates.
    pub name: Name,
    /// Its key.
    pub key: PublicKey,
    /// Series of its elements that are withdrawn: not enrolled any more, and nothing more for those that are.
    pub withdrawn_series: Vec<Name>,
    /// Hashes of the firmwares that its elements may have; empty for any. Elements with others are treated as withdrawn.
    pub firmwares: Vec<[u8; 32]>,
}

/// Why an element is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAccepted {
    /// Nobody trusts its maker.
    Maker,
    /// Its series is withdrawn.
    Series,
    /// Its firmware is not one of those accepted.
    Firmware,
}

/// All that a PSP allows; checked when made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// By number.
    versions: Vec<TierVersion>,
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
    #[error("there are no tiers: give at least one version of them")]
    NoVersion,
    /// A version under which no customer could be anything.
    #[error("version {version} of the tiers has none: name at least one")]
    NoTier {
        /// Which version.
        version: u32,
    },
    /// Two versions of one number.
    #[error("version {0} of the tiers is there twice: give every version a number of its own")]
    VersionTwice(u32),
    /// A version is missing.
    #[error("version {version} of the tiers follows {previous}: number them without gaps")]
    VersionGap {
        /// Which version.
        version: u32,
        /// The one before it.
        previous: u32,
    },
    /// A version that would count before the one that it replaces.
    #[error("version {version} of the tiers would come into force no later than {previous}: give it a later date")]
    VersionTooEarly {
        /// Which version.
        version: u32,
        /// The one before it.
        previous: u32,
    },
    /// Customers may be in a tier that is no more.
    #[error("version {version} of the tiers drops tier `{tier}`, in which customers may be: keep it")]
    TierDropped {
        /// Which version.
        version: u32,
        /// Which tier.
        tier: Name,
    },
    /// Two tiers of one name.
    #[error("version {version} of the tiers has `{tier}` twice: give every tier a name of its own")]
    TierTwice {
        /// Which version.
        version: u32,
        /// Which tier.
        tier: Name,
    },
    /// Two makers of one name.
    #[error("maker `{0}` is there twice: give every maker a name of its own")]
    MakerTwice(Name),
    /// Nobody could check the numbers.
    #[error("tier `{0}`: say in `source` where its numbers come from")]
    NoSource(Name),
    /// What is asked for makes no sense.
    #[error("tier `{tier}`: `evidence`: {why}")]
    Evidence {
        /// Which tier.
        tier: Name,
        /// Why.
        why: &'static str,
    },
    /// What is asked for contradicts the setting.
    #[error("tier `{tier}`: `setting`: {why}")]
    Setting {
        /// Which tier.
        tier: Name,
        /// Why.
        why: &'static str,
    },
    /// Limits that contradict each other.
    #[error("tier `{tier}`: `{less}` must not be more than `{more}`")]
    LimitsContradict {
        /// Which tier.
        tier: Name,
        /// The limit that is too large.
        less: &'static str,
        /// The one that bounds it.
        more: &'static str,
    },
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

impl Policy {
    /// A policy, if it makes sense.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn new(versions: Vec<TierVersion>, makers: Vec<Maker>, periods: Periods) -> Result<Self, PolicyError> {
        let versions = tier::checked(versions)?;
        Self::check_makers(&makers)?;
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
        Ok(Self { versions, makers, periods })
    }

    /// Whether makers are distinct.
    ///
    /// # Errors
    /// When two have one name.
    pub fn check_makers(makers: &[Maker]) -> Result<(), PolicyError> {
        for (index, maker) in makers.iter().enumerate() {
            if makers[..index].iter().any(|other| other.name == maker.name) {
                return Err(PolicyError::MakerTwice(maker.name));
            }
        }
        Ok(())
    }

    /// The tiers in force at `now`; `None` before the first version is.
    pub fn tiers(&self, now: Timestamp) -> Option<&TierVersion> {
        self.versions.iter().rev().find(|version| version.in_force_from <= now)
    }

    /// The tier of that name that is in force at `now`.
    pub fn tier(&self, name: &Name, now: Timestamp) -> Option<&Tier> {
        self.tiers(now)?.tier(name)
    }

    /// All versions of the tiers, past and to come, by number.
    pub fn versions(&self) -> &[TierVersion] {
        &self.versions
    }

    /// The maker of that name.
    pub fn maker(&self, name: &Name) -> Option<&Maker> {
        self.makers.iter().find(|maker| maker.name == *name)
    }

    /// The maker of an element, if the element is accepted.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check_made(&self, made: &Made) -> Result<&Maker, NotAccepted> {
        let maker = self.maker(&made.maker).ok_or(NotAccepted::Maker)?;
        if maker.withdrawn_series.contains(&made.series) {
            return Err(NotAccepted::Series);
        }
        if !maker.firmwares.is_empty() && !maker.firmwares.contains(&made.firmware) {
            return Err(NotAccepted::Firmware);
        }
        Ok(maker)
    }

    /// How long things are valid.
    pub fn periods(&self) -> &Periods {
        &self.periods
    }
}
