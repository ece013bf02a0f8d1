//! What the bank pays for what was shown: within the face of the issued note out of its class, beyond it as loss.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use specie_audit::{Actor, Kind};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, Context, NoteId, TransferId};
use specie_core::text::Name;
use specie_core::transfer::redemption_context;

use crate::audit::{self, hex};
use crate::credit::{self, Credit, CreditKind};
use crate::ledger::{self, Account, LedgerError, Movement, MovementKind, Posting, Unbalanced};
use crate::storage::{Allotment, StorageError, Tx, View};

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
#[derive(Clone, Copy)]
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

    fn movement(&self) -> Result<Movement, Unbalanced> {
        let postings = [
            Posting::debit(Account::Outstanding(self.root_class), self.from_class),
            Posting::debit(Account::FraudLoss, self.loss()),
            Posting::credit(Account::Reserve(self.to.psp), self.amount),
        ];
        Movement::new(self.kind.movement(), &[&self.transfer.0], self.at, postings)
    }

    fn credit(&self) -> Credit {
        let (to, amount, kind) = (self.to, self.amount, self.kind.credit());
        Credit { to, amount, kind, reference: self.transfer.to_string() }
    }
}

impl Due {
    fn paid(&self, from_class: Amount, at: Timestamp) -> PayoutRecord {
        let Self { transfer, kind, root, root_class, amount, to, .. } = *self;
        PayoutRecord { transfer, kind, root, root_class, amount, from_class, to, at }
    }
}

/// What of the amount due lies within the face of the issued note, as far as it is known.
struct Remaining(BTreeMap<NoteId, Amount>);

impl Remaining {
    fn of(view: &mut (impl View + ?Sized), dues: &[Due]) -> Result<Self, StorageError> {
        let roots: BTreeSet<_> = dues.iter().map(|due| due.root).collect();
        Ok(Self(view.paid_of_roots(&Vec::from_iter(roots))?.into_iter().collect()))
    }

    /// Takes it off for the dues that come after.
    fn take(&mut self, due: &Due) -> Amount {
        let paid = self.0.entry(due.root).or_insert(Amount::ZERO);
        let within = due.amount.min(due.face.checked_sub(*paid).unwrap_or(Amount::ZERO));
        *paid = paid.checked_add(within).unwrap_or(Amount::MAX);
        within
    }
}

/// What is outstanding of classes, less what was taken.
#[derive(Default)]
struct Outstanding(BTreeMap<ClassId, i128>);

impl Outstanding {
    /// Takes `within` off if the class has so much outstanding.
    fn take(&mut self, view: &mut (impl View + ?Sized), class: ClassId, within: Amount) -> Result<bool, StorageError> {
        let outstanding = match self.0.entry(class) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(view.balance(&Account::Outstanding(class).to_string())?.into()),
        };
        let covered = i128::from(within.minor()) <= *outstanding;
        if covered {
            *outstanding -= i128::from(within.minor());
        }
        Ok(covered)
    }
}

/// Whose classes do not have outstanding any more what is to be paid out of them: more came back than was issued. Alarms are
/// raised about them.
pub(crate) fn uncovered(tx: &mut dyn Tx, dues: &[Due], now: Timestamp) -> Result<BTreeSet<TransferId>, StorageError> {
    let (mut remaining, mut outstanding) = (Remaining::of(tx, dues)?, Outstanding::default());
    let mut uncovered = BTreeSet::new();
    for due in dues {
        let within = remaining.take(due);
        if !outstanding.take(tx, due.root_class, within)? {
            exhausted(tx, &due.root_class, now)?;
            uncovered.insert(due.transfer);
        }
    }
    Ok(uncovered)
}

