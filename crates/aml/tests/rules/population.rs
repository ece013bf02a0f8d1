//! Customers of whom it is known what they do: honest ones of several walks of life, and launderers who live like one of them and
//! launder beside. A seed reproduces everything.
//!
//! Amounts are for a currency with cents and the example tiers. Nothing here is measured: it is made up so that every rule meets
//! honest customers that look like its launderers, and launderers that keep below its thresholds.

use specie_aml::flow::{Counterparty, Event, EventId, Flow, FlowKind, History, Refusal};
use specie_aml::rules::RuleName;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use FlowKind::{Deposit, Redemption, TransferIn, TransferOut, Withdrawal};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// The first second of the year that is played.
const START: u64 = 20_000 * DAY;
/// How many days are played.
pub(crate) const DAYS: u64 = 360;

/// A customer of whom it is known what they do.
pub(crate) struct Player {
    /// The typology, for a launderer.
    pub(crate) launders: Option<RuleName>,
    /// The walk of life.
    pub(crate) walk: &'static str,
    /// What the PSP sees.
    pub(crate) history: History,
}

/// Reproducible choices (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll() % (high - low + 1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }
}

/// A year of one customer, in the making.
struct Life {
    dice: Dice,
    merchant: bool,
    events: Vec<(u64, Event)>,
    count: u64,
}

/// `honest` customers, and for every rule `launderers` of its typology.
pub(crate) fn population(seed: u64, honest: u64, launderers: u64) -> Vec<Player> {
    let mut dice = Dice(seed);
    let mut players: Vec<_> = (0..honest).map(|n| honest_player(Dice(dice.roll()), n)).collect();
    for rule in RuleName::ALL {
        players.extend((0..launderers).map(|n| launderer(Dice(dice.roll()), *rule, n)));
    }
    players
}

fn honest_player(dice: Dice, n: u64) -> Player {
    let mut life = Life::new(dice);
    let (walk, live): (_, fn(&mut Life)) = match life.dice.between(1, 100) {
        1..=55 => ("worker", Life::worker),
        56..=65 => ("two-wages", Life::two_wages),
        66..=75 => ("traveller", Life::traveller),
        76..=90 => ("shop", Life::shop),
        91..=93 => ("employer", Life::employer),
        94..=95 => ("treasurer", Life::treasurer),
        _ => ("family", Life::family),
    };
    live(&mut life);
    life.end(None, walk, n)
}

fn launderer(dice: Dice, rule: RuleName, n: u64) -> Player {
    let mut life = Life::new(dice);
    if rule != RuleName::Dormant {
        life.worker();
    }
    life.launder(rule);
    life.end(Some(rule), rule.as_str(), n)
}

impl Life {
    fn new(dice: Dice) -> Self {
        Self { dice, merchant: false, events: Vec::new(), count: 0 }
    }

    fn end(mut self, launders: Option<RuleName>, walk: &'static str, n: u64) -> Player {
        self.events.sort_by_key(|(at, _)| *at);
        let customer = name(&format!("{walk}-{n}"));
        let tier_per_day = Amount::new(if self.merchant { 500_000 } else { 100_000 }).unwrap();
        let events = self.events.into_iter().map(|(_, event)| event).collect();
        Player { launders, walk, history: History { customer, merchant: self.merchant, tier_per_day, events } }
    }

    fn id(&mut self) -> EventId {
        self.count += 1;
        u128::from(self.count).to_be_bytes()
    }

    /// A flow at a second of the year, with this counterparty or device.
    fn flow(&mut self, at: u64, kind: FlowKind, minor: u64, other: u64) {
        let transfer = matches!(kind, TransferIn | TransferOut);
        let counterparty = || Counterparty { psp: name("south"), account: name(&format!("account-{other}")) };
        let flow = Flow {
            id: self.id(),
            customer: name("customer"),
            account: name("customer"),
            kind,
            amount: Amount::new(minor).unwrap(),
            counterparty: transfer.then(counterparty),
            device: (!transfer && kind != Deposit).then_some(PublicKey([other as u8; 32])),
            at: Timestamp::new(START + at).unwrap(),
        };
        self.events.push((at, Event::Flow(flow)));
    }

    fn refusal(&mut self, at: u64, asked: u64, allowed: u64) {
        let refusal = Refusal {
            id: self.id(),
            customer: name("customer"),
            device: PublicKey([1; 32]),
            asked: Amount::new(asked).unwrap(),
            allowed: Amount::new(allowed).unwrap(),
            at: Timestamp::new(START + at).unwrap(),
        };
        self.events.push((at, Event::Refusal(refusal)));
    }

