//! Each rule at its threshold, and one step below it.

use specie_aml::Settings;
use specie_aml::alert::Alert;
use specie_aml::flow::{Counterparty, Event, Flow, FlowKind, History, Refusal};
use specie_aml::rules::{Counted, RuleName};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use FlowKind::{Deposit, Redemption, TransferIn, TransferOut, Withdrawal};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// A day far enough from 1970.
const START: u64 = 20_000 * DAY;

/// A history that grows.
struct Made(History);

impl Made {
    fn new() -> Self {
        let customer = Name::new("mallory").unwrap();
        Self(History { customer, merchant: false, tier_per_day: Amount::new(100_000).unwrap(), events: Vec::new() })
    }

    fn merchant(mut self) -> Self {
        self.0.merchant = true;
        self
    }

    fn id(&self) -> [u8; 16] {
        (self.0.events.len() as u128 + 1).to_be_bytes()
    }

    /// With a flow `at` seconds after the start; `other` is the counterparty or the device.
    fn flow(mut self, at: u64, kind: FlowKind, minor: u64, other: u8) -> Self {
        let name = |text: &str| Name::new(text).unwrap();
        let transfer = matches!(kind, TransferIn | TransferOut);
        let flow = Flow {
            id: self.id(),
            customer: self.0.customer,
            account: self.0.customer,
            kind,
            amount: Amount::new(minor).unwrap(),
            counterparty: transfer
                .then(|| Counterparty { psp: name("south"), account: name(&format!("account-{other}")) }),
            device: (!transfer && kind != Deposit).then_some(PublicKey([other; 32])),
            at: Timestamp::new(START + at).unwrap(),
        };
        self.0.events.push(Event::Flow(flow));
        self
    }

    fn refusal(mut self, at: u64, asked: u64, allowed: u64) -> Self {
        let refusal = Refusal {
            id: self.id(),
            customer: self.0.customer,
            device: PublicKey([1; 32]),
            asked: Amount::new(asked).unwrap(),
            allowed: Amount::new(allowed).unwrap(),
            at: Timestamp::new(START + at).unwrap(),
        };
        self.0.events.push(Event::Refusal(refusal));
        self
    }

    fn alerts(&self) -> Vec<Alert> {
        Settings::example().evaluate(&self.0, 0, &mut Counted::default())
    }

    fn rules(&self) -> Vec<RuleName> {
        self.alerts().iter().map(|alert| alert.rule).collect()
    }

    fn raises(self, rule: RuleName) {
        assert_eq!(self.rules(), [rule], "{:?}", self.alerts());
    }

    fn stays_quiet(self) {
        assert_eq!(self.rules(), [], "{:?}", self.alerts());
    }
}

/// As many flows as there are numbers.
fn many(count: u64, flow: impl Fn(Made, u64) -> Made) -> Made {
    (0..count).fold(Made::new(), flow)
}

#[test]
fn structuring() {
    let paid = |amounts: [u64; 3], last: u64, kind| {
        let times = [0, DAY, last];
        times.into_iter().zip(amounts).fold(Made::new(), |made, (at, minor)| made.flow(at, kind, minor, 1))
    };
    let week = 7 * DAY;
    paid([80_000, 99_999, 90_000], week, Deposit).raises(RuleName::Structuring);
    paid([80_000, 99_999, 90_000], week, Withdrawal).raises(RuleName::Structuring);
    paid([80_000, 99_999, 90_000], week + 1, Deposit).stays_quiet();
    paid([79_999, 99_999, 90_000], week, Deposit).stays_quiet();
    paid([80_000, 100_000, 90_000], week, Deposit).stays_quiet();
    paid([80_000, 99_999, 90_000], week, Deposit).merchant().stays_quiet();
    // In and out are not added up; transfers name their payer.
    Made::new()
        .flow(0, Deposit, 90_000, 1)
        .flow(1, Withdrawal, 90_000, 1)
        .flow(DAY, Redemption, 90_000, 2)
        .stays_quiet();
    paid([80_000, 99_999, 90_000], week, TransferOut).stays_quiet();
}

