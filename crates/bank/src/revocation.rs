//! The revocation list (§8): notes shown twice that somebody might still be offered.

use specie_audit::Kind;
use specie_core::amount::Timestamp;
use specie_core::encoding::Decode;
use specie_core::revocation::{RevocationBody, RevocationList};

use crate::audit;
use crate::bank::Bank;
use crate::detection::DetectionError;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, Tx};

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Signs a list of the notes shown twice, in the transaction that found the newest. Does nothing when the newest list
    /// says the same.
    ///
    /// # Errors
    /// When the signer or the storage fails.
    pub fn publish_revocations(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<(), DetectionError> {
        let notes = tx.notes_to_revoke(now)?;
        let newest = tx.newest_revocation()?;
        let (sequence, issued_at) = match &newest {
            None if notes.is_empty() => return Ok(()),
            None => (1, now),
            Some((sequence, bytes)) => {
                let list = RevocationList::decode(bytes);
                let list = list.map_err(|error| StorageError::Failed(format!("a revocation list: {error}")))?;
                if list.notes().eq(notes.iter().copied()) {
                    return Ok(());
                }
                (sequence + 1, now.max(list.issued_at))
            }
        };
        let body = RevocationBody { issuer: self.settings().issuer, sequence, issued_at, notes: &notes };
        let signed = self.signer().sign_revocations(body)?;
        tx.insert_revocation(sequence, &signed)?;
        let details = [("notes", notes.len().to_string())];
        let (by, list) = (self.actor(), sequence.to_string());
        Ok(audit::append(tx, by, now, Kind::RevocationsPublished, &list, &details)?)
    }
}
