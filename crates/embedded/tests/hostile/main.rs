//! Whatever comes on the lines of a device: money and records stay as they were, unless a valid payment came.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its report")]
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]

#[path = "../../../wallet/tests/wallet/bank.rs"]
#[allow(dead_code, reason = "the wallet's tests need more of it")]
mod bank;
mod element;
#[allow(dead_code, reason = "the fuzzer needs more of it")]
mod houses;
#[path = "../../../wallet/tests/wallet/ledger.rs"]
#[allow(dead_code, reason = "the wallet's tests need more of it")]
mod ledger;
mod mandates;
mod order;
mod owner;
mod peer;
mod room;
