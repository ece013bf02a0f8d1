//! The device host: purse, withdraw, pay, receive, synchronise, recover. No I/O, no clock, no randomness of its own.
//!
//! A [`Wallet`] is loaded from key/value records. A transition changes it in memory and gives a [`Step`]: changes that the driver commits
//! atomically, and an output that it releases after that. So whatever is said was stored before, and after a crash at any point
//! [`Wallet::pending`] and [`Wallet::resume`] say the same again. Methods are of four kinds:
//!
//! - *looks* (`&self`): [`Wallet::balance`], [`Wallet::history`], [`Wallet::preview_payment`], … change nothing;
//! - *plans* draw on a seed and store what is going to be asked of the secure element or the PSP, before it is asked;
//! - *executions* take the element, repeat harmlessly what they asked already, and store its answers;
//! - *acceptances* check what others sent, and store it only if all of it holds.
//!
//! Time, 32-byte random seeds (each for one call) and the [`element::Element`] come in as arguments.
#![no_std]
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backup;
pub mod balance;
pub mod element;
pub mod error;
pub mod history;
pub mod housekeeping;
pub mod identity;
pub mod mandate;
pub mod payment;
pub mod publication;
mod purse;
pub mod reception;
mod record;
pub mod recovery;
pub mod request;
pub mod settings;
mod showing;
mod sorted;
pub mod step;
pub mod synchronisation;
pub mod wallet;
pub mod withdrawal;

pub use error::WalletError;
pub use step::{Change, Step};
pub use wallet::{Loading, Wallet};