#[test]
fn velocity() {
    let quick = |count: u64, last| {
        let made = many(count - 1, |made, n| made.flow(n, Withdrawal, 100, 1));
        made.flow(last, Withdrawal, 100, 1)
    };
    quick(25, DAY).raises(RuleName::Velocity);
    quick(24, DAY).stays_quiet();
    // One day later than the first: one too few within a day.
    quick(25, DAY + 1).stays_quiet();
    let value = |minor| Made::new().flow(0, TransferIn, 300_000, 1).flow(DAY, TransferIn, minor, 1);
    value(300_001).raises(RuleName::Velocity);
    value(300_000).stays_quiet();
}

#[test]
fn dormant_then_active() {
    let woken = |pause: u64, amounts: [u64; 2]| {
        let made = Made::new().flow(0, Deposit, 5_000, 1).flow(pause, TransferIn, amounts[0], 1);
        made.flow(pause + 3 * DAY, Withdrawal, amounts[1], 1)
    };
    woken(180 * DAY, [40_000, 60_000]).raises(RuleName::Dormant);
    woken(180 * DAY - 1, [40_000, 60_000]).stays_quiet();
    woken(180 * DAY, [40_000, 59_999]).stays_quiet();
    // Out of the window of activity; and a new account has not slept.
    let slow = Made::new().flow(0, Deposit, 5_000, 1).flow(180 * DAY, TransferIn, 40_000, 1);
    slow.flow(183 * DAY + 1, Withdrawal, 60_000, 1).stays_quiet();
    Made::new().flow(200 * DAY, TransferIn, 100_000, 1).stays_quiet();
    // One alert for one waking, whatever follows.
    let more = woken(180 * DAY, [40_000, 60_000]).flow(183 * DAY + 1, Withdrawal, 100_000, 1);
    more.raises(RuleName::Dormant);
}

#[test]
fn fan_in() {
    let paid = |payers: u64, each: u64| many(payers, |made, n| made.flow(n * DAY, TransferIn, each, n as u8));
    paid(8, 12_500).raises(RuleName::FanIn);
    paid(7, 20_000).stays_quiet();
    paid(8, 12_499).stays_quiet();
    // The same payer again is no other payer.
    many(8, |made, n| made.flow(n * DAY, TransferIn, 20_000, n.min(6) as u8)).stays_quiet();
    paid(8, 12_500).merchant().stays_quiet();
}

#[test]
fn fan_out() {
    let pays = |payees: u64, each: u64| many(payees, |made, n| made.flow(n * 6 * HOUR, TransferOut, each, n as u8));
    pays(12, 8_334).raises(RuleName::FanOut);
    pays(11, 10_000).stays_quiet();
    pays(12, 8_333).stays_quiet();
    pays(12, 8_334).merchant().raises(RuleName::FanOut);
    // Devices are payees.
    many(12, |made, n| made.flow(n * 6 * HOUR, if n < 6 { Withdrawal } else { TransferOut }, 8_334, n as u8))
        .raises(RuleName::FanOut);
}

#[test]
fn round_trips() {
    let trips = |there: FlowKind, back: FlowKind, count: u64, hours: u64, returned: u64| {
        many(count, |made, n| {
            let at = n * 9 * DAY;
            made.flow(at, there, 20_000, 1).flow(at + hours * HOUR, back, returned, 1)
        })
    };
    for (there, back) in [(Withdrawal, Redemption), (TransferOut, TransferIn), (TransferIn, TransferOut)] {
        trips(there, back, 3, 72, 20_000).raises(RuleName::RoundTrip);
        trips(there, back, 3, 73, 20_000).stays_quiet();
        trips(there, back, 2, 72, 20_000).stays_quiet();
        trips(there, back, 4, 72, 19_000).raises(RuleName::RoundTrip);
        trips(there, back, 4, 72, 18_999).stays_quiet();
    }
    trips(TransferOut, Redemption, 4, 72, 20_000).stays_quiet();
    // To one account and back from another.
    let other =
        many(4, |made, n| made.flow(n * 7 * DAY, TransferOut, 20_000, 1).flow(n * 7 * DAY, TransferIn, 20_000, 2));
    other.stays_quiet();
    // A return belongs to one trip: three returns of two departures are two trips.
    let made = Made::new().flow(0, Withdrawal, 30_000, 1).flow(1, Withdrawal, 30_000, 1);
    (2..5).fold(made, |made, at| made.flow(at, Redemption, 30_000, 1)).stays_quiet();
}

