//! The HTTP services of bank and PSP: routers over their domains, the server under both, configuration.
//!
//! Handlers hand a whole request to the synchronous domain in a thread that may block ([`call::Call`], [`reply::blocking`]).
//! Every rejection, of the domain or of HTTP itself, is a problem document ([`reply::Refusal`]).

mod admission;
pub mod backup;
pub mod bank;
pub mod call;
pub mod clock;
mod connection;
mod edge;
mod interface;
pub mod key_file;
pub mod log;
pub mod metrics;
pub mod psp;
pub mod query;
pub mod readiness;
pub mod reply;
pub mod root_key;
pub mod service;
pub mod serving;
pub mod settings;
pub mod token;

/// In whose name a bank or a PSP acts, for the audit log.
pub use specie_audit::Actor;

pub use specie_store::Place;
