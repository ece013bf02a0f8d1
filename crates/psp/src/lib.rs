//! The intermediary: it knows its customers, keeps their accounts, enrols their devices, rations blanks, and relays
//! between devices and the bank.
//!
//! No SQL, no HTTP, no clock: storage is [`store::Store`], the bank is [`bank::Bank`], time and random seeds are arguments.
//! [`Psp`] has the operations, in one module for each concept.
//!
//! **Money.** Every movement debits one account of the [`ledger`] and credits another, in the transaction that changes
//! what it is for. Whatever needs the bank goes in three steps: hold (commit), ask the bank under a name derived from
//! the request, settle or refund (commit). A crash between any two is mended by repeating the request or by
//! [`Psp::reconcile`].
//!
//! **Repeating.** A request is named by who makes it and by its idempotency key ([`request::Request`]); what is done for it
//! is stored under that name in the same transaction.
//!
//! **Deciding.** Whatever is decided about a person or a rule is written into the audit log in the transaction that decides it, by
//! [`Psp::audit`](audit).

pub mod account;
pub mod aml;
pub mod audit;
pub mod bank;
pub mod catalogue;
pub mod claim;
pub mod credential;
pub mod credit;
pub mod customer;
pub mod device;
pub mod document;
pub mod enrolment;
pub mod evidence;
pub mod identification;
pub mod identity_document;
pub mod ledger;
pub mod loss;
pub mod ownership;
pub mod payment;
pub mod person;
pub mod policy;
pub mod publication;
pub mod reconcile;
pub mod redemption;
pub mod registry;
pub mod request;
pub mod screening;
pub mod service;
pub mod setting;
pub mod share;
pub mod store;
pub mod tier;
pub mod totals;
pub mod transfer;
pub mod upload;
pub mod withdrawal;

pub use service::{Identity, Psp};
