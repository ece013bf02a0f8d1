//! The bank on a real database, against honest and dishonest devices.
#![allow(clippy::unwrap_used, non_snake_case, reason = "tests; the letters of the specification")]

mod double_spends;
mod redemption;
mod world;
