//! PSPs: who may ask, and what reserve stands behind them.

use specie_core::amount::{Amount, Timestamp};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::ledger::{Account, LedgerError, Movement, MovementKind, Posting};
use crate::storage::{StorageError, Tx, View};

/// A registered PSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PspRecord {
    /// Its name.
    pub name: Name,
    /// Verifies its requests, and in manifests its limits and descriptors.
    pub key: PublicKey,
}

/// A PSP's reserve as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reserve {
    /// What the bank owes the PSP.
    pub balance: Amount,
    /// Sequence of its newest credit; 0 for none.
    pub credit_sequence: u64,
}

/// Why nothing was done about a PSP.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PspError {
    /// The name is taken.
    #[error("a PSP named {0} is registered already: choose another name")]
    Known(Name),
    /// There is no such PSP.
    #[error("no PSP named {0} is registered: register it first")]
    Unknown(Name),
    /// The books refuse.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Registers a PSP. Devices hear of its key in the next manifest.
///
/// # Errors
/// When the name is taken.
pub fn register(tx: &mut dyn Tx, psp: &PspRecord) -> Result<(), PspError> {
    if tx.insert_psp(psp)? { Ok(()) } else { Err(PspError::Known(psp.name)) }
}

/// Books that an operator was paid `amount` for the reserve of `psp`. `reference` names the payment: the same is
/// booked once.
///
/// # Errors
/// When there is no such PSP, or the payment is booked already.
pub fn fund(tx: &mut dyn Tx, psp: &Name, amount: Amount, reference: &[u8], now: Timestamp) -> Result<(), PspError> {
    known(tx, psp)?;
    let postings = [Posting::debit(Account::Settlement, amount), Posting::credit(Account::Reserve(*psp), amount)];
    book(tx, MovementKind::Funding, psp, reference, now, postings)
}

/// Books that an operator paid `amount` out of the reserve of `psp`.
///
/// # Errors
/// When there is no such PSP, its reserve does not hold enough, or the payment is booked already.
pub fn defund(tx: &mut dyn Tx, psp: &Name, amount: Amount, reference: &[u8], now: Timestamp) -> Result<(), PspError> {
    known(tx, psp)?;
    let postings = [Posting::credit(Account::Settlement, amount), Posting::debit(Account::Reserve(*psp), amount)];
    book(tx, MovementKind::Defunding, psp, reference, now, postings)
}

/// The reserve of `psp`.
///
/// # Errors
/// When there is no such PSP.
pub fn reserve(view: &mut dyn View, psp: &Name) -> Result<Reserve, PspError> {
    known(view, psp)?;
    let balance = view.balance(&Account::Reserve(*psp).to_string())?;
    let balance = u64::try_from(balance).ok().and_then(Amount::new);
    let balance = balance.ok_or_else(|| StorageError::Failed(format!("the reserve of {psp} is below zero")))?;
    Ok(Reserve { balance, credit_sequence: view.credit_sequence(psp)? })
}

/// The PSP named, if it is registered.
pub(crate) fn known(view: &mut (impl View + ?Sized), psp: &Name) -> Result<PspRecord, PspError> {
    view.psp(psp)?.ok_or(PspError::Unknown(*psp))
}

fn book(
    tx: &mut dyn Tx,
    kind: MovementKind,
    psp: &Name,
    reference: &[u8],
    now: Timestamp,
    postings: [Posting; 2],
) -> Result<(), PspError> {
    let movement = Movement::new(kind, &[psp.as_str().as_bytes(), reference], now, postings);
    Ok(movement.map_err(LedgerError::from)?.book(tx)?)
}