    fn flow_of(&mut self, at: u64, kind: FlowKind, low: u64, high: u64, other: u64) {
        let minor = self.dice.between(low, high);
        self.flow(at, kind, minor, other);
    }

    /// An hour at which people are awake, of that day.
    fn daytime(&mut self, day: u64) -> u64 {
        day * DAY + self.dice.between(7 * HOUR, 22 * HOUR)
    }

    /// A salary, a rent, cash for the week, friends, now and then something else.
    fn worker(&mut self) {
        let (salary, rent) = (self.dice.between(180_000, 350_000), self.dice.between(60_000, 110_000));
        for day in 0..DAYS {
            let at = self.daytime(day);
            match day % 30 {
                0 => self.flow(at, TransferIn, salary, 100),
                2 => self.flow(at, TransferOut, rent, 101),
                _ => {}
            }
            if self.dice.percent(18) {
                self.cash_for_the_week(at);
            }
            if self.dice.percent(12) {
                let friend = self.dice.between(1, 6);
                let kind = if self.dice.percent(60) { TransferOut } else { TransferIn };
                self.flow_of(at + HOUR, kind, 1_000, 12_000, friend);
            }
            if self.dice.percent(3) {
                self.flow_of(at, Deposit, 2_000, 30_000, 0);
            }
            if self.dice.percent(1) {
                self.too_much(at);
            }
        }
        if self.dice.percent(4) {
            self.sells_a_car();
        }
    }

    /// Money for the device; some of it comes back, now and then all.
    fn cash_for_the_week(&mut self, at: u64) {
        let minor = self.dice.between(2_000, 20_000);
        self.flow(at, Withdrawal, minor, 1);
        if self.dice.percent(8) {
            let back = if self.dice.percent(30) { minor } else { self.dice.between(500, minor) };
            let days = self.dice.between(1, 5);
            self.flow(at + days * DAY, Redemption, back, 1);
        }
    }

    /// Asks for more than is allowed, and once or twice again.
    fn too_much(&mut self, at: u64) {
        for again in 0..self.dice.between(1, 3) {
            let asked = self.dice.between(50_001, 80_000);
            self.refusal(at + again * 60, asked, 50_000);
        }
    }

    /// The buyer pays in parts.
    fn sells_a_car(&mut self) {
        let day = self.dice.between(30, DAYS - 30);
        for part in 0..self.dice.between(2, 4) {
            let at = self.daytime(day + part);
            self.flow_of(at, Deposit, 60_000, 140_000, 0);
        }
    }

    /// Two wages, most of which is gone within days.
    fn two_wages(&mut self) {
        let wage = self.dice.between(70_000, 110_000);
        for month in 0..DAYS / 30 {
            let payday = self.daytime(month * 30);
            let later = self.dice.between(0, 3) * DAY;
            self.flow(payday, TransferIn, wage, 100);
            self.flow(payday + later, TransferIn, wage - 5_000, 102);
            self.flow(payday + later + 5 * HOUR, TransferOut, wage * 9 / 10, 101);
            let rest = wage * self.dice.between(20, 100) / 100;
            let wait = self.dice.between(6 * HOUR, 3 * DAY);
            self.flow(payday + later + wait, Withdrawal, rest.min(100_000), 1);
        }
    }

    /// Uses the account on two journeys of a year.
    fn traveller(&mut self) {
        let pause = self.dice.between(90, 260);
        for first in [5, 5 + pause] {
            let (at, days) = (self.daytime(first), self.dice.between(2, 10));
            self.flow_of(at, Deposit, 20_000, 90_000, 0);
            for day in 0..days {
                let at = self.daytime(first + day) + 12 * HOUR;
                self.flow_of(at, Withdrawal, 2_000, 15_000, 1);
            }
        }
    }

    /// Redeems its takings every day and pays suppliers twice a week.
    fn shop(&mut self) {
        self.merchant = true;
        let takings = self.dice.between(15_000, 140_000);
        for day in 0..DAYS {
            if day % 7 == 6 {
                continue;
            }
            let at = day * DAY + 20 * HOUR;
            self.flow_of(at, Redemption, takings * 7 / 10, takings * 13 / 10, 1);
            for _ in 0..self.dice.between(0, 3) {
                let (at, customer) = (self.daytime(day), self.dice.between(1, 200));
                self.flow_of(at, TransferIn, 500, 20_000, customer);
            }
            if day % 3 == 0 {
                let supplier = self.dice.between(201, 206);
                self.flow_of(at + HOUR, TransferOut, takings * 2, takings * 3, supplier);
            }
        }
    }

