//! Round trips: money that goes out and comes back the same way, again and again, to look like trade.
//!
//! AMLSim's typology `cycle`, of which one PSP sees one account. FFIEC Appendix F: "Suspicious movements of funds occur from one
//! bank to another, and then funds are moved back to the first bank", and "Funds transfers are sent or received from the same
//! person". Two ways are looked at: to a device and back, and to and from the same other account.

use serde::{Deserialize, Serialize};

use super::view::View;
use super::{Finding, Rule};
use crate::flow::{Flow, FlowKind};
use crate::settings::{Wrong, amount, count, hours, percent};

/// Thresholds of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoundTrip {
    /// So many trips are too many.
    pub trips: u64,
    /// If so much comes back on them, in minor units.
    pub value: u64,
    /// A trip lasts at most so many hours.
    pub return_hours: u64,
    /// By so much may what comes back differ from what went.
    pub tolerance_percent: u64,
    /// Within so many hours.
    pub window_hours: u64,
}

impl RoundTrip {
    fn is_return(&self, there: &Flow, back: &Flow) -> bool {
        let pair = (there.kind, back.kind);
        let same_way = match pair {
            (FlowKind::Withdrawal, FlowKind::Redemption) => true,
            (FlowKind::TransferOut, FlowKind::TransferIn) | (FlowKind::TransferIn, FlowKind::TransferOut) => {
                there.counterparty.is_some() && there.counterparty == back.counterparty
            }
            _ => false,
        };
        let (went, came) = (u128::from(there.amount.minor()), u128::from(back.amount.minor()));
        let alike = went.abs_diff(came) * 100 <= went * u128::from(self.tolerance_percent);
        same_way && alike && back.at <= there.at.saturating_add(self.return_hours * 3_600)
    }
}

impl Rule for RoundTrip {
    fn check(&self) -> Result<(), Wrong> {
        count("trips", self.trips)?;
        amount("value", self.value)?;
        hours("return-hours", self.return_hours)?;
        percent("tolerance-percent", self.tolerance_percent, 0..=50)?;
        hours("window-hours", self.window_hours)
    }

    fn reach_seconds(&self) -> u64 {
        self.window_hours * 3_600
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        let flows: Vec<_> = view.flows(self.reach_seconds()).collect();
        let newest = view.newest_flow()?;
        if !flows.iter().any(|there| self.is_return(there, newest)) {
            return None;
        }
        let mut used = vec![false; flows.len()];
        let (mut trips, mut value) = (Vec::new(), 0_u128);
        for back in 0..flows.len() {
            // The first that it can be the return of: each goes once.
            let there = (0..back).find(|&there| !used[there] && self.is_return(flows[there], flows[back]));
            if let Some(there) = there {
                (used[there], used[back]) = (true, true);
                trips.extend([flows[there], flows[back]]);
                value += u128::from(flows[back].amount.minor());
            }
        }
        let count = (trips.len() / 2) as u64;
        if count < self.trips || value < u128::from(self.value) {
            return None;
        }
        let reason = format!(
            "{count} times money went out or came in and its return followed within {} hours, {value} in all within {} \
             hours",
            self.return_hours, self.window_hours
        );
        trips.sort_by_key(|flow| flow.at);
        Some(Finding::of_flows(&trips, reason))
    }
}
