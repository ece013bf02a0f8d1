//! What a device tells unasked, for people and machines.

use serde_json::{Value, json};
use specie_core::text::Currency;
use specie_device::gateway::{Event, Summary, Told};

use super::show_minor;
use crate::printable::printable;

/// A line for people.
pub(super) fn human(event: &Event, currency: Option<Currency>) -> String {
    let amount = |minor: &u64| show_minor(*minor, currency);
    match event {
        Event::Paid { request, amount: minor } => format!("paid {}, request {}", amount(minor), hex::encode(request)),
        Event::Delivered { request } => format!("delivered: the payee has the payment {}", hex::encode(request)),
        Event::Received { request, amount: minor } => {
            format!("received {}, request {}", amount(minor), hex::encode(request))
        }
        Event::Refused(code) => format!("the other device does not go on [{}]", text(code)),
        Event::Failed(told) => format!("what the other device sent was not taken: {}", failure(told)),
        Event::Synchronised(summary) => format!(
            "synchronised: {} redeemed, {} notes and blanks withdrawn, {} parts not done",
            amount(&summary.redeemed),
            summary.withdrawn,
            summary.failures.len()
        ),
        Event::Enrolled => "enrolled".to_owned(),
        Event::NotEnrolled(told) => format!("not enrolled: {}", failure(told)),
    }
}

/// A document for machines.
pub(super) fn machine(event: &Event) -> Value {
    match event {
        Event::Paid { request, amount } => json!({ "event": "paid", "id": hex::encode(request), "amount": amount }),
        Event::Delivered { request } => json!({ "event": "delivered", "id": hex::encode(request) }),
        Event::Received { request, amount } => {
            json!({ "event": "received", "id": hex::encode(request), "amount": amount })
        }
        Event::Refused(code) => json!({ "event": "refused", "code": text(code) }),
        Event::Failed(told) => json!({ "event": "failed", "error": failure_fields(told) }),
        Event::Synchronised(summary) => json!({ "event": "synchronised", "summary": summary_fields(summary) }),
        Event::Enrolled => json!({ "event": "enrolled" }),
        Event::NotEnrolled(told) => json!({ "event": "not-enrolled", "error": failure_fields(told) }),
    }
}

pub(super) fn machines(events: &[Event]) -> Value {
    events.iter().map(machine).collect()
}

/// Lines about what happened before anybody listened.
pub(super) fn earlier(events: &[Event], currency: Option<Currency>) -> String {
    events.iter().map(|event| format!("  before this   {}\n", human(event, currency))).collect()
}

pub(super) fn summary_fields(summary: &Summary) -> Value {
    json!({
        "uploaded": summary.uploaded,
        "claimed": summary.claimed,
        "redeemed": summary.redeemed,
        "coins_refused": summary.refused,
        "withdrawn": summary.withdrawn,
        "account_balance": summary.account_balance,
        "failures": summary.failures.iter().map(failure_fields).collect::<Vec<_>>(),
    })
}

/// What went wrong, and what to do.
pub(super) fn failure(told: &Told) -> String {
    format!("{} [{}]; {}", printable(&told.what), printable(&told.code), printable(&told.advice))
}

/// The code that another device gave, which may be anything.
pub(super) fn text(code: &[u8]) -> String {
    let code = String::from_utf8_lossy(code);
    printable(&code.chars().take(64).collect::<String>())
}

fn failure_fields(told: &Told) -> Value {
    json!({
        "code": told.code,
        "what": told.what,
        "advice": told.advice,
        // That it moved, or may have.
        "money_moved": (!told.money_moved).then_some(false),
    })
}
