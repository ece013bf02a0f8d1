//! Structuring: a sum that would have to be reported, paid in or out in parts that each stay just below the threshold.
//!
//! FFIEC BSA/AML Examination Manual, Appendix F: "Currency is deposited or withdrawn in amounts just below identification or
//! reporting thresholds." FATF, *Virtual Assets Red Flag Indicators* (2020), says the same of virtual assets. Money that a device
//! gives back is counted with cash: neither says where it was before. Transfers name their payer and are left out.
//! Daily takings of one size are what a shop has: the settings say whether merchants are looked at.

use serde::{Deserialize, Serialize};

use super::view::{View, sum};
use super::{Finding, Rule};
use crate::flow::Direction;
use crate::settings::{Wrong, amount, count, hours, percent};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Structuring {
    /// What has to be reported from this amount on, in minor units.
    pub threshold: u64,
    /// Amounts from this part of the threshold on, and below it, are just below it.
    pub from_percent: u64,
    /// So many of one direction are too many.
    pub count: u64,
    /// Within so many hours.
    pub window_hours: u64,
    /// Whether merchants are looked at.
    pub merchants: bool,
}

impl Rule for Structuring {
    fn check(&self) -> Result<(), Wrong> {
        amount("threshold", self.threshold)?;
        percent("from-percent", self.from_percent, 1..=99)?;
        count("count", self.count)?;
        hours("window-hours", self.window_hours)
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        if view.is_merchant() && !self.merchants {
            return None;
        }
        let newest = view.newest_flow()?;
        let direction = newest.kind.direction();
        let just_below = |minor: u64| {
            minor < self.threshold
                && u128::from(minor) * 100 >= u128::from(self.threshold) * u128::from(self.from_percent)
        };
        let parts: Vec<_> = view
            .flows(self.reach_seconds())
            .filter(|flow| flow.kind.is_cash() && flow.kind.direction() == direction && just_below(flow.amount.minor()))
            .collect();
        if (parts.len() as u64) < self.count {
            return None;
        }
        let way = if direction == Direction::In { "in" } else { "out" };
        let (count, total) = (parts.len(), sum(&parts));
        let reason = format!(
            "{count} amounts of {total} in all were paid {way} within {} hours, each below the threshold of {} and at \
             least {} % of it",
            self.window_hours, self.threshold, self.from_percent
        );
        Some(Finding::of_flows(&parts, reason))
    }
}
