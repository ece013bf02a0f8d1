//! The bank's backup: its database, and neither the signer's folder nor the root key.

use std::path::Path;

use specie_bank::signer::Signer;
use specie_bank::storage::Storage;
use specie_store::bank::SCHEMA;

use super::config::BankConfig;
use super::setup::{CentralBank, OpenBankError, assemble};
use super::signer::AnySigner;
use crate::Actor;
use crate::backup::{BackupError, Manifest, Owner, back_up, check_audit, restore};
use crate::clock::Clock;

impl CentralBank {
    /// Copies its database, which is at the place that `config` names and may be in use, to the new file `out`.
    ///
    /// # Errors
    /// When that fails: then there is no backup.
    pub fn back_up(&self, config: &BankConfig, out: &Path) -> Result<Manifest, BackupError> {
        let owner = Owner { key: self.bank.settings().ledger_key, schema: SCHEMA };
        back_up(&config.database, &owner, self.bank.audit_log(), self.clock.now(), out)
    }
}

/// Restores the backup `from` to where `config` has its database, where nothing may be; the signer's folder is that of now.
///
/// # Errors
/// When it is not to be believed, is another's, or something is in its way: then nothing is changed.
pub fn restore_bank(config: &BankConfig, by: Actor, clock: Clock, from: &Path) -> Result<Manifest, BackupError> {
    let unusable = |error: OpenBankError| BackupError::Unusable(error.to_string());
    let signer = AnySigner::open(config, &clock).map_err(unusable)?;
    let owner = Owner { key: signer.ledger_key(), schema: SCHEMA };
    restore(&config.database, &owner, from, |place, manifest| {
        let there = BankConfig { database: place.clone(), ..config.clone() };
        let central = assemble(&there, signer, by, clock).map_err(unusable)?;
        let bank = &central.bank;
        check_audit(&owner, bank.audit_log(), manifest, |after, until| bank.audit_page(after, until))?;
        let books = bank.storage().read(|view| bank.conservation(view));
        let books = books.map_err(|error| BackupError::Unusable(error.to_string()))?;
        let findings: Vec<_> = books.findings.iter().map(ToString::to_string).collect();
        if books.holds() { Ok(()) } else { Err(BackupError::Books(findings.join("; "))) }
    })
}
