//! What the bank publishes, kept so that devices get it when the bank cannot be reached: manifests and revocation lists.

use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, Manifest, ManifestHeader, SignedHeader as CheckedHeader};
use specie_core::revocation::RevocationList;
use specie_core::signature::PublicKey;
use thiserror::Error;

use crate::bank::{Bank, BankError, Manifests, SignedHeader};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// Why something published was not taken over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// It is not signed by whom it should be, or does not follow what came before: someone pretends to be the bank.
    #[error("the bank's {0} cannot be believed; nothing of it was kept: check the root key and the bank's address")]
    Unbelievable(&'static str),
    /// The bank cannot be asked.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Takes over new manifests and the newest revocation list, checked.
    ///
    /// # Errors
    /// When the bank cannot be asked or not be believed.
    pub fn pull_publications(&self) -> Result<(), PublicationError> {
        let after = self.store().read(|records| records.newest_sequence())?;
        let published = self.bank().manifests(after).map_err(PublicationError::Bank)?;
        if !published.headers.is_empty() {
            self.store().write(|records| self.take_manifests(records, &published))?;
        }
        if let Some(list) = self.bank().revocations().map_err(PublicationError::Bank)? {
            self.store().write(|records| take_revocations(records, &list))?;
        }
        Ok(())
    }

    fn take_manifests(&self, records: &mut dyn Records, published: &Manifests) -> Result<(), PublicationError> {
        let unbelievable = PublicationError::Unbelievable("manifest");
        let newest = records.newest_sequence()?;
        let mut before = match newest.checked_sub(1) {
            None => None,
            Some(second) => newest_header(&records.headers_after(second)?)?,
        };
        for signed in &published.headers {
            let Ok(header) = ManifestHeader::decode(&signed.header) else { return Err(unbelievable) };
            let sequence = header.sequence;
            if sequence <= newest {
                continue;
            }
            let follows = before.map_or(sequence == 1, |before| header.follows(&before));
            let checked = CheckedHeader { header, signature: signed.signature };
            if !follows || checked.verify(&self.identity().root_key).is_err() {
                return Err(unbelievable);
            }
            records.insert_header(sequence, signed)?;
            before = Some(header);
        }
        let Some(bytes) = &published.manifest else { return Err(unbelievable) };
        let Ok(manifest) = Manifest::decode(bytes) else { return Err(unbelievable) };
        let is_newest = before.is_some_and(|before| manifest.signed.header == before);
        if !is_newest || manifest.verify(&self.identity().root_key).is_err() {
            return Err(unbelievable);
        }
        Ok(records.set_manifest(bytes)?)
    }

    /// Headers after sequence `after`, and the newest manifest.
    ///
    /// # Errors
    /// When the store fails.
    pub fn manifests(&self, after: u64) -> Result<Manifests, StoreError> {
        self.store()
            .read(|records| Ok(Manifests { headers: records.headers_after(after)?, manifest: records.manifest()? }))
    }

    /// The newest revocation list (CBOR).
    ///
    /// # Errors
    /// When the store fails.
    pub fn revocations(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().read(|records| records.revocations())
    }

    /// Sequence of the newest manifest; 0 for none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn manifest_sequence(&self) -> Result<u64, StoreError> {
        self.store().read(|records| records.newest_sequence())
    }
}

fn newest_header(headers: &[SignedHeader]) -> Result<Option<ManifestHeader>, StoreError> {
    let newest = headers.last().map(|signed| ManifestHeader::decode(&signed.header)).transpose();
    newest.map_err(|error| StoreError::Damaged(format!("manifest header: {error}")))
}

/// Keeps a revocation list that the ledger key of the newest manifest signed, if it is newer than the one kept.
fn take_revocations(records: &mut dyn Records, bytes: &[u8]) -> Result<(), PublicationError> {
    let unbelievable = PublicationError::Unbelievable("revocation list");
    let Ok(list) = RevocationList::decode(bytes) else { return Err(unbelievable) };
    let Some(manifest) = records.manifest()? else { return Ok(()) };
    let manifest = Manifest::decode(&manifest).map_err(|error| StoreError::Damaged(format!("manifest: {error}")))?;
    let ledger = manifest.entries().find_map(|(entry, _)| match entry {
        Entry::Ledger { key } => Some(key),
        _ => None,
    });
    if ledger.is_none_or(|key: PublicKey| list.verify(&key).is_err()) {
        return Err(unbelievable);
    }
    let kept = records.revocations()?;
    let sequence = kept.as_deref().and_then(|kept| RevocationList::decode(kept).ok()).map_or(0, |kept| kept.sequence);
    if list.sequence > sequence { Ok(records.set_revocations(bytes)?) } else { Ok(()) }
}
