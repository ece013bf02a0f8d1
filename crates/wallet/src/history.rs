//! What happened: who, when, how much, and how far it got.

use alloc::boxed::Box;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::encoding::DecodeError;
use specie_core::text::{Currency, Memo, Name};

use crate::payment::PaymentId;
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::sorted::{Boxes, Set};
use crate::step::Step;
use crate::wallet::{Wallet, bytes_of};

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[repr(u8)]
pub enum Event {
    /// Paid a request.
    Paid,
    /// Was paid.
    Received,
    /// Withdrew notes from the account.
    Withdrew,
    /// Redeemed to the account.
    Redeemed,
}

/// How far it got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[repr(u8)]
pub enum Progress {
    /// Under way, nothing has left the wallet.
    Planned,
    /// Ready to hand over, no receipt yet.
    Undelivered,
    /// Complete: there is a receipt, or the money is where it should be.
    Complete,
    /// The request lapsed before the payment was complete; what was set aside comes back from the bank.
    Abandoned,
}

/// One line of history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryEntry {
    /// Counts entries, oldest first.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The other side's verified name, if it showed one.
    pub counterparty: Option<Name>,
    /// What the payment was for.
    pub memo: Option<Memo>,
    /// The request that was paid.
    pub request: Option<Context>,
    /// How far it got.
    pub progress: Progress,
    /// The receipt's preimage, once there is one.
    pub receipt: Option<[u8; 32]>,
}

/// The history.
#[derive(Default)]
pub(crate) struct Log(Boxes<u64, HistoryEntry>);

const EVENTS: [Event; 4] = [Event::Paid, Event::Received, Event::Withdrew, Event::Redeemed];
const PROGRESS: [Progress; 4] = [Progress::Planned, Progress::Undelivered, Progress::Complete, Progress::Abandoned];

impl Log {
    /// Adds a line, whatever its number, and gives the number it has from now on.
    pub(crate) fn add(&mut self, entry: HistoryEntry, changes: &mut Changes) -> u64 {
        let sequence = self.0.keys().next_back().map_or(0, |last| last + 1);
        self.set(HistoryEntry { sequence, ..entry }, changes);
        sequence
    }

    /// Adds a line about something between the wallet and its account.
    pub(crate) fn event(
        &mut self,
        event: Event,
        at: Timestamp,
        amount: Amount,
        currency: Currency,
        changes: &mut Changes,
    ) {
        let progress = Progress::Complete;
        let (counterparty, memo, request, receipt) = (None, None, None, None);
        self.add(
            HistoryEntry { sequence: 0, at, event, amount, currency, counterparty, memo, request, progress, receipt },
            changes,
        );
    }

    /// Notes how far it got.
    pub(crate) fn progress(
        &mut self,
        sequence: u64,
        progress: Progress,
        receipt: Option<[u8; 32]>,
        changes: &mut Changes,
    ) {
        if let Some(entry) = self.0.get(&sequence) {
            self.set(HistoryEntry { progress, receipt, ..**entry }, changes);
        }
    }

    /// Removes a line about something that did not happen.
    pub(crate) fn remove(&mut self, sequence: u64, changes: &mut Changes) {
        if self.0.remove(&sequence).is_some() {
            changes.delete(Table::History, &sequence.to_be_bytes());
        }
    }

    /// Removes lines about what was complete before `before`.
    fn prune(&mut self, before: Timestamp, changes: &mut Changes) {
        let complete = |entry: &HistoryEntry| matches!(entry.progress, Progress::Complete | Progress::Abandoned);
        let old: Vec<u64> =
            self.0.values().filter(|entry| entry.at < before && complete(entry)).map(|entry| entry.sequence).collect();
        old.into_iter().for_each(|sequence| self.remove(sequence, changes));
    }

    fn set(&mut self, entry: HistoryEntry, changes: &mut Changes) {
        changes.put_open(Table::History, &entry.sequence.to_be_bytes(), entry.to_record());
        self.0.insert(entry.sequence, Box::new(entry));
    }

    pub(crate) fn load(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let sequence = u64::from_be_bytes(bytes_of(id)?);
        self.0.insert(sequence, Box::new(HistoryEntry::of_record(sequence, record)?));
        Ok(())
    }
}

impl HistoryEntry {
    fn to_record(self) -> Vec<u8> {
        Fields::new(9, 320)
            .time(self.at)
            .uint(self.event as u8)
            .amount(self.amount)
            .text(self.currency.as_str())
            .optional(self.counterparty, |fields, name| fields.text(name.as_str()))
            .optional(self.memo, |fields, memo| fields.text(memo.as_str()))
            .optional(self.request, |fields, request| fields.bytes(&request.0))
            .uint(self.progress as u8)
            .optional(self.receipt, |fields, receipt| fields.bytes(&receipt))
            .done()
    }

    fn of_record(sequence: u64, record: &[u8]) -> Result<Self, DecodeError> {
        read(record, 9, |r| {
            Ok(Self {
                sequence,
                at: r.time()?,
                event: EVENTS.get(r.uint_as::<usize>()?).copied().ok_or(DecodeError::OutOfRange)?,
                amount: r.amount()?,
                currency: r.currency()?,
                counterparty: r.optional(ReadField::name)?,
                memo: r.optional(ReadField::memo)?,
                request: r.optional(|r| r.bytes_of().map(Context))?,
                progress: PROGRESS.get(r.uint_as::<usize>()?).copied().ok_or(DecodeError::OutOfRange)?,
                receipt: r.optional(|r| r.bytes_of())?,
            })
        })
    }
}

impl Wallet {
    /// What happened, newest first.
    pub fn history(&self) -> impl Iterator<Item = HistoryEntry> {
        self.log.0.values().rev().map(|entry| **entry)
    }

    /// Forgets what was complete before `before`, and can matter no more: lines of history, and what [`Wallet::prune_exchanges`] does of the time
    /// before. Money is never forgotten.
    pub fn prune(&mut self, before: Timestamp, now: Timestamp) -> Step<()> {
        // A request that has not expired could be paid again.
        let before = before.min(self.not_before_floor(now));
        let mut changes = Changes::default();
        self.forget_exchanges(before, &mut changes);
        self.log.prune(before, &mut changes);
        changes.step(())
    }

    /// Forgets, of requests that expired, what can matter no more: payments with a receipt or left to the bank, and requests that were paid or
    /// whose payments cannot be claimed. History stays, and so does money.
    pub fn prune_exchanges(&mut self, now: Timestamp) -> Step<()> {
        let mut changes = Changes::default();
        self.forget_exchanges(self.not_before_floor(now), &mut changes);
        changes.step(())
    }

    fn forget_exchanges(&mut self, before: Timestamp, changes: &mut Changes) {
        let purse = &self.purse;
        let falls_back: Set<PaymentId> = purse.iter().filter_map(|(_, holding)| holding.change_of()).collect();
        for entry in self.payments.prune(before, |id| falls_back.contains(id), changes) {
            self.log.progress(entry, Progress::Complete, None, changes);
        }
        self.requests.prune(before, |index, id| purse.may_own(index, id), changes);
    }
}
