//! Pass-through: an account that keeps nothing of what it gets; its owner lends it to somebody, knowingly or not (a money mule).
//!
//! FFIEC Appendix F: "Many small, incoming transfers of funds are received ... Almost immediately, all or most of the transfers
//! or deposits are wired to another city or country in a manner inconsistent with the customer's business or history." AMLSim's
//! `gather_scatter` has it as its middle. A shop that sends its takings on every day does the same: the settings say whether
//! merchants are looked at.

use serde::{Deserialize, Serialize};

use super::view::View;
use super::{Finding, Rule};
use crate::flow::Direction;
use crate::settings::{Wrong, amount, count, hours, percent};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PassThrough {
    /// So much has to come in, in minor units.
    pub value: u64,
    /// In at least so many flows.
    pub count: u64,
    /// Of which this part goes out again, and not more than as much above all of it.
    pub percent: u64,
    /// Within so many hours.
    pub window_hours: u64,
    /// Whether merchants are looked at.
    pub merchants: bool,
}

impl Rule for PassThrough {
    fn check(&self) -> Result<(), Wrong> {
        amount("value", self.value)?;
        count("count", self.count)?;
        percent("percent", self.percent, 50..=100)?;
        hours("window-hours", self.window_hours)
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        if (view.is_merchant() && !self.merchants) || view.newest_flow()?.kind.direction() == Direction::In {
            return None;
        }
        let is_in = |flow: &&crate::flow::Flow| flow.kind.direction() == Direction::In;
        // What went out before anything came in was not passed through.
        let flows: Vec<_> = view.flows(self.reach_seconds()).skip_while(|flow| !is_in(flow)).collect();
        let (mut came, mut went, mut passed, mut count) = (0_u128, 0_u128, 0_u128, 0_u64);
        for flow in &flows {
            let minor = u128::from(flow.amount.minor());
            if is_in(flow) {
                came += minor;
                count += 1;
            } else {
                went += minor;
                passed += minor.min(came - passed);
            }
        }
        let percent = u128::from(self.percent);
        let passes = passed * 100 >= came * percent && went * 100 <= came * (200 - percent);
        if came < u128::from(self.value) || count < self.count || !passes {
            return None;
        }
        let reason =
            format!("of {came} that came in {count} flows {passed} went out again within {} hours", self.window_hours);
        Some(Finding::of_flows(&flows, reason))
    }
}
