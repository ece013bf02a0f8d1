//! What a rule may see: a history up to its newest event, without what the rule has counted before.

use std::collections::BTreeSet;

use specie_core::Amount;

use super::Finding;
use crate::flow::{Direction, Event, EventId, Flow, History, Refusal};

/// Events are in the order of the books; the clock may have been set back by so much between two of them.
const CLOCK_BACK_SECONDS: u64 = 7 * 86_400;

/// A history up to one event.
pub(crate) struct View<'h> {
    history: &'h History,
    events: &'h [Event],
    counted: &'h BTreeSet<EventId>,
}

impl<'h> View<'h> {
    /// The history up to the event at place `newest`, which must be one.
    pub(super) fn new(history: &'h History, newest: usize, counted: &'h BTreeSet<EventId>) -> Self {
        Self { history, events: &history.events[..=newest], counted }
    }

    pub(super) fn is_merchant(&self) -> bool {
        self.history.merchant
    }

    pub(super) fn tier_per_day(&self) -> Amount {
        self.history.tier_per_day
    }

    /// All flows, counted or not, oldest first.
    pub(super) fn all_flows(&self) -> impl DoubleEndedIterator<Item = &'h Flow> {
        self.events.iter().filter_map(Event::flow)
    }

    /// The newest event's flow, if it is one.
    pub(super) fn newest_flow(&self) -> Option<&'h Flow> {
        self.events.last().and_then(Event::flow)
    }

    pub(super) fn is_counted(&self, flow: &Flow) -> bool {
        self.counted.contains(&flow.id)
    }

    /// Flows of the last `seconds` that are not counted, oldest first.
    pub(super) fn flows(&self, seconds: u64) -> impl Iterator<Item = &'h Flow> {
        self.window(seconds).filter_map(Event::flow)
    }

    /// Refusals of the last `seconds` that are not counted, oldest first.
    pub(super) fn refusals(&self, seconds: u64) -> impl Iterator<Item = &'h Refusal> {
        self.window(seconds).filter_map(Event::refusal)
    }

    fn window(&self, seconds: u64) -> impl Iterator<Item = &'h Event> {
        let newest = self.events.last().map(Event::at).unwrap_or_default();
        let counted = self.counted;
        let is_far = |event: &Event| event.at().saturating_add(seconds + CLOCK_BACK_SECONDS) < newest;
        let first = self.events.iter().rposition(is_far).map_or(0, |far| far + 1);
        self.events[first..]
            .iter()
            .filter(move |event| event.at().saturating_add(seconds) >= newest && !counted.contains(&event.id()))
    }
}

impl Finding {
    /// Something found in these flows.
    pub(super) fn of_flows(flows: &[&Flow], reason: String) -> Self {
        Self { events: flows.iter().map(|flow| flow.id).collect(), reason }
    }

    /// Something found in these refusals.
    pub(super) fn of_refusals(refusals: &[&Refusal], reason: String) -> Self {
        Self { events: refusals.iter().map(|refusal| refusal.id).collect(), reason }
    }
}

/// What flows come to.
pub(super) fn sum<'f>(flows: impl IntoIterator<Item = &'f &'f Flow>) -> u128 {
    flows.into_iter().map(|flow| u128::from(flow.amount.minor())).sum()
}

/// Of these flows the ones of one direction.
pub(super) fn of_direction<'f>(flows: &[&'f Flow], direction: Direction) -> Vec<&'f Flow> {
    flows.iter().filter(|flow| flow.kind.direction() == direction).copied().collect()
}
