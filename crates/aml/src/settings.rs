//! The thresholds of the rules, as a TOML file has them. Unknown keys are refused; a rule that is not there is not run.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::report::Reporter;
use crate::rules::{
    Dormant, FanIn, FanOut, LimitProbing, PassThrough, RoundTrip, Rule, RuleName, Structuring, Velocity,
};

/// The longest window, in hours: 400 days.
const HOURS_MAX: u64 = 9_600;

/// All that the rules are told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each rule has a module that says what it is")]
pub struct Settings {
    /// Counts the changes of this file; every alert names it.
    pub version: u32,
    /// Who reports to the financial intelligence unit. Without it, no report can be made.
    pub report: Option<Reporter>,
    pub structuring: Option<Structuring>,
    pub velocity: Option<Velocity>,
    pub dormant: Option<Dormant>,
    pub fan_in: Option<FanIn>,
    pub fan_out: Option<FanOut>,
    pub round_trip: Option<RoundTrip>,
    pub limit_probing: Option<LimitProbing>,
    pub pass_through: Option<PassThrough>,
}

/// What is wrong with the settings.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is no TOML, or has unknown or missing keys.
    #[error("the AML settings are wrong: {}", .0.to_string().trim_end())]
    Toml(#[from] toml::de::Error),
    /// Versions count from 1.
    #[error("the AML settings: `version` must be 1 or more")]
    Version,
    /// Nothing would be found.
    #[error("the AML settings: there is no rule: give the thresholds of at least one")]
    NoRule,
    /// A value is not what it should be.
    #[error("the AML settings: `{}` of [{table}]: {} is not {}", wrong.key, wrong.value, wrong.expected)]
    Value {
        /// In which table.
        table: &'static str,
        /// What.
        wrong: Wrong,
    },
}

/// A value that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// Which key.
    pub key: &'static str,
    /// What it says.
    pub value: String,
    /// What it should.
    pub expected: &'static str,
}

impl Settings {
    /// A file to begin with, for a currency with cents and the example tiers.
    pub const EXAMPLE: &str = include_str!("../aml.toml");

    /// What [`Settings::EXAMPLE`] says.
    pub fn example() -> Self {
        Self::parse(Self::EXAMPLE).expect("a test reads it")
    }

    /// The settings that a file says.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text)?;
        if settings.version == 0 {
            return Err(SettingsError::Version);
        }
        if settings.rules().next().is_none() {
            return Err(SettingsError::NoRule);
        }
        for (name, rule) in settings.rules() {
            rule.check().map_err(|wrong| SettingsError::Value { table: name.as_str(), wrong })?;
        }
        if let Some(reporter) = &settings.report {
            reporter.check().map_err(|wrong| SettingsError::Value { table: "report", wrong })?;
        }
        Ok(settings)
    }

    /// The settings as a TOML file has them, always the same for the same settings.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("the types of the settings are TOML")
    }

    /// The rules that are run.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (RuleName, &dyn Rule)> {
        fn given<R: Rule>(name: RuleName, rule: &Option<R>) -> Option<(RuleName, &dyn Rule)> {
            rule.as_ref().map(|rule| (name, rule as &dyn Rule))
        }
        [
            given(RuleName::Structuring, &self.structuring),
            given(RuleName::Velocity, &self.velocity),
            given(RuleName::Dormant, &self.dormant),
            given(RuleName::FanIn, &self.fan_in),
            given(RuleName::FanOut, &self.fan_out),
            given(RuleName::RoundTrip, &self.round_trip),
            given(RuleName::LimitProbing, &self.limit_probing),
            given(RuleName::PassThrough, &self.pass_through),
        ]
        .into_iter()
        .flatten()
    }
}

/// An amount that says something.
pub(crate) fn amount(key: &'static str, minor: u64) -> Result<(), Wrong> {
    within(key, minor, 1..=i64::MAX as u64, "an amount of 1 to 2^63 - 1 minor units")
}

/// A number of events: one alone is no pattern.
pub(crate) fn count(key: &'static str, count: u64) -> Result<(), Wrong> {
    within(key, count, 2..=10_000, "a number from 2 to 10000")
}

/// A window.
pub(crate) fn hours(key: &'static str, hours: u64) -> Result<(), Wrong> {
    within(key, hours, 1..=HOURS_MAX, "a number of hours from 1 to 9600")
}

/// A part in the range that makes sense for the rule.
pub(crate) fn percent(key: &'static str, percent: u64, range: RangeInclusive<u64>) -> Result<(), Wrong> {
    within(key, percent, range, "a percentage that this rule can use; see docs/compliance.md")
}

fn within(key: &'static str, value: u64, range: RangeInclusive<u64>, expected: &'static str) -> Result<(), Wrong> {
    if range.contains(&value) { Ok(()) } else { Err(Wrong { key, value: value.to_string(), expected }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_example_runs_every_rule_and_is_read_as_written() {
        let example = Settings::example();
        let run: Vec<_> = example.rules().map(|(name, _)| name).collect();
        assert_eq!(run, RuleName::ALL);
        assert_eq!(Settings::parse(&example.to_toml()).unwrap(), example);
    }

    #[test]
    fn rejects_unknown_keys_everywhere() {
        let text = Settings::example().to_toml();
        for name in RuleName::ALL {
            let table = format!("[{}]", name.as_str());
            let wrong = text.replacen(&table, &format!("{table}\nnonsense = 1"), 1);
            assert_ne!(wrong, text, "{table}");
            assert!(matches!(Settings::parse(&wrong), Err(SettingsError::Toml(_))), "{table}");
        }
        assert!(matches!(Settings::parse(&format!("nonsense = 1\n{text}")), Err(SettingsError::Toml(_))));
    }

    #[test]
    fn rejects_values_that_make_no_sense_by_name() {
        assert_eq!(Settings::parse("version = 0\n"), Err(SettingsError::Version));
        assert_eq!(Settings::parse("version = 1\n"), Err(SettingsError::NoRule));
        let text = Settings::example().to_toml();
        for (good, bad, table, key) in [
            ("from-percent = 80", "from-percent = 100", "structuring", "from-percent"),
            ("window-hours = 168", "window-hours = 0", "structuring", "window-hours"),
            ("tier-percent = 600", "tier-percent = 0", "velocity", "tier-percent"),
            ("dormant-hours = 4320", "dormant-hours = 9601", "dormant", "dormant-hours"),
            ("payers = 8", "payers = 1", "fan-in", "payers"),
            ("payees = 12", "payees = 0", "fan-out", "payees"),
            ("tolerance-percent = 5", "tolerance-percent = 51", "round-trip", "tolerance-percent"),
            ("above-percent = 10", "above-percent = 0", "limit-probing", "above-percent"),
            ("percent = 90", "percent = 49", "pass-through", "percent"),
        ] {
            let wrong = text.replacen(&format!("\n{good}\n"), &format!("\n{bad}\n"), 1);
            assert_ne!(wrong, text, "{good}");
            let error = Settings::parse(&wrong).unwrap_err();
            let SettingsError::Value { table: named, wrong } = &error else { panic!("{error}") };
            assert_eq!((*named, wrong.key), (table, key), "{error}");
        }
        let velocity = "version = 1\n[velocity]\nwindow-hours = 24\n";
        assert!(matches!(Settings::parse(velocity), Err(SettingsError::Value { table: "velocity", .. })));
    }
}
