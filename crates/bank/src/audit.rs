//! The audit log of the bank (`docs/spec/audit.md`): what was decided about a device, a PSP or a rule, by whom.
//!
//! [`append`] in the transaction that changes what was decided, and only when it changes something. What operators decide is by
//! [`Bank::actor`], what the bank decides by itself while it serves is by [`Actor::service`].

pub use specie_audit::decision::Details;
use specie_audit::head::bank_log;
use specie_audit::{Actor, Certificate, Decision, Head, Kind, Line, LogName, Record, SignedHead};
use specie_core::Timestamp;
use thiserror::Error;

use crate::bank::Bank;
use crate::signer::{Signer, SignerError};
use crate::storage::{Storage, StorageError, Tx, View};

/// Why no head was signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Appends a decision of `kind` about `subject` to the audit log, in the transaction `tx`.
///
/// # Errors
/// When the storage fails, or a text is longer than the log takes.
pub fn append(
    tx: &mut dyn Tx,
    by: Actor,
    now: Timestamp,
    kind: Kind,
    subject: &str,
    details: &[(&str, impl AsRef<str>)],
) -> Result<(), StorageError> {
    let details: Vec<_> = details.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let decision = Decision::new(by, now, kind, subject, &details)?;
    let record = Record::after(tx.audit_newest()?.as_ref(), decision);
    // Where transactions do not wait for each other, another one was faster.
    if tx.insert_audit(&record)? { Ok(()) } else { Err(StorageError::Busy) }
}

/// Appends it unless the newest decision of `kind` about `subject` says `details` already: what is decided again as it was is no news.
/// Tells whether it was appended.
///
/// # Errors
/// As for [`append`].
pub fn append_news(
    tx: &mut dyn Tx,
    by: Actor,
    now: Timestamp,
    kind: Kind,
    subject: &str,
    details: &[(&str, impl AsRef<str>)],
) -> Result<bool, StorageError> {
    if says(tx, kind, subject, details)? {
        return Ok(false);
    }
    append(tx, by, now, kind, subject, details)?;
    Ok(true)
}

/// Whether the newest record of `kind` about `subject` says `details`.
fn says(
    view: &mut (impl View + ?Sized),
    kind: Kind,
    subject: &str,
    details: &[(&str, impl AsRef<str>)],
) -> Result<bool, StorageError> {
    let Some(newest) = view.audit_newest_about(kind, subject)? else { return Ok(false) };
    let said = newest.decision.details;
    Ok(details.iter().all(|(name, value)| said.get(*name).is_some_and(|said| said == value.as_ref())))
}

/// Bytes as the log has them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// The name of the log, in its heads.
    pub fn audit_log(&self) -> LogName {
        bank_log(&self.settings().issuer)
    }

    /// Writes into the log by which rules the bank works that stand in no manifest, unless it says so already.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn audit_rules(&self, now: Timestamp) -> Result<(), StorageError> {
        let (kind, issuer) = (Kind::BankRulesInForce, self.settings().issuer);
        let details = [("revocations_per_day", self.revocations_per_day().to_string())];
        // Asked without the right to write at first: it hardly ever changes.
        if self.storage().read(|view| says(view, kind, issuer.as_str(), &details))? {
            return Ok(());
        }
        self.storage().transact(|tx| append_news(tx, self.actor(), now, kind, issuer.as_str(), &details))?;
        Ok(())
    }

    /// Signs how far the log goes now, and keeps it; `None` while the log is empty.
    ///
    /// # Errors
    /// When the signer or the storage fails.
    pub fn sign_audit_head(&self, now: Timestamp) -> Result<Option<SignedHead>, HeadError> {
        self.storage().transact(|tx| {
            let Some(newest) = tx.audit_newest()? else { return Ok(None) };
            let mut tree = tx.audit_tree()?;
            if !tree.grow(newest.sequence, |after, limit| tx.audit_after(after, limit))? {
                return Err(StorageError::Failed("damaged: the audit log has gaps".into()).into());
            }
            let head = self.signer().sign_audit_head(Head::new(self.audit_log(), &newest, now).over(&tree))?;
            tx.insert_audit_head(&head, &tree)?;
            Ok(Some(head))
        })
    }

    /// What shows that the root key certified the key of the log; `None` before the first manifest.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn audit_certificate(&self) -> Result<Option<Certificate>, StorageError> {
        let manifest = self.storage().read(|view| view.newest_manifest())?;
        Ok(manifest.and_then(|bytes| Certificate::of(&self.audit_log(), &self.settings().ledger_key, &bytes)))
    }

    /// Lines of an export: a page of records after `after` up to `until`, with their heads; none at the end.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn audit_page(&self, after: u64, until: u64) -> Result<Vec<Line>, StorageError> {
        self.storage().read(|view| {
            let page = view.audit_after(after, specie_audit::line::page(after, until))?;
            let heads = page.last().map(|last| view.audit_heads(after, last.sequence)).transpose()?;
            Ok(specie_audit::line::lines(page, &heads.unwrap_or_default()))
        })
    }
}
