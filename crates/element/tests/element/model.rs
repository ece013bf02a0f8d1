//! The specification as a plain map: what every command does to the state, without flash.

use std::collections::BTreeMap;

use specie_element::client::{MandateUse, Status};
use specie_element::instruction::LifeCycle;
use specie_element::status::StatusWord;

use crate::support::{CAP, FACE, RECORDS};

/// What is known of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Open,
    Value,
    Blank {
        expects: u64,
        holds: u64,
    },
    /// Shown, with the context of what was shown.
    Spent(u8),
}

/// A transfer of the scenario: an index, its output to a stranger, and its outputs to own blanks.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) index: u32,
    pub(crate) leaves: u64,
    pub(crate) own: Vec<(u32, u64)>,
    pub(crate) context: u8,
    /// Under the mandate, at this time by the host's clock.
    pub(crate) mandated_at: Option<u64>,
}

/// Commands of the scenario.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Generate,
    Personalise,
    Verify(&'static [u8]),
    ChangePin(&'static [u8], &'static [u8]),
    Unblock(&'static [u8], &'static [u8]),
    Manifest {
        sequence: u64,
        issued_at: u64,
    },
    Limits {
        sequence: u64,
        issued_at: u64,
        max_payment: u64,
        max_cumulative: u64,
    },
    Mandate {
        sequence: u64,
        max_per_period: u64,
        max_total: u64,
    },
    Nonces {
        expected: u32,
        count: u8,
    },
    Register(u32),
    OwnerTag(u32, u64),
    Release(u32),
    Spend(Payment),
    Forget(u32),
    Wipe {
        even_so: bool,
    },
    /// With this byte as the nonce.
    Totals(u8),
}

/// The whole state of an element that lasts over a power cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) status: Status,
    pub(crate) pin: Option<&'static [u8]>,
    pub(crate) puk_tries: u8,
    last_count: u8,
    pub(crate) used: MandateUse,
    max_per_period: u64,
    max_total: u64,
    pub(crate) records: BTreeMap<u32, Record>,
}

impl Model {
    pub(crate) fn new() -> Self {
        let status = Status {
            life_cycle: LifeCycle::Factory,
            pin_tries_left: None,
            next_index: 0,
            records_used: 0,
            records_free: RECORDS as u32,
            manifest_sequence: 0,
            time_floor: 0,
            limits_sequence: 0,
            max_payment: 0,
            max_cumulative: 0,
            max_holding: 0,
            valid_until: 0,
            spent: 0,
            held: 0,
        };
        let used = MandateUse { sequence: 0, period_began: 0, in_period: 0, spent: 0 };
        let records = BTreeMap::new();
        Self { status, pin: None, puk_tries: 10, last_count: 0, used, max_per_period: 0, max_total: 0, records }
    }

    /// The states that `op` goes through, the last being the one when it is answered, and its status word.
    pub(crate) fn apply(&self, op: &Op) -> (Vec<Self>, StatusWord) {
        let mut steps = Vec::new();
        let mut after = self.clone();
        let status = match after.change(op, &mut steps) {
            Ok(()) => StatusWord::DONE,
            Err(status) => status,
        };
        after.count();
        steps.push(after);
        for step in &mut steps {
            step.count();
        }
        (steps, status)
    }

    fn count(&mut self) {
        self.status.records_used = self.records.len() as u32;
        self.status.records_free = RECORDS as u32 - self.status.records_used;
        let held = self.records.values().map(|record| match record {
            Record::Value => FACE,
            Record::Blank { expects, holds } => expects + holds,
            Record::Open | Record::Spent(_) => 0,
        });
        self.status.held = held.sum();
    }