#[test]
fn limit_probing() {
    let asked = |amounts: [u64; 3], last: u64| {
        let times = [0, HOUR, last];
        times.into_iter().zip(amounts).fold(Made::new(), |made, (at, asked)| made.refusal(at, asked, 50_000))
    };
    asked([55_000, 52_500, 50_001], DAY).raises(RuleName::LimitProbing);
    asked([55_000, 52_500, 50_001], DAY + 1).stays_quiet();
    asked([55_001, 52_500, 50_001], DAY).stays_quiet();
    // Pressing the same button again is no search.
    asked([55_000, 55_000, 50_001], DAY).stays_quiet();
    asked([55_000, 52_500, 50_000], DAY).stays_quiet();
}

#[test]
fn pass_through() {
    let passes = |value: u64, out: u64, last: u64| {
        let made = Made::new().flow(0, TransferIn, value, 1).flow(HOUR, TransferIn, 50_000, 2);
        made.flow(last, TransferOut, out, 3)
    };
    passes(100_000, 135_000, 2 * DAY).raises(RuleName::PassThrough);
    passes(100_000, 135_000, 2 * DAY + 1).stays_quiet();
    passes(100_000, 134_999, 2 * DAY).stays_quiet();
    passes(99_999, 149_999, 2 * DAY).stays_quiet();
    // Much more than came in goes out: that is spending.
    passes(100_000, 165_001, 2 * DAY).stays_quiet();
    passes(100_000, 135_000, 2 * DAY).merchant().stays_quiet();
    // What went out before it came in was not passed through.
    let before = Made::new().flow(0, TransferOut, 140_000, 3).flow(1, TransferIn, 100_000, 1);
    before.flow(2, TransferIn, 50_000, 1).flow(3, TransferOut, 100, 1).stays_quiet();
}

#[test]
fn the_same_events_give_the_same_alerts_however_they_are_cut() {
    let made = many(40, |made, n| {
        let made = made.flow(n * 5 * HOUR, Deposit, 80_000 + n, 1).flow(n * 5 * HOUR + 1, TransferOut, 80_000, n as u8);
        made.refusal(n * 5 * HOUR + 2, 50_001 + n, 50_000)
    });
    let whole = made.alerts();
    assert!(whole.len() > 20, "{whole:?}");
    for step in [1, 2, 7, 119] {
        let (mut counted, mut alerts, mut history) = (Counted::default(), Vec::new(), made.0.clone());
        for end in (0..made.0.events.len()).step_by(step).chain([made.0.events.len()]) {
            let from = end.saturating_sub(step);
            let from = if end == made.0.events.len() { (end - 1) / step * step } else { from };
            history.events = made.0.events[..end].to_vec();
            alerts.extend(Settings::example().evaluate(&history, from, &mut counted));
        }
        assert_eq!(alerts, whole, "in runs of {step}");
        // Run again over what was looked at, nothing new comes up.
        assert_eq!(Settings::example().evaluate(&made.0, 0, &mut counted.clone()).len(), 0);
    }
    let ids: std::collections::BTreeSet<_> = whole.iter().map(|alert| alert.id).collect();
    assert_eq!(ids.len(), whole.len(), "every alert has a name of its own");
}
