//! What the bank pays for what was shown: within the face of the issued note out of its class, beyond it as loss.

use specie_audit::{Actor, Kind};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, Context, NoteId, TransferId};
use specie_core::text::Name;
use specie_core::transfer::redemption_context;

use crate::audit::{self, hex};
use crate::credit::{self, CreditKind};
use crate::ledger::{Account, LedgerError, Movement, MovementKind, Posting};
use crate::storage::{StorageError, Tx};

/// An account at a PSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Destination {
    /// The PSP.
    pub psp: Name,
    /// The account there.
    pub account: Name,
}

/// What was paid, and for what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PayoutRecord {
    /// The redeeming transfer, the one with the leftover, or the name of a claim.
    pub transfer: TransferId,
    /// Which of these.
    pub kind: PayoutKind,
    /// The issued note that it comes from.
    pub root: NoteId,
    /// Class of that note.
    pub root_class: ClassId,
    /// Paid in all.
    pub amount: Amount,
    /// Of this, within the face of the issued note; the rest is loss by double spending.
    pub from_class: Amount,
    /// Who was paid.
    pub to: Destination,
    /// When.
    pub at: Timestamp,
}

/// Why something was paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayoutKind {
    /// A chain was redeemed.
    Redemption,
    /// What nobody claimed of a transfer fell to its payer.
    Leftover,
    /// What nobody redeemed of a lost device's holdings fell to its owner.
    Restitution,
}

/// How a class was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExpiryRecord {
    /// The class.
    pub class_id: ClassId,
    /// What was outstanding and is owed no more.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// What is to be paid.
pub(crate) struct Due {
    pub(crate) transfer: TransferId,
    pub(crate) kind: PayoutKind,
    pub(crate) root: NoteId,
    pub(crate) root_class: ClassId,
    /// Face of the issued note.
    pub(crate) face: Amount,
    pub(crate) amount: Amount,
    pub(crate) to: Destination,
}

impl Destination {
    /// The context of transfers that redeem to this account.
    pub fn context(&self) -> Context {
        redemption_context(&self.psp, &self.account)
    }
}

impl PayoutKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Redemption, Self::Leftover, Self::Restitution];

    /// Its name in the storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redemption => "redemption",
            Self::Leftover => "leftover",
            Self::Restitution => "restitution",
        }
    }

    fn movement(self) -> MovementKind {
        match self {
            Self::Redemption => MovementKind::Redemption,
            Self::Leftover => MovementKind::Leftover,
            Self::Restitution => MovementKind::Restitution,
        }
    }

    fn credit(self) -> CreditKind {
        match self {
            Self::Redemption => CreditKind::Redemption,
            Self::Leftover => CreditKind::Leftover,
            Self::Restitution => CreditKind::Restitution,
        }
    }
}

impl PayoutRecord {
    /// What was paid beyond the face of the issued note.
    pub fn loss(&self) -> Amount {
        self.amount.checked_sub(self.from_class).unwrap_or(Amount::ZERO)
    }
}

/// Whether the class still has outstanding what is to be paid out of it. If not, more came back than was issued: an
/// alarm is raised.
pub(crate) fn is_covered(tx: &mut dyn Tx, due: &Due, now: Timestamp) -> Result<bool, StorageError> {
    let outstanding = tx.balance(&Account::Outstanding(due.root_class).to_string())?;
    let covered = i128::from(from_class(tx, due)?.minor()) <= i128::from(outstanding);
    if !covered {
        alarm(tx, "class-exhausted", &due.root_class.0, now)?;
    }
    Ok(covered)
}

/// What of the amount due lies within the face of the issued note.
fn from_class(tx: &mut dyn Tx, due: &Due) -> Result<Amount, StorageError> {
    let remaining = due.face.checked_sub(tx.paid_of_root(&due.root)?).unwrap_or(Amount::ZERO);
    Ok(due.amount.min(remaining))
}

/// Pays what is due, once: books it, counts it against the issued note, and tells the PSP.
pub(crate) fn pay(tx: &mut dyn Tx, due: &Due, now: Timestamp) -> Result<PayoutRecord, LedgerError> {
    let from_class = from_class(tx, due)?;
    let payout = PayoutRecord {
        transfer: due.transfer,
        kind: due.kind,
        root: due.root,
        root_class: due.root_class,
        amount: due.amount,
        from_class,
        to: due.to,
        at: now,
    };
    if !tx.insert_payout(&payout)? {
        return Err(LedgerError::Booked);
    }
    tx.add_to_root(&due.root, &due.root_class, from_class)?;
    let loss = payout.loss();
    let postings = [
        Posting::debit(Account::Outstanding(due.root_class), from_class),
        Posting::debit(Account::FraudLoss, loss),
        Posting::credit(Account::Reserve(due.to.psp), due.amount),
    ];
    Movement::new(due.kind.movement(), &[&due.transfer.0], now, postings)?.book(tx)?;
    credit::tell(tx, &due.to, due.amount, due.kind.credit(), due.transfer.to_string(), now)?;
    if !loss.is_zero() && !tx.root_is_double_spent(&due.root)? {
        // More than its face came back of a note that nobody spent twice: the rules themselves are broken.
        alarm(tx, "loss-unexplained", &due.root.0, now)?;
    }
    Ok(payout)
}

/// Raises an alarm, once.
fn alarm(tx: &mut dyn Tx, why: &str, subject: &[u8], now: Timestamp) -> Result<(), StorageError> {
    if !tx.insert_alarm(why, subject, now)? {
        return Ok(());
    }
    audit::append(tx, Actor::service(), now, Kind::AlarmRaised, &hex(subject), &[("why", why)])
}

/// Closes a class: what is outstanding is owed no more.
pub(crate) fn close(tx: &mut dyn Tx, class: &ClassId, now: Timestamp) -> Result<Option<ExpiryRecord>, LedgerError> {
    if tx.expiry(class)?.is_some() {
        return Ok(None);
    }
    let outstanding = tx.balance(&Account::Outstanding(*class).to_string())?;
    let amount = u64::try_from(outstanding).ok().and_then(Amount::new);
    let amount =
        amount.ok_or_else(|| StorageError::Failed(format!("class {class} has less than nothing outstanding")))?;
    let expiry = ExpiryRecord { class_id: *class, amount, at: now };
    tx.insert_expiry(&expiry)?;
    let postings = [Posting::debit(Account::Outstanding(*class), amount), Posting::credit(Account::Expired, amount)];
    Movement::new(MovementKind::Expiry, &[&class.0], now, postings)?.book(tx)?;
    Ok(Some(expiry))
}
