//! Against money laundering where identity is known: when money comes into an account, leaves it for a device, or comes back.
//!
//! [`rules`] look at the [`flow`]s of one customer and raise an [`alert::Alert`]. What people make of alerts is a
//! [`case::Case`]: two of them decide. What is reported goes out in the shape of goAML ([`report`]), an account in that of
//! ISO 20022 ([`statement`]).
//!
//! No I/O, no clock. Nothing here looks at two customers at once: matching one customer's withdrawals with another's
//! redemptions would rebuild the payments that the protocol hides (ADR 0017).

pub mod alert;
pub mod calendar;
pub mod case;
pub mod flow;
pub mod money;
pub mod report;
pub mod rules;
pub mod settings;
pub mod statement;
mod xml;

pub use settings::Settings;
