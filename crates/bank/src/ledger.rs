//! Double entry: every movement is a set of postings that sums to zero.
//!
//! Accounts are written from the bank's side: what it owes is positive. Notes outstanding and reserves of PSPs are
//! owed; `settlement` is what operators paid in for reserves, `fraud-loss` what was paid out twice, both negative;
//! `expired` is what was owed and never asked for.

use core::fmt;
use std::collections::BTreeMap;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::text::Name;
use specie_core::{hash, label};
use thiserror::Error;

use crate::storage::{MovementRow, PostingRow, StorageError, Tx};

/// An account of the bank's books.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Account {
    /// Counterpart of what operators pay into reserves.
    Settlement,
    /// What was paid out beyond the face of notes spent twice.
    FraudLoss,
    /// What nobody redeemed in time.
    Expired,
    /// What the bank owes a PSP.
    Reserve(Name),
    /// What the bank owes the holders of notes of one class.
    Outstanding(ClassId),
}

/// Names a movement: derived from what it is for, so that nothing is booked twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovementId(pub [u8; 32]);

/// Why money moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MovementKind {
    /// An operator pays into a reserve.
    Funding,
    /// An operator pays out of a reserve.
    Defunding,
    /// A batch of notes is issued.
    Issue,
    /// A chain is redeemed.
    Redemption,
    /// A leftover goes to the payer of a transfer.
    Leftover,
    /// What a lost device held goes to its owner.
    Restitution,
    /// A class is closed.
    Expiry,
    /// A PSP pays another.
    Transfer,
}

/// A change of one account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// By how much, minor units.
    pub amount: i64,
}

/// Postings that sum to zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movement {
    id: MovementId,
    kind: MovementKind,
    at: Timestamp,
    postings: Vec<Posting>,
}

/// Postings that do not sum to zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("postings sum to {0}, not to zero: nothing is booked")]
pub struct Unbalanced(i128);

/// Why a movement was not booked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The postings do not sum to zero.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// The same movement is booked already.
    #[error("this movement is booked already")]
    Booked,
    /// The account does not hold enough.
    #[error("{0} does not hold enough")]
    Overdrawn(Account),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Account {
    /// Whether the account may go below zero.
    fn may_be_negative(self) -> bool {
        matches!(self, Self::Settlement | Self::FraudLoss)
    }
}

impl fmt::Display for Account {
    /// The account's name in the books.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settlement => f.write_str("settlement"),
            Self::FraudLoss => f.write_str("fraud-loss"),
            Self::Expired => f.write_str("expired"),
            Self::Reserve(psp) => write!(f, "reserve/{psp}"),
            Self::Outstanding(class) => write!(f, "outstanding/{class}"),
        }
    }
}

impl MovementKind {
    /// Its name in the books.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Funding => "funding",
            Self::Defunding => "defunding",
            Self::Issue => "issue",
            Self::Redemption => "redemption",
            Self::Leftover => "leftover",
            Self::Restitution => "restitution",
            Self::Expiry => "expiry",
            Self::Transfer => "transfer",
        }
    }
}

impl Posting {
    /// The bank owes more on `account`.
    pub fn credit(account: Account, amount: Amount) -> Self {
        Self { account, amount: signed(amount) }
    }

    /// The bank owes less on `account`.
    pub fn debit(account: Account, amount: Amount) -> Self {
        Self { account, amount: -signed(amount) }
    }
}

impl Movement {
    /// A movement for what `reference` names, which is unique among movements of this kind. Postings of nothing are
    /// left out.
    ///
    /// # Errors
    /// When the postings do not sum to zero.
    pub fn new(
        kind: MovementKind,
        reference: &[&[u8]],
        at: Timestamp,
        postings: impl IntoIterator<Item = Posting>,
    ) -> Result<Self, Unbalanced> {
        let postings: Vec<_> = postings.into_iter().filter(|posting| posting.amount != 0).collect();
        let sum: i128 = postings.iter().map(|posting| i128::from(posting.amount)).sum();
        if sum != 0 {
            return Err(Unbalanced(sum));
        }
        let name = [kind.name().as_bytes()].into_iter().chain(reference.iter().copied());
        let hasher = name.fold(hash::Hasher::new(label::BANK_MOVEMENT), hash::Hasher::part);
        Ok(Self { id: MovementId(hasher.h32()), kind, at, postings })
    }

