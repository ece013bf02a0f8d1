//! Limit probing: asking again and again for a little more than a limit allows, to find where it lies.
//!
//! FFIEC Appendix F, "Efforts to avoid reporting or recordkeeping requirement": who plans amounts has to know the limits. Asking
//! for the same amount again is what people do who do not believe the answer: only different amounts count.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::view::View;
use super::{Finding, Rule};
use crate::settings::{Wrong, count, hours, percent};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitProbing {
    /// So many different amounts are too many.
    pub count: u64,
    /// Up to this part of what is allowed above it is a little more.
    pub above_percent: u64,
    /// Within so many hours.
    pub window_hours: u64,
}

impl Rule for LimitProbing {
    fn check(&self) -> Result<(), Wrong> {
        count("count", self.count)?;
        percent("above-percent", self.above_percent, 1..=1_000)?;
        hours("window-hours", self.window_hours)
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        let just_above = |asked: u64, allowed: u64| {
            asked > allowed && u128::from(asked - allowed) * 100 <= u128::from(allowed) * u128::from(self.above_percent)
        };
        let refusals: Vec<_> = view
            .refusals(self.reach_seconds())
            .filter(|refusal| just_above(refusal.asked.minor(), refusal.allowed.minor()))
            .collect();
        let amounts: BTreeSet<_> = refusals.iter().map(|refusal| refusal.asked).collect();
        if (amounts.len() as u64) < self.count {
            return None;
        }
        let reason = format!(
            "{} different amounts were asked for within {} hours that were at most {} % more than was allowed, and refused",
            amounts.len(),
            self.window_hours,
            self.above_percent
        );
        Some(Finding::of_refusals(&refusals, reason))
    }
}
