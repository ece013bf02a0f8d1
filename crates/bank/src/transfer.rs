//! Online payments between PSPs: one reserve pays another, in favour of an account.

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::{Memo, Name};
use thiserror::Error;

use crate::credit::{self, Credit, CreditKind};
use crate::ledger::{Account, LedgerError, Movement, MovementKind, Posting};
use crate::payout::Destination;
use crate::psp::{self, PspError};
use crate::storage::{StorageError, Tx};

/// What a PSP orders to be paid from its reserve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransferOrder {
    /// The PSP that pays.
    pub psp: Name,
    /// Names the order among those of this PSP.
    pub id: [u8; 16],
    /// The payer's account there.
    pub from_account: Name,
    /// Who is paid.
    pub to: Destination,
    /// More than zero.
    pub amount: Amount,
    /// What for.
    pub reference: Option<Memo>,
}

/// Why an order was not carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// It moves nothing.
    #[error("a transfer moves more than nothing")]
    Empty,
    /// Its name was used for another order.
    #[error("this name was used for another transfer: name it otherwise")]
    Known,
    /// A PSP is not registered.
    #[error(transparent)]
    Psp(#[from] PspError),
    /// The reserve does not cover it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Carries out an order; the same order again changes nothing.
///
/// # Errors
/// When it breaks a rule above.
pub fn carry_out(tx: &mut dyn Tx, order: &TransferOrder, now: Timestamp) -> Result<(), TransferError> {
    if order.amount.is_zero() {
        return Err(TransferError::Empty);
    }
    if let Some(known) = tx.transfer_order(&order.psp, &order.id)? {
        return if known == *order { Ok(()) } else { Err(TransferError::Known) };
    }
    psp::known(tx, &order.psp)?;
    psp::known(tx, &order.to.psp)?;
    tx.insert_transfer_order(order)?;
    let postings = [
        Posting::debit(Account::Reserve(order.psp), order.amount),
        Posting::credit(Account::Reserve(order.to.psp), order.amount),
    ];
    let reference = [order.psp.as_str().as_bytes(), &order.id];
    let movement = Movement::new(MovementKind::Transfer, &reference, now, postings).map_err(LedgerError::from)?;
    movement.book(tx)?;
    let reference = order.reference.map(|memo| memo.to_string()).unwrap_or_default();
    let credit = Credit { to: order.to, amount: order.amount, kind: CreditKind::Transfer, reference };
    credit::tell(tx, vec![credit], now)?;
    Ok(())
}
