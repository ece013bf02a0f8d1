//! The PSP's configuration, as a TOML file has it. Unknown keys are refused; paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specie_aml::Settings;
use specie_aml::settings::SettingsError;
use specie_api::hexadecimal::HexArray;
use specie_core::Amount;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_psp::policy::{Maker, Periods, Policy, PolicyError};
use specie_store::Place;
use thiserror::Error;

use super::identification::IdentificationConfig;
use super::tiers;
use crate::serving::ServingConfig;
use crate::settings::{self, Environment, Setting};

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
    /// The database: a file, or `postgres://USER@HOST/NAME`.
    pub database: Place,
    /// The file with the PSP's secret key: 64 hexadecimal digits.
    pub key_file: PathBuf,
    /// The folder whose `.toml` files are the versions of the tiers of customers.
    pub tiers: PathBuf,
    /// The file with the thresholds of the rules against money laundering; without it, no rules are run.
    pub aml: Option<PathBuf>,
    /// The pause between two looks at what the bank has for it, in seconds.
    #[serde(default = "reconcile_seconds")]
    pub reconcile_seconds: u64,
    /// The bank.
    pub bank: BankAddress,
    /// How long things are valid.
    #[serde(default)]
    pub periods: PeriodsConfig,
    /// How it is served.
    #[serde(default)]
    pub serving: ServingConfig,
    /// What customers are identified with; without it nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<IdentificationConfig>,
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

/// A trusted maker of elements.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakerConfig {
    /// Its name in certificates.
    pub name: String,
    /// Its key.
    pub key: HexArray<32>,
    /// Series that are withdrawn: not enrolled any more, and nothing more for devices that are.
    #[serde(default)]
    pub withdrawn_series: Vec<String>,
    /// Hashes of the firmwares that are accepted; none for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firmwares: Vec<HexArray<32>>,
}

#[derive(Serialize)]
struct Rules<'c> {
    root_key: HexArray<32>,
    tier_versions: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aml_version: Option<u32>,
    periods: &'c PeriodsConfig,
    makers: &'c [MakerConfig],
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
    #[error("the configuration is wrong: {}", .0.to_string().trim_end())]
    Toml(#[from] toml::de::Error),
    /// A variable of the environment is wrong.
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
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
    /// A file is wrong: the configuration, or a version of the tiers.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: Box<ConfigError>,
    },
    /// The thresholds of the rules against money laundering are wrong.
    #[error("{}: {source}", path.display())]
    Aml {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: Box<SettingsError>,
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

impl PspConfig {
    /// Reads a configuration; its relative paths become relative to the directory of `path`.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self::read_with(path, &Environment::empty())?.0)
    }

    /// The same with what the environment says over it, and all of it listed.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or a variable is wrong.
    pub fn read_with(path: &Path, environment: &Environment) -> Result<(Self, Vec<Setting>), ConfigError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let mut config: Self = settings::read(&text, environment).map_err(|error| match error {
            settings::SettingsError::File(error) => {
                ConfigError::File { path: path.into(), source: Box::new(error.into()) }
            }
            error => error.into(),
        })?;
        let listed = settings::listed(&config, &text, environment);
        let directory = path.parent().unwrap_or(Path::new(""));
        config.database = config.database.within(directory);
        config.key_file = directory.join(&config.key_file);
        config.tiers = directory.join(&config.tiers);
        config.identification = config.identification.map(|identification| identification.within(directory));
        config.aml = config.aml.map(|aml| directory.join(aml));
        config.policy()?;
        Ok((config, listed))
    }

    /// The thresholds of the rules against money laundering, if there are rules.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn aml_settings(&self) -> Result<Option<Settings>, ConfigError> {
        let Some(path) = &self.aml else { return Ok(None) };
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let settings = Settings::parse(&text);
        settings.map(Some).map_err(|error| ConfigError::Aml { path: path.clone(), source: Box::new(error) })
    }

    /// The configuration as a TOML file has it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("the types of a configuration are TOML")
    }

    /// The rules in it, as the audit log has them: whom the PSP trusts, for how long, which versions of the tiers there
    /// are, and by which version of the rules against money laundering it looks at flows.
    pub fn rules(&self, policy: &Policy, aml: Option<&Settings>) -> String {
        let Self { bank, periods, makers, .. } = self;
        let tier_versions = policy.versions().iter().map(|version| version.version).collect();
        let aml_version = aml.map(|aml| aml.version);
        let rules = Rules { root_key: bank.root_key, tier_versions, aml_version, periods, makers };
        toml::to_string(&rules).expect("the types of a configuration are TOML")
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

    /// Whether the makers make sense; reads nothing.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check_makers(&self) -> Result<(), ConfigError> {
        let makers = self.makers.iter().map(MakerConfig::maker).collect::<Result<Vec<_>, _>>()?;
        Ok(Policy::check_makers(&makers)?)
    }

    /// What it allows; reads the tiers.
    ///
    /// # Errors
    /// When it cannot be read, or makes no sense.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let makers = self.makers.iter().map(MakerConfig::maker).collect::<Result<_, _>>()?;
        let PeriodsConfig { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds } = self.periods;
        let periods = Periods { nonce_seconds, claim_code_seconds, descriptor_seconds, withdrawal_seconds };
        let versions = tiers::read(&self.tiers)?.into_iter().map(|(version, _)| version).collect();
        Ok(Policy::new(versions, makers, periods)?)
    }
}

