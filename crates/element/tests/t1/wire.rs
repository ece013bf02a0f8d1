//! A chip behind a line with faults, in virtual time. What happens is decided by the plan and the seed alone.

use std::collections::{BTreeMap, VecDeque};

use specie_element::apdu::MAX_RESPONSE;
use specie_element::t1::CHARACTER_WAITING_MS;
use specie_element::t1::card::{Card, Event};
use specie_element::t1::reader::Line;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What happens to a byte on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Lost,
    Repeated,
    Changed,
    /// Lost, with all that is sent in one go after it.
    CutOff,
}

pub(crate) const HARMS: [Harm; 4] = [Harm::Lost, Harm::Repeated, Harm::Changed, Harm::CutOff];

/// Which way a byte goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    ToChip,
    ToHost,
}

/// Where a side loses its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PowerCut {
    /// The chip, when it has heard so many bytes.
    ChipAfterHearing(u64),
    /// The chip, when it has sent so many bytes.
    ChipAfterSending(u64),
    /// The chip, after it did the command of this number and before it tells.
    ChipAfterDoing(u64),
    /// The host, when it has sent so many bytes.
    HostAfterSending(u64),
    /// The host, when it has heard so many bytes.
    HostAfterHearing(u64),
}

/// The host lost its power.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostOff;

impl std::fmt::Display for HostOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host lost its power")
    }
}

/// A line with a chip at its end that does commands and counts them.
pub(crate) struct Wire {
    card: Card,
    to_chip: VecDeque<u8>,
    to_host: VecDeque<u8>,
    /// Bytes that were sent so far, by direction.
    pub(crate) sent: BTreeMap<Way, u64>,
    /// Harm to the byte of this number.
    pub(crate) planned: BTreeMap<(Way, u64), Harm>,
    /// One byte in so many is harmed; 0: none.
    pub(crate) harm_one_in: u64,
    /// How long commands take at most, milliseconds of virtual time.
    pub(crate) slowness_ms: u64,
    /// The chip asks for so much time for each command, in block waiting times; 0: it does not ask.
    pub(crate) asks_for_time: u8,
    pub(crate) power_cut: Option<PowerCut>,
    heard_by_chip: u64,
    heard_by_host: u64,
    busy_until: Option<u64>,
    pub(crate) now: u64,
    pub(crate) random: Random,
    /// How often each command was done.
    pub(crate) done: BTreeMap<Vec<u8>, u32>,
    pub(crate) commands_done: u64,
}

