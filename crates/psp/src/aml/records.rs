//! What a PSP remembers for its rules and cases.

use specie_aml::alert::{Alert, AlertId};
use specie_aml::case::{Case, Entry};
use specie_aml::flow::{EventId, Flow, Refusal};
use specie_aml::rules::RuleName;
use specie_core::Timestamp;
use specie_core::text::Name;

use crate::customer::Customer;
use crate::ledger::{LedgerAccount, Movement, MovementId, Totals};
use crate::store::StoreError;
use crate::transfer::Transfer;

type Stored<T> = Result<T, StoreError>;

/// An alert, and the case that it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raised {
    /// The alert.
    pub alert: Alert,
    /// The number of its case, if it is in one.
    pub case: Option<u64>,
}

/// Rows within one transaction. Every method fails only when the store does.
#[allow(missing_docs, reason = "the names say it; what is not obvious has a comment")]
pub trait AmlRecords {
    /// Movements after a place in the books, in order, each with its place.
    fn movements_after(&mut self, ordinal: u64, count_max: u64) -> Stored<Vec<(u64, Movement)>>;
    /// Movements of an account from one moment to another, both included, in order.
    fn movements_between(&mut self, account: &LedgerAccount, from: Timestamp, to: Timestamp) -> Stored<Vec<Movement>>;
    /// Totals of an account by its movements until a moment, which is included or not.
    fn totals_until(&mut self, account: &LedgerAccount, until: Timestamp, included: bool) -> Stored<Totals>;
    fn customer_of_account(&mut self, account: &Name) -> Stored<Option<Customer>>;
    /// The payment to another PSP that a movement has settled.
    fn transfer_of_movement(&mut self, movement: &MovementId) -> Stored<Option<Transfer>>;

    /// Keeps what a movement at this place of the books was for a customer, once.
    fn insert_flow(&mut self, ordinal: u64, flow: &Flow) -> Stored<()>;
    /// A customer's flows since a moment and the last one before it, in the order of the books, each with its place.
    fn flows_since(&mut self, customer: &Name, since: Timestamp) -> Stored<Vec<(u64, Flow)>>;
    fn flow(&mut self, customer: &Name, event: &EventId) -> Stored<Option<Flow>>;

    /// Keeps a refusal, once, unless there are `count_max` of this customer since `since`.
    fn insert_refusal(&mut self, refusal: &Refusal, since: Timestamp, count_max: u64) -> Stored<()>;
    fn refusals_after(&mut self, ordinal: u64, count_max: u64) -> Stored<Vec<(u64, Refusal)>>;
    /// A customer's refusals since a moment, in order, each with its place.
    fn refusals_since(&mut self, customer: &Name, since: Timestamp) -> Stored<Vec<(u64, Refusal)>>;
    fn forget_refusals(&mut self, before: Timestamp) -> Stored<()>;

    /// Keeps an alert, once; `false` when it was there.
    fn insert_alert(&mut self, alert: &Alert) -> Stored<bool>;
    fn alert(&mut self, id: &AlertId) -> Stored<Option<Raised>>;
    /// All alerts, oldest first.
    fn alerts(&mut self) -> Stored<Vec<Raised>>;
    /// The events that each rule has counted for a customer.
    fn counted(&mut self, customer: &Name) -> Stored<Vec<(RuleName, EventId)>>;
    fn set_case_of_alert(&mut self, id: &AlertId, case: u64) -> Stored<()>;

    fn next_case_number(&mut self) -> Stored<u64>;
    fn insert_case(&mut self, number: u64, customer: &Name) -> Stored<()>;
    /// Adds an entry to a case, at this place from 0.
    fn insert_case_entry(&mut self, number: u64, position: u64, entry: &Entry) -> Stored<()>;
    fn case(&mut self, number: u64) -> Stored<Option<Case>>;
    fn cases(&mut self) -> Stored<Vec<Case>>;

    /// The case by which a customer is frozen.
    fn frozen_by(&mut self, customer: &Name) -> Stored<Option<u64>>;
    fn insert_freeze(&mut self, customer: &Name, case: u64) -> Stored<()>;
    fn remove_freeze(&mut self, customer: &Name) -> Stored<()>;
}
