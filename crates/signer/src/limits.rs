//! What a signer signs at most: a file in its folder, which nobody can change over its socket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specie_core::bytes::ClassId;

/// Limits of every class, and of some classes by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Length of a period in seconds. Periods are counted from 1970 on: within two that follow each other twice a period's limit may be signed.
    pub period_seconds: u64,
    /// Users, by number, whose processes may have notes signed, besides the signer's own.
    #[serde(default)]
    pub servers: Vec<u32>,
    /// For every class that is not named below.
    pub every_class: ClassLimits,
    /// For one class, by its name.
    #[serde(default)]
    pub class: BTreeMap<String, ClassLimits>,
}

/// Limits of a class. What is left out is not limited.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassLimits {
    /// Notes in all.
    pub notes: Option<u64>,
    /// Notes in a period.
    pub notes_per_period: Option<u64>,
    /// Face values together, in minor units, in all. Of blanks: the most that they may own.
    pub value: Option<u64>,
    /// Face values together in a period.
    pub value_per_period: Option<u64>,
}

impl Default for Limits {
    /// 10 million notes of a class a day, a thousand million in all: numbers to be changed.
    fn default() -> Self {
        let every_class =
            ClassLimits { notes: Some(1_000_000_000), notes_per_period: Some(10_000_000), ..ClassLimits::default() };
        Self { period_seconds: 86_400, servers: Vec::new(), every_class, class: BTreeMap::new() }
    }
}

impl Limits {
    /// From the file's text.
    ///
    /// # Errors
    /// When it says nothing that a signer understands.
    pub fn parse(text: &str) -> Result<Self, String> {
        let limits: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if limits.period_seconds == 0 {
            return Err("period_seconds is 0: name at least one second".into());
        }
        let name = |name: &&String| !(name.len() == 32 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        match limits.class.keys().find(name) {
            Some(other) => Err(format!("`{other}` is no class: a class is named by 32 lowercase hexadecimal digits")),
            None => Ok(limits),
        }
    }

    /// As the file has it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("numbers and names are TOML")
    }

    /// Those of a class.
    pub fn of(&self, class: &ClassId) -> ClassLimits {
        self.class.get(&class.to_string()).copied().unwrap_or(self.every_class)
    }
}

impl ClassLimits {
    /// The limit that would be passed by so many notes of `amount` each, in all and in the period.
    pub fn passed(&self, amount: u64, in_all: u64, in_period: u64) -> Option<String> {
        let value = |notes: u64| u128::from(notes) * u128::from(amount);
        let checks = [
            ("notes in all", self.notes, u128::from(in_all)),
            ("notes in a period", self.notes_per_period, u128::from(in_period)),
            ("minor units in all", self.value, value(in_all)),
            ("minor units in a period", self.value_per_period, value(in_period)),
        ];
        let passed = |(what, limit, reached): (&str, Option<u64>, u128)| {
            limit.filter(|limit| reached > u128::from(*limit)).map(|limit| format!("the limit of {limit} {what}"))
        };
        checks.into_iter().find_map(passed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn limits_are_read_as_they_were_written_and_unknown_ones_refused() {
        let mut limits = Limits::default();
        limits.class.insert("ab".repeat(16), ClassLimits { value: Some(7), ..ClassLimits::default() });
        assert_eq!(Limits::parse(&limits.to_toml()).unwrap(), limits);
        assert_eq!(limits.of(&ClassId([0xab; 16])).value, Some(7));
        assert_eq!(limits.of(&ClassId([1; 16])), limits.every_class);
        for wrong in [
            "",
            "period_seconds = 0\n[every_class]",
            "period_seconds = 1\n[every_class]\nnote = 1",
            "period_seconds = 1\n[every_class]\n[class.AB]",
            "period_seconds = 1\n[every_class]\nnotes = -1",
        ] {
            assert!(Limits::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_limit_binds_at_its_number_and_not_before() {
        let none = ClassLimits::default();
        assert_eq!(none.passed(u64::MAX, u64::MAX, u64::MAX), None);
        let cases = [
            ClassLimits { notes: Some(10), ..none },
            ClassLimits { notes_per_period: Some(10), ..none },
            ClassLimits { value: Some(50), ..none },
            ClassLimits { value_per_period: Some(50), ..none },
        ];
        for limits in cases {
            assert_eq!(limits.passed(5, 10, 10), None);
            assert!(limits.passed(5, 11, 11).is_some(), "{limits:?}");
        }
    }
}
