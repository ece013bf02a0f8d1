//! Issuance (§5): sessions in batches, each answered once and for all.
//!
//! A batch is open, then answered and at last erased; or open and then void. The reserve is debited in the transaction
//! that answers. What could give a key away (`κ`) is gone as soon as the answer is kept; the rest (`rnd`, `a`, `b1`,
//! `b2`, `s1`, `s2`, `δ`, `r`) when the device acknowledges, when the batch becomes void, or when its notes are worthless.

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Classes};
use specie_core::group::{RistrettoPoint, Scalar};
use specie_core::issuance::{Commitment, Response};
use specie_core::text::Name;
use specie_core::{hash, label};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::bank::Bank;
use crate::classes::{ClassTable, in_dates, is_value};
use crate::device::{self, DeviceError};
use crate::ledger::{Account, LedgerError, Movement, MovementKind, Posting};
use crate::signer::{Answering, Committing, Sealed, Signer, SignerError};
use crate::storage::{Storage, StorageError, Tx, View};

/// The most sessions in one batch.
pub const SESSIONS_MAX: u64 = 256;

/// How long an unanswered batch lives, in seconds: seven days.
pub const LIFETIME_SECONDS: u64 = 7 * 24 * 3_600;

/// Names a batch: chosen by the PSP, unique among its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BatchKey {
    /// The PSP.
    pub psp: Name,
    /// Its name for the batch.
    pub id: [u8; 16],
}

/// What a PSP asks for (W1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuanceRequest {
    /// Names the batch.
    pub batch: BatchKey,
    /// `U` of the device.
    pub device: [u8; 32],
    /// How many of which class, each class once.
    pub items: Vec<(ClassId, u64)>,
}

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchState {
    /// Not answered yet.
    Open,
    /// Answered; the answer may be had again.
    Answered,
    /// Answered, and the answers erased.
    Erased,
    /// Never answered, and never will be.
    Void,
}

/// A batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRecord {
    /// Its name.
    pub key: BatchKey,
    /// `U` of the device.
    pub device: [u8; 32],
    /// Recognises the request.
    pub request_hash: [u8; 32],
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Last moment at which it is answered.
    pub valid_until: Timestamp,
    /// Last moment at which its notes are redeemed.
    pub erase_after: Timestamp,
    /// Faces of its value notes together.
    pub value: Amount,
    /// Where it stands.
    pub state: BatchState,
}

/// One session of a batch. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct SessionRecord {
    /// Class of the note.
    pub class_id: ClassId,
    /// `rnd ‖ a ‖ b1 ‖ b2`, until erased.
    pub commitment: Option<[u8; 128]>,
    /// `κ ‖ s1 ‖ s2 ‖ δ`, [sealed](Sealed), until answered, then `r ‖ s1 ‖ s2 ‖ δ` until erased.
    pub secrets: Option<Zeroizing<Vec<u8>>>,
    /// Hash of the challenge that was answered; stays for ever.
    pub challenge_hash: Option<[u8; 32]>,
}

/// Commitments made and not yet stored.
pub struct PreparedBatch {
    record: BatchRecord,
    sessions: Vec<SessionRecord>,
}

/// An open batch, as the device needs it (W2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenedBatch {
    /// Class and commitment of each session.
    pub sessions: Vec<(ClassId, Commitment)>,
    /// What the answer will debit.
    pub value: Amount,
    /// Last moment at which it is answered.
    pub valid_until: Timestamp,
}

/// The answers of a batch (W4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnsweredBatch {
    /// One for each session.
    pub responses: Vec<Response>,
    /// What was debited.
    pub value: Amount,
}

/// Why a batch is not opened, answered, cancelled or acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssuanceError {
    /// No session, too many, or a class twice.
    #[error("a batch has 1 to {SESSIONS_MAX} sessions, and each class once")]
    Size,
    /// A class is unknown, or not issued now.
    #[error("class {0} is not issued now: fetch the newest manifest")]
    NotIssued(ClassId),
    /// The books do not hold, and nobody has looked yet.
    #[error("the bank's books do not hold and an operator has to look at them first: no batch is opened until then")]
    Halted,
    /// The device is not served.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The name was used for another request.
    #[error("this name was used for another batch: name it otherwise")]
    Known,
    /// There is no such batch.
    #[error("there is no such batch: open it first")]
    Unknown,
    /// The batch is not answered yet.
    #[error("the batch is not answered yet: send its challenges")]
    Open,
    /// The batch was never answered, and never will be.
    #[error("the batch is void and was not answered: refund it and open another")]
    Void,
    /// The answers are erased.
    #[error("the batch was answered and its answers are erased: open another")]
    Erased,
    /// Not one challenge for each session.
    #[error("not one challenge for each session")]
    Challenges,
    /// Other challenges than those answered.
    #[error("the batch was answered for other challenges; these are refused for ever")]
    OtherChallenges,
    /// The reserve does not cover it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The signer refuses.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl BatchState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Answered, Self::Erased, Self::Void];

    /// Its name in the storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Erased => "erased",
            Self::Void => "void",
        }
    }
}

