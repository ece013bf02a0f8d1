//! What the bank publishes, kept so that devices get it when the bank cannot be reached: manifests and the revocation list.

use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, Manifest, ManifestHeader, SignedHeader as CheckedHeader};
use specie_core::revocation::RevocationPage;
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
    /// Takes over new manifests and what is new of the revocation list, checked.
    ///
    /// # Errors
    /// When the bank cannot be asked or not be believed.
    pub fn pull_publications(&self) -> Result<(), PublicationError> {
        let after = self.store().read(|records| records.newest_sequence())?;
        let published = self.bank().manifests(after).map_err(PublicationError::Bank)?;
        if !published.headers.is_empty() {
            self.store().write(|records| self.take_manifests(records, &published))?;
        }
        let newest = self.store().read(|records| records.newest_revocation())?;
        let after = newest.as_deref().map(stored_page).transpose()?.map_or(0, |page| page.sequence);
        let pages = self.bank().revocations(after).map_err(PublicationError::Bank)?;
        self.store().write(|records| take_revocations(records, &pages))
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

    /// Of the newest `pages` pages of the revocation list those signed after sequence `after` (CBOR), oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn revocations(&self, after: u64, pages: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store().read(|records| records.revocations_after(after, pages))
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

/// Keeps the pages that the ledger key of the newest manifest signed, if they are of one list with those kept.
fn take_revocations(records: &mut dyn Records, offered: &[Vec<u8>]) -> Result<(), PublicationError> {
    let unbelievable = || PublicationError::Unbelievable("revocation list");
    let Some(manifest) = records.manifest()? else { return Ok(()) };
    let manifest = Manifest::decode(&manifest).map_err(|error| StoreError::Damaged(format!("manifest: {error}")))?;
    let ledger = manifest.entries().find_map(|(entry, _)| match entry {
        Entry::Ledger { key } => Some(key),
        _ => None,
    });
    let pages: Result<Vec<RevocationPage<'_>>, _> = offered.iter().map(|bytes| RevocationPage::decode(bytes)).collect();
    let pages = pages.map_err(|_| unbelievable())?;
    if pages.iter().any(|page| ledger.is_none_or(|key: PublicKey| page.verify(&key).is_err())) {
        return Err(unbelievable());
    }
    let kept = records.newest_revocation()?;
    let mut before = kept.as_deref().map(stored_page).transpose()?;
    let oldest = pages.last().map_or(0, |newest| newest.oldest);
    for (page, bytes) in pages.iter().zip(offered) {
        if before.is_some_and(|before| page.contradicts(&before)) {
            return Err(unbelievable());
        }
        if before.is_some_and(|before| page.sequence <= before.sequence) {
            continue;
        }
        // Without what lies in between, only all that are in force are a list.
        if !before.is_some_and(|before| page.connects(&before)) && page.page > oldest {
            return Err(unbelievable());
        }
        records.put_revocation(page.page, page.sequence, bytes)?;
        before = Some(*page);
    }
    Ok(records.delete_revocations_before(oldest)?)
}

fn stored_page(bytes: &[u8]) -> Result<RevocationPage<'_>, StoreError> {
    RevocationPage::decode(bytes).map_err(|error| StoreError::Damaged(format!("page of the revocation list: {error}")))
}
