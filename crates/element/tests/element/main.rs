//! The element against its specification: scripts of commands, limits, hostile commands, and power cuts.
//!
//! All of it runs in this process, or on an emulated chip: see [`subject`].

#![allow(clippy::unwrap_used, missing_docs)]

mod chip;
mod emulated;
mod factory;
mod figures;
mod hostile;
mod limits;
mod mandates;
mod model;
mod pin;
mod power_cut;
mod records;
mod sample;
mod spend;
mod subject;
mod support;
mod totals;