    /// Is paid by few and pays wages to many on one day.
    fn employer(&mut self) {
        self.merchant = true;
        let (people, wage) = (self.dice.between(4, 30), self.dice.between(150_000, 250_000));
        for month in 0..DAYS / 30 {
            let at = self.daytime(month * 30 + 20);
            self.flow(at, TransferIn, people * wage * 13 / 10, 300);
            for person in 0..people {
                self.flow(at + 3 * DAY + person * 60, TransferOut, wage, person);
            }
        }
    }

    /// A worker who collects the dues of a club once a year.
    fn treasurer(&mut self) {
        self.worker();
        let (first, members) = (self.dice.between(20, 300), self.dice.between(5, 30));
        for member in 0..members {
            let day = first + self.dice.between(0, 20);
            let at = self.daytime(day);
            self.flow(at, TransferIn, 12_000, 400 + member);
        }
    }

    /// A worker who fills the family's devices every week.
    fn family(&mut self) {
        self.worker();
        let devices = self.dice.between(2, 3);
        for week in 0..DAYS / 7 {
            for device in 1..=devices {
                let at = self.daytime(week * 7);
                self.flow_of(at, Withdrawal, 1_000, 8_000, device);
            }
        }
    }

    /// Somewhere in the year, in the way of that typology.
    fn launder(&mut self, rule: RuleName) {
        let day = self.dice.between(30, 300);
        let start = self.daytime(day);
        match rule {
            RuleName::Structuring => self.structuring(start),
            RuleName::Velocity => self.velocity(start),
            RuleName::Dormant => self.sleeper(),
            RuleName::FanIn => self.fan(start, TransferIn),
            RuleName::FanOut => self.fan(start, TransferOut),
            RuleName::RoundTrip => self.round_trips(start),
            RuleName::LimitProbing => self.probing(start),
            RuleName::PassThrough => self.mule(start),
        }
    }

    fn structuring(&mut self, start: u64) {
        let mut at = start;
        for _ in 0..self.dice.between(3, 8) {
            self.flow_of(at, Deposit, 76_000, 99_900, 0);
            at += self.dice.between(6 * HOUR, 60 * HOUR);
        }
    }

    fn velocity(&mut self, start: u64) {
        let (count, largest) = (self.dice.between(14, 60), self.dice.between(5_000, 60_000));
        for _ in 0..count {
            let at = start + self.dice.between(0, DAY);
            self.flow_of(at, TransferIn, largest / 2, largest, 100);
        }
    }

    fn sleeper(&mut self) {
        let wakes = self.dice.between(140, 320);
        self.flow_of(5 * DAY, Deposit, 1_000, 10_000, 0);
        for _ in 0..self.dice.between(2, 5) {
            let at = wakes * DAY + self.dice.between(0, 4 * DAY);
            self.flow_of(at, TransferIn, 30_000, 120_000, 1);
            self.flow_of(at + 5 * HOUR, TransferOut, 30_000, 120_000, 2);
        }
    }

    fn fan(&mut self, start: u64, kind: FlowKind) {
        let (others, days) = (self.dice.between(7, 24), self.dice.between(1, 6));
        for other in 0..others {
            let at = start + self.dice.between(0, days * DAY);
            self.flow_of(at, kind, 6_000, 30_000, 500 + other);
        }
    }

    fn round_trips(&mut self, start: u64) {
        let minor = self.dice.between(15_000, 60_000);
        for trip in 0..self.dice.between(2, 6) {
            let at = start + trip * self.dice.between(3 * DAY, 6 * DAY);
            let back = at + self.dice.between(12 * HOUR, 84 * HOUR);
            self.flow(at, TransferOut, minor, 600);
            self.flow_of(back, TransferIn, minor * 93 / 100, minor, 600);
        }
    }

    fn probing(&mut self, start: u64) {
        for _ in 0..self.dice.between(2, 8) {
            let (at, asked) = (start + self.dice.between(0, DAY), self.dice.between(50_001, 58_000));
            self.refusal(at, asked, 50_000);
        }
    }

    fn mule(&mut self, start: u64) {
        let mut total = 0;
        for payer in 0..self.dice.between(2, 5) {
            let minor = self.dice.between(40_000, 180_000);
            total += minor;
            self.flow(start + payer * 2 * HOUR, TransferIn, minor, 700 + payer);
        }
        let passed = total * self.dice.between(86, 100) / 100;
        let wait = self.dice.between(12 * HOUR, 50 * HOUR);
        self.flow(start + wait, TransferOut, passed / 2, 800);
        self.flow(start + wait + 30 * 60, Withdrawal, passed - passed / 2, 1);
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}
