//! The watch over conservation: an alarm that is raised once, what stops while it stands, and who ends it.
//!
//! The audit log is where the alarm stands: it is raised by a record and acknowledged by a later one. While it stands no batch is
//! opened: nothing new is owed until a person has looked. Batches that are open are answered, and redemption goes on: holders are
//! owed what they hold whatever the books say, and a class is never paid beyond what was issued of it.

use specie_audit::{Actor, Kind, Record};
use specie_core::Timestamp;
use thiserror::Error;

use crate::audit;
use crate::bank::Bank;
use crate::conservation::{Conservation, Finding};
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, View};

/// What the alarm's record says as `why`.
const WHY: &str = "conservation";

/// The most bytes of findings in one record.
const FINDINGS_MAX: usize = 8_000;

/// What a look at conservation found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watched {
    /// When it looked.
    pub at: Timestamp,
    /// Everything, of one moment.
    pub conservation: Conservation,
    /// The alarm that stands after the look.
    pub alarm: Option<Alarm>,
}

/// An alarm that nobody acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// Its record in the audit log.
    pub sequence: u64,
    /// When it was raised.
    pub at: Timestamp,
    /// What did not hold.
    pub findings: String,
}

/// Why an alarm was not acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// There is none.
    #[error("no alarm of conservation stands: nothing was changed")]
    NoAlarm,
    /// The reason is missing.
    #[error("an alarm is acknowledged with a reason in words; nothing was changed")]
    NoReason,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Looks whether conservation holds, and raises the alarm if it does not: once, and anew only when something else is wrong than
    /// when it was acknowledged. Harmless to do at any time and as often as one likes.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn watch_conservation(&self, now: Timestamp) -> Result<Watched, StorageError> {
        let conservation = self.storage().read(|view| self.conservation(view))?;
        let alarm = if conservation.holds() {
            self.storage().read(|view| self.conservation_alarm(view))?
        } else {
            let wrong = differences(&conservation.findings);
            let said = shortened(conservation.findings.iter().map(Finding::to_string));
            self.storage().transact(|tx| {
                if let Some(alarm) = self.conservation_alarm(tx)? {
                    return Ok(Some(alarm));
                }
                let issuer = self.settings().issuer;
                let known = tx.audit_newest_about(Kind::AlarmRaised, issuer.as_str())?;
                if known.is_some_and(|known| known.decision.details.get("wrong") == Some(&wrong)) {
                    return Ok(None);
                }
                let details = [("why", WHY), ("findings", &said), ("wrong", &wrong)];
                audit::append(tx, Actor::service(), now, Kind::AlarmRaised, issuer.as_str(), &details)?;
                self.conservation_alarm(tx)
            })?
        };
        let watched = Watched { at: now, conservation, alarm };
        self.keep_watched(&watched);
        Ok(watched)
    }

    /// Writes into the audit log what was issued and redeemed of each class until now, and what expired and is outstanding, where it is
    /// not what the log says already. Gives the number of records.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn record_totals(&self, now: Timestamp) -> Result<u64, StorageError> {
        let conservation = self.storage().read(|view| self.conservation(view))?;
        let mut written = 0;
        for line in conservation.classes.iter().filter(|line| line.issued > 0 || line.redeemed > 0) {
            let details = [
                ("issued", line.issued.to_string()),
                ("redeemed", line.redeemed.to_string()),
                ("expired", line.expired.to_string()),
                ("outstanding", line.outstanding().to_string()),
            ];
            let class = line.class_id.to_string();
            let (by, kind) = (Actor::service(), Kind::ClassTotals);
            let new = self.storage().transact(|tx| audit::append_news(tx, by, now, kind, &class, &details))?;
            written += u64::from(new);
        }
        Ok(written)
    }

    /// The alarm of conservation that stands.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn conservation_alarm(&self, view: &mut (impl View + ?Sized)) -> Result<Option<Alarm>, StorageError> {
        let issuer = self.settings().issuer;
        let Some(raised) = view.audit_newest_about(Kind::AlarmRaised, issuer.as_str())? else { return Ok(None) };
        let acknowledged = view.audit_newest_about(Kind::AlarmAcknowledged, issuer.as_str())?;
        let stands = acknowledged.is_none_or(|acknowledged| acknowledged.sequence < raised.sequence);
        Ok(stands.then(|| Alarm::of(raised)))
    }

    /// Ends the alarm, for a `reason` that goes into the audit log with the name of who decides: batches are opened again.
    ///
    /// # Errors
    /// When none stands, or there is no reason; nothing is changed then.
    pub fn acknowledge_conservation(&self, reason: &str, now: Timestamp) -> Result<Alarm, AcknowledgeError> {
        if reason.trim().is_empty() {
            return Err(AcknowledgeError::NoReason);
        }
        self.storage().transact(|tx| {
            let alarm = self.conservation_alarm(tx)?.ok_or(AcknowledgeError::NoAlarm)?;
            let details = [("alarm", alarm.sequence.to_string()), ("reason", reason.to_owned())];
            let issuer = self.settings().issuer;
            audit::append(tx, self.actor(), now, Kind::AlarmAcknowledged, issuer.as_str(), &details)?;
            Ok(alarm)
        })
    }
}

impl Alarm {
    fn of(record: Record) -> Self {
        let findings = record.decision.details.get("findings").cloned().unwrap_or_default();
        Self { sequence: record.sequence, at: record.decision.at, findings }
    }
}

/// By how much what is off: the same while money goes on moving.
fn differences(findings: &[Finding]) -> String {
    let off = |finding: &Finding| {
        let off = finding.found.checked_sub(finding.expected).unwrap_or(i128::MAX);
        format!("{} {off:+}", finding.about)
    };
    shortened(findings.iter().map(off))
}

/// As many as one record takes.
fn shortened(findings: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (index, finding) in findings.enumerate() {
        if text.len() + finding.len() > FINDINGS_MAX {
            text.push_str("; and more");
            break;
        }
        text.push_str(if index == 0 { "" } else { "; " });
        text.push_str(&finding);
    }
    text
}
