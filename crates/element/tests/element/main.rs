//! The element against its specification: scripts of commands, limits, hostile commands, and power cuts.

#![allow(clippy::unwrap_used, missing_docs)]

mod factory;
mod hostile;
mod limits;
mod model;
mod pin;
mod power_cut;
mod records;
mod spend;
mod support;
