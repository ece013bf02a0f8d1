//! The storage traits of bank and PSP on SQL.
//!
//! [`sql`] is the little of SQL that every adapter speaks, [`sqlite`] and [`postgres`] are the adapters, [`migration`] keeps
//! schemas moving forward. The tables of each service are in a module of its own, written once over [`sql::Session`].

mod audit;
pub mod bank;
mod group;
mod meter;
pub mod migration;
mod parts;
pub mod place;
pub mod postgres;
pub mod psp;
mod retry;
pub mod signer_journal;
pub mod sql;
pub mod sqlite;

pub use meter::Cost;
pub use migration::Schema;
pub use place::{AnyDatabase, Place};
pub use postgres::Postgres;
pub use sql::Database;
pub use sqlite::Sqlite;