impl IssuanceRequest {
    /// The class of each session, in order.
    fn sessions<'c>(&self, classes: &'c ClassTable, now: Timestamp) -> Result<Vec<&'c Class>, IssuanceError> {
        // First of all: comparing each with each takes long for very many.
        if self.items.len() as u64 > SESSIONS_MAX {
            return Err(IssuanceError::Size);
        }
        let twice =
            self.items.iter().enumerate().any(|(i, (id, _))| self.items[..i].iter().any(|(other, _)| other == id));
        let total = self.items.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
        let none = self.items.iter().any(|(_, count)| *count == 0);
        if twice || none || !total.is_some_and(|total| (1..=SESSIONS_MAX).contains(&total)) {
            return Err(IssuanceError::Size);
        }
        let mut sessions = Vec::new();
        for (id, count) in &self.items {
            let class = classes.issued(id, now).ok_or(IssuanceError::NotIssued(*id))?;
            sessions.extend((0..*count).map(|_| class));
        }
        Ok(sessions)
    }

    fn hash(&self) -> [u8; 32] {
        let start = hash::Hasher::new(label::BANK_REQUEST).part(b"issuance").part(&self.device);
        let items = self.items.iter().fold(start, |h, (id, count)| h.part(&id.0).part(&count.to_be_bytes()));
        items.h32()
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Checks a request and has its commitments made, outside any transaction.
    ///
    /// # Errors
    /// When the request breaks a rule.
    pub fn prepare_batch(&self, request: &IssuanceRequest, now: Timestamp) -> Result<PreparedBatch, IssuanceError> {
        let (classes, point) = self.storage().read(|view| {
            let point = device::in_good_standing(view, &request.batch.psp, &request.device)?;
            Ok::<_, IssuanceError>((self.class_table(view)?, point))
        })?;
        let sessions = request.sessions(&classes, now)?;
        let values = sessions.iter().filter(|class| is_value(class)).map(|class| class.info().amount);
        let value = Amount::checked_sum(values).ok_or(IssuanceError::Size)?;
        let erase_after = sessions.iter().map(|class| class.info().redeem_until).max().unwrap_or(now);
        let record = BatchRecord {
            key: request.batch,
            device: request.device,
            request_hash: request.hash(),
            opened_at: now,
            valid_until: now.saturating_add(LIFETIME_SECONDS),
            erase_after,
            value,
            state: BatchState::Open,
        };
        let sessions = self.commit(&record, &sessions, &point)?;
        Ok(PreparedBatch { record, sessions })
    }

    /// Opens a prepared batch (W2). The same request again gives the commitments of the first time.
    ///
    /// # Errors
    /// When its name was used for another request, or it is over already.
    pub fn open_batch(&self, tx: &mut dyn Tx, prepared: &PreparedBatch) -> Result<OpenedBatch, IssuanceError> {
        let PreparedBatch { record, sessions } = prepared;
        if let Some(known) = tx.batch(&record.key)? {
            if known.request_hash != record.request_hash {
                return Err(IssuanceError::Known);
            }
            return match known.state {
                BatchState::Open | BatchState::Answered => opened(&known, &tx.sessions(&record.key)?),
                BatchState::Void => Err(IssuanceError::Void),
                BatchState::Erased => Err(IssuanceError::Erased),
            };
        }
        if self.conservation_alarm(tx)?.is_some() {
            return Err(IssuanceError::Halted);
        }
        // Struck off since the commitments were made?
        device::in_good_standing(tx, &record.key.psp, &record.device)?;
        tx.insert_batch(record)?;
        for (index, session) in (0..).zip(sessions) {
            tx.insert_session(&record.key, index, session)?;
        }
        opened(record, sessions)
    }

    /// Answers a batch (W4) and debits the reserve of its PSP, or gives the answer of the first time again.
    ///
    /// # Errors
    /// When a rule forbids it. Challenges that differ from those answered are refused for ever.
    pub fn answer_batch(
        &self,
        tx: &mut dyn Tx,
        key: &BatchKey,
        challenges: &[Scalar],
        now: Timestamp,
    ) -> Result<AnsweredBatch, IssuanceError> {
        let batch = tx.batch(key)?.ok_or(IssuanceError::Unknown)?;
        let sessions = tx.sessions(key)?;
        if sessions.len() != challenges.len() {
            return Err(IssuanceError::Challenges);
        }
        match batch.state {
            BatchState::Open if now > batch.valid_until => Err(IssuanceError::Void),
            BatchState::Open => self.answer_open_batch(tx, &batch, sessions, challenges, now),
            BatchState::Void => Err(IssuanceError::Void),
            BatchState::Answered | BatchState::Erased => answer_again(&batch, &sessions, challenges),
        }
    }

    /// Makes a batch void that was not answered, and erases it. Tells where the batch stands then: only a void one may
    /// be refunded.
    ///
    /// # Errors
    /// When there is no such batch.
    pub fn cancel_batch(&self, tx: &mut dyn Tx, key: &BatchKey) -> Result<BatchRecord, IssuanceError> {
        void(tx, key)?;
        tx.batch(key)?.ok_or(IssuanceError::Unknown)
    }

    /// Erases the answers of a batch: the device keeps its notes.
    ///
    /// # Errors
    /// When there is no such batch, or it was not answered.
    pub fn acknowledge_batch(&self, tx: &mut dyn Tx, key: &BatchKey) -> Result<BatchRecord, IssuanceError> {
        let batch = tx.batch(key)?.ok_or(IssuanceError::Unknown)?;
        match batch.state {
            BatchState::Open => Err(IssuanceError::Open),
            BatchState::Void => Err(IssuanceError::Void),
            BatchState::Erased => Ok(batch),
            BatchState::Answered => {
                erase(tx, key)?;
                Ok(BatchRecord { state: BatchState::Erased, ..batch })
            }
        }
    }

    /// Where a batch stands.
    ///
    /// # Errors
    /// When there is no such batch.
    pub fn batch(&self, view: &mut dyn View, key: &BatchKey) -> Result<BatchRecord, IssuanceError> {
        view.batch(key)?.ok_or(IssuanceError::Unknown)
    }

    fn commit(
        &self,
        batch: &BatchRecord,
        classes: &[&Class],
        device: &RistrettoPoint,
    ) -> Result<Vec<SessionRecord>, IssuanceError> {
        let classes: Vec<_> = classes.iter().map(|class| class.id()).collect();
        let committing = Committing { batch: &batch.key, device, classes: &classes, valid_until: batch.valid_until };
        let committed = self.signer().commit(&committing)?;
        if committed.len() != classes.len() {
            return Err(SignerError::Failed("not one commitment for each session".into()).into());
        }
        let session = |(class_id, (commitment, sealed)): (ClassId, (Commitment, Sealed))| SessionRecord {
            class_id,
            commitment: Some(commitment.to_bytes()),
            secrets: Some(Zeroizing::new(sealed.0)),
            challenge_hash: None,
        };
        Ok(classes.into_iter().zip(committed).map(session).collect())
    }

    fn answer_open_batch(
        &self,
        tx: &mut dyn Tx,
        batch: &BatchRecord,
        sessions: Vec<SessionRecord>,
        challenges: &[Scalar],
        now: Timestamp,
    ) -> Result<AnsweredBatch, IssuanceError> {
        device::in_good_standing(tx, &batch.key.psp, &batch.device)?;
        let classes = self.class_table(tx)?;
        let mut postings = vec![Posting::debit(Account::Reserve(batch.key.psp), batch.value)];
        for session in &sessions {
            let class = classes.class(&session.class_id).filter(|class| in_dates(class, now));
            let class = class.ok_or(IssuanceError::NotIssued(session.class_id))?;
            if is_value(class) {
                if tx.expiry(&class.id())?.is_some() {
                    return Err(IssuanceError::NotIssued(class.id()));
                }
                postings.push(Posting::credit(Account::Outstanding(class.id()), class.info().amount));
            }
        }
        let movement = Movement::new(
            MovementKind::Issue,
            &[batch.key.psp.as_str().as_bytes(), &batch.key.id],
            now,
            gathered(postings),
        );
        movement.map_err(LedgerError::from)?.book(tx)?;
        if !tx.move_batch_if(&batch.key, BatchState::Open, BatchState::Answered)? {
            return Err(damaged("an open batch is not open").into());
        }
        let responses = self.sign(batch, sessions, challenges)?;
        for (index, (response, e)) in (0..).zip(responses.iter().zip(challenges)) {
            let bytes = Zeroizing::new(response.to_bytes());
            if !tx.answer_session_if_open(&batch.key, index, &challenge_hash(e), &bytes)? {
                return Err(damaged("a session of an open batch is answered").into());
            }
        }
        Ok(AnsweredBatch { responses, value: batch.value })
    }

    fn sign(
        &self,
        batch: &BatchRecord,
        sessions: Vec<SessionRecord>,
        challenges: &[Scalar],
    ) -> Result<Vec<Response>, IssuanceError> {
        let secrets = sessions.into_iter().map(|session| {
            let secrets = session.secrets.ok_or_else(|| damaged("an open session has no secrets"))?;
            Ok::<_, StorageError>((session.class_id, Sealed(secrets.to_vec())))
        });
        let sessions = secrets.collect::<Result<_, _>>()?;
        let valid_until = batch.valid_until;
        let responses = self.signer().answer(&Answering { batch: &batch.key, sessions, challenges, valid_until })?;
        if responses.len() != challenges.len() {
            return Err(SignerError::Failed("not one response for each challenge".into()).into());
        }
        Ok(responses)
    }
}

