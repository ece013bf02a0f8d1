//! The PSP's configuration, as a TOML file has it. Unknown keys are refused; paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specie_api::hexadecimal::HexArray;
use specie_core::Amount;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_psp::policy::{Maker, Periods, Policy, PolicyError, Tier};
use thiserror::Error;

/// All that a PSP is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PspConfig {
    /// Its name, as the bank has registered it.
    pub name: String,
    /// ISO 4217 code of its accounts.
    pub currency: String,
    /// Where it listens for devices; port 0 for any free one.
    pub listen: SocketAddr,
    /// The database file.
    pub database: PathBuf,
    /// The file with the PSP's secret key: 64 hexadecimal digits.
    pub key_file: PathBuf,
    /// The pause between two looks at what the bank has for it, in seconds.
    #[serde(default = "reconcile_seconds")]
    pub reconcile_seconds: u64,
    /// The bank.
    pub bank: BankAddress,
    /// How long things are valid.
    #[serde(default)]
    pub periods: PeriodsConfig,
    /// The tiers of customers.
    pub tiers: Vec<TierConfig>,
    /// The makers of elements that are trusted.
    #[serde(default)]
    pub makers: Vec<MakerConfig>,
}

/// Where the bank is, and by which key it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankAddress {
    /// Such as `http://127.0.0.1:7001`.
    pub address: String,
    /// The root key that signs its manifests.
    pub root_key: HexArray<32>,
}

/// How long things are valid, in seconds. What is not said is as in [`Periods::default`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeriodsConfig {
    /// A nonce for an enrolment.
    pub nonce_seconds: u64,
    /// A claim code.
    pub claim_code_seconds: u64,
    /// A descriptor.
    pub descriptor_seconds: u64,
    /// A withdrawal that the device does not carry on.
    pub withdrawal_seconds: u64,
}

/// What the customers of one tier may do; amounts in minor units. See [`Tier`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in specie_psp::policy::Tier")]
pub struct TierConfig {
    pub name: String,
    pub max_payment: u64,
    pub max_cumulative: u64,
    pub max_holding: u64,
    pub limits_validity_seconds: u64,
    pub max_withdrawal_per_day: u64,
    pub blanks_per_epoch: u32,
    pub blank_cap_max: u64,
    pub devices_max: u32,
}

/// A trusted maker of elements.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakerConfig {
    /// Its name in certificates.
    pub name: String,
    /// Its key.
    pub key: HexArray<32>,
    /// Series that are not enrolled any more.
    #[serde(default)]
    pub withdrawn_series: Vec<String>,
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has unknown or missing keys.
    #[error("the configuration is wrong: {0}")]
    Toml(#[from] toml::de::Error),
    /// A value is not what it should be.
    #[error("`{key}`: `{value}` is not {expected}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it should.
        expected: &'static str,
    },
    /// The policy makes no sense.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

const fn reconcile_seconds() -> u64 {
    10
}

impl Default for PeriodsConfig {
    fn default() -> Self {
        let Periods { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds } = Periods::default();
        Self { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds }
    }
}

impl From<&Tier> for TierConfig {
    fn from(tier: &Tier) -> Self {
        Self {
            name: tier.name.as_str().into(),
            max_payment: tier.max_payment.minor(),
            max_cumulative: tier.max_cumulative.minor(),
            max_holding: tier.max_holding.minor(),
            limits_validity_seconds: tier.limits_validity_seconds,
            max_withdrawal_per_day: tier.max_withdrawal_per_day.minor(),
            blanks_per_epoch: tier.blanks_per_epoch,
            blank_cap_max: tier.blank_cap_max.minor(),
            devices_max: tier.devices_max,
        }
    }
}

impl TierConfig {
    fn tier(&self) -> Result<Tier, ConfigError> {
        Ok(Tier {
            name: name("tiers.name", &self.name)?,
            max_payment: amount("tiers.max_payment", self.max_payment)?,
            max_cumulative: amount("tiers.max_cumulative", self.max_cumulative)?,
            max_holding: amount("tiers.max_holding", self.max_holding)?,
            limits_validity_seconds: self.limits_validity_seconds,
            max_withdrawal_per_day: amount("tiers.max_withdrawal_per_day", self.max_withdrawal_per_day)?,
            blanks_per_epoch: self.blanks_per_epoch,
            blank_cap_max: amount("tiers.blank_cap_max", self.blank_cap_max)?,
            devices_max: self.devices_max,
        })
    }
}

