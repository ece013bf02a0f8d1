//! What a rule found.

use specie_core::text::Name;
use specie_core::{Timestamp, hash, label};

use crate::flow::EventId;
use crate::rules::RuleName;

/// Names an alert: the same rule over the same events of the same customer is the same alert.
pub type AlertId = [u8; 16];

/// A rule found something. It accuses nobody: it asks a person to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Names it.
    pub id: AlertId,
    /// Which rule.
    pub rule: RuleName,
    /// Which version of the settings.
    pub version: u32,
    /// Whose account.
    pub customer: Name,
    /// The flows or refusals that it is about, oldest first.
    pub events: Vec<EventId>,
    /// Why, in plain words; amounts in minor units.
    pub reason: String,
    /// When the last of the events was.
    pub at: Timestamp,
}

impl Alert {
    pub(crate) fn new(
        rule: RuleName,
        version: u32,
        customer: Name,
        events: Vec<EventId>,
        reason: String,
        at: Timestamp,
    ) -> Self {
        let mut parts: Vec<&[u8]> = vec![rule.as_str().as_bytes(), customer.as_str().as_bytes()];
        parts.extend(events.iter().map(|event| event.as_slice()));
        let wide = hash::h32(label::AML_ALERT, &parts);
        let id = wide[..16].try_into().expect("16 of 32 bytes");
        Self { id, rule, version, customer, events, reason, at }
    }
}
