//! Credits: what the bank put into the reserve for accounts of this PSP, applied once each, in order.

use specie_core::Timestamp;
use specie_core::text::Name;
use thiserror::Error;

use crate::bank::{Bank, BankError, Credit, CreditOrigin};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, movement_id};
use crate::service::Psp;
use crate::store::{Feed, Records, Store, StoreError};

/// Why credits were not applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CreditError {
    /// The bank cannot be asked.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Reads credits until there are no more, and gives how many were new. Several may pull at once.
    ///
    /// # Errors
    /// When the bank cannot be asked, or the store fails. What was applied before stays so.
    pub fn pull_credits(&self, now: Timestamp) -> Result<u64, CreditError> {
        let mut count = 0;
        loop {
            let after = self.store().read(|records| records.feed_position(Feed::Credits))?;
            let credits = self.bank().credits(after).map_err(CreditError::Bank)?;
            let Some(last) = credits.last().map(|credit| credit.sequence) else { return Ok(count) };
            if last <= after {
                return Err(CreditError::Bank(BankError::Unavailable("its credits are out of order".into())));
            }
            count += self.store().write(|records| self.apply(records, &credits, now))?;
        }
    }

    /// Applies those of `credits` that follow the place of the feed, and moves it on.
    fn apply(&self, records: &mut dyn Records, credits: &[Credit], now: Timestamp) -> Result<u64, StoreError> {
        let position = records.feed_position(Feed::Credits)?;
        let mut count = 0;
        for credit in credits.iter().filter(|credit| credit.sequence > position) {
            let movement = self.movement_of(records, credit, now)?;
            ledger::post_held(records, &movement)?;
            records.set_feed_position(Feed::Credits, credit.sequence)?;
            count += 1;
        }
        Ok(count)
    }

    fn movement_of(&self, records: &mut dyn Records, credit: &Credit, now: Timestamp) -> Result<Movement, StoreError> {
        let kind = match credit.origin {
            CreditOrigin::Redemption => MovementKind::Redemption,
            CreditOrigin::Restitution => MovementKind::Restitution,
            CreditOrigin::Transfer => MovementKind::PaymentReceived,
        };
        let account = match Name::new(&credit.account) {
            Some(name) if records.account_exists(&name)? => LedgerAccount::Customer(name),
            _ => LedgerAccount::Unclaimed,
        };
        let reference = match account {
            LedgerAccount::Unclaimed => format!("for {}: {}", credit.account, credit.reference),
            _ => credit.reference.clone(),
        };
        Ok(Movement {
            id: movement_id(kind, &credit.sequence.to_be_bytes()),
            kind,
            debit: LedgerAccount::Reserve,
            credit: account,
            amount: credit.amount,
            reference,
            at: now,
        })
    }
}
