//! What a device sees of its account, and what the operator sees of the books.

use specie_audit::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use crate::bank::Bank;
use crate::customer::CustomerError;
use crate::device::{DeviceError, DeviceRefusal};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, Totals, movement_id};
use crate::service::Psp;
use crate::store::{Store, StoreError};
use crate::withdrawal::withdrawable;

/// How many movements a statement shows.
const HISTORY_LENGTH: u64 = 100;

/// A device's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its name.
    pub account: Name,
    /// What it holds.
    pub balance: Amount,
    /// The customer's tier.
    pub tier: Name,
    /// What the tier and the account still let the customer withdraw now.
    pub withdrawable: Amount,
    /// What is left of the device's rations, by epoch.
    pub rations: Vec<RationLeft>,
    /// The newest movements, newest first.
    pub history: Vec<Movement>,
}

/// What is left of a ration of blanks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RationLeft {
    /// The epoch.
    pub epoch: u32,
    /// How many blanks may still be had.
    pub blanks: u64,
    /// The largest cap of one.
    pub cap_max: Amount,
}

/// The books at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Books {
    /// What the PSP owes its customers.
    pub customers: Amount,
    /// Held for withdrawals.
    pub withdrawals_in_progress: Amount,
    /// Held for payments to other PSPs.
    pub transfers_in_progress: Amount,
    /// Came for nobody known.
    pub unclaimed: Amount,
    /// What the PSP has at the bank, by its own books.
    pub reserve: Amount,
    /// What is wrong, in words; empty when the books balance.
    pub findings: Vec<String>,
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// The account of a device.
    ///
    /// # Errors
    /// When the device is not enrolled.
    pub fn statement(&self, device: &PublicKey, now: Timestamp) -> Result<Statement, DeviceError> {
        self.store().read(|records| {
            let party = self.enrolled(records, device)?;
            // Whoever has the device by now is not shown the account of its former owner.
            if party.device.released_at.is_some() {
                return Err(DeviceRefusal::Released.into());
            }
            let holdings = self.holdings(records, &party.customer, now)?;
            let tier = holdings.tier;
            let account = LedgerAccount::Customer(party.customer.account);
            let balance = records.totals(&account)?.balance();
            let catalogue = self.catalogue(records)?;
            let mut rations = Vec::new();
            for (epoch, cap_max) in catalogue.blank_epochs(tier.blank_cap_max, now) {
                let blanks = holdings.blanks_left(records, device, epoch)?;
                rations.push(RationLeft { epoch, blanks, cap_max });
            }
            Ok(Statement {
                account: party.customer.account,
                balance,
                tier: tier.name,
                withdrawable: withdrawable(records, &holdings, device, now)?.min(balance),
                rations,
                history: records.movements(&account, HISTORY_LENGTH)?,
            })
        })
    }

    /// What a customer's account holds, for the operator.
    ///
    /// # Errors
    /// When the customer is unknown.
    pub fn balance(&self, customer: &Name) -> Result<Amount, CustomerError> {
        self.store().read(|records| {
            let customer = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            Ok(records.totals(&LedgerAccount::Customer(customer.account))?.balance())
        })
    }

    /// Books what the operator put into the reserve at the bank; `reference` names that payment, once.
    ///
    /// # Errors
    /// When the reference was booked for something else, or the store fails.
    pub fn fund_reserve(&self, amount: Amount, reference: &str, now: Timestamp) -> Result<(), CustomerError> {
        self.move_reserve(MovementKind::Funding, amount, reference, now)
    }

    /// Books what the bank paid the operator out of the reserve; `reference` names that payment, once.
    ///
    /// # Errors
    /// When the reserve holds less in these books, the reference was booked for something else, or the store fails.
    pub fn defund_reserve(&self, amount: Amount, reference: &str, now: Timestamp) -> Result<(), CustomerError> {
        self.move_reserve(MovementKind::Defunding, amount, reference, now)
    }

    fn move_reserve(
        &self,
        kind: MovementKind,
        amount: Amount,
        reference: &str,
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        let (decided, debit, credit) = match kind {
            MovementKind::Defunding => (Kind::ReservePaidOut, LedgerAccount::Settlement, LedgerAccount::Reserve),
            _ => (Kind::ReservePaidIn, LedgerAccount::Reserve, LedgerAccount::Settlement),
        };
        let id = movement_id(kind, reference.as_bytes());
        let movement = Movement { id, kind, debit, credit, amount, reference: reference.into(), at: now };
        self.store().write(|records| {
            let made = ledger::post_new(records, &movement)?.map_err(|refusal| refusal.of(reference))?;
            let reserve = records.totals(&LedgerAccount::Reserve)?;
            if made && reserve.credits > reserve.debits {
                return Err(CustomerError::Reserve);
            }
            if made {
                let details = [("amount", amount.minor().to_string()), ("reference", reference.to_owned())];
                self.audit(records, now, decided, self.identity().name.as_str(), &details)?;
            }
            Ok(())
        })
    }

    /// The books, checked: every account against its movements, what is held against what it is held for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn books(&self) -> Result<Books, StoreError> {
        self.store().read(|records| {
            let mut findings = Vec::new();
            let (mut customers, mut debits, mut credits) = (0_u128, 0_u128, 0_u128);
            for (account, stored, moved) in records.trial_balance()? {
                check_account(&account, &stored, &moved, &mut findings);
                debits += u128::from(stored.debits.minor());
                credits += u128::from(stored.credits.minor());
                if matches!(account, LedgerAccount::Customer(_)) {
                    customers += u128::from(stored.balance().minor());
                }
            }
            if debits != credits {
                findings.push(format!("debits come to {debits}, credits to {credits}"));
            }
            let withdrawals = records.totals(&LedgerAccount::WithdrawalsInProgress)?.balance();
            let transfers = records.totals(&LedgerAccount::TransfersInProgress)?.balance();
            let held = records.unsettled_withdrawals()?.iter().map(|w| u128::from(w.value.minor())).sum();
            check_held("withdrawals", withdrawals, held, &mut findings);
            let held = records.pending_transfers()?.iter().map(|t| u128::from(t.amount.minor())).sum();
            check_held("payments to other PSPs", transfers, held, &mut findings);
            Ok(Books {
                customers: u64::try_from(customers).ok().and_then(Amount::new).unwrap_or(Amount::MAX),
                withdrawals_in_progress: withdrawals,
                transfers_in_progress: transfers,
                unclaimed: records.totals(&LedgerAccount::Unclaimed)?.balance(),
                reserve: records.totals(&LedgerAccount::Reserve)?.debit_balance(),
                findings,
            })
        })
    }

    /// What the bank says the reserve holds; equal to [`Books::reserve`] when nothing is under way.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    pub fn reserve_at_bank(&self) -> Result<Amount, crate::bank::BankError> {
        self.bank().reserve()
    }
}

fn check_account(account: &LedgerAccount, stored: &Totals, moved: &Totals, findings: &mut Vec<String>) {
    if stored != moved {
        findings.push(format!("{account:?} holds {stored:?}, its movements come to {moved:?}"));
    }
    if account.stays_in_credit() && stored.debits > stored.credits {
        findings.push(format!("{account:?} is overdrawn by {}", stored.debit_balance()));
    }
}

fn check_held(what: &str, booked: Amount, held: u128, findings: &mut Vec<String>) {
    if u128::from(booked.minor()) != held {
        findings.push(format!("{booked} is booked for {what}, {held} is under way"));
    }
}
