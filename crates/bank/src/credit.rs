//! Credits: what each PSP has to book to its customers' accounts.

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Name;

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

/// Tells the PSP of `destination` that its reserve holds `amount` more for the account.
pub(crate) fn tell(
    tx: &mut dyn Tx,
    destination: &crate::payout::Destination,
    amount: Amount,
    kind: CreditKind,
    reference: String,
    at: Timestamp,
) -> Result<(), StorageError> {
    if amount.is_zero() {
        return Ok(());
    }
    let (psp, account) = (destination.psp, destination.account);
    let sequence = tx.next_credit_sequence(&psp)?;
    tx.insert_credit(&CreditRecord { psp, sequence, account, amount, kind, reference, at })?;
    Ok(())
}
