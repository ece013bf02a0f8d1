//! The central bank: issuance sessions, redemption, detection, revocation, manifests, and the books under all of it.
//!
//! No SQL, no HTTP, no clock, no randomness: storage ([`storage::Storage`]) and keys ([`signer::Signer`]) are traits, time
//! and seeds are arguments. [`Bank`] is the entry; each module adds its operations to it.
//!
//! The modules follow a note: a [`manifest`] publishes its class, [`issuance`] makes it, [`redemption`] takes it back
//! (checked by `verification`, recorded in [`spent`], paid by [`payout`]), [`detection`] names who spent it twice, [`sweep`]
//! settles what nobody asked for ([`restitution`]: or the owner of a lost device did), [`conservation`] proves that nothing was made or lost on the way, and [`watch`] raises the alarm when it was.
//! Whatever is decided about a device, a PSP or a rule is in the [`audit`] log.

pub mod audit;
pub mod bank;
pub mod classes;
pub mod conservation;
pub mod credit;
pub mod detection;
pub mod device;
pub mod epochs;
pub mod issuance;
pub mod ledger;
pub mod manifest;
pub mod once;
pub mod payment;
pub mod payout;
pub mod pending;
pub mod person;
pub mod psp;
pub mod redemption;
pub mod restitution;
pub mod revocation;
pub mod settings;
pub mod signer;
pub mod spent;
pub mod storage;
pub mod supervision;
pub mod sweep;
pub mod transfer;
mod verification;
pub mod watch;

pub use bank::Bank;
pub use verification::CheckedChain;
