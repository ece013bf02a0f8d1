//! The PSP's HTTP service: its interface for devices ([`specie_api::psp`]), its connection to the bank, its configuration.

mod backup;
mod bank;
mod config;
mod identification;
mod refusal;
mod routes;
mod setup;
mod tiers;
mod totals;

pub use backup::restore_psp;
pub use bank::HttpBank;
pub use config::{BankAddress, ConfigError, MakerConfig, PeriodsConfig, PspConfig};
pub use routes::{description, router};
pub use setup::{NewPsp, OpenPspError, Provider, init_psp, open_psp, open_psp_for, serve_psp};
/// Whom a document is about.
pub use specie_identity::screening::{Birth, Subject};
/// What the operator of a PSP deals with.
pub use specie_psp::{
    account::Books,
    aml::{cases::CaseFailure, records::Raised, statement::AccountStatementError},
    bank::{Refusal as BankRefusal, RestitutionState},
    credential::CredentialRecord,
    customer::{Customer, CustomerError, Merchant},
    device::{Device, DeviceState},
    evidence::{EvidenceKind, EvidenceRecord},
    identification::IdentificationError,
    identity_document::{DocumentKind, IdentityDocument},
    loss::LossError,
    person::{Person, PersonKind},
    reconcile::Reconciled,
    registry::{Peppers, Registration, RegistrationState, RegistryError},
    screening::HitRecord,
    setting::{UploadedPayment, Verdict},
    share::FleetDevice,
};
