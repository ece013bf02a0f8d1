//! What time settles: redemptions that a crash left are finished, unanswered batches become void, leftovers fall to their payers, claims for lost devices are paid, classes close.
//!
//! A sweep runs with a given `now`, as often as one likes, in small transactions; a crash in the middle loses nothing.

use std::collections::BTreeMap;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::TransferId;
use specie_core::class::Classes;
use thiserror::Error;

use crate::bank::Bank;
use crate::classes::is_value;
use crate::detection::DetectionError;
use crate::issuance;
use crate::ledger::LedgerError;
use crate::payout::{self, Destination, Due, PayoutKind};
use crate::redemption::RedemptionError;
use crate::restitution::{self, RestitutionState};
use crate::signer::Signer;
use crate::spent::TransferRecord;
use crate::storage::{Claim, Storage, StorageError, Tx, View};

/// How much one transaction takes on.
const CHUNK: u32 = 128;

/// How long answers to requests are kept for repeats, in seconds: 90 days.
pub const ANSWERS_KEPT_SECONDS: u64 = 90 * 24 * 3_600;

/// What a sweep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Batches made void.
    pub voided: u64,
    /// Batches whose answers were erased unacknowledged.
    pub erased: u64,
    /// Transfers whose deadline passed.
    pub transfers: u64,
    /// Paid to payers of what nobody claimed.
    pub leftovers: Amount,
    /// Paid to owners of lost devices.
    pub restitutions: Amount,
    /// Classes closed.
    pub closed: u64,
    /// Owed no more.
    pub expired: Amount,
}

/// Why a sweep stopped. What it did until then stays done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The books refuse.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The revocation list could not be renewed.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// A redemption that a crash left could not be finished.
    #[error(transparent)]
    Redemption(#[from] RedemptionError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Does everything whose time has come.
    ///
    /// # Errors
    /// When something fails; run it again.
    pub fn sweep(&self, now: Timestamp) -> Result<Swept, SweepError> {
        let mut swept = Swept::default();
        while self.storage().transact(|tx| sweep_batches(tx, now, &mut swept))? {}
        self.finish_redemptions(now)?;
        while self.in_its_turn(now, |tx| self.sweep_transfers(tx, now, &mut swept))? {}
        while self.in_its_turn(now, |tx| self.sweep_restitutions(tx, now, &mut swept))? {}
        self.in_its_turn(now, |tx| self.close_classes(tx, now, &mut swept))?;
        self.storage().transact(|tx| {
            tx.delete_payments(now)?;
            tx.delete_answers(earlier(now, ANSWERS_KEPT_SECONDS))?;
            self.publish_revocations(tx, now)?;
            Ok::<_, SweepError>(())
        })?;
        Ok(swept)
    }

    /// Does `work` in a transaction that sees no redemption which was accepted by its deadline and is not finished: it would take from
    /// under it what it redeems. Such redemptions are finished first.
    fn in_its_turn<T>(
        &self,
        now: Timestamp,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        loop {
            let done = self.storage().transact(|tx| {
                let overdue = tx.is_redemption_overdue(now)?;
                Ok::<_, SweepError>(if overdue { None } else { Some(work(tx)?) })
            })?;
            match done {
                Some(done) => return Ok(done),
                None => self.finish_redemptions(now)?,
            }
        }
    }

    /// Settles transfers whose deadline passed; tells whether there may be more.
    fn sweep_transfers(&self, tx: &mut dyn Tx, now: Timestamp, swept: &mut Swept) -> Result<bool, SweepError> {
        let mut done = *swept;
        let due = tx.due_transfers(now, CHUNK)?;
        for id in &due {
            let transfer = tx.transfer(id)?.ok_or_else(|| missing("a due transfer"))?;
            if !tx.mark_swept_if_due(id)? {
                continue;
            }
            done.transfers += 1;
            let unclaimed = take_unclaimed(tx, &transfer)?;
            for claim in tx.restitutions_on(id)? {
                let taken = !claim.output.is_some_and(|(_, index)| unclaimed.contains_key(&index));
                done.restitutions = sum(done.restitutions, self.settle(tx, &claim, taken, now)?);
            }
            if let Some(paid) = self.pay_leftover(tx, &transfer, unclaimed, now)? {
                done.leftovers = sum(done.leftovers, paid);
            }
        }
        *swept = done;
        Ok(!due.is_empty())
    }

    /// Settles claims on value notes whose deadline passed; tells whether there may be more. Those on outputs are settled
    /// with their transfers.
    fn sweep_restitutions(&self, tx: &mut dyn Tx, now: Timestamp, swept: &mut Swept) -> Result<bool, SweepError> {
        let mut done = *swept;
        let due = tx.due_restitutions(now, CHUNK)?;
        for claim in &due {
            done.restitutions = sum(done.restitutions, self.settle(tx, claim, false, now)?);
        }
        *swept = done;
        Ok(!due.is_empty())
    }

    fn pay_leftover(
        &self,
        tx: &mut dyn Tx,
        transfer: &TransferRecord,
        unclaimed: BTreeMap<u8, Amount>,
        now: Timestamp,
    ) -> Result<Option<Amount>, SweepError> {
        let leftover = leftover(tx, transfer, unclaimed)?;
        if leftover.is_zero() || tx.double_spend(&transfer.note_id)?.is_some() {
            return Ok(None);
        }
        let Some(to) = residual_destination(tx, transfer)? else { return Ok(None) };
        let classes = self.class_table(tx)?;
        let root_class = classes.class(&transfer.root_class).ok_or_else(|| missing("the class of a transfer"))?;
        let due = Due {
            transfer: transfer.id,
            kind: PayoutKind::Leftover,
            root: transfer.root,
            root_class: transfer.root_class,
            face: root_class.info().amount,
            amount: leftover,
            to,
        };
        if !payout::uncovered(tx, &[due], now)?.is_empty() {
            return Ok(None);
        }
        Ok(Some(payout::pay(tx, due, now)?))
    }

    /// Closes the classes that are redeemed no more. Every transfer below their notes is due before: its deadline is not
    /// after theirs. What a slower clock let in since the last step is settled here, in the transaction that closes.
    fn close_classes(&self, tx: &mut dyn Tx, now: Timestamp, swept: &mut Swept) -> Result<(), SweepError> {
        let mut done = *swept;
        while self.sweep_transfers(tx, now, &mut done)? {}
        while self.sweep_restitutions(tx, now, &mut done)? {}
        let classes = self.class_table(tx)?;
        for class in classes.iter().filter(|class| is_value(class) && class.info().redeem_until < now) {
            if let Some(expiry) = payout::close(tx, &class.id(), now)? {
                done.closed += 1;
                done.expired = sum(done.expired, expiry.amount);
            }
        }
        *swept = done;
        Ok(())
    }
}

