//! Keys, limits and journal together: what signs.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use specie_audit::{Head, SignedHead};
use specie_bank::issuance::LIFETIME_SECONDS;
use specie_bank::signer::{Answering, Committing, KeyRing, Sealed, Signer, SignerError};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info};
use specie_core::encoding::{Decode, DecodeError};
use specie_core::issuance::{Commitment, Response};
use specie_core::revocation::RevocationBody;
use specie_core::signature::PublicKey;
use specie_core::{Timestamp, hash, label};
use specie_store::Sqlite;
use specie_store::signer_journal::{Journal, SignerJournal};
use specie_store::sql::SqlError;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::limits::Limits;
use crate::record::{Deed, Record};
use crate::vault::{Vault, VaultError};

/// How long the signer remembers what it answered after the batch's last moment, in seconds. It counts from that moment and
/// not from the answer: a batch opened by a clock that was ahead lives longer than others.
const REMEMBERED_SECONDS: u64 = LIFETIME_SECONDS;

/// Every so many records, what nobody can ask for again is forgotten.
const TIDIED_EVERY: u64 = 256;

/// Far more classes than a bank redeems at a time.
const CLASSES_MAX: usize = 1_024;

/// Tells what time it is.
pub(crate) type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// A signer's keys, in the process that holds them.
pub struct Keeper {
    vault: Vault,
    keys: RwLock<KeyRing>,
    journal: SignerJournal<Sqlite>,
    limits: Limits,
    now: Now,
}

/// Why keys were not made, or a log not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The keys cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What a class is for contradicts itself.
    #[error("a class contradicts itself: {0}")]
    Class(#[from] DecodeError),
    /// A class whose key was to be destroyed is still issued.
    #[error(
        "by the signer's clock class {0} may still be issued: no key was destroyed; compare the clocks of bank and signer"
    )]
    Issued(ClassId),
    /// There are too many.
    #[error("a signer holds the keys of at most {CLASSES_MAX} classes")]
    TooMany,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Entropy,
    /// The journal failed.
    #[error("the signer's journal: {0}")]
    Journal(#[from] SqlError),
}

/// Where a signer stands: its log's head, and what it signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Records of its log.
    pub records: u64,
    /// Hash of the newest.
    pub hash: [u8; 32],
    /// When it was written.
    pub at: Timestamp,
    /// Notes signed in all.
    pub signed: u64,
    /// Every class that it ever had a key of.
    pub classes: Vec<ClassStanding>,
}

/// What was signed of a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassStanding {
    /// Its name.
    pub id: ClassId,
    /// What it is for.
    pub info: Info,
    /// Notes signed in all.
    pub notes: u64,
    /// Notes signed in the period that `at` lies in.
    pub in_period: u64,
}

impl Standing {
    /// Reads it at `now`.
    pub(crate) fn read(journal: &SignerJournal<Sqlite>, limits: &Limits, now: Timestamp) -> Result<Self, SqlError> {
        journal.read(|journal| {
            let (before, newest) = newest(journal)?;
            let period = newest.at.max(now).seconds() / limits.period_seconds;
            let mut classes = Vec::new();
            for (id, info) in journal.classes()? {
                let info = Info::decode(&info).map_err(|error| SqlError::Failed(format!("damaged: {error}")))?;
                let (notes, in_period) = (journal.notes(&id, None)?, journal.notes(&id, Some(period))?);
                classes.push(ClassStanding { id, info, notes, in_period });
            }
            Ok(Self { records: before.0, hash: before.1, at: newest.at, signed: newest.signed, classes })
        })
    }
}

impl Keeper {
    /// Puts together what a folder holds.
    pub(crate) fn new(vault: Vault, ring: KeyRing, journal: SignerJournal<Sqlite>, limits: Limits, now: Now) -> Self {
        Self { vault, keys: RwLock::new(ring), journal, limits, now }
    }