/// Makes a batch void if it is open, and erases its secrets.
pub(crate) fn void(tx: &mut dyn Tx, key: &BatchKey) -> Result<bool, StorageError> {
    let voided = tx.move_batch_if(key, BatchState::Open, BatchState::Void)?;
    if voided {
        tx.erase_sessions(key)?;
    }
    Ok(voided)
}

/// Erases an answered batch.
pub(crate) fn erase(tx: &mut dyn Tx, key: &BatchKey) -> Result<bool, StorageError> {
    let erased = tx.move_batch_if(key, BatchState::Answered, BatchState::Erased)?;
    if erased {
        tx.erase_sessions(key)?;
    }
    Ok(erased)
}

/// One posting for each account.
fn gathered(mut postings: Vec<Posting>) -> Vec<Posting> {
    postings.sort_by_key(|posting| posting.account);
    postings.dedup_by(|next, sum| {
        let same = next.account == sum.account;
        if same {
            // Faces of one batch: their sum was checked when it was opened.
            sum.amount += next.amount;
        }
        same
    });
    postings
}

fn opened(batch: &BatchRecord, sessions: &[SessionRecord]) -> Result<OpenedBatch, IssuanceError> {
    let session = |session: &SessionRecord| {
        let commitment = session.commitment.as_ref().ok_or(IssuanceError::Erased)?;
        Ok((session.class_id, Commitment::from_bytes(commitment)))
    };
    let sessions = sessions.iter().map(session).collect::<Result<_, IssuanceError>>()?;
    Ok(OpenedBatch { sessions, value: batch.value, valid_until: batch.valid_until })
}

fn answer_again(
    batch: &BatchRecord,
    sessions: &[SessionRecord],
    challenges: &[Scalar],
) -> Result<AnsweredBatch, IssuanceError> {
    let same = sessions.iter().zip(challenges).all(|(session, e)| session.challenge_hash == Some(challenge_hash(e)));
    if !same {
        return Err(IssuanceError::OtherChallenges);
    }
    if batch.state == BatchState::Erased {
        return Err(IssuanceError::Erased);
    }
    let response = |session: &SessionRecord| {
        let bytes = session.secrets.as_ref().ok_or_else(|| damaged("an answered session has no answer"))?;
        let bytes: &[u8; 128] = bytes.as_slice().try_into().map_err(|_| damaged("an answer"))?;
        Response::from_bytes(bytes).map_err(|_| damaged("an answer").into())
    };
    let responses = sessions.iter().map(response).collect::<Result<_, IssuanceError>>()?;
    Ok(AnsweredBatch { responses, value: batch.value })
}

fn challenge_hash(e: &Scalar) -> [u8; 32] {
    hash::h32(label::BANK_REQUEST, &[b"challenge", e.as_bytes()])
}

fn damaged(what: &str) -> StorageError {
    StorageError::Failed(format!("damaged: {what}"))
}
