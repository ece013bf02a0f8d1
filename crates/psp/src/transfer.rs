//! Online payments from account to account: within this PSP in one step, to another PSP through the bank.

use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Memo, Name};
use specie_core::{Amount, Timestamp};
use thiserror::Error;

use crate::bank::{Bank, BankError, Refusal, ReserveTransfer};
use crate::device::{DeviceError, DeviceRefusal, Party};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, movement_id};
use crate::request::{KeyConflict, OperationId, RecallError, Request};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// What a device asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferOrder {
    /// The payee's PSP.
    pub to_psp: Name,
    /// The payee's account.
    pub to_account: Name,
    /// So much; more than zero.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What it is for, if anything.
    pub reference: Option<Memo>,
}

/// An online payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Names it, here and at the bank.
    pub id: OperationId,
    /// Hash of the request for it.
    pub fingerprint: [u8; 32],
    /// The payer's account.
    pub from_account: Name,
    /// The payee's PSP.
    pub to_psp: Name,
    /// The payee's account.
    pub to_account: Name,
    /// So much.
    pub amount: Amount,
    /// What it is for; may be empty.
    pub reference: String,
    /// Where it stands.
    pub state: TransferState,
}

/// Where an online payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferState {
    /// Held; what the bank did is unknown.
    Pending,
    /// Made.
    Done,
    /// Refused by the bank, and refunded.
    Refused,
}

/// Why an online payment is not made. Whatever the reason, no money moved; it may be held until the bank can be reached.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The device may not pay.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// Nothing is to be paid, or by an account to itself.
    #[error("a payment moves more than nothing, to another account")]
    Nothing,
    /// The account is in another currency.
    #[error("accounts here are in {0}")]
    Currency(Currency),
    /// There is no such account here.
    #[error("there is no account `{0}` here")]
    UnknownAccount(Name),
    /// The account holds less.
    #[error("the account does not hold enough")]
    Balance,
    /// The bank refused, and the payer has the amount back.
    #[error("the bank refused the payment, and the amount is back in the account")]
    Refused,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank cannot be reached; the amount is held and the payment goes on when it can.
    #[error("{0}; the amount is held, and the payment goes on when the bank can be reached")]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for TransferError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RecallError> for TransferError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl TransferState {
    /// The stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The state of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Done, Self::Refused].into_iter().find(|state| state.as_str() == text)
    }
}

impl Transfer {
    fn movement(&self, kind: MovementKind, at: Timestamp) -> Movement {
        let payer = LedgerAccount::Customer(self.from_account);
        let held = LedgerAccount::TransfersInProgress;
        let (debit, credit) = match kind {
            MovementKind::Payment => (payer, LedgerAccount::Customer(self.to_account)),
            MovementKind::PaymentHeld => (payer, held),
            MovementKind::PaymentSettled => (held, LedgerAccount::Reserve),
            _ => (held, payer),
        };
        let reference = self.reference.clone();
        Movement { id: movement_id(kind, &self.id), kind, debit, credit, amount: self.amount, reference, at }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Pays from the device's account, and gives what the account holds afterwards. The same request again pays nothing more.
    ///
    /// # Errors
    /// When the payment is not made.
    pub fn transfer(
        &self,
        request: &Request<'_>,
        order: &TransferOrder,
        now: Timestamp,
    ) -> Result<(OperationId, Amount), TransferError> {
        let transfer = self.store().write(|records| {
            let party = self.active(records, &PublicKey(request.who), now)?;
            match records.transfer(&request.operation())? {
                Some(before) if before.fingerprint != request.fingerprint => Err(KeyConflict.into()),
                Some(before) => Ok(before),
                None => self.begin(records, request, &party, order, now),
            }
        })?;
        let state = match transfer.state {
            TransferState::Pending => self.complete(&transfer, now)?,
            settled => settled,
        };
        if state == TransferState::Refused {
            return Err(TransferError::Refused);
        }
        let account = LedgerAccount::Customer(transfer.from_account);
        let totals = self.store().read(|records| records.totals(&account))?;
        Ok((transfer.id, totals.balance()))
    }

    /// Books a payment within this PSP, or holds the amount of one to another.
    fn begin(
        &self,
        records: &mut dyn Records,
        request: &Request<'_>,
        party: &Party,
        order: &TransferOrder,
        now: Timestamp,
    ) -> Result<Transfer, TransferError> {
        let known = request.recall(records)?.is_some();
        let here = order.to_psp == self.identity().name;
        if order.amount.is_zero() || (here && order.to_account == party.customer.account) {
            return Err(TransferError::Nothing);
        }
        if order.currency != self.identity().currency {
            return Err(TransferError::Currency(self.identity().currency));
        }
        if here && !records.account_exists(&order.to_account)? {
            return Err(TransferError::UnknownAccount(order.to_account));
        }
        let (kind, state) = if here {
            (MovementKind::Payment, TransferState::Done)
        } else {
            (MovementKind::PaymentHeld, TransferState::Pending)
        };
        let transfer = Transfer {
            id: request.operation(),
            fingerprint: request.fingerprint,
            from_account: party.customer.account,
            to_psp: order.to_psp,
            to_account: order.to_account,
            amount: order.amount,
            reference: order.reference.map(|memo| memo.as_str().to_owned()).unwrap_or_default(),
            state,
        };
        ledger::post(records, &transfer.movement(kind, now))?.map_err(|_| TransferError::Balance)?;
        records.insert_transfer(&transfer)?;
        if !known {
            request.remember(records, &[], now)?;
        }
        Ok(transfer)
    }

    /// Has the bank make a pending payment, or refunds it.
    pub(crate) fn complete(&self, transfer: &Transfer, now: Timestamp) -> Result<TransferState, TransferError> {
        let asked = self.bank().transfer(&ReserveTransfer {
            id: transfer.id,
            from_account: transfer.from_account.as_str(),
            to_psp: transfer.to_psp.as_str(),
            to_account: transfer.to_account.as_str(),
            amount: transfer.amount,
            reference: &transfer.reference,
        });
        let (kind, state) = match asked {
            Ok(()) => (MovementKind::PaymentSettled, TransferState::Done),
            // The operator will fund the reserve; until then the amount stays held.
            Err(error) if matches!(error.refusal(), None | Some(Refusal::ReserveTooLow)) => {
                return Err(TransferError::Bank(error));
            }
            Err(_) => (MovementKind::PaymentRefunded, TransferState::Refused),
        };
        Ok(self.store().write(|records| {
            let current = records.transfer(&transfer.id)?.map_or(state, |current| current.state);
            if current != TransferState::Pending {
                return Ok(current);
            }
            ledger::post_held(records, &transfer.movement(kind, now))?;
            records.set_transfer_state(&transfer.id, state)?;
            Ok::<_, StoreError>(state)
        })?)
    }
}
