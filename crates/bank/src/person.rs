//! The registry of persons: which PSP gives a person its limits, so that nobody has those of two.
//!
//! The bank knows a person by pseudonyms, which PSPs make under a pepper that they share and the bank does not have
//! (`docs/spec/identity.md` §6). It learns which PSP has how many persons, and not who they are. A PSP that gives a person back says
//! until when what it gave counts; nobody else has the person before that moment is over.

use specie_audit::{Actor, Kind};
use specie_core::amount::Timestamp;
use specie_core::text::Name;
use thiserror::Error;

use crate::audit::{self, hex};
use crate::psp::{self, PspError};
use crate::storage::{StorageError, Tx};

/// The most pseudonyms of one person.
pub const PSEUDONYMS_MAX: usize = 32;

/// The longest reason for which the bank frees a person, in bytes.
pub const REASON_LENGTH_MAX: usize = 1000;

/// Which PSP has a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PersonRecord {
    /// How the bank knows the person.
    pub pseudonym: [u8; 32],
    /// The PSP that has it, or had it last.
    pub psp: Name,
    /// Since when.
    pub claimed_at: Timestamp,
    /// Given back: the last moment at which anything counts that this PSP gave. `None` while the PSP has the person.
    pub until: Option<Timestamp>,
}

/// Why nothing was done about a person.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PersonError {
    /// Too many pseudonyms, or none.
    #[error("a person has 1 to {PSEUDONYMS_MAX} pseudonyms")]
    Size,
    /// The registry is not kept, or under another pepper.
    #[error("the registry of persons is not kept under this pepper")]
    Pepper,
    /// Another PSP has the person, or gave it what still counts.
    #[error(
        "another PSP gives this person its limits{}",
        .0.map_or_else(String::new, |until| format!("; it gave the person back, and what it gave counts until {until} (Unix time)"))
    )]
    Elsewhere(Option<Timestamp>),
    /// The registry is kept under another pepper.
    #[error("the registry is kept under another pepper: end it first")]
    OtherPepper,
    /// Nobody claimed such a person.
    #[error("no PSP ever claimed a person of this pseudonym")]
    Unknown,
    /// Whoever frees a person says why.
    #[error("a decision has a reason of 1 to {REASON_LENGTH_MAX} bytes")]
    Reason,
    /// The PSP is not registered.
    #[error(transparent)]
    Psp(#[from] PspError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Has the registry kept under the pepper of that name, or not kept at all. Who has whom stays known.
///
/// # Errors
/// When it is kept under another pepper.
pub fn keep_registry(tx: &mut dyn Tx, by: Actor, pepper: Option<&[u8; 32]>, now: Timestamp) -> Result<(), PersonError> {
    let before = tx.registry()?;
    if before.as_ref() == pepper {
        return Ok(());
    }
    if before.is_some() && pepper.is_some() {
        return Err(PersonError::OtherPepper);
    }
    tx.set_registry(pepper)?;
    let settings = tx.settings()?.ok_or_else(|| StorageError::Failed("damaged: a bank that was not set up".into()))?;
    let (kind, details) = match pepper {
        Some(pepper) => (Kind::RegistryBegun, vec![("pepper", hex(pepper))]),
        None => (Kind::RegistryEnded, Vec::new()),
    };
    Ok(audit::append(tx, by, now, kind, settings.issuer.as_str(), &details)?)
}

/// Gives a person, under all these pseudonyms, to `psp`: all of them, or nothing is changed. A person that it has stays its own.
///
/// # Errors
/// [`PersonError::Elsewhere`] when another PSP has it, or had it and what it gave still counts.
pub fn claim(
    tx: &mut dyn Tx,
    psp: &Name,
    pepper: &[u8; 32],
    pseudonyms: &[[u8; 32]],
    now: Timestamp,
) -> Result<(), PersonError> {
    psp::known(tx, psp)?;
    if pseudonyms.is_empty() || pseudonyms.len() > PSEUDONYMS_MAX {
        return Err(PersonError::Size);
    }
    if tx.registry()?.as_ref() != Some(pepper) {
        return Err(PersonError::Pepper);
    }
    for pseudonym in pseudonyms {
        let claimed = PersonRecord { pseudonym: *pseudonym, psp: *psp, claimed_at: now, until: None };
        let done = match tx.person(pseudonym)? {
            None => tx.insert_person(&claimed)?,
            Some(own) if own.psp == *psp && own.until.is_none() => continue,
            Some(own) if own.psp == *psp => tx.replace_person_if(&own, &claimed)?,
            Some(other) if other.until.is_some_and(|until| until < now) => tx.replace_person_if(&other, &claimed)?,
            Some(other) => return Err(PersonError::Elsewhere(other.until)),
        };
        if !done {
            // Where transactions do not wait for each other, another one was faster.
            return Err(StorageError::Busy.into());
        }
        let details = [("psp", psp.as_str())];
        audit::append(tx, Actor::service(), now, Kind::PersonClaimed, &hex(pseudonym), &details)?;
    }
    Ok(())
}

/// Takes note that `psp` gives a person back, and that what it gave counts until `until`. One whom nobody has stays as it is.
///
/// # Errors
/// [`PersonError::Elsewhere`] when another PSP has it.
pub fn release(
    tx: &mut dyn Tx,
    psp: &Name,
    pseudonym: &[u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<(), PersonError> {
    psp::known(tx, psp)?;
    match tx.person(pseudonym)? {
        None => Ok(()),
        Some(other) if other.psp != *psp => Err(PersonError::Elsewhere(None)),
        Some(own) => end(tx, Actor::service(), Kind::PersonReleased, &own, until, now, None),
    }
}

/// Takes a person from the PSP that has it, for one that is gone or does not release it; what that PSP gave is taken to count until
/// `until`. The same again changes nothing.
///
/// # Errors
/// When nobody ever claimed the person, or there is no reason.
pub fn free(
    tx: &mut dyn Tx,
    by: Actor,
    pseudonym: &[u8; 32],
    until: Timestamp,
    reason: &str,
    now: Timestamp,
) -> Result<PersonRecord, PersonError> {
    if reason.trim().is_empty() || reason.len() > REASON_LENGTH_MAX {
        return Err(PersonError::Reason);
    }
    let found = tx.person(pseudonym)?.ok_or(PersonError::Unknown)?;
    end(tx, by, Kind::PersonFreed, &found, until, now, Some(reason))?;
    Ok(PersonRecord { until: Some(until), ..found })
}

fn end(
    tx: &mut dyn Tx,
    by: Actor,
    kind: Kind,
    person: &PersonRecord,
    until: Timestamp,
    now: Timestamp,
    reason: Option<&str>,
) -> Result<(), PersonError> {
    if person.until == Some(until) {
        return Ok(());
    }
    if !tx.replace_person_if(person, &PersonRecord { until: Some(until), ..*person })? {
        return Err(StorageError::Busy.into());
    }
    let until = until.seconds().to_string();
    let details = [("psp", person.psp.as_str()), ("until", &until)];
    let details: Vec<_> = details.into_iter().chain(reason.map(|reason| ("reason", reason))).collect();
    Ok(audit::append(tx, by, now, kind, &hex(&person.pseudonym), &details)?)
}