impl Wire {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            card: Card::new(),
            to_chip: VecDeque::new(),
            to_host: VecDeque::new(),
            sent: BTreeMap::new(),
            planned: BTreeMap::new(),
            harm_one_in: 0,
            slowness_ms: 0,
            asks_for_time: 0,
            power_cut: None,
            heard_by_chip: 0,
            heard_by_host: 0,
            busy_until: None,
            now: 0,
            random: Random(seed),
            done: BTreeMap::new(),
            commands_done: 0,
        }
    }

    /// How often a command was done.
    pub(crate) fn times_done(&self, command: &[u8]) -> u32 {
        self.done.get(command).copied().unwrap_or(0)
    }

    /// Power for the chip, after it was away.
    fn reset_chip(&mut self) {
        self.card = Card::new();
        self.to_chip.clear();
        self.busy_until = None;
        self.power_cut = None;
    }

    fn put(&mut self, way: Way, bytes: &[u8]) {
        let mut cut_off = false;
        for &byte in bytes {
            let number = self.sent.entry(way).or_default();
            let harm = self.planned.get(&(way, *number)).copied().or_else(|| {
                let harmed = self.harm_one_in > 0 && self.random.below(self.harm_one_in) == 0;
                harmed.then(|| HARMS[self.random.below(4) as usize])
            });
            *number += 1;
            let queue = if way == Way::ToChip { &mut self.to_chip } else { &mut self.to_host };
            match harm {
                _ if cut_off => {}
                None => queue.push_back(byte),
                Some(Harm::Lost) => {}
                Some(Harm::Repeated) => queue.extend([byte, byte]),
                Some(Harm::Changed) => queue.push_back(byte ^ (1 << self.random.below(8))),
                Some(Harm::CutOff) => cut_off = true,
            }
        }
    }

    /// Sends what the chip has to say; it may lose its power at any byte.
    fn say(&mut self) {
        let block = self.card.outgoing().to_vec();
        let before = self.sent.get(&Way::ToHost).copied().unwrap_or(0);
        match self.power_cut {
            Some(PowerCut::ChipAfterSending(at)) if at < before + block.len() as u64 => {
                self.put(Way::ToHost, &block[..at.saturating_sub(before) as usize]);
                self.reset_chip();
            }
            _ => self.put(Way::ToHost, &block),
        }
    }

    fn react(&mut self, event: Event) {
        match event {
            Event::Nothing => {}
            Event::Send => self.say(),
            Event::Command => {
                if self.asks_for_time > 0 && self.card.ask_for_time(self.asks_for_time) == Event::Send {
                    self.say();
                }
                let pause = if self.slowness_ms > 0 { self.random.below(self.slowness_ms) } else { 0 };
                self.busy_until = Some(self.now + pause);
                self.finish_if_due();
            }
        }
    }

    fn finish_if_due(&mut self) {
        if self.busy_until.is_none_or(|until| until > self.now) {
            return;
        }
        self.busy_until = None;
        let command = self.card.command().to_vec();
        *self.done.entry(command.clone()).or_default() += 1;
        self.commands_done += 1;
        if self.power_cut == Some(PowerCut::ChipAfterDoing(self.commands_done)) {
            self.reset_chip();
            return;
        }
        self.card.answer(&answer_to(&command));
        self.say();
    }

    /// Lets the chip hear all that is there for it, unless it is busy.
    fn run_chip(&mut self) {
        self.finish_if_due();
        while self.busy_until.is_none() {
            let Some(byte) = self.to_chip.pop_front() else { return };
            self.heard_by_chip += 1;
            if self.power_cut == Some(PowerCut::ChipAfterHearing(self.heard_by_chip)) {
                self.reset_chip();
                return;
            }
            let event = self.card.receive(byte);
            self.react(event);
        }
    }
}

impl Line for Wire {
    type Error = HostOff;

    fn send(&mut self, bytes: &[u8]) -> Result<(), HostOff> {
        let before = self.sent.get(&Way::ToChip).copied().unwrap_or(0);
        if let Some(PowerCut::HostAfterSending(at)) = self.power_cut
            && at <= before + bytes.len() as u64
        {
            self.put(Way::ToChip, &bytes[..at.saturating_sub(before) as usize]);
            return Err(HostOff);
        }
        self.put(Way::ToChip, bytes);
        Ok(())
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, HostOff> {
        self.run_chip();
        let end = self.now + u64::from(patience_ms);
        while self.to_host.is_empty() {
            match self.busy_until {
                Some(until) if until < end => {
                    self.now = until;
                    self.run_chip();
                }
                None if self.now + u64::from(CHARACTER_WAITING_MS) < end => {
                    self.now += u64::from(CHARACTER_WAITING_MS);
                    let event = self.card.silence();
                    if event == Event::Nothing {
                        self.now = end;
                        return Ok(None);
                    }
                    self.react(event);
                }
                _ => {
                    self.now = end;
                    return Ok(None);
                }
            }
        }
        self.heard_by_host += 1;
        if self.power_cut == Some(PowerCut::HostAfterHearing(self.heard_by_host)) {
            return Err(HostOff);
        }
        Ok(self.to_host.pop_front())
    }
}

/// A command that no other is like, of `length` bytes, at least 8. The length of its answer follows from it.
pub(crate) fn command(number: u64, length: usize) -> Vec<u8> {
    let mut random = Random(number);
    let mut command = number.to_be_bytes().to_vec();
    command.extend((8..length).map(|_| random.next() as u8));
    command
}

/// What the chip answers to a command: something that it answers to no other.
pub(crate) fn answer_to(command: &[u8]) -> Vec<u8> {
    let number = u64::from_be_bytes(*command.first_chunk().unwrap_or(&[0xFF; 8]));
    let check = command.iter().fold(7u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Random(check);
    let length = match number % 4 {
        0 => 2,
        1 => 34,
        2 => 254 + random.below(20) as usize,
        _ => MAX_RESPONSE,
    };
    (0..length).map(|_| random.next() as u8).collect()
}
