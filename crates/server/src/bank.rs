//! The bank's HTTP service: its interface for PSPs and the public ([`specie_api::bank`]), its keys, its configuration, and
//! what its operator does.

mod backup;
mod callers;
mod config;
mod metrics;
mod operation;
mod persons;
mod publication;
mod refusal;
mod rotation;
mod routes;
mod setup;
mod signer;

pub use backup::restore_bank;
pub use config::{BankConfig, BankConfigError};
pub use metrics::Redemptions;
pub use operation::OperationError;
pub use persons::RegistryState;
pub use rotation::{EpochTerms, Kept, NextEpoch, Notice, Planned};
pub use routes::{description, router};
pub use setup::{
    CentralBank, NewBank, OpenBankError, init_bank, init_bank_under, open_bank, open_bank_for, serve_bank,
    serve_bank_with,
};
pub use specie_bank::{
    classes::ClassTable,
    epochs::Rotation,
    manifest::ManifestError,
    person::{PersonError, PersonRecord},
    supervision::SupervisionRecord,
    watch::{AcknowledgeError, Alarm},
};

pub use signer::AnySigner;
pub use specie_signer::{Folder as SignerFolder, FolderError as SignerFolderError, Start as SignerStart};