impl MakerConfig {
    fn maker(&self) -> Result<Maker, ConfigError> {
        let series = self.withdrawn_series.iter().map(|series| name("makers.withdrawn_series", series));
        Ok(Maker {
            name: name("makers.name", &self.name)?,
            key: PublicKey(self.key.0),
            withdrawn_series: series.collect::<Result<_, _>>()?,
            firmwares: self.firmwares.iter().map(|firmware| firmware.0).collect(),
        })
    }
}

pub(super) fn name(key: &'static str, text: &str) -> Result<Name, ConfigError> {
    let expected = "a name of 1 to 32 bytes";
    Name::new(text).ok_or_else(|| ConfigError::Value { key, value: text.into(), expected })
}

pub(super) fn amount(key: &'static str, minor: u64) -> Result<Amount, ConfigError> {
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
            database: Place::File("psp.db".into()),
            key_file: "psp.key".into(),
            tiers: "tiers".into(),
            aml: None,
            reconcile_seconds: 5,
            bank: BankAddress { address: "http://127.0.0.1:7001".into(), root_key: HexArray([1; 32]) },
            periods: PeriodsConfig::default(),
            serving: ServingConfig::default(),
            identification: None,
            makers: vec![MakerConfig {
                name: "maker".into(),
                key: HexArray([2; 32]),
                withdrawn_series: vec![],
                firmwares: vec![],
            }],
        }
    }

    fn read(text: &str) -> Result<PspConfig, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("psp.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::create_dir(directory.path().join("tiers")).unwrap();
        std::fs::write(directory.path().join("tiers/1.toml"), tiers::EXAMPLE).unwrap();
        let mut config = PspConfig::read(&path)?;
        assert_eq!(config.database, Place::File(directory.path().join("psp.db")));
        (config.database, config.key_file, config.tiers) =
            (Place::File("psp.db".into()), "psp.key".into(), "tiers".into());
        Ok(config)
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        assert_eq!(read(&example().to_toml()).unwrap(), example());
    }

    #[test]
    fn rejects_unknown_keys_everywhere() {
        let text = example().to_toml();
        let unknown = |error: ConfigError| {
            let ConfigError::File { path, source } = error else { return false };
            path.ends_with("psp.toml") && matches!(*source, ConfigError::Toml(_))
        };
        assert!(unknown(read(&format!("nonsense = 1\n{text}")).unwrap_err()));
        for section in ["[bank]", "[periods]", "[serving]", "[[makers]]"] {
            let wrong = text.replacen(section, &format!("{section}\nnonsense = 1"), 1);
            assert_ne!(wrong, text, "{section}");
            assert!(unknown(read(&wrong).unwrap_err()), "{section}");
        }
    }

    #[test]
    fn rejects_values_that_make_no_sense() {
        let long = "x".repeat(33);
        let mut wrong = example();
        wrong.makers[0].name = long;
        assert!(matches!(read(&wrong.to_toml()), Err(ConfigError::Value { key: "makers.name", .. })));
        wrong = example();
        wrong.tiers = "nowhere".into();
        assert!(matches!(read(&wrong.to_toml()), Err(ConfigError::Unreadable { .. })));
        wrong = example();
        wrong.currency = "euro".into();
        assert!(wrong.psp_currency().is_err());
    }
}
