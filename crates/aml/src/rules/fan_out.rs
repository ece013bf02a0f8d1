//! Fan-out: one account that pays many others, or fills many devices, which scatter its money.
//!
//! AMLSim's typology `fan_out`. FFIEC Appendix F: "Unusually large number and variety of beneficiaries are receiving funds
//! transfers from one company." A device funded by the account counts like a payee: it can be handed on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::view::{View, sum};
use super::{Finding, Rule};
use crate::flow::Direction;
use crate::settings::{Wrong, amount, count, hours};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FanOut {
    /// So many different payees and devices are too many.
    pub payees: u64,
    /// If they get so much together, in minor units.
    pub value: u64,
    /// Within so many hours.
    pub window_hours: u64,
    /// Whether merchants are looked at.
    pub merchants: bool,
}

impl Rule for FanOut {
    fn check(&self) -> Result<(), Wrong> {
        count("payees", self.payees)?;
        amount("value", self.value)?;
        hours("window-hours", self.window_hours)
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        if view.is_merchant() && !self.merchants {
            return None;
        }
        let flows: Vec<_> =
            view.flows(self.reach_seconds()).filter(|flow| flow.kind.direction() == Direction::Out).collect();
        let payees: BTreeSet<_> = flows.iter().filter_map(|flow| flow.counterparty.as_ref()).collect();
        let devices: BTreeSet<_> = flows.iter().filter_map(|flow| flow.device.map(|device| device.0)).collect();
        let total = sum(&flows);
        if ((payees.len() + devices.len()) as u64) < self.payees || total < u128::from(self.value) {
            return None;
        }
        let reason = format!(
            "{} payees and {} devices got {total} within {} hours",
            payees.len(),
            devices.len(),
            self.window_hours
        );
        Some(Finding::of_flows(&flows, reason))
    }
}