/// Makes batches void that ran out, and erases answers whose notes are worthless; tells whether there may be more.
fn sweep_batches(tx: &mut dyn Tx, now: Timestamp, swept: &mut Swept) -> Result<bool, SweepError> {
    let mut done = *swept;
    let opened_before = earlier(now, issuance::LIFETIME_SECONDS);
    let (void, erase) = (tx.batches_opened_before(opened_before, CHUNK)?, tx.batches_to_erase(now, CHUNK)?);
    for key in &void {
        done.voided += u64::from(issuance::void(tx, key)?);
    }
    for key in &erase {
        done.erased += u64::from(issuance::erase(tx, key)?);
    }
    *swept = done;
    Ok(!void.is_empty() || !erase.is_empty())
}

/// Claims for the transfer itself those of its outputs that nobody spent, so that nobody can after this, and gives what they hold.
fn take_unclaimed(tx: &mut dyn Tx, transfer: &TransferRecord) -> Result<BTreeMap<u8, Amount>, StorageError> {
    let outputs = transfer.decode()?.preimage.outputs;
    let outputs: BTreeMap<u8, _> =
        (0..).zip(outputs.as_slice()).map(|(index, output)| (index, output.amount)).collect();
    let id = transfer.id;
    let claims: Vec<_> = outputs.keys().map(|&index| Claim { transfer: id, index, by: id }).collect();
    let taken = tx.insert_claims(&claims)?;
    Ok(taken.into_iter().filter_map(|(_, index)| Some((index, *outputs.get(&index)?))).collect())
}

/// What nobody spent, together; without what went to owners of lost devices.
fn leftover(
    view: &mut (impl View + ?Sized),
    transfer: &TransferRecord,
    mut unclaimed: BTreeMap<u8, Amount>,
) -> Result<Amount, StorageError> {
    let claims = view.restitutions_on(&transfer.id)?;
    for claim in claims.into_iter().filter(|claim| claim.state == RestitutionState::Paid) {
        claim.output.and_then(|(_, index)| unclaimed.remove(&index));
    }
    Ok(Amount::checked_sum(unclaimed.into_values()).expect("part of a sum that was checked"))
}

/// Where the residual owner of a transfer, who owns its last output, had its money sent: by redeeming that output, by
/// claiming it for a lost device, or else by redeeming what it was spent into, and so on. A double spender names nobody.
fn residual_destination(
    view: &mut (impl View + ?Sized),
    transfer: &TransferRecord,
) -> Result<Option<Destination>, StorageError> {
    let mut current = transfer.clone();
    loop {
        let outputs = current.decode()?.preimage.outputs.as_slice().len();
        let Some(last) = outputs.checked_sub(1).and_then(|last| u8::try_from(last).ok()) else { return Ok(None) };
        let claims = view.claims(&current.id)?;
        let claimed = claims.into_iter().find(|(index, by)| *index == last && *by != current.id);
        let Some((_, claimant)) = claimed else {
            return claimed_for(view, &current.id, last);
        };
        current = next(view, &claimant)?;
        if view.double_spend(&current.note_id)?.is_some() {
            return Ok(None);
        }
        if let Some(payout) = view.payout(&claimant)?.filter(|payout| payout.kind == PayoutKind::Redemption) {
            return Ok(Some(payout.to));
        }
    }
}

/// Whom the owner of a lost device had paid for an output.
fn claimed_for(
    view: &mut (impl View + ?Sized),
    transfer: &TransferId,
    index: u8,
) -> Result<Option<Destination>, StorageError> {
    let claims = view.restitutions_on(transfer)?;
    let Some(claim) = claims.into_iter().find(|claim| claim.output == Some((*transfer, index))) else {
        return Ok(None);
    };
    Ok(restitution::stands(view, &claim)?.then_some(claim.to))
}

fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::MAX)
}

/// `seconds` before `now`, or the beginning of time.
fn earlier(now: Timestamp, seconds: u64) -> Timestamp {
    Timestamp::new(now.seconds().saturating_sub(seconds)).unwrap_or(Timestamp::EPOCH)
}

fn next(view: &mut (impl View + ?Sized), id: &TransferId) -> Result<TransferRecord, StorageError> {
    view.transfer(id)?.ok_or_else(|| missing("a transfer that claims an output"))
}

fn missing(what: &str) -> StorageError {
    StorageError::Failed(format!("damaged: {what} is missing"))
}
