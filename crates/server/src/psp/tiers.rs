//! Tiers as files: every version of them is a TOML file of its own, and all files of one folder are read.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use specie_aml::calendar::midnight;
use specie_psp::setting::Setting;
use specie_psp::tier::{Evidence, Tier, TierVersion};
use toml::value::Datetime;

use super::config::{ConfigError, amount, name};

/// The example with which a PSP begins.
pub(super) const EXAMPLE: &str = include_str!("tiers.toml");

/// For how many days uploads are kept where the file does not say: five years, the least for records of transactions by recommendation 11 of the
/// FATF, and by article 40 of directive (EU) 2015/849.
const UPLOADS_KEPT_DAYS: u32 = 1826;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierFile {
    version: u32,
    in_force_from: Datetime,
    tiers: Vec<TierEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierEntry {
    name: String,
    source: String,
    evidence: Vec<EvidenceEntry>,
    setting: String,
    max_payment: u64,
    max_cumulative: u64,
    max_holding: u64,
    limits_validity_seconds: u64,
    max_withdrawal_per_day: u64,
    max_withdrawal_per_month: u64,
    blanks_per_epoch: u32,
    blank_cap_max: u64,
    devices_max: u32,
    uploads_kept_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceEntry {
    kind: String,
    claims: Option<Vec<String>>,
}

/// All versions in the `.toml` files of `folder`, each with its text.
///
/// # Errors
/// When the folder or a file in it cannot be read or understood.
pub(super) fn read(folder: &Path) -> Result<Vec<(TierVersion, String)>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.into(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(read_file).collect()
}

fn read_file(path: PathBuf) -> Result<(TierVersion, String), ConfigError> {
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
    let version = parse(&text).map_err(|source| ConfigError::File { path, source: Box::new(source) })?;
    Ok((version, text))
}

/// One version.
pub(super) fn parse(text: &str) -> Result<TierVersion, ConfigError> {
    let TierFile { version, in_force_from, tiers } = toml::from_str(text)?;
    let date = in_force_from.to_string();
    let expected = "a date from 1970-01-01 on, without a time";
    let wrong = |value| ConfigError::Value { key: "in_force_from", value, expected };
    let in_force_from = midnight(&date).ok_or_else(|| wrong(date))?;
    let tiers = tiers.into_iter().map(TierEntry::tier).collect::<Result<_, _>>()?;
    Ok(TierVersion { version, in_force_from, tiers })
}

impl TierEntry {
    fn tier(self) -> Result<Tier, ConfigError> {
        let setting = setting(self.setting)?;
        let kept = (setting == Setting::Uploads).then_some(UPLOADS_KEPT_DAYS);
        Ok(Tier {
            setting,
            uploads_kept_days: self.uploads_kept_days.or(kept),
            name: name("tiers.name", &self.name)?,
            source: self.source,
            evidence: self.evidence.into_iter().map(EvidenceEntry::evidence).collect::<Result<_, _>>()?,
            max_payment: amount("tiers.max_payment", self.max_payment)?,
            max_cumulative: amount("tiers.max_cumulative", self.max_cumulative)?,
            max_holding: amount("tiers.max_holding", self.max_holding)?,
            limits_validity_seconds: self.limits_validity_seconds,
            max_withdrawal_per_day: amount("tiers.max_withdrawal_per_day", self.max_withdrawal_per_day)?,
            max_withdrawal_per_month: amount("tiers.max_withdrawal_per_month", self.max_withdrawal_per_month)?,
            blanks_per_epoch: self.blanks_per_epoch,
            blank_cap_max: amount("tiers.blank_cap_max", self.blank_cap_max)?,
            devices_max: self.devices_max,
        })
    }
}

fn setting(value: String) -> Result<Setting, ConfigError> {
    let expected = "`offline-anonymous`, `offline-known`, `proofs` or `uploads`";
    Setting::parse(&value).ok_or(ConfigError::Value { key: "tiers.setting", value, expected })
}

impl EvidenceEntry {
    fn evidence(self) -> Result<Evidence, ConfigError> {
        Ok(match (&*self.kind, self.claims) {
            ("none", None) => Evidence::None,
            ("phone", None) => Evidence::Phone,
            ("document", None) => Evidence::Document,
            ("credential", Some(claims)) => Evidence::Credential { claims },
            _ => {
                let expected = "`none`, `phone`, `document`, or `credential` with `claims`, which no other has";
                return Err(ConfigError::Value { key: "tiers.evidence.kind", value: self.kind, expected });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::inconsistent_digit_grouping)]

    use specie_core::Timestamp;
    use specie_core::text::Name;
    use specie_psp::policy::{Periods, Policy, PolicyError};

    use super::*;

    fn versions(folder: &Path) -> Vec<TierVersion> {
        read(folder).unwrap().into_iter().map(|(version, _)| version).collect()
    }

    #[test]
    fn the_examples_make_sense_and_name_their_sources() {
        let policy = Policy::new(vec![parse(EXAMPLE).unwrap()], vec![], Periods::default()).unwrap();
        let tier = |name: &str| policy.tier(&Name::new(name).unwrap(), policy.versions()[0].in_force_from).unwrap();
        // The numbers that the sources give; a currency with cents.
        assert!(tier("prepaid").is_anonymous() && tier("prepaid").source.contains("2018/843"));
        assert_eq!(tier("prepaid").max_holding.minor(), 150_00);
        assert!(tier("basic").evidence.contains(&Evidence::Phone) && tier("basic").source.contains("e-CNY"));
        let four = tier("basic");
        let four = [four.max_payment, four.max_withdrawal_per_day, four.max_holding].map(specie_core::Amount::minor);
        assert_eq!(four, [2_000_00, 5_000_00, 10_000_00]);
        let one = tier("full");
        let one = [one.max_payment, one.max_withdrawal_per_day, one.max_holding].map(specie_core::Amount::minor);
        assert_eq!(one, [50_000_00, 100_000_00, 500_000_00]);
        assert_eq!(tier("standard").max_holding.minor(), 3_000_00);
    }

    #[test]
    fn a_version_counts_from_its_date_until_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let second =
            EXAMPLE.replace("version = 1\nin_force_from = 2023-01-01", "version = 2\nin_force_from = 2024-02-29");
        std::fs::write(folder.path().join("b.toml"), EXAMPLE).unwrap();
        std::fs::write(folder.path().join("a.toml"), second.replace("= 15000", "= 10000")).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no TOML").unwrap();
        let policy = Policy::new(versions(folder.path()), vec![], Periods::default()).unwrap();
        let prepaid = Name::new("prepaid").unwrap();
        let holding = |seconds| {
            let tier = policy.tier(&prepaid, Timestamp::new(seconds).unwrap());
            tier.map(|tier| tier.max_holding.minor())
        };
        assert_eq!(holding(1_672_531_199), None);
        assert_eq!(holding(1_672_531_200), Some(150_00));
        assert_eq!(holding(1_709_164_799), Some(150_00));
        assert_eq!(holding(1_709_164_800), Some(100_00));
    }

    #[test]
    fn uploads_are_kept_for_five_years_or_as_long_as_the_file_says() {
        let kept = |setting: &str| {
            let text = EXAMPLE.replacen("setting = \"offline-known\"", setting, 1);
            let version = parse(&text).unwrap();
            version.tiers.iter().find_map(|tier| tier.uploads_kept_days)
        };
        assert_eq!(kept("setting = \"offline-known\""), None);
        assert_eq!(kept("setting = \"uploads\""), Some(1826));
        assert_eq!(kept("setting = \"uploads\"\nuploads_kept_days = 3653"), Some(3653));
    }

    #[test]
    fn says_which_file_is_wrong_and_what_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let error_of = |from: &str, to: &str| {
            let wrong = EXAMPLE.replacen(from, to, 1);
            assert_ne!(wrong, EXAMPLE);
            std::fs::write(folder.path().join("1.toml"), wrong).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert!(matches!(&error, ConfigError::File { path, .. } if path.ends_with("1.toml")), "{error}");
            error.to_string()
        };
        for (from, to, said) in [
            ("version = 1", "version = 1\nnonsense = 1", "nonsense"),
            ("devices_max = 1", "devices_max = 1\nmax_transfers = 1", "max_transfers"),
            ("kind = \"phone\"", "kind = \"phone\", claims = []", "claims"),
            ("kind = \"none\"", "kind = \"promise\"", "promise"),
            ("source =", "sources =", "sources"),
            ("2023-01-01", "2023-02-29", "date"),
            ("2023-01-01", "2023-01-01T12:00:00Z", "without a time"),
            ("2023-01-01", "1969-12-31", "from 1970-01-01"),
            ("max_payment = 15000", "max_payment = -1", "max_payment"),
            ("max_payment = 15000", "max_payment = 9223372036854775808", "max_payment"),
            ("name = \"prepaid\"", "name = \"\"", "tiers.name"),
        ] {
            let error = error_of(from, to);
            assert!(error.contains(said), "{from} -> {to}: {error}");
        }
        std::fs::write(folder.path().join("1.toml"), EXAMPLE).unwrap();
        std::fs::write(folder.path().join("2.toml"), EXAMPLE).unwrap();
        let twice = Policy::new(versions(folder.path()), vec![], Periods::default());
        assert_eq!(twice, Err(PolicyError::VersionTwice(1)));
        assert!(matches!(read(&folder.path().join("nowhere")), Err(ConfigError::Unreadable { .. })));
    }
}
