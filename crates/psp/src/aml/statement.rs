//! An account's statement over a time.

use specie_aml::report::Money;
use specie_aml::statement::{Booking, Period, Statement, StatementError};
use specie_core::Timestamp;
use specie_core::text::Name;
use thiserror::Error;

use crate::ledger::LedgerAccount;
use crate::service::Psp;
use crate::store::{Store, StoreError};

/// Why there is no statement.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountStatementError {
    /// No account has this name.
    #[error("there is no account `{0}` here")]
    UnknownAccount(Name),
    /// The statement cannot be made.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B> Psp<S, B> {
    /// The statement (camt.053) of an account from one moment to another, both included; `exponent` is the number of digits after
    /// the currency's point. The balances come from the movements before its beginning and until its end.
    ///
    /// # Errors
    /// When there is no such account, or the statement does not add up.
    pub fn account_statement(
        &self,
        account: &Name,
        (from, to): (Timestamp, Timestamp),
        exponent: u32,
        now: Timestamp,
    ) -> Result<String, AccountStatementError> {
        let ledger = LedgerAccount::Customer(*account);
        let (opening, movements, closing) = self.store().read(|records| {
            if !records.account_exists(account)? {
                return Err(AccountStatementError::UnknownAccount(*account));
            }
            let opening = records.totals_until(&ledger, from, false)?.balance();
            let closing = records.totals_until(&ledger, to, true)?.balance();
            Ok((opening, records.movements_between(&ledger, from, to)?, closing))
        })?;
        let entries = movements.into_iter().map(|movement| Booking {
            reference: movement.id.iter().map(|byte| format!("{byte:02x}")).collect(),
            is_credit: movement.credit == ledger,
            amount: movement.amount,
            at: movement.at,
            kind: movement.kind.as_str(),
            text: movement.reference,
        });
        let money = Money { currency: self.identity().currency.as_str(), exponent };
        let period = Period { psp: &self.identity().name, account, money, from, to };
        Ok(Statement::new(period, opening, entries.collect(), closing)?.to_xml(now))
    }
}