impl PspConfig {
    /// Reads a configuration; its relative paths become relative to the directory of `path`.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let mut config: Self = toml::from_str(&text)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        config.database = directory.join(&config.database);
        config.key_file = directory.join(&config.key_file);
        config.policy()?;
        Ok(config)
    }

    /// The configuration as a TOML file has it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("the types of a configuration are TOML")
    }

    /// The PSP's name.
    ///
    /// # Errors
    /// When it is too long or empty.
    pub fn psp_name(&self) -> Result<Name, ConfigError> {
        name("name", &self.name)
    }

    /// The currency of its accounts.
    ///
    /// # Errors
    /// When it is no code.
    pub fn psp_currency(&self) -> Result<Currency, ConfigError> {
        let (key, expected) = ("currency", "three capital letters");
        Currency::new(&self.currency).ok_or_else(|| ConfigError::Value { key, value: self.currency.clone(), expected })
    }

    /// What it allows.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let tiers = self.tiers.iter().map(TierConfig::tier).collect::<Result<_, _>>()?;
        let maker = |maker: &MakerConfig| {
            let series = maker.withdrawn_series.iter().map(|series| name("makers.withdrawn_series", series));
            Ok::<_, ConfigError>(Maker {
                name: name("makers.name", &maker.name)?,
                key: PublicKey(maker.key.0),
                withdrawn_series: series.collect::<Result<_, _>>()?,
            })
        };
        let makers = self.makers.iter().map(maker).collect::<Result<_, _>>()?;
        let PeriodsConfig { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds } = self.periods;
        let periods = Periods { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds };
        Ok(Policy::new(tiers, makers, periods)?)
    }
}

fn name(key: &'static str, text: &str) -> Result<Name, ConfigError> {
    let expected = "a name of 1 to 32 bytes";
    Name::new(text).ok_or_else(|| ConfigError::Value { key, value: text.into(), expected })
}

fn amount(key: &'static str, minor: u64) -> Result<Amount, ConfigError> {
    let expected = "an amount of at most 2^63 - 1 minor units";
    Amount::new(minor).ok_or_else(|| ConfigError::Value { key, value: minor.to_string(), expected })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn example() -> PspConfig {
        PspConfig {
            name: "north".into(),
            currency: "XTS".into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: "psp.db".into(),
            key_file: "psp.key".into(),
            reconcile_seconds: 5,
            bank: BankAddress { address: "http://127.0.0.1:7001".into(), root_key: HexArray([1; 32]) },
            periods: PeriodsConfig::default(),
            tiers: Tier::examples().iter().map(TierConfig::from).collect(),
            makers: vec![MakerConfig { name: "maker".into(), key: HexArray([2; 32]), withdrawn_series: vec![] }],
        }
    }

    fn read(text: &str) -> Result<PspConfig, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("psp.toml");
        std::fs::write(&path, text).unwrap();
        let mut config = PspConfig::read(&path)?;
        assert_eq!(config.database, directory.path().join("psp.db"));
        (config.database, config.key_file) = ("psp.db".into(), "psp.key".into());
        Ok(config)
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        assert_eq!(read(&example().to_toml()).unwrap(), example());
    }

    #[test]
    fn rejects_unknown_keys_everywhere() {
        let text = example().to_toml();
        assert!(matches!(read(&format!("nonsense = 1\n{text}")), Err(ConfigError::Toml(_))));
        for section in ["[bank]", "[periods]", "[[tiers]]", "[[makers]]"] {
            let wrong = text.replacen(section, &format!("{section}\nnonsense = 1"), 1);
            assert_ne!(wrong, text, "{section}");
            assert!(matches!(read(&wrong), Err(ConfigError::Toml(_))), "{section}");
        }
    }

    #[test]
    fn rejects_values_that_make_no_sense() {
        let long = "x".repeat(33);
        let mut wrong = example();
        wrong.tiers[0].name = long.clone();
        assert!(matches!(read(&wrong.to_toml()), Err(ConfigError::Value { key: "tiers.name", .. })));
        wrong = example();
        wrong.tiers.clear();
        assert!(wrong.policy().is_err());
        wrong = example();
        wrong.tiers[0].max_payment = u64::MAX;
        assert!(matches!(wrong.policy(), Err(ConfigError::Value { key: "tiers.max_payment", .. })));
        wrong = example();
        wrong.currency = "euro".into();
        assert!(wrong.psp_currency().is_err());
    }
}
