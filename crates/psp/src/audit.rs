//! The audit log of the PSP (`docs/spec/audit.md`): what was decided about a person or a rule, by whom.
//!
//! Append with [`Psp::audit`], in the transaction that changes what was decided, and only when it changes something:
//!
//! ```text
//! self.store().write(|records| {
//!     let before = records.customer(name)?…;
//!     records.set_tier(name, tier)?;
//!     self.audit(records, now, Kind::TierChanged, name.as_str(), &[("from", before.tier), ("to", *tier)])
//! })
//! ```
//!
//! The name of who decided comes from [`Psp::acting_for`]. What stands in the log stays there: no secrets, and of persons the name
//! that they have here.

use specie_audit::head::psp_log;
use specie_audit::{Certificate, Decision, Head, Kind, Line, LogName, Record, SignedHead};
use specie_core::Timestamp;

use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

impl<S, B> Psp<S, B> {
    /// Appends a decision of `kind` about `subject` to the audit log, in the transaction of `records`.
    ///
    /// # Errors
    /// When the store fails, or a text is longer than the log takes.
    pub fn audit(
        &self,
        records: &mut dyn Records,
        now: Timestamp,
        kind: Kind,
        subject: &str,
        details: &[(&str, impl AsRef<str>)],
    ) -> Result<(), StoreError> {
        let details: Vec<_> = details.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        let decision = Decision::new(self.actor(), now, kind, subject, &details)?;
        let record = Record::after(records.audit_newest()?.as_ref(), decision);
        // Where transactions do not wait for each other, another one was faster.
        if records.insert_audit(&record)? { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Appends the decision unless the newest one of `kind` about `subject` says `details` already: what is decided again as it was is
    /// no news. `also` is written with it and not compared.
    ///
    /// # Errors
    /// As for [`Psp::audit`].
    pub fn audit_news(
        &self,
        records: &mut dyn Records,
        now: Timestamp,
        kind: Kind,
        subject: &str,
        details: &[(&str, impl AsRef<str>)],
        also: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        if says(records, kind, subject, details)? {
            return Ok(());
        }
        let all = details.iter().map(|(name, value)| (*name, value.as_ref())).chain(also.iter().copied());
        self.audit(records, now, kind, subject, &all.collect::<Vec<_>>())
    }

    /// The name of the log, in its heads.
    pub fn audit_log(&self) -> LogName {
        psp_log(&self.identity().name)
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Signs how far the log goes now, and keeps it; `None` while the log is empty.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sign_audit_head(&self, now: Timestamp) -> Result<Option<SignedHead>, StoreError> {
        self.store().write(|records| {
            let Some(newest) = records.audit_newest()? else { return Ok(None) };
            let mut tree = records.audit_tree()?;
            if !tree.grow(newest.sequence, |after, limit| records.audit_after(after, limit))? {
                return Err(StoreError::Damaged("the audit log has gaps".into()));
            }
            let head = Head::new(self.audit_log(), &newest, now).over(&tree).sign(&self.identity().key);
            records.insert_audit_head(&head, &tree)?;
            Ok(Some(head))
        })
    }

    /// What shows that the bank's root key certified the key of the log; `None` until the bank published it and it was fetched.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_certificate(&self) -> Result<Option<Certificate>, StoreError> {
        let manifest = self.store().read(|records| records.manifest())?;
        let key = self.identity().key.public();
        Ok(manifest.and_then(|bytes| Certificate::of(&self.audit_log(), &key, &bytes)))
    }

    /// Lines of an export: a page of records after `after` up to `until`, with their heads; none at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_page(&self, after: u64, until: u64) -> Result<Vec<Line>, StoreError> {
        self.store().read(|records| {
            let page = records.audit_after(after, specie_audit::line::page(after, until))?;
            let heads = page.last().map(|last| records.audit_heads(after, last.sequence)).transpose()?;
            Ok(specie_audit::line::lines(page, &heads.unwrap_or_default()))
        })
    }

    /// Writes into the log that a rule says `details`, unless its newest record of `kind` about `subject` says the same.
    ///
    /// # Errors
    /// When the store fails, or the rule is longer than the log takes.
    pub fn audit_rule(
        &self,
        now: Timestamp,
        kind: Kind,
        subject: &str,
        details: &[(&str, impl AsRef<str>)],
    ) -> Result<(), StoreError> {
        // Asked without the right to write at first: it hardly ever changes.
        if self.store().read(|records| says(records, kind, subject, details))? {
            return Ok(());
        }
        self.store().write(|records| self.audit_news(records, now, kind, subject, details, &[]))
    }
}

/// Whether the newest record of `kind` about `subject` says `details`.
fn says(
    records: &mut dyn Records,
    kind: Kind,
    subject: &str,
    details: &[(&str, impl AsRef<str>)],
) -> Result<bool, StoreError> {
    let Some(newest) = records.audit_newest_about(kind, subject)? else { return Ok(false) };
    let said = newest.decision.details;
    Ok(details.iter().all(|(name, value)| said.get(*name).is_some_and(|said| said == value.as_ref())))
}
