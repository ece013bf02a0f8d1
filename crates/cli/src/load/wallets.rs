//! Pairs of wallets, payer and payee, each pair in a thread of its own.

use std::time::Instant;

use specie_core::Amount;
use specie_device::Device;
use specie_device::device::Terms;

use super::measure::Call;
use super::town::Town;
use crate::failure::Failure;

/// What a payer withdraws at once, in minor units: some ten notes.
const WITHDRAWAL: u64 = 1_023;
/// How many blanks a payee withdraws at once, and what each may own, in minor units.
const BLANKS: usize = 32;
const CAP: u64 = 1_023;
/// What each payment pays, in minor units.
const PAYMENT: u64 = 1;

/// A payer and a payee.
pub(super) struct Pair {
    payer: Device,
    payee: Device,
}

/// Does the same with every pair, all at once; gives what came of it, or what went wrong first.
pub(super) fn at_once<T: Send>(
    pairs: &mut [Pair],
    work: impl Fn(&mut Pair) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = pairs.iter_mut().map(|pair| scope.spawn(|| work(pair))).collect();
        // Every thread is waited for, whatever the others came to.
        let done: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("a wallet does not panic")).collect();
        done.into_iter().collect()
    })
}

impl Pair {
    /// Two new customers with devices.
    pub(super) fn new(town: &Town, number: u16) -> Result<Self, Failure> {
        let payer = town.device(&format!("payer-{number}"))?;
        let payee = town.device(&format!("payee-{number}"))?;
        Ok(Self { payer, payee })
    }

    /// The payer withdraws until it has at least so many notes.
    pub(super) fn withdraw_notes(&mut self, notes: usize) -> Result<Vec<Call>, Failure> {
        let (currency, amount) = (self.payer.currency()?, minor(WITHDRAWAL));
        repeat(notes, |_| Ok(self.payer.withdraw(currency, amount, &mut |_| {})?.notes))
    }

    /// Both withdraw so many blanks: the payee to be paid into, the payer for its change.
    pub(super) fn withdraw_blanks(&mut self, blanks: usize) -> Result<Vec<Call>, Failure> {
        let mut calls = withdraw_blanks(&mut self.payee, blanks)?;
        calls.extend(withdraw_blanks(&mut self.payer, blanks)?);
        Ok(calls)
    }

    /// Pays so often, with requests, payments and receipts handed over in memory.
    pub(super) fn pay(&mut self, payments: usize) -> Result<usize, Failure> {
        let terms = Terms {
            currency: self.payee.currency()?,
            amount: minor(PAYMENT),
            valid_seconds: 3_600,
            notes_max: 1,
            memo: None,
        };
        for _ in 0..payments {
            let asked = self.payee.request(&terms)?;
            let paid = self.payer.pay(&asked.message)?;
            let received = self.payee.receive(&paid.message)?;
            self.payer.take_receipt(&received.receipt)?;
        }
        Ok(payments)
    }

    /// Both have their elements show to the bank what they will redeem.
    pub(super) fn prepare(&mut self) -> Result<usize, Failure> {
        Ok(self.payer.prepare_redemptions()? + self.payee.prepare_redemptions()?)
    }

    /// Both synchronise.
    pub(super) fn redeem(&mut self) -> Result<Vec<Call>, Failure> {
        [&mut self.payer, &mut self.payee].into_iter().map(synchronise).collect()
    }
}

fn withdraw_blanks(device: &mut Device, blanks: usize) -> Result<Vec<Call>, Failure> {
    let (currency, cap) = (device.currency()?, minor(CAP));
    repeat(blanks, |left| {
        let count = u16::try_from(left.min(BLANKS)).expect("a small number");
        Ok(device.withdraw_blanks(currency, count, cap, &mut |_| {})?.blanks)
    })
}

fn synchronise(device: &mut Device) -> Result<Call, Failure> {
    let begun = Instant::now();
    let report = device.synchronise(&mut |_| {})?;
    let elapsed = begun.elapsed();
    if let Some(failure) = report.failures.into_iter().next() {
        return Err(failure.into());
    }
    if let Some((_, code)) = report.coins_refused.first() {
        return Err(Failure::refused("coin-refused", format!("the bank refused a coin: {code}"), "report this"));
    }
    Ok(Call { elapsed, items: report.coins_redeemed })
}

/// Calls `withdraw` with how many are missing until none are.
fn repeat(items: usize, mut withdraw: impl FnMut(usize) -> Result<usize, Failure>) -> Result<Vec<Call>, Failure> {
    let (mut calls, mut left) = (Vec::new(), items);
    while left > 0 {
        let begun = Instant::now();
        let items = withdraw(left)?;
        calls.push(Call { elapsed: begun.elapsed(), items });
        left = left.saturating_sub(items);
    }
    Ok(calls)
}

fn minor(amount: u64) -> Amount {
    Amount::new(amount).expect("a small amount")
}