    /// Its name.
    pub fn id(&self) -> MovementId {
        self.id
    }

    /// Books it. The caller's transaction fails with it.
    ///
    /// # Errors
    /// When it is booked already, or an account that must not would go below zero.
    pub fn book(&self, tx: &mut dyn Tx) -> Result<(), LedgerError> {
        book(tx, core::slice::from_ref(self))
    }

    fn row(&self) -> MovementRow {
        MovementRow { id: self.id.0, kind: self.kind.name(), at: self.at }
    }

    fn posting_rows(&self) -> impl Iterator<Item = PostingRow> + '_ {
        (0_u32..).zip(&self.postings).map(|(index, posting)| PostingRow {
            movement: self.id.0,
            index,
            account: posting.account.to_string(),
            amount: posting.amount,
        })
    }
}

/// Books movements together: each account changes once, by their sum. The caller's transaction fails with them.
pub(crate) fn book(tx: &mut dyn Tx, movements: &[Movement]) -> Result<(), LedgerError> {
    let rows: Vec<_> = movements.iter().map(Movement::row).collect();
    if tx.insert_movements(&rows)? != rows.len() as u64 {
        return Err(LedgerError::Booked);
    }
    let postings: Vec<_> = movements.iter().flat_map(Movement::posting_rows).collect();
    tx.insert_postings(&postings)?;
    let mut changes = BTreeMap::<Account, i128>::new();
    for posting in movements.iter().flat_map(|movement| &movement.postings) {
        *changes.entry(posting.account).or_default() += i128::from(posting.amount);
    }
    for (account, change) in changes.into_iter().filter(|(_, change)| *change != 0) {
        let change = i64::try_from(change).map_err(|_| LedgerError::Overdrawn(account))?;
        let balance = tx.add_to_balance(&account.to_string(), change)?;
        if balance < 0 && change < 0 && !account.may_be_negative() {
            return Err(LedgerError::Overdrawn(account));
        }
    }
    Ok(())
}

fn signed(amount: Amount) -> i64 {
    i64::try_from(amount.minor()).expect("amounts are at most 2^63 - 1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn amount(minor: u64) -> Amount {
        Amount::new(minor).unwrap()
    }

    #[test]
    fn postings_sum_to_zero_or_are_no_movement() {
        let movement = |credit, debit| {
            let postings =
                [Posting::credit(Account::Expired, amount(credit)), Posting::debit(Account::Settlement, amount(debit))];
            Movement::new(MovementKind::Funding, &[b"x"], Timestamp::EPOCH, postings)
        };
        assert!(movement(5, 5).is_ok());
        assert_eq!(movement(5, 4).unwrap_err(), Unbalanced(1));
        assert!(movement(0, 0).unwrap().postings.is_empty());
        // Two huge sums that would wrap to zero in 64 bits.
        let huge = [Posting::credit(Account::Expired, Amount::MAX); 2];
        assert!(Movement::new(MovementKind::Funding, &[], Timestamp::EPOCH, huge).is_err());
    }

    #[test]
    fn names_depend_on_kind_and_reference() {
        let id = |kind, reference: &[&[u8]]| Movement::new(kind, reference, Timestamp::EPOCH, []).unwrap().id();
        let one = id(MovementKind::Issue, &[b"ab", b"c"]);
        assert_eq!(one, id(MovementKind::Issue, &[b"ab", b"c"]));
        assert_ne!(one, id(MovementKind::Issue, &[b"a", b"bc"]));
        assert_ne!(one, id(MovementKind::Expiry, &[b"ab", b"c"]));
    }
}
