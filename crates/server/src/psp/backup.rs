//! The PSP's backup: its database, and neither its key nor its pepper.

use std::path::Path;

use specie_core::signature::SigningKey;
use specie_store::psp::SCHEMA;

use super::config::PspConfig;
use super::setup::{Provider, open_psp_for};
use crate::Actor;
use crate::backup::{BackupError, Manifest, Owner, back_up, check_audit, restore};
use crate::clock::Clock;
use crate::key_file::read_key;

impl Provider {
    /// Copies its database, which is at the place that `config` names and may be in use, to the new file `out`.
    ///
    /// # Errors
    /// When that fails: then there is no backup.
    pub fn back_up(&self, config: &PspConfig, out: &Path) -> Result<Manifest, BackupError> {
        let owner = Owner { key: self.psp.identity().key.public(), schema: SCHEMA };
        back_up(&config.database, &owner, self.psp.audit_log(), self.clock.now(), out)
    }
}

/// Restores the backup `from` to where `config` has its database, where nothing may be; the files of keys are those of now.
///
/// # Errors
/// When it is not to be believed, is another's, or something is in its way: then nothing is changed.
pub fn restore_psp(config: &PspConfig, by: Actor, clock: Clock, from: &Path) -> Result<Manifest, BackupError> {
    let key: SigningKey = read_key(&config.key_file).map_err(|error| BackupError::Unusable(error.to_string()))?;
    let owner = Owner { key: key.public(), schema: SCHEMA };
    restore(&config.database, &owner, from, |place, manifest| {
        let there = PspConfig { database: place.clone(), ..config.clone() };
        let opened = open_psp_for(&there, by, clock).map_err(|error| BackupError::Unusable(error.to_string()))?;
        let psp = &opened.psp;
        check_audit(&owner, psp.audit_log(), manifest, |after, until| psp.audit_page(after, until))?;
        let books = psp.books().map_err(|error| BackupError::Unusable(error.to_string()))?;
        if books.findings.is_empty() { Ok(()) } else { Err(BackupError::Books(books.findings.join("; "))) }
    })
}