    /// Begins the log of a new signer.
    pub(crate) fn begin(&self) -> Result<(), SqlError> {
        let (at, key) = ((self.now)(), self.ledger_key());
        let record = Record { at, signed: 0, deed: Deed::Made(key) };
        self.journal.transact(|journal| journal.append(&record.after((0, [0; 32]))))
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where it stands.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn standing(&self) -> Result<Standing, SqlError> {
        Standing::read(&self.journal, &self.limits, (self.now)())
    }

    /// Makes issuing keys and gives their classes; of a class that is for the same as one whose key there is, it gives that one: who
    /// asks again gets no second set.
    ///
    /// # Errors
    /// When they cannot be kept; the signer has the keys that it had.
    pub fn make_classes(&self, infos: &[Info]) -> Result<Vec<Class>, KeeperError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| KeeperError::Entropy)?;
        let (ring, classes) = self.journal.transact(|journal| {
            let (before, newest) = newest(journal)?;
            let at = newest.at.max((self.now)());
            // From the file, under the journal's lock: another process may have made some.
            let mut ring = self.vault.read()?;
            let missing: Vec<Info> =
                infos.iter().filter(|info| !ring.classes().any(|class| class.info() == *info)).copied().collect();
            ring.make(&missing, &seed)?;
            if ring.classes().count() > CLASSES_MAX {
                return Err(KeeperError::TooMany);
            }
            let of = |info: &Info| ring.classes().find(|class| class.info() == info).cloned();
            let classes: Vec<Class> = infos.iter().filter_map(of).collect();
            // Also those that a process made which died before it could say so.
            let said = journal.classes()?;
            let new = classes.iter().filter(|class| !said.iter().any(|(id, _)| *id == class.id())).collect::<Vec<_>>();
            if !new.is_empty() {
                new.iter().try_for_each(|class| journal.insert_class(&class.id(), class.info_bytes()))?;
                let deed = Deed::Classes(new.iter().map(|class| class.id()).collect());
                journal.append(&Record { at, signed: newest.signed, deed }.after(before))?;
            }
            if !missing.is_empty() {
                self.vault.write(&ring)?;
            }
            Ok::<_, KeeperError>((ring, classes))
        })?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(classes)
    }

    /// Destroys the issuing keys of classes, those of them that there are, and gives these. The keys are gone from the file and from this
    /// process; a copy of the file that was made before has them still.
    ///
    /// # Errors
    /// When by the signer's own clock and classes one of them is still issued: nothing is destroyed then. When the file cannot be written.
    pub fn destroy_keys(&self, classes: &[ClassId]) -> Result<Vec<ClassId>, KeeperError> {
        let gone = self.journal.transact(|journal| {
            let (before, newest) = newest(journal)?;
            let at = newest.at.max((self.now)());
            let ever = journal.classes()?;
            let ever = ever.iter().map(|(_, info)| Info::decode(info)).collect::<Result<Vec<_>, _>>()?;
            let ring = self.vault.read()?;
            let gone = || ring.classes().filter(|class| classes.contains(&class.id()));
            if let Some(needed) = gone().find(|class| !is_over(class.info(), &ever, at)) {
                return Err(KeeperError::Issued(needed.id()));
            }
            let gone: Vec<ClassId> = gone().map(Class::id).collect();
            if !gone.is_empty() {
                let deed = Deed::Destroyed(gone.clone());
                journal.append(&Record { at, signed: newest.signed, deed }.after(before))?;
            }
            Ok(gone)
        })?;
        // Said first: who dies here is asked again. Under the lock once more: another process may be making keys.
        let ring = self.journal.transact(|_| {
            let mut ring = self.vault.read()?;
            ring.retain(|class| !gone.contains(&class.id()));
            if !gone.is_empty() {
                self.vault.write(&ring)?;
            }
            Ok::<_, KeeperError>(ring)
        })?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(gone)
    }

    /// `Y` of every class.
    pub(crate) fn issuing_keys(&self) -> Vec<(ClassId, [u8; 32])> {
        self.keys().classes().map(|class| (class.id(), *class.Y_bytes())).collect()
    }

    fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, read again from their file where another process made those of a class by now.
    fn keys_of(&self, mut classes: impl Iterator<Item = ClassId>) -> RwLockReadGuard<'_, KeyRing> {
        let keys = self.keys();
        if classes.all(|class| keys.class(&class).is_some()) {
            return keys;
        }
        drop(keys);
        if let Ok(newer) = self.vault.read() {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = newer;
        }
        self.keys()
    }

    /// Keeps that the batch is answered so, on disk before this returns, or refuses it.
    fn record(&self, answering: &Answering<'_>, ring: &KeyRing) -> Result<(), SignerError> {
        let challenges = digest(answering);
        let mut notes = BTreeMap::<ClassId, u64>::new();
        answering.sessions.iter().for_each(|(class, _)| *notes.entry(*class).or_default() += 1);
        let count = answering.sessions.len() as u64;
        let recorded = self.journal.transact(|journal| {
            match journal.answer(answering.batch)? {
                Some(known) if known == challenges => return Ok(()),
                Some(_) => return Err(SignerError::OtherChallenges.into()),
                None => {}
            }
            let (before, newest) = newest(journal)?;
            let at = newest.at.max((self.now)());
            if at > answering.valid_until {
                return Err(SignerError::Expired.into());
            }
            let period = at.seconds() / self.limits.period_seconds;
            for (class, count) in &notes {
                let info = *ring.class(class).ok_or(SignerError::NoKey(*class))?.info();
                check_issued(class, &info, at)?;
                let in_all = journal.notes(class, None)?.saturating_add(*count);
                let in_period = journal.notes(class, Some(period))?.saturating_add(*count);
                if let Some(limit) = self.limits.of(class).passed(info.amount.minor(), in_all, in_period) {
                    return Err(SignerError::Limit { class: *class, limit }.into());
                }
                journal.count(class, period, *count)?;
            }
            let deed =
                Deed::Answered { batch: *answering.batch, challenges, notes: notes.clone().into_iter().collect() };
            let signed = newest.signed.saturating_add(count);
            let entry = Record { at, signed, deed }.after(before);
            journal.append(&entry)?;
            journal.insert_answer(answering.batch, &challenges, answering.valid_until)?;
            if entry.sequence.is_multiple_of(TIDIED_EVERY) {
                let before = at.seconds().saturating_sub(REMEMBERED_SECONDS);
                journal.forget(Timestamp::new(before).unwrap_or(Timestamp::EPOCH))?;
            }
            Ok::<_, Refused>(())
        });
        recorded.map_err(|Refused(error)| error)
    }
}

