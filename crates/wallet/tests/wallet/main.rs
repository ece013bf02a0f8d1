//! The wallet with real elements on simulated flash, a bank in memory, and crashes wherever they hurt.
#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]

mod backups;
mod bank;
mod crashes;
mod device;
mod disclosures;
mod hostile;
mod ledger;
mod mandates;
mod payments;
mod properties;
mod publications;
mod raw;
mod reception;
mod revocations;
mod synchronisation;
mod withdrawals;

/// Records in each element.
const RECORDS: usize = 512;