/// Allots to each, once, what it is paid within the face of its issued note, in the order of `dues`: together never more than the
/// face, whoever else allots at the same time.
pub(crate) fn allot(tx: &mut dyn Tx, dues: &[Due]) -> Result<Vec<Amount>, StorageError> {
    let roots: BTreeSet<_> = dues.iter().map(|due| due.root).collect();
    let known = tx.allotments(&Vec::from_iter(roots))?;
    let mut allotted: BTreeMap<_, _> = known.into_iter().map(|known| (known.transfer, known.amount)).collect();
    let mut remaining = Remaining::of(tx, dues)?;
    let (mut new, mut sums) = (Vec::new(), BTreeMap::new());
    for due in dues.iter().filter(|due| !allotted.contains_key(&due.transfer)) {
        let amount = remaining.take(due);
        new.push(Allotment { root: due.root, transfer: due.transfer, amount });
        let (_, _, sum) = sums.entry(due.root).or_insert((due.root_class, due.face, Amount::ZERO));
        *sum = sum.checked_add(amount).unwrap_or(Amount::MAX);
    }
    if tx.insert_allotments(&new)? != new.len() as u64 {
        return Err(StorageError::Busy);
    }
    let rows: Vec<_> = sums.iter().map(|(root, (class, _, sum))| (*root, *class, *sum)).collect();
    // Where two allot at the same time, the one that comes later sees here what the other took, and tries again.
    let counted = tx.add_to_roots(&rows)?;
    if counted.iter().any(|(root, paid)| sums.get(root).is_some_and(|(_, face, sum)| paid > face && !sum.is_zero())) {
        return Err(StorageError::Busy);
    }
    allotted.extend(new.into_iter().map(|new| (new.transfer, new.amount)));
    Ok(dues.iter().map(|due| allotted.get(&due.transfer).copied().unwrap_or(Amount::ZERO)).collect())
}

/// Pays what is due and allotted, each once: books it and tells the PSPs. Gives those that were not paid, because their
/// classes have not so much outstanding.
pub(crate) fn book(
    tx: &mut dyn Tx,
    dues: &[(Due, Amount)],
    now: Timestamp,
) -> Result<BTreeSet<TransferId>, LedgerError> {
    let ids: Vec<_> = dues.iter().map(|(due, _)| due.transfer).collect();
    let paid: BTreeSet<_> = tx.payouts(&ids)?.into_iter().map(|payout| payout.transfer).collect();
    let (mut outstanding, mut uncovered, mut payouts) = (Outstanding::default(), BTreeSet::new(), Vec::new());
    for (due, within) in dues.iter().filter(|(due, _)| !paid.contains(&due.transfer)) {
        if outstanding.take(tx, due.root_class, *within)? {
            payouts.push(due.paid(*within, now));
        } else {
            uncovered.insert(due.transfer);
            if tx.expiry(&due.root_class)?.is_none() {
                exhausted(tx, &due.root_class, now)?;
            }
        }
    }
    if tx.insert_payouts(&payouts)? != payouts.len() as u64 {
        return Err(StorageError::Busy.into());
    }
    let movements = payouts.iter().map(PayoutRecord::movement).collect::<Result<Vec<_>, _>>()?;
    ledger::book(tx, &movements)?;
    credit::tell(tx, payouts.iter().map(PayoutRecord::credit).collect(), now)?;
    for payout in payouts.iter().filter(|payout| !payout.loss().is_zero()) {
        if !tx.root_is_double_spent(&payout.root)? {
            // More than its face came back of a note that nobody spent twice: the rules themselves are broken.
            alarm(tx, "loss-unexplained", &payout.root.0, now)?;
        }
    }
    Ok(uncovered)
}

/// Allots and pays at once.
pub(crate) fn pay(tx: &mut dyn Tx, due: Due, now: Timestamp) -> Result<Amount, LedgerError> {
    let within = allot(tx, core::slice::from_ref(&due))?[0];
    let (class, amount) = (due.root_class, due.amount);
    if book(tx, &[(due, within)], now)?.is_empty() {
        Ok(amount)
    } else {
        Err(LedgerError::Overdrawn(Account::Outstanding(class)))
    }
}

fn exhausted(tx: &mut dyn Tx, class: &ClassId, now: Timestamp) -> Result<(), StorageError> {
    alarm(tx, "class-exhausted", &class.0, now)
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
