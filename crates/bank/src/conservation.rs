//! Conservation: issued − redeemed − expired = outstanding, for each class, from the facts and in the books.
//!
//! Facts are answered sessions, payouts and expiries: rows that are written where a note is made or paid. The books are postings and
//! balances. Nothing here trusts one for the other. A redemption that is not finished has no payout: what it will be paid is still
//! outstanding, and is so in the books. One look reads one consistent state and passes once over each of these tables, in time that grows
//! with their rows and not with classes or accounts; it holds no lock, so that nobody waits for it.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use specie_core::amount::Amount;
use specie_core::bytes::ClassId;

use crate::bank::Bank;
use crate::classes::is_value;
use crate::ledger::Account;
use crate::signer::Signer;
use crate::storage::{PaidSum, Storage, StorageError, View};

/// Whether the books hold, of one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conservation {
    /// One line for each class of value notes.
    pub classes: Vec<ClassLine>,
    /// Sum of all postings; must be 0.
    pub postings_sum: i128,
    /// Reserves of all PSPs together.
    pub reserves: i128,
    /// Loss by double spends, from the facts.
    pub fraud_loss: u128,
    /// The account of that loss.
    pub fraud_loss_ledger: i64,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// An account of the books, or another sum.
    pub about: String,
    /// What it must be, by the facts.
    pub expected: i128,
    /// What it is.
    pub found: i128,
}

/// Conservation of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassLine {
    /// The class.
    pub class_id: ClassId,
    /// Its epoch.
    pub epoch: u32,
    /// Its face value.
    pub face: Amount,
    /// Answered sessions times face.
    pub issued: u128,
    /// Paid for redemptions and leftovers, within faces.
    pub redeemed: u128,
    /// Owed no more when the class was closed.
    pub expired: u128,
    /// The ledger account.
    pub ledger: i64,
}

impl Conservation {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about, expected, found } = self;
        write!(f, "{about}: {expected} by the facts, {found} in the books")
    }
}

impl ClassLine {
    /// `issued − redeemed − expired`.
    pub fn outstanding(&self) -> i128 {
        let signed = |amount: u128| i128::try_from(amount).expect("sums of 63-bit amounts stay far below 2^127");
        signed(self.issued) - signed(self.redeemed) - signed(self.expired)
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Computes everything from the facts (answered sessions, payouts, expiries) and compares it with the books.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn conservation(&self, view: &mut dyn View) -> Result<Conservation, StorageError> {
        let balances: BTreeMap<String, i64> = view.balances()?.into_iter().collect();
        let mut findings = Vec::new();
        compare_postings(view, &balances, &mut findings)?;
        let paid = view.paid_sums()?;
        let classes = self.class_lines(view, &balances, &paid, &mut findings)?;
        let loss: u128 =
            paid.iter().map(|sum| u128::from(sum.amount.minor()) - u128::from(sum.from_class.minor())).sum();
        let fraud_loss_ledger = balances.get(&Account::FraudLoss.to_string()).copied().unwrap_or(0);
        compare(
            Account::FraudLoss,
            -i128::try_from(loss).unwrap_or(i128::MAX),
            fraud_loss_ledger.into(),
            &mut findings,
        );
        let prefix = "reserve/";
        let reserves = balances.iter().filter(|(account, _)| account.starts_with(prefix));
        let reserves = reserves.map(|(_, balance)| i128::from(*balance)).sum();
        let postings_sum = balances.values().map(|balance| i128::from(*balance)).sum();
        compare("all accounts", 0, postings_sum, &mut findings);
        Ok(Conservation { classes, postings_sum, reserves, fraud_loss: loss, fraud_loss_ledger, findings })
    }

    fn class_lines(
        &self,
        view: &mut dyn View,
        balances: &BTreeMap<String, i64>,
        paid: &[PaidSum],
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<ClassLine>, StorageError> {
        let issued: BTreeMap<ClassId, u64> = view.issued_counts()?.into_iter().collect();
        let paid: BTreeMap<ClassId, u64> = paid.iter().map(|sum| (sum.class_id, sum.from_class.minor())).collect();
        let expired: BTreeMap<ClassId, u64> =
            view.expiries()?.into_iter().map(|expiry| (expiry.class_id, expiry.amount.minor())).collect();
        let of = |sums: &BTreeMap<ClassId, u64>, id: &ClassId| u128::from(sums.get(id).copied().unwrap_or(0));
        let classes = self.class_table(view)?;
        let line = |class: &specie_core::class::Class| {
            let (class_id, face) = (class.id(), class.info().amount);
            let ledger = balances.get(&Account::Outstanding(class_id).to_string()).copied().unwrap_or(0);
            ClassLine {
                class_id,
                epoch: class.info().epoch,
                face,
                issued: of(&issued, &class_id) * u128::from(face.minor()),
                redeemed: of(&paid, &class_id),
                expired: of(&expired, &class_id),
                ledger,
            }
        };
        let lines: Vec<_> = classes.iter().filter(|class| is_value(class)).map(line).collect();
        for line in &lines {
            compare(Account::Outstanding(line.class_id), line.outstanding(), line.ledger.into(), findings);
        }
        // No class of value notes may be paid or expire that nobody published.
        let published: BTreeSet<_> = lines.iter().map(|line| line.class_id).collect();
        for (id, amount) in paid.iter().chain(&expired).filter(|(id, _)| !published.contains(id)) {
            compare(format_args!("paid or expired of the unpublished class {id}"), 0, (*amount).into(), findings);
        }
        Ok(lines)
    }
}

fn compare_postings(
    view: &mut dyn View,
    balances: &BTreeMap<String, i64>,
    findings: &mut Vec<Finding>,
) -> Result<(), StorageError> {
    let sums: BTreeMap<String, i64> = view.posting_sums()?.into_iter().collect();
    for account in balances.keys().chain(sums.keys().filter(|account| !balances.contains_key(*account))) {
        let (balance, sum) = (balances.get(account).copied().unwrap_or(0), sums.get(account).copied().unwrap_or(0));
        compare(format_args!("postings of {account}"), sum.into(), balance.into(), findings);
    }
    compare("movements that do not sum to zero", 0, view.unbalanced_movements()?.into(), findings);
    Ok(())
}

fn compare(about: impl fmt::Display, expected: i128, found: i128, findings: &mut Vec<Finding>) {
    if expected != found {
        findings.push(Finding { about: about.to_string(), expected, found });
    }
}
