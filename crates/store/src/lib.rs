//! The storage traits of bank and PSP on SQL.
//!
//! [`sql`] is the little of SQL that every adapter speaks, [`sqlite`] the adapter that is built in, [`migration`] keeps
//! schemas moving forward. The tables of each service are in a module of its own, written once over [`sql::Session`].

mod audit;
pub mod bank;
pub mod migration;
pub mod psp;
pub mod signer_journal;
pub mod sql;
pub mod sqlite;

pub use migration::Schema;
pub use sql::Database;
pub use sqlite::Sqlite;
