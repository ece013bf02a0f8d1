//! A PSP on a real database, against a bank that can be cut off at any call.

#![allow(clippy::unwrap_used, unreachable_pub, non_snake_case)]

mod audit;
mod crash;
mod credits;
mod enrolment;
mod evidence;
mod faults;
mod holdings;
mod identification;
mod laundering;
mod limits;
mod loss;
mod model_bank;
mod owners;
mod persons;
mod registry;
mod totals;
mod transfers;
mod withdrawals;
mod world;
