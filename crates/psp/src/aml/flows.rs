//! What a movement of the books was for the customers that it concerns.

use specie_aml::flow::{Counterparty, Flow, FlowKind};
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use crate::ledger::{LedgerAccount, Movement, MovementKind};
use crate::request::OperationId;
use crate::store::{Records, StoreError};

/// The flows of a movement: one, one for each side of a payment within this PSP, or none.
///
/// What is held for a withdrawal or a payment may come back: it is a flow when it is settled.
pub(super) fn of(records: &mut dyn Records, here: &Name, movement: &Movement) -> Result<Vec<Flow>, StoreError> {
    let (debit, credit) = (account(&movement.debit), account(&movement.credit));
    match movement.kind {
        MovementKind::Deposit => flow(records, movement, credit, FlowKind::Deposit, None, None),
        // What a lost device held came from a device too.
        MovementKind::Redemption | MovementKind::Restitution => {
            flow(records, movement, credit, FlowKind::Redemption, None, None)
        }
        MovementKind::PaymentReceived => flow(records, movement, credit, FlowKind::TransferIn, None, None),
        MovementKind::WithdrawalSettled => {
            let Some(withdrawal) =
                operation(&movement.reference).map(|id| records.withdrawal(&id)).transpose()?.flatten()
            else {
                return Err(StoreError::Damaged(format!("movement for no withdrawal `{}`", movement.reference)));
            };
            flow(records, movement, Some(withdrawal.account), FlowKind::Withdrawal, None, Some(withdrawal.device))
        }
        MovementKind::Payment => {
            let other = |account: Option<Name>| account.map(|account| Counterparty { psp: *here, account });
            let mut flows = flow(records, movement, debit, FlowKind::TransferOut, other(credit), None)?;
            flows.extend(flow(records, movement, credit, FlowKind::TransferIn, other(debit), None)?);
            Ok(flows)
        }
        MovementKind::PaymentSettled => match records.transfer_of_movement(&movement.id)? {
            Some(transfer) => {
                let other = Counterparty { psp: transfer.to_psp, account: transfer.to_account };
                flow(records, movement, Some(transfer.from_account), FlowKind::TransferOut, Some(other), None)
            }
            // Payments of a database from before there were rules.
            None => Ok(Vec::new()),
        },
        MovementKind::Funding
        | MovementKind::Defunding
        | MovementKind::WithdrawalHeld
        | MovementKind::WithdrawalRefunded
        | MovementKind::PaymentHeld
        | MovementKind::PaymentRefunded => Ok(Vec::new()),
    }
}

fn flow(
    records: &mut dyn Records,
    movement: &Movement,
    account: Option<Name>,
    kind: FlowKind,
    counterparty: Option<Counterparty>,
    device: Option<PublicKey>,
) -> Result<Vec<Flow>, StoreError> {
    let Some(account) = account else { return Ok(Vec::new()) };
    let customer = records.customer_of_account(&account)?;
    let customer = customer.ok_or_else(|| StoreError::Damaged(format!("account `{account}` is nobody's")))?.name;
    let Movement { id, amount, at, .. } = *movement;
    Ok(vec![Flow { id, customer, account, kind, amount, counterparty, device, at }])
}

fn account(account: &LedgerAccount) -> Option<Name> {
    match account {
        LedgerAccount::Customer(name) => Some(*name),
        _ => None,
    }
}

/// The operation that a reference names in hexadecimal.
fn operation(reference: &str) -> Option<OperationId> {
    if reference.len() != 32 || !reference.is_ascii() {
        return None;
    }
    let mut id = [0; 16];
    for (byte, place) in id.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(&reference[place..place + 2], 16).ok()?;
    }
    Some(id)
}
