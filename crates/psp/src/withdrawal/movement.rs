//! Where the money of a withdrawal goes: held, then settled or refunded, with what counts towards limits.

use specie_core::Timestamp;

use super::plan::blanks;
use super::{Withdrawal, WithdrawalError, WithdrawalState};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, movement_id};
use crate::request::OperationId;
use crate::store::{Records, StoreError};

impl Withdrawal {
    fn movement(&self, kind: MovementKind, at: Timestamp) -> Movement {
        let account = LedgerAccount::Customer(self.account);
        let held = LedgerAccount::WithdrawalsInProgress;
        let (debit, credit) = match kind {
            MovementKind::WithdrawalHeld => (account, held),
            MovementKind::WithdrawalSettled => (held, LedgerAccount::Reserve),
            _ => (held, account),
        };
        let reference = self.id.iter().map(|byte| format!("{byte:02x}")).collect();
        Movement { id: movement_id(kind, &self.id), kind, debit, credit, amount: self.value, reference, at }
    }
}

pub(super) fn hold(
    records: &mut dyn Records,
    withdrawal: &Withdrawal,
    redeem_until: Timestamp,
    now: Timestamp,
) -> Result<(), WithdrawalError> {
    let movement = withdrawal.movement(MovementKind::WithdrawalHeld, now);
    ledger::post(records, &movement)?.map_err(|_| WithdrawalError::Balance)?;
    for (epoch, asked) in blanks(&withdrawal.lines) {
        records.take_blanks(&withdrawal.device, &withdrawal.customer, epoch, asked)?;
    }
    records.note_redeemable(&withdrawal.device, redeem_until)?;
    if !withdrawal.value.is_zero() {
        records.add_withdrawn(&withdrawal.device, &withdrawal.customer, withdrawal.value, now)?;
    }
    // What the element signed before says nothing of this.
    records.remove_totals_nonce(&withdrawal.device)?;
    Ok(records.insert_withdrawal(withdrawal)?)
}

/// The bank has answered: what was held is gone from the reserve.
pub(super) fn settle(records: &mut dyn Records, id: &OperationId, now: Timestamp) -> Result<(), StoreError> {
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state.is_held() => {
            ledger::post_held(records, &withdrawal.movement(MovementKind::WithdrawalSettled, now))?;
            records.set_withdrawal_state(id, WithdrawalState::Answered)
        }
        _ => Ok(()),
    }
}

/// Nothing will come of it: what was held goes back, and so does the ration.
pub(super) fn refund(records: &mut dyn Records, id: &OperationId, now: Timestamp) -> Result<(), StoreError> {
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state.is_held() => {
            ledger::post_held(records, &withdrawal.movement(MovementKind::WithdrawalRefunded, now))?;
            for (epoch, count) in blanks(&withdrawal.lines) {
                records.return_blanks(&withdrawal.device, &withdrawal.customer, epoch, count)?;
            }
            records.return_withdrawn(&withdrawal.device, withdrawal.value)?;
            records.set_withdrawal_state(id, WithdrawalState::Void)
        }
        _ => Ok(()),
    }
}

/// From `Opening` to `Open`, from `Answered` to `Closed`, and no other way.
pub(super) fn advance(records: &mut dyn Records, id: &OperationId, to: WithdrawalState) -> Result<(), StoreError> {
    let from = if to == WithdrawalState::Open { WithdrawalState::Opening } else { WithdrawalState::Answered };
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state == from => records.set_withdrawal_state(id, to),
        _ => Ok(()),
    }
}