    fn change(&mut self, op: &Op, steps: &mut Vec<Self>) -> Result<(), StatusWord> {
        let status = &mut self.status;
        match op {
            Op::Generate => status.life_cycle = LifeCycle::Generated,
            Op::Personalise => status.life_cycle = LifeCycle::Personalised,
            Op::Verify(pin) => return self.try_pin(pin, steps),
            Op::ChangePin(old, new) => {
                if self.pin.is_some() {
                    self.try_pin(old, steps)?;
                }
                self.pin = Some(*new);
                self.status.pin_tries_left = Some(3);
            }
            Op::Unblock(puk, new) => {
                self.puk_tries -= 1;
                if *puk != crate::support::PUK {
                    return Err(StatusWord::wrong_pin(self.puk_tries));
                }
                steps.push(self.clone());
                (self.puk_tries, self.pin) = (10, Some(*new));
                self.status.pin_tries_left = Some(3);
            }
            Op::Manifest { sequence, issued_at } => {
                if *sequence < status.manifest_sequence {
                    return Err(StatusWord::STALE);
                }
                status.manifest_sequence = *sequence;
                status.time_floor = status.time_floor.max(*issued_at);
            }
            Op::Limits { sequence, issued_at, max_payment, max_cumulative } => {
                if *sequence <= status.limits_sequence {
                    return Err(StatusWord::STALE);
                }
                status.time_floor = status.time_floor.max(*issued_at);
                (status.limits_sequence, status.spent) = (*sequence, 0);
                (status.max_payment, status.max_cumulative) = (*max_payment, *max_cumulative);
                (status.max_holding, status.valid_until) = (3_000, crate::support::VALID_UNTIL);
            }
            Op::Mandate { sequence, max_per_period, max_total } => {
                if *sequence < self.used.sequence {
                    return Err(StatusWord::STALE);
                }
                if *sequence > self.used.sequence {
                    self.used = MandateUse { sequence: *sequence, period_began: 0, in_period: 0, spent: 0 };
                    (self.max_per_period, self.max_total) = (*max_per_period, *max_total);
                }
            }
            Op::Nonces { expected, count } => return self.nonces(*expected, *count),
            Op::Register(index) => {
                let record = if *index < 2 { Record::Value } else { Record::Blank { expects: 0, holds: 0 } };
                self.records.insert(*index, record);
            }
            Op::OwnerTag(index, amount) => return self.expect(*index, *amount),
            Op::Release(index) => return self.expect(*index, 0),
            Op::Spend(payment) => return self.spend(payment),
            Op::Forget(index) => drop(self.records.remove(index)),
            Op::Totals(_) if status.life_cycle == LifeCycle::Personalised => {}
            Op::Totals(_) => return Err(StatusWord::WRONG_STATE),
            Op::Wipe { even_so } => {
                if status.held > 0 && !even_so {
                    return Err(StatusWord::WRONG_STATE);
                }
                *self = Self::new();
                self.status.life_cycle = LifeCycle::Wiped;
            }
        }
        Ok(())
    }

    fn try_pin(&mut self, pin: &[u8], steps: &mut Vec<Self>) -> Result<(), StatusWord> {
        let tries = self.status.pin_tries_left.unwrap().checked_sub(1).ok_or(StatusWord::PIN_BLOCKED)?;
        self.status.pin_tries_left = Some(tries);
        if self.pin != Some(pin) {
            return Err(StatusWord::wrong_pin(tries));
        }
        steps.push(self.clone());
        self.status.pin_tries_left = Some(3);
        Ok(())
    }

    fn nonces(&mut self, expected: u32, count: u8) -> Result<(), StatusWord> {
        if expected + u32::from(count) == self.status.next_index && count == self.last_count {
            return Ok(());
        }
        if expected != self.status.next_index {
            return Err(StatusWord::WRONG_DATA);
        }
        self.last_count = count;
        self.status.next_index += u32::from(count);
        self.records.extend((expected..self.status.next_index).map(|index| (index, Record::Open)));
        Ok(())
    }

    fn expect(&mut self, index: u32, amount: u64) -> Result<(), StatusWord> {
        match self.records.get_mut(&index) {
            Some(Record::Blank { expects, holds: 0 }) if amount <= CAP => *expects = amount,
            Some(Record::Blank { holds: 0, .. }) => return Err(StatusWord::WRONG_DATA),
            Some(Record::Blank { .. }) => return Err(StatusWord::WRONG_STATE),
            _ => return Err(StatusWord::WRONG_DATA),
        }
        Ok(())
    }

    fn spend(&mut self, payment: &Payment) -> Result<(), StatusWord> {
        match self.records.get(&payment.index) {
            Some(Record::Spent(context)) if *context == payment.context => return Ok(()),
            Some(Record::Spent(_)) => return Err(StatusWord::ALREADY_SPENT),
            _ => {}
        }
        let used = payment.mandated_at.map(|now| self.used_at(now, payment.leaves)).transpose()?;
        if payment.leaves > self.status.max_payment {
            return Err(StatusWord::OVER_PAYMENT);
        }
        if payment.leaves > 0 && self.status.spent + payment.leaves > self.status.max_cumulative {
            return Err(StatusWord::OVER_CUMULATIVE);
        }
        self.status.spent += payment.leaves;
        self.used = used.unwrap_or(self.used);
        self.records.insert(payment.index, Record::Spent(payment.context));
        for (blank, amount) in &payment.own {
            self.records.insert(*blank, Record::Blank { expects: 0, holds: *amount });
        }
        Ok(())
    }

    fn used_at(&self, now: u64, leaves: u64) -> Result<MandateUse, StatusWord> {
        let mut used = self.used;
        if used.sequence == 0 {
            return Err(StatusWord::MANDATE_ENDED);
        }
        if now >= used.period_began + crate::mandates::PERIOD {
            (used.period_began, used.in_period) = (now, 0);
        }
        used.in_period += leaves;
        used.spent += leaves;
        if used.in_period > self.max_per_period {
            return Err(StatusWord::OVER_MANDATE_PERIOD);
        }
        if used.spent > self.max_total { Err(StatusWord::OVER_MANDATE_TOTAL) } else { Ok(used) }
    }
}
