//! Fan-in: many payers to one account, which collects for somebody.
//!
//! AMLSim's typology `fan_in`. FATF, *Virtual Assets Red Flag Indicators* (2020): "Incoming transactions from many unrelated
//! wallets in relatively small amounts (accumulation of funds)". Many payers are what a merchant is for: the settings say whether
//! merchants are looked at.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::view::{View, sum};
use super::{Finding, Rule};
use crate::flow::FlowKind;
use crate::settings::{Wrong, amount, count, hours};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FanIn {
    /// So many different payers are too many.
    pub payers: u64,
    /// If they pay so much together, in minor units.
    pub value: u64,
    /// Within so many hours.
    pub window_hours: u64,
    /// Whether merchants are looked at.
    pub merchants: bool,
}

impl Rule for FanIn {
    fn check(&self) -> Result<(), Wrong> {
        count("payers", self.payers)?;
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
        let flows: Vec<_> = view.flows(self.reach_seconds()).filter(|flow| flow.kind == FlowKind::TransferIn).collect();
        let payers: BTreeSet<_> = flows.iter().filter_map(|flow| flow.counterparty.as_ref()).collect();
        let total = sum(&flows);
        if (payers.len() as u64) < self.payers || total < u128::from(self.value) {
            return None;
        }
        let reason = format!("{} payers sent {total} within {} hours", payers.len(), self.window_hours);
        Some(Finding::of_flows(&flows, reason))
    }
}
