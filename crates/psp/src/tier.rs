//! Tiers of customers, in versions that come into force one after the other.
//!
//! A version is never changed: new rules are a new version with the next number and a later date, so that it can always be
//! said which rules a decision followed. A version keeps all tiers of the one before it, since customers may be in them.

use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use specie_totals::Bounds;

use crate::evidence::EvidenceKind;
use crate::policy::PolicyError;
use crate::setting::Setting;

/// What the customers of one tier may do. Amounts are minor units of the PSP's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    /// Its name.
    pub name: Name,
    /// Where its numbers come from, for whoever checks them.
    pub source: String,
    /// What the PSP must have seen of a customer: any one of these is enough.
    pub evidence: Vec<Evidence>,
    /// What devices show before their limits are renewed.
    pub setting: Setting,
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
    /// The most that a customer may withdraw within 30 days, to all devices together.
    pub max_withdrawal_per_month: Amount,
    /// How many blanks one device gets in one epoch.
    pub blanks_per_epoch: u32,
    /// The largest cap of a blank.
    pub blank_cap_max: Amount,
    /// How many devices one customer may have.
    pub devices_max: u32,
    /// For how many days uploaded payments are kept; in the setting that asks for them, and in no other.
    pub uploads_kept_days: Option<u32>,
}

/// What a PSP asks for before it puts a customer into a tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Nothing: the customer stays unknown, and has one device.
    None,
    /// A telephone number that the customer answers.
    Phone,
    /// A verifiable credential.
    Credential {
        /// The claims that are asked for and kept, and no others.
        claims: Vec<String>,
    },
    /// A document that somebody looked at.
    Document,
}

/// The tiers that are in force from one moment to the next version's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierVersion {
    /// Its number: one more than that of the version before.
    pub version: u32,
    /// The first moment at which it counts.
    pub in_force_from: Timestamp,
    /// Its tiers.
    pub tiers: Vec<Tier>,
}

impl Evidence {
    /// As which kind it is recorded; `None` when nothing is asked for.
    pub fn kind(&self) -> Option<EvidenceKind> {
        match self {
            Self::None => None,
            Self::Phone => Some(EvidenceKind::Phone),
            Self::Credential { .. } => Some(EvidenceKind::Credential),
            Self::Document => Some(EvidenceKind::Document),
        }
    }
}

impl Tier {
    /// Whether customers of this tier stay unknown.
    pub fn is_anonymous(&self) -> bool {
        self.evidence.contains(&Evidence::None)
    }

    /// What totals of a device without limits are compared with.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { max_holding: self.max_holding, max_cumulative: self.max_cumulative }
    }

    fn check(&self) -> Result<(), PolicyError> {
        let tier = self.name;
        if self.source.trim().is_empty() {
            return Err(PolicyError::NoSource(tier));
        }
        self.check_evidence()?;
        self.check_setting()?;
        let limits = [
            ("max_payment", self.max_payment.minor()),
            ("max_cumulative", self.max_cumulative.minor()),
            ("max_holding", self.max_holding.minor()),
            ("limits_validity_seconds", self.limits_validity_seconds),
            ("max_withdrawal_per_day", self.max_withdrawal_per_day.minor()),
            ("devices_max", self.devices_max.into()),
        ];
        if let Some((limit, _)) = limits.iter().find(|(_, value)| *value == 0) {
            return Err(PolicyError::Zero { tier, limit });
        }
        for (less, less_name, more, more_name) in [
            (self.max_payment, "max_payment", self.max_cumulative, "max_cumulative"),
            (self.max_payment, "max_payment", self.max_holding, "max_holding"),
            (self.blank_cap_max, "blank_cap_max", self.max_holding, "max_holding"),
            (
                self.max_withdrawal_per_day,
                "max_withdrawal_per_day",
                self.max_withdrawal_per_month,
                "max_withdrawal_per_month",
            ),
        ] {
            if less > more {
                return Err(PolicyError::LimitsContradict { tier, less: less_name, more: more_name });
            }
        }
        Ok(())
    }

    /// Offline, it is the evidence that tells the two settings apart.
    fn check_setting(&self) -> Result<(), PolicyError> {
        let wrong = |why| Err(PolicyError::Setting { tier: self.name, why });
        match self.setting {
            Setting::OfflineAnonymous if !self.is_anonymous() => {
                wrong("evidence is asked for, so it is `offline-known`")
            }
            Setting::OfflineKnown if self.is_anonymous() => wrong("nothing is asked for, so it is `offline-anonymous`"),
            Setting::Uploads if self.uploads_kept_days.is_none_or(|days| days == 0) => {
                wrong("say for how many days uploads are kept, 1 or more")
            }
            Setting::OfflineAnonymous | Setting::OfflineKnown | Setting::Proofs if self.uploads_kept_days.is_some() => {
                wrong("nothing is uploaded, so nothing is kept: leave out uploads_kept_days")
            }
            _ => Ok(()),
        }
    }

    fn check_evidence(&self) -> Result<(), PolicyError> {
        let wrong = |why| Err(PolicyError::Evidence { tier: self.name, why });
        if self.evidence.is_empty() {
            return wrong("say what is asked for, or `none`");
        }
        if self.is_anonymous() && self.evidence.len() > 1 {
            return wrong("where nothing is asked for, nothing else can be");
        }
        if self.is_anonymous() && self.devices_max != 1 {
            return wrong("a customer whom nobody knows has one device: devices_max must be 1");
        }
        for (index, evidence) in self.evidence.iter().enumerate() {
            if self.evidence[..index].iter().any(|other| other.kind() == evidence.kind()) {
                return wrong("a kind is there twice");
            }
            if let Evidence::Credential { claims } = evidence {
                let twice = |(index, claim): (usize, &String)| claim.is_empty() || claims[..index].contains(claim);
                if claims.is_empty() || claims.iter().enumerate().any(twice) {
                    return wrong("a credential is asked for one claim or more, each once");
                }
            }
        }
        Ok(())
    }
}

