//! Dormant, then active: an account that slept for months wakes to large flows; sold and taken over accounts do.
//!
//! FFIEC Appendix F: "an account with little activity may suddenly experience large deposit and withdrawal activity". FATF,
//! *Virtual Assets Red Flag Indicators* (2020), names transfers "to a newly created or to a previously inactive account". A new
//! account has not slept: there has to be a flow before the pause.

use serde::{Deserialize, Serialize};

use super::view::{View, sum};
use super::{Finding, Rule};
use crate::settings::{Wrong, amount, hours};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dormant {
    /// An account without a flow for so many hours slept.
    pub dormant_hours: u64,
    /// What flows within so many hours from its waking on is counted.
    pub active_hours: u64,
    /// So much of it is too much, in minor units.
    pub value: u64,
}

impl Rule for Dormant {
    fn check(&self) -> Result<(), Wrong> {
        hours("dormant-hours", self.dormant_hours)?;
        hours("active-hours", self.active_hours)?;
        amount("value", self.value)
    }

    fn reach_seconds(&self) -> u64 {
        // The flow before the pause is the one more that a history has.
        self.active_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        let newest = view.newest_flow()?.at;
        let (asleep, awake) = (self.dormant_hours * 3_600, self.active_hours * 3_600);
        let mut flows = view.all_flows().rev().peekable();
        let mut since = Vec::new();
        let pause = loop {
            let flow = flows.next().filter(|flow| flow.at.saturating_add(awake) >= newest && !view.is_counted(flow))?;
            since.push(flow);
            let before = flows.peek()?.at;
            if before.saturating_add(asleep) <= flow.at {
                break flow.at.seconds() - before.seconds();
            }
        };
        since.reverse();
        let total = sum(&since);
        if total < u128::from(self.value) {
            return None;
        }
        let reason = format!(
            "{total} moved in {} flows within {} hours after {} days without any",
            since.len(),
            self.active_hours,
            pause / 86_400
        );
        Some(Finding::of_flows(&since, reason))
    }
}
