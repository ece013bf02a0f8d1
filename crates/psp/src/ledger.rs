//! The PSP's books, in double entry: every movement debits one account and credits another by the same amount.
//!
//! | Account | What a credit balance means |
//! |---|---|
//! | a customer's | the PSP owes it to the customer |
//! | withdrawals in progress | held for withdrawals that the bank has not answered |
//! | transfers in progress | held for payments to other PSPs that the bank has not made |
//! | unclaimed | came for accounts that do not exist here |
//! | reserve | (debit balance) the PSP's money at the bank |
//! | settlement | the rest of the world: cash at the counter, the operator's own money |

use specie_core::text::Name;
use specie_core::{Amount, Timestamp, hash, label};

use crate::store::{Posted, Records, StoreError};

/// Names a movement: 16 bytes derived from what it is for.
pub type MovementId = [u8; 16];

/// An account of the books.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LedgerAccount {
    /// A customer's account, by its name.
    Customer(Name),
    /// Held for withdrawals.
    WithdrawalsInProgress,
    /// Held for payments to other PSPs.
    TransfersInProgress,
    /// Came for nobody known.
    Unclaimed,
    /// At the bank.
    Reserve,
    /// The rest of the world.
    Settlement,
}

/// What a movement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MovementKind {
    /// A customer paid in.
    Deposit,
    /// The operator put money into the reserve at the bank.
    Funding,
    /// The bank paid the operator out of the reserve.
    Defunding,
    /// Held for a withdrawal.
    WithdrawalHeld,
    /// The bank answered a withdrawal.
    WithdrawalSettled,
    /// A withdrawal became void.
    WithdrawalRefunded,
    /// Notes were redeemed to an account.
    Redemption,
    /// What a lost device held came back.
    Restitution,
    /// A payment within this PSP.
    Payment,
    /// Held for a payment to another PSP.
    PaymentHeld,
    /// The bank made it.
    PaymentSettled,
    /// The bank refused it.
    PaymentRefunded,
    /// A payment from another PSP.
    PaymentReceived,
}

/// A movement of money from the account debited to the account credited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movement {
    /// Names it: the same movement is never made twice.
    pub id: MovementId,
    /// What it is.
    pub kind: MovementKind,
    /// From here.
    pub debit: LedgerAccount,
    /// To here.
    pub credit: LedgerAccount,
    /// So much; more than zero.
    pub amount: Amount,
    /// What it is for.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}

/// Debits and credits of one account, since ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Sum of its debits.
    pub debits: Amount,
    /// Sum of its credits.
    pub credits: Amount,
}

impl LedgerAccount {
    /// Whether its debits may never exceed its credits: nobody has less than nothing.
    pub fn stays_in_credit(&self) -> bool {
        !matches!(self, Self::Reserve | Self::Settlement)
    }
}

macro_rules! kinds {
    ($($kind:ident = $text:literal,)*) => {
        impl MovementKind {
            /// The stable name, as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The kind of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    Deposit = "deposit",
    Funding = "funding",
    Defunding = "defunding",
    WithdrawalHeld = "withdrawal",
    WithdrawalSettled = "withdrawal-settled",
    WithdrawalRefunded = "withdrawal-refund",
    Redemption = "redemption",
    Restitution = "restitution",
    Payment = "payment",
    PaymentHeld = "payment-sent",
    PaymentSettled = "payment-settled",
    PaymentRefunded = "payment-refund",
    PaymentReceived = "payment-received",
}

impl Totals {
    /// What the account holds: credits less debits, nothing when the debits are more.
    pub fn balance(&self) -> Amount {
        self.credits.checked_sub(self.debits).unwrap_or(Amount::ZERO)
    }

    /// What the account has paid out beyond what it got: debits less credits, nothing when the credits are more.
    pub fn debit_balance(&self) -> Amount {
        self.debits.checked_sub(self.credits).unwrap_or(Amount::ZERO)
    }
}

/// The name of the movement of `kind` for the operation `operation`.
pub fn movement_id(kind: MovementKind, operation: &[u8]) -> MovementId {
    let wide = hash::h32(label::PSP_MOVEMENT, &[kind.as_str().as_bytes(), operation]);
    wide[..16].try_into().expect("16 of 32 bytes")
}

/// Why a movement is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PostingRefusal {
    /// The account debited does not hold enough, or a sum is beyond what can be counted.
    Insufficient,
    /// Another movement has its name.
    NameTaken,
}

/// Posts a movement, once for its name; an amount of zero moves nothing.
pub(crate) fn post(records: &mut dyn Records, movement: &Movement) -> Result<Result<(), PostingRefusal>, StoreError> {
    Ok(post_new(records, movement)?.map(drop))
}

/// The same, and tells whether it was made now.
pub(crate) fn post_new(
    records: &mut dyn Records,
    movement: &Movement,
) -> Result<Result<bool, PostingRefusal>, StoreError> {
    if movement.amount.is_zero() {
        return Ok(Ok(false));
    }
    Ok(match records.post(movement)? {
        Posted::Made => Ok(true),
        Posted::Before => Ok(false),
        Posted::Insufficient => Err(PostingRefusal::Insufficient),
        Posted::NameTaken => Err(PostingRefusal::NameTaken),
    })
}

/// Posts a movement out of an account that held the amount for it.
pub(crate) fn post_held(records: &mut dyn Records, movement: &Movement) -> Result<(), StoreError> {
    post(records, movement)?.map_err(|refusal| {
        let (kind, reference) = (movement.kind.as_str(), &movement.reference);
        StoreError::Damaged(match refusal {
            PostingRefusal::Insufficient => format!("too little is held for {kind} {reference}"),
            PostingRefusal::NameTaken => format!("{kind} {reference} is booked already, otherwise"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movements_have_names_of_their_own() {
        let id = movement_id(MovementKind::Deposit, b"a");
        assert_eq!(id, movement_id(MovementKind::Deposit, b"a"));
        assert_ne!(id, movement_id(MovementKind::Deposit, b"b"));
        assert_ne!(id, movement_id(MovementKind::Payment, b"a"));
    }
}