impl TierVersion {
    /// The tier of that name.
    pub fn tier(&self, name: &Name) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == *name)
    }

    fn check(&self) -> Result<(), PolicyError> {
        if self.tiers.is_empty() {
            return Err(PolicyError::NoTier { version: self.version });
        }
        for (index, tier) in self.tiers.iter().enumerate() {
            tier.check()?;
            if self.tiers[..index].iter().any(|other| other.name == tier.name) {
                return Err(PolicyError::TierTwice { version: self.version, tier: tier.name });
            }
        }
        Ok(())
    }

    fn check_after(&self, before: &Self) -> Result<(), PolicyError> {
        let (version, previous) = (self.version, before.version);
        if version == previous {
            return Err(PolicyError::VersionTwice(version));
        }
        if Some(version) != previous.checked_add(1) {
            return Err(PolicyError::VersionGap { version, previous });
        }
        if self.in_force_from <= before.in_force_from {
            return Err(PolicyError::VersionTooEarly { version, previous });
        }
        match before.tiers.iter().find(|tier| self.tier(&tier.name).is_none()) {
            Some(tier) => Err(PolicyError::TierDropped { version, tier: tier.name }),
            None => Ok(()),
        }
    }
}

/// The versions by number, if each makes sense and follows the one before it.
pub(crate) fn checked(mut versions: Vec<TierVersion>) -> Result<Vec<TierVersion>, PolicyError> {
    versions.sort_by_key(|version| version.version);
    if versions.is_empty() {
        return Err(PolicyError::NoVersion);
    }
    versions.iter().try_for_each(TierVersion::check)?;
    versions.windows(2).try_for_each(|pair| pair[1].check_after(&pair[0]))?;
    Ok(versions)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tier(name: &str) -> Tier {
        let amount = |minor| Amount::new(minor).unwrap();
        Tier {
            name: Name::new(name).unwrap(),
            source: "a test".into(),
            evidence: vec![Evidence::Phone],
            setting: Setting::OfflineKnown,
            max_payment: amount(50),
            max_cumulative: amount(100),
            max_holding: amount(200),
            limits_validity_seconds: 60,
            max_withdrawal_per_day: amount(300),
            max_withdrawal_per_month: amount(900),
            blanks_per_epoch: 10,
            blank_cap_max: amount(200),
            devices_max: 2,
            uploads_kept_days: None,
        }
    }

    fn version(version: u32, from: u64, tiers: &[&str]) -> TierVersion {
        let tiers = tiers.iter().map(|name| tier(name)).collect();
        TierVersion { version, in_force_from: Timestamp::new(from).unwrap(), tiers }
    }

    #[test]
    fn versions_follow_each_other_without_gap_or_overlap() {
        let later = version(3, 20, &["a", "b", "c"]);
        let sorted = checked(vec![later.clone(), version(2, 10, &["a", "b"])]).unwrap();
        assert_eq!(sorted[1], later);
        let refused = |second| checked(vec![version(2, 10, &["a", "b"]), second]).unwrap_err();
        assert_eq!(refused(version(2, 20, &["a", "b"])), PolicyError::VersionTwice(2));
        assert_eq!(refused(version(4, 20, &["a", "b"])), PolicyError::VersionGap { version: 4, previous: 2 });
        for early in [9, 10] {
            let error = PolicyError::VersionTooEarly { version: 3, previous: 2 };
            assert_eq!(refused(version(3, early, &["a", "b"])), error);
        }
        let tier = Name::new("b").unwrap();
        assert_eq!(refused(version(3, 20, &["a", "c"])), PolicyError::TierDropped { version: 3, tier });
        assert_eq!(refused(version(3, 20, &[])), PolicyError::NoTier { version: 3 });
        let tier = Name::new("a").unwrap();
        assert_eq!(refused(version(3, 20, &["a", "b", "a"])), PolicyError::TierTwice { version: 3, tier });
        assert_eq!(checked(Vec::new()), Err(PolicyError::NoVersion));
    }

    #[test]
    fn rejects_each_contradiction_within_a_tier() {
        let name = Name::new("a").unwrap();
        let refused = |change: &dyn Fn(&mut Tier)| {
            let mut wrong = tier("a");
            change(&mut wrong);
            wrong.check().unwrap_err()
        };
        let amount = |minor| Amount::new(minor).unwrap();
        assert_eq!(refused(&|tier| tier.source = " ".into()), PolicyError::NoSource(name));
        let contradiction = |less, more| PolicyError::LimitsContradict { tier: name, less, more };
        let more = contradiction("max_payment", "max_cumulative");
        assert_eq!(refused(&|tier| tier.max_payment = amount(101)), more);
        assert_eq!(refused(&|tier| tier.max_holding = amount(49)), contradiction("max_payment", "max_holding"));
        assert_eq!(refused(&|tier| tier.blank_cap_max = amount(201)), contradiction("blank_cap_max", "max_holding"));
        let months = contradiction("max_withdrawal_per_day", "max_withdrawal_per_month");
        assert_eq!(refused(&|tier| tier.max_withdrawal_per_day = amount(901)), months);
        let zero = |limit| PolicyError::Zero { tier: name, limit };
        assert_eq!(refused(&|tier| tier.max_payment = Amount::ZERO), zero("max_payment"));
        assert_eq!(refused(&|tier| tier.devices_max = 0), zero("devices_max"));
        let claims =
            |claims: &[&str]| Evidence::Credential { claims: claims.iter().map(|&claim| claim.into()).collect() };
        for evidence in [
            vec![],
            vec![Evidence::None],
            vec![Evidence::None, Evidence::Phone],
            vec![Evidence::Phone, Evidence::Phone],
            vec![claims(&[])],
            vec![claims(&["birthdate", "birthdate"])],
            vec![claims(&[""])],
        ] {
            let error = refused(&|tier| tier.evidence = evidence.clone());
            assert!(matches!(error, PolicyError::Evidence { .. }), "{evidence:?}: {error}");
        }
        let mut anonymous = tier("a");
        (anonymous.evidence, anonymous.devices_max) = (vec![Evidence::None], 1);
        assert!(matches!(anonymous.check(), Err(PolicyError::Setting { .. })));
        anonymous.setting = Setting::OfflineAnonymous;
        assert_eq!(anonymous.check(), Ok(()));
        let error = refused(&|tier| tier.setting = Setting::OfflineAnonymous);
        assert!(matches!(error, PolicyError::Setting { .. }), "{error}");
        for (setting, days) in [(Setting::Uploads, None), (Setting::Uploads, Some(0)), (Setting::Proofs, Some(1))] {
            let error = refused(&|tier| (tier.setting, tier.uploads_kept_days) = (setting, days));
            assert!(matches!(error, PolicyError::Setting { .. }), "{setting:?} {days:?}: {error}");
        }
    }
}
