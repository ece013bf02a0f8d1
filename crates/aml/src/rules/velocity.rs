//! Velocity: more flows, or more money, within a short time than the account is for.
//!
//! FATF, *Virtual Assets Red Flag Indicators* (2020): "multiple high-value transactions in short succession, such as within a
//! 24-hour period". FFIEC Appendix F: "Customer makes high-value transactions not commensurate with the customer's known
//! incomes"; what an account is for is measured here by what its tier may withdraw in a day.

use serde::{Deserialize, Serialize};

use super::view::{View, of_direction, sum};
use super::{Finding, Rule};
use crate::flow::Direction;
use crate::settings::{Wrong, amount, count, hours, percent};

/// Thresholds of the rule; at least one of the three.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Velocity {
    /// Within so many hours.
    pub window_hours: u64,
    /// So many flows are too many.
    pub count: Option<u64>,
    /// More than this in one direction is too much, in minor units.
    pub value: Option<u64>,
    /// More than this part of what the tier may withdraw in a day is too much in one direction.
    pub tier_percent: Option<u64>,
}

impl Velocity {
    /// The most that may go in one direction, if anything is said of it.
    fn value_max(&self, view: &View<'_>) -> Option<u128> {
        let of_tier = |percent: u64| u128::from(view.tier_per_day().minor()) * u128::from(percent) / 100;
        [self.value.map(u128::from), self.tier_percent.map(of_tier)].into_iter().flatten().min()
    }
}

impl Rule for Velocity {
    fn check(&self) -> Result<(), Wrong> {
        hours("window-hours", self.window_hours)?;
        self.count.map_or(Ok(()), |value| count("count", value))?;
        self.value.map_or(Ok(()), |value| amount("value", value))?;
        self.tier_percent.map_or(Ok(()), |value| percent("tier-percent", value, 1..=100_000))?;
        if (self.count, self.value, self.tier_percent) == (None, None, None) {
            return Err(Wrong {
                key: "count",
                value: "nothing".into(),
                expected: "given, or `value`, or `tier-percent`",
            });
        }
        Ok(())
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        let flows: Vec<_> = view.flows(self.reach_seconds()).collect();
        let window = self.window_hours;
        if let Some(count) = self.count.filter(|count| flows.len() as u64 >= *count) {
            let reason = format!("{} flows within {window} hours, where {count} are too many", flows.len());
            return Some(Finding::of_flows(&flows, reason));
        }
        let value_max = self.value_max(view)?;
        for (direction, way) in [(Direction::In, "in"), (Direction::Out, "out")] {
            let flows = of_direction(&flows, direction);
            let total = sum(&flows);
            if total > value_max {
                let reason = format!("{total} were paid {way} within {window} hours, more than {value_max}");
                return Some(Finding::of_flows(&flows, reason));
            }
        }
        None
    }
}
