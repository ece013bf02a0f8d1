//! Credits: what each PSP has to book to its customers' accounts.

use std::collections::BTreeMap;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Name;

use crate::payout::Destination;
use crate::storage::{StorageError, Tx};

/// Where a credit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreditKind {
    /// A chain was redeemed.
    Redemption,
    /// What nobody claimed of a transfer fell to its payer.
    Leftover,
    /// The owner of a lost device claimed it, and nobody redeemed it.
    Restitution,
    /// An online payment from another account.
    Transfer,
}

/// Money put into a PSP's reserve for one of its accounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditRecord {
    /// The PSP.
    pub psp: Name,
    /// Counts the credits of this PSP from 1, without gaps.
    pub sequence: u64,
    /// The account. The bank does not know whether it exists.
    pub account: Name,
    /// More than zero.
    pub amount: Amount,
    /// Where it comes from.
    pub kind: CreditKind,
    /// The name of a transfer or of a claim in hexadecimal, or what the payer wrote.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}

impl CreditKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Redemption, Self::Leftover, Self::Restitution, Self::Transfer];

    /// Its name in the books.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redemption => "redemption",
            Self::Leftover => "leftover",
            Self::Restitution => "restitution",
            Self::Transfer => "transfer",
        }
    }
}

/// What a PSP is to be told.
pub(crate) struct Credit {
    pub(crate) to: Destination,
    pub(crate) amount: Amount,
    pub(crate) kind: CreditKind,
    pub(crate) reference: String,
}

/// Tells PSPs that their reserves hold more for their accounts, in this order; of nothing they are not told.
pub(crate) fn tell(tx: &mut dyn Tx, credits: Vec<Credit>, at: Timestamp) -> Result<(), StorageError> {
    let mut by_psp = BTreeMap::<Name, Vec<Credit>>::new();
    for credit in credits.into_iter().filter(|credit| !credit.amount.is_zero()) {
        by_psp.entry(credit.to.psp).or_default().push(credit);
    }
    for (psp, credits) in by_psp {
        let count = credits.len() as u64;
        let first = tx.count_credits(&psp, count)? + 1 - count;
        let records = (first..).zip(credits).map(|(sequence, Credit { to, amount, kind, reference })| CreditRecord {
            psp,
            sequence,
            account: to.account,
            amount,
            kind,
            reference,
            at,
        });
        tx.insert_credits(&records.collect::<Vec<_>>())?;
    }
    Ok(())
}
