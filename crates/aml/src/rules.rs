//! The rules, and how they are run over a history.
//!
//! Every event is looked at once, in order, with what came before it, so that the same events give the same alerts however they
//! are cut into runs. An event counts once for each rule: those of an alert are not counted for a second one of the same rule.

mod dormant;
mod fan_in;
mod fan_out;
mod limit_probing;
mod pass_through;
mod round_trip;
mod structuring;
mod velocity;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use dormant::Dormant;
pub use fan_in::FanIn;
pub use fan_out::FanOut;
pub use limit_probing::LimitProbing;
pub use pass_through::PassThrough;
pub use round_trip::RoundTrip;
pub use structuring::Structuring;
pub use velocity::Velocity;

use crate::alert::Alert;
use crate::flow::{EventId, History};
use crate::settings::{Settings, Wrong};
use view::View;

/// A rule's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "each has a module that says what it is")]
pub enum RuleName {
    Structuring,
    Velocity,
    Dormant,
    FanIn,
    FanOut,
    RoundTrip,
    LimitProbing,
    PassThrough,
}

/// The events that each rule has counted in an alert.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counted(BTreeMap<RuleName, BTreeSet<EventId>>);

/// What a rule needs to be run.
pub(crate) trait Rule {
    /// Whether its thresholds make sense.
    fn check(&self) -> Result<(), Wrong>;

    /// How far back it looks, in seconds.
    fn reach_seconds(&self) -> u64;

    /// What the newest event completes, if anything.
    fn find(&self, view: &View<'_>) -> Option<Finding>;
}

/// What a rule found.
pub(crate) struct Finding {
    events: Vec<EventId>,
    reason: String,
}

macro_rules! names {
    ($($name:ident = $text:literal,)*) => {
        impl RuleName {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name, as in the settings.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The rule of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

names! {
    Structuring = "structuring",
    Velocity = "velocity",
    Dormant = "dormant",
    FanIn = "fan-in",
    FanOut = "fan-out",
    RoundTrip = "round-trip",
    LimitProbing = "limit-probing",
    PassThrough = "pass-through",
}

impl Counted {
    /// Marks what an alert is about as counted.
    pub fn add(&mut self, rule: RuleName, events: &[EventId]) {
        self.0.entry(rule).or_default().extend(events);
    }
}

impl Settings {
    /// How far back from an event a history has to go, in seconds; it needs the last flow before that too.
    pub fn reach_seconds(&self) -> u64 {
        self.rules().map(|(_, rule)| rule.reach_seconds()).max().unwrap_or(0)
    }

    /// What the events of `history` from place `from` on bring up. What came before is looked at and brings up nothing.
    pub fn evaluate(&self, history: &History, from: usize, counted: &mut Counted) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for newest in from..history.events.len() {
            for (name, rule) in self.rules() {
                let view = View::new(history, newest, counted.0.entry(name).or_default());
                let Some(found) = rule.find(&view) else { continue };
                counted.add(name, &found.events);
                let at = history.events[newest].at();
                alerts.push(Alert::new(name, self.version, history.customer, found.events, found.reason, at));
            }
        }
        alerts
    }
}