/// An error of the signer's out of a transaction of its journal.
struct Refused(SignerError);

impl From<SignerError> for Refused {
    fn from(error: SignerError) -> Self {
        Self(error)
    }
}

impl From<SqlError> for Refused {
    fn from(error: SqlError) -> Self {
        Self(match error {
            SqlError::Busy => SignerError::Unreachable(format!("its journal: {error}")),
            error => SignerError::Failed(format!("its journal: {error}")),
        })
    }
}

/// Sequence and hash of the newest record, and what it says.
fn newest(journal: &mut Journal<'_>) -> Result<((u64, [u8; 32]), Record), SqlError> {
    let damaged = |what: String| SqlError::Failed(format!("the log is damaged: {what}"));
    let entry = journal.newest()?.ok_or_else(|| damaged("it is empty".into()))?;
    let record = Record::decode(&entry.body).map_err(|error| damaged(error.to_string()))?;
    Ok(((entry.sequence, entry.hash), record))
}

/// Recognises an answer: classes, sealed sessions and challenges, in order.
fn digest(answering: &Answering<'_>) -> [u8; 32] {
    let start = hash::Hasher::new(label::SIGNER_RECORD).part(b"challenges");
    let until = answering.valid_until.seconds().to_be_bytes();
    let sessions = answering.sessions.iter().zip(answering.challenges);
    let all = sessions.fold(start.part(&until), |hasher, ((class, sealed), e)| {
        hasher.part(&class.0).part(&sealed.0).part(e.as_bytes())
    });
    all.h32()
}

/// Whether no batch of the class can be answered any more: an epoch after it has been issued for longer than a batch lives.
fn is_over(info: &Info, ever: &[Info], at: Timestamp) -> bool {
    let newer = ever.iter().filter(|other| other.epoch > info.epoch);
    let ends = newer.map(|other| other.issue_from.saturating_add(LIFETIME_SECONDS)).chain([info.spend_until]);
    ends.min().is_some_and(|end| end < at)
}

fn check_issued(class: &ClassId, info: &Info, at: Timestamp) -> Result<(), SignerError> {
    if info.issue_from <= at && at <= info.spend_until { Ok(()) } else { Err(SignerError::NotIssued(*class)) }
}

impl Signer for Keeper {
    fn issuing_key(&self, class: &ClassId) -> Result<Option<[u8; 32]>, SignerError> {
        self.keys_of([*class].into_iter()).issuing_key(class)
    }

    fn commit(&self, committing: &Committing<'_>) -> Result<Vec<(Commitment, Sealed)>, SignerError> {
        let keys = self.keys_of(committing.classes.iter().copied());
        for class in committing.classes {
            let info = keys.class(class).ok_or(SignerError::NoKey(*class))?.info();
            check_issued(class, info, (self.now)())?;
        }
        keys.commit(committing)
    }

    /// Persists before it speaks: what cannot be recorded is not answered.
    fn answer(&self, answering: &Answering<'_>) -> Result<Vec<Response>, SignerError> {
        let keys = self.keys_of(answering.sessions.iter().map(|(class, _)| *class));
        let responses = keys.answer(answering)?;
        self.record(answering, &keys)?;
        Ok(responses)
    }

    fn ledger_key(&self) -> PublicKey {
        self.keys().ledger_key()
    }

    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError> {
        self.keys().sign_revocations(body)
    }

    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError> {
        self.keys().sign_audit_head(head)
    }
}
