//! The bank's issuing keys and its ledger key, in a process of their own (`docs/spec/signer.md`).
//!
//! A signer is a folder: keys encrypted under a passphrase ([`vault`]), limits per class ([`limits`]), and a journal that
//! lies nowhere near the bank's database ([`record`]). [`Keeper`] holds them and signs; [`service`] lets the bank's servers
//! reach it over a UNIX socket, [`Client`] is how they do. Whoever takes over a server can have notes signed within the
//! limits, each of them counted; keys are nothing that a server ever sees.

mod client;
mod field;
mod folder;
mod frame;
mod keeper;
pub mod limits;
mod message;
mod passphrase;
pub mod record;
pub mod service;
pub mod vault;

pub use client::{Client, Start};
pub use folder::{Folder, FolderError};
pub use keeper::{ClassStanding, Keeper, KeeperError, Standing};
pub use message::Keys;
