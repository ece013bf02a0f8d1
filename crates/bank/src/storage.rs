//! What the bank asks of a database: typed primitives inside transactions, and no rule of its own.
//!
//! Correctness rests on unique keys (`insert_…` tells whether the row is new) and on guarded changes (`…_if` tells
//! whether the guard held), all inside one transaction that leaves nothing behind when it fails.

use specie_audit::{DecisionError, Kind, Record, SignedHead, Tree};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, Context, NoteId, TransferId};
use specie_core::manifest::SignedHeader;
use specie_core::text::Name;
use thiserror::Error;

use crate::credit::CreditRecord;
use crate::detection::DoubleSpendRecord;
use crate::device::DeviceRecord;
use crate::issuance::{BatchKey, BatchRecord, BatchState, SessionRecord};
use crate::payout::{ExpiryRecord, PayoutRecord};
use crate::pending::PendingRedemption;
use crate::person::PersonRecord;
use crate::psp::PspRecord;
use crate::restitution::{RestitutionRecord, RestitutionState};
use crate::revocation::{RevocableRecord, RevocationRecord};
use crate::settings::Settings;
use crate::spent::TransferRecord;
use crate::supervision::SupervisionRecord;
use crate::transfer::TransferOrder;

/// The storage failed. But for [`StorageError::Unknown`] the transaction left nothing behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Try again.
    #[error("the storage is busy: try again")]
    Busy,
    /// It was lost while it wrote. Everything was written or nothing.
    #[error("the storage was lost while it was writing: everything was written or nothing; repeat the same request")]
    Unknown,
    /// The storage is broken, or holds what this program does not write.
    #[error("the storage failed: {0}")]
    Failed(String),
    /// The audit log cannot take what it would have to say.
    #[error(transparent)]
    Audit(#[from] DecisionError),
}

/// A database of the bank.
pub trait Storage: Send + Sync {
    /// Runs `work` in one transaction and commits it when `work` succeeds; an error leaves nothing behind. When this
    /// returns a value, it is on disk. `work` may run more than once.
    ///
    /// # Errors
    /// Those of `work` and of the storage.
    fn transact<T, E: From<StorageError>>(&self, work: impl FnMut(&mut dyn Tx) -> Result<T, E>) -> Result<T, E>;

    /// Runs `work` on one consistent state.
    ///
    /// # Errors
    /// Those of `work` and of the storage.
    fn read<T, E: From<StorageError>>(&self, work: impl FnMut(&mut dyn View) -> Result<T, E>) -> Result<T, E>;
}

/// What an earlier request with the same idempotency key was and got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// Hash of the request.
    pub request_hash: [u8; 32],
    /// The answer, byte for byte.
    pub response: Vec<u8>,
}

/// How many of something, and of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeviceCounts {
    /// Devices registered.
    pub registered: u64,
    /// Of these, struck off.
    pub struck_off: u64,
}

/// What was paid for notes of one class, from the facts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaidSum {
    /// Class of the issued notes.
    pub class_id: ClassId,
    /// Paid out in all.
    pub amount: Amount,
    /// Of this, within the faces of the notes; the rest is loss.
    pub from_class: Amount,
}

/// An output that was claimed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// The transfer that has the output.
    pub transfer: TransferId,
    /// Which of its outputs.
    pub index: u8,
    /// The transfer that claims it; the one that has it, where its sweep found it unclaimed.
    pub by: TransferId,
}

/// What a transfer is paid within the face of an issued note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allotment {
    /// The issued note.
    pub root: NoteId,
    /// The redeeming transfer, the one with the leftover, or the name of a claim.
    pub transfer: TransferId,
    /// How much.
    pub amount: Amount,
}

/// A movement without its postings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovementRow {
    /// Its name.
    pub id: [u8; 32],
    /// Why money moved.
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
}

/// One posting of a movement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostingRow {
    /// The movement.
    pub movement: [u8; 32],
    /// Its place among the movement's postings.
    pub index: u32,
    /// The account that changes.
    pub account: String,
    /// By how much, minor units.
    pub amount: i64,
}

type Stored<T> = Result<T, StorageError>;

/// Questions. Every method fails only as the storage does.
#[allow(clippy::missing_errors_doc, reason = "stated once, for all")]
pub trait View {
    /// Who the bank is, once it was set up.
    fn settings(&mut self) -> Stored<Option<Settings>>;
    /// The answer to an earlier request of `scope` with `key`.
    fn answered(&mut self, scope: &str, key: &str) -> Stored<Option<Answered>>;

    /// The newest record of the audit log.
    fn audit_newest(&mut self) -> Stored<Option<Record>>;
    /// The newest one of this kind about `subject`.
    fn audit_newest_about(&mut self, kind: Kind, subject: &str) -> Stored<Option<Record>>;
    /// Its records after `sequence`, at most `limit`, oldest first.
    fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<Record>>;
    /// Its heads after `sequence` up to `until`, oldest first.
    fn audit_heads(&mut self, after: u64, until: u64) -> Stored<Vec<SignedHead>>;
    /// The tree under its newest head, as far as that goes.
    fn audit_tree(&mut self) -> Stored<Tree>;

    /// Sequence of the newest manifest, 0 for none.
    fn manifest_sequence(&mut self) -> Stored<u64>;
    /// The signature of its header.
    fn manifest_signature(&mut self) -> Stored<Option<[u8; 64]>>;
    /// The newest manifest.
    fn newest_manifest(&mut self) -> Stored<Option<Vec<u8>>>;
    /// Headers after `sequence`, oldest first.
    fn headers_after(&mut self, sequence: u64) -> Stored<Vec<SignedHeader>>;
    /// Key and info of every class ever published.
    fn classes(&mut self) -> Stored<Vec<([u8; 32], Vec<u8>)>>;

    /// The PSP of that name.
    fn psp(&mut self, name: &Name) -> Stored<Option<PspRecord>>;
    /// All PSPs, by name.
    fn psps(&mut self) -> Stored<Vec<PspRecord>>;
    /// From which amount on payers disclose themselves, and to whom; `None`: they do not.
    fn supervision(&mut self) -> Stored<Option<SupervisionRecord>>;
    /// The name of the pepper under which the registry of persons is kept, if it is kept.
    fn registry(&mut self) -> Stored<Option<[u8; 32]>>;
    /// The person of that pseudonym.
    fn person(&mut self, pseudonym: &[u8; 32]) -> Stored<Option<PersonRecord>>;
    /// How many persons each PSP has, by its name.
    fn person_counts(&mut self) -> Stored<Vec<(Name, u64)>>;
    /// The device of that identity.
    fn device(&mut self, identity: &[u8; 32]) -> Stored<Option<DeviceRecord>>;
    /// Devices of `psp` struck off by evidence after `sequence`, at most `limit`, oldest first.
    fn struck_off_after(&mut self, psp: &Name, sequence: u64, limit: u32) -> Stored<Vec<DeviceRecord>>;
    /// How many devices.
    fn device_counts(&mut self) -> Stored<DeviceCounts>;

    /// The batch of that name.
    fn batch(&mut self, key: &BatchKey) -> Stored<Option<BatchRecord>>;
    /// Its sessions, in order.
    fn sessions(&mut self, key: &BatchKey) -> Stored<Vec<SessionRecord>>;
    /// Open batches that were opened before `opened_before`, at most `limit`.
    fn batches_opened_before(&mut self, opened_before: Timestamp, limit: u32) -> Stored<Vec<BatchKey>>;
    /// Answered batches whose notes are worthless before `now`, at most `limit`.
    fn batches_to_erase(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<BatchKey>>;
    /// Answered sessions of each class.
    fn issued_counts(&mut self) -> Stored<Vec<(ClassId, u64)>>;

    /// The first transfer that showed this note.
    fn shown(&mut self, note: &NoteId) -> Stored<Option<TransferId>>;
    /// The first transfers that showed these notes, for those that were shown.
    fn shown_among(&mut self, notes: &[NoteId]) -> Stored<Vec<(NoteId, TransferId)>>;
    /// A transfer seen before.
    fn transfer(&mut self, id: &TransferId) -> Stored<Option<TransferRecord>>;
    /// Those of these transfers whose leftover was dealt with, and all that redeem.
    fn swept_among(&mut self, transfers: &[TransferId]) -> Stored<Vec<TransferId>>;
    /// Who claimed which outputs of a transfer: the transfer itself, where nobody had when it was swept.
    fn claims(&mut self, transfer: &TransferId) -> Stored<Vec<(u8, TransferId)>> {
        let claims = self.claims_on(&[*transfer])?;
        Ok(claims.into_iter().map(|claim| (claim.index, claim.by)).collect())
    }
    /// The claims on outputs of these transfers, by transfer and position.
    fn claims_on(&mut self, transfers: &[TransferId]) -> Stored<Vec<Claim>>;
    /// Transfers with outputs, not swept, whose deadline is before `now`, at most `limit`.
    fn due_transfers(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<TransferId>>;

    /// Redemptions that were accepted and are not finished, after the one named so, at most `limit`, by name.
    fn redemptions_after(&mut self, after: Option<&TransferId>, limit: u32) -> Stored<Vec<PendingRedemption>>;
    /// Whether one of them is of a chain whose deadline is before `now`.
    fn is_redemption_overdue(&mut self, now: Timestamp) -> Stored<bool>;
    /// What was allotted to transfers of these issued notes, or paid at once, within their faces.
    fn allotments(&mut self, roots: &[NoteId]) -> Stored<Vec<Allotment>>;
    /// What was allotted or paid within the face of an issued note.
    fn paid_of_root(&mut self, root: &NoteId) -> Stored<Amount> {
        Ok(self.paid_of_roots(&[*root])?.first().map_or(Amount::ZERO, |(_, paid)| *paid))
    }
    /// The same of several, for those of which there was any.
    fn paid_of_roots(&mut self, roots: &[NoteId]) -> Stored<Vec<(NoteId, Amount)>>;
    /// What was paid for a redeeming transfer, or as leftover of a transfer.
    fn payout(&mut self, transfer: &TransferId) -> Stored<Option<PayoutRecord>> {
        Ok(self.payouts(&[*transfer])?.pop())
    }
    /// The same of several, for those for which there was any.
    fn payouts(&mut self, transfers: &[TransferId]) -> Stored<Vec<PayoutRecord>>;
    /// What was paid for notes of each class.
    fn paid_sums(&mut self) -> Stored<Vec<PaidSum>>;
    /// How a class was closed.
    fn expiry(&mut self, class: &ClassId) -> Stored<Option<ExpiryRecord>>;
    /// How classes were closed.
    fn expiries(&mut self) -> Stored<Vec<ExpiryRecord>>;

    /// The claim on a note, or on what a blank owns.
    fn restitution(&mut self, note: &NoteId) -> Stored<Option<RestitutionRecord>>;
    /// Those of these notes that went back to owners of lost devices.
    fn restituted_among(&mut self, notes: &[NoteId]) -> Stored<Vec<NoteId>>;
    /// Claims on what a device held, by deadline and name.
    fn restitutions_of(&mut self, identity: &[u8; 32]) -> Stored<Vec<RestitutionRecord>>;
    /// Claims on the outputs of a transfer, by position.
    fn restitutions_on(&mut self, transfer: &TransferId) -> Stored<Vec<RestitutionRecord>>;
    /// Open claims on value notes whose deadline is before `now`, at most `limit`.
    fn due_restitutions(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<RestitutionRecord>>;

    /// The double spend of a note.
    fn double_spend(&mut self, note: &NoteId) -> Stored<Option<DoubleSpendRecord>>;
    /// Double spends after `sequence`, at most `limit`, oldest first.
    fn double_spends_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<DoubleSpendRecord>>;
    /// Whether any transfer below an issued note is part of a double spend.
    fn root_is_double_spent(&mut self, root: &NoteId) -> Stored<bool>;
    /// What was paid beyond the face of an issued note.
    fn loss_of_root(&mut self, root: &NoteId) -> Stored<Amount>;
    /// Whether evidence names this identity, registered or not.
    fn is_convicted(&mut self, identity: &[u8; 32]) -> Stored<bool>;
    /// Sequence of the newest double spend, 0 for none.
    fn double_spend_sequence(&mut self) -> Stored<u64>;
    /// Notes that wait to be listed and are of interest at `now`: those worth most first, among equals in the order of their names.
    fn notes_to_list(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<RevocableRecord>>;
    /// How many notes wait to be listed and are of interest at `now`.
    fn notes_waiting(&mut self, now: Timestamp) -> Stored<u64>;
    /// How many notes were listed after `since`.
    fn notes_listed_after(&mut self, since: Timestamp) -> Stored<u64>;
    /// The newest page of the revocation list.
    fn newest_revocation(&mut self) -> Stored<Option<RevocationRecord>>;
    /// The oldest page with a note that is of interest at `now`.
    fn oldest_revocation(&mut self, now: Timestamp) -> Stored<Option<u64>>;
    /// Of the newest `pages` pages, as they travel, those signed after sequence `after`, oldest first.
    fn revocations_after(&mut self, after: u64, pages: u32) -> Stored<Vec<Vec<u8>>>;
    /// How many alarms.
    fn alarm_count(&mut self) -> Stored<u64>;

    /// Payments uploaded for a context.
    fn payments(&mut self, context: &Context) -> Stored<Vec<Vec<u8>>>;
    /// A transfer ordered by a PSP.
    fn transfer_order(&mut self, psp: &Name, id: &[u8; 16]) -> Stored<Option<TransferOrder>>;
    /// Credits of `psp` after `sequence`, at most `limit`, oldest first.
    fn credits_after(&mut self, psp: &Name, sequence: u64, limit: u32) -> Stored<Vec<CreditRecord>>;
    /// Sequence of the newest credit of `psp`, 0 for none.
    fn credit_sequence(&mut self, psp: &Name) -> Stored<u64>;

    /// Balance of an account, 0 if it was never used.
    fn balance(&mut self, account: &str) -> Stored<i64>;
    /// All balances, by account.
    fn balances(&mut self) -> Stored<Vec<(String, i64)>>;
    /// Sums of the postings of each account, by account.
    fn posting_sums(&mut self) -> Stored<Vec<(String, i64)>>;
    /// How many movements have postings that do not sum to zero.
    fn unbalanced_movements(&mut self) -> Stored<u64>;
}

/// Changes. Every method fails only as the storage does; `insert_…` tells whether there was no such row yet and
/// otherwise changes nothing.
#[allow(clippy::missing_errors_doc, reason = "stated once, for all")]
pub trait Tx: View {
    /// Sets up who the bank is.
    fn insert_settings(&mut self, settings: &Settings) -> Stored<bool>;
    /// Keeps the answer to a request.
    fn insert_answer(&mut self, scope: &str, key: &str, answered: &Answered, at: Timestamp) -> Stored<bool>;
    /// Forgets answers given before `before`.
    fn delete_answers(&mut self, before: Timestamp) -> Stored<u64>;

    /// Adds a record to the audit log.
    fn insert_audit(&mut self, record: &Record) -> Stored<bool>;
    /// Adds a head to it, with the tree that it is over.
    fn insert_audit_head(&mut self, head: &SignedHead, tree: &Tree) -> Stored<bool>;

    /// Publishes a manifest.
    fn insert_manifest(&mut self, header: &SignedHeader, manifest: &[u8]) -> Stored<bool>;
    /// Keeps a class.
    fn insert_class(&mut self, id: &ClassId, key: &[u8; 32], info: &[u8]) -> Stored<bool>;
    /// Registers a PSP.
    fn insert_psp(&mut self, psp: &PspRecord) -> Stored<bool>;
    /// Keeps what was decided of disclosures, instead of what was before.
    fn set_supervision(&mut self, supervision: Option<&SupervisionRecord>) -> Stored<()>;
    /// Keeps under which pepper the registry of persons is kept, instead of what was before.
    fn set_registry(&mut self, pepper: Option<&[u8; 32]>) -> Stored<()>;
    /// Keeps who has a person.
    fn insert_person(&mut self, person: &PersonRecord) -> Stored<bool>;
    /// Replaces who has a person, if it is still as in `from`.
    fn replace_person_if(&mut self, from: &PersonRecord, to: &PersonRecord) -> Stored<bool>;
    /// Registers a device.
    fn insert_device(&mut self, device: &DeviceRecord) -> Stored<bool>;
    /// Strikes a device off, if it is registered and was not struck off before.
    fn strike_off_if_registered(&mut self, identity: &[u8; 32], at: Timestamp, sequence: u64) -> Stored<bool>;

    /// Opens a batch.
    fn insert_batch(&mut self, batch: &BatchRecord) -> Stored<bool>;
    /// Opens a session of it.
    fn insert_session(&mut self, key: &BatchKey, index: u32, session: &SessionRecord) -> Stored<bool>;
    /// Replaces a session's secrets by its answer, if it has none yet.
    fn answer_session_if_open(
        &mut self,
        key: &BatchKey,
        index: u32,
        challenge_hash: &[u8; 32],
        response: &[u8; 128],
    ) -> Stored<bool>;
    /// Moves a batch from one state to another, if it is in the first.
    fn move_batch_if(&mut self, key: &BatchKey, from: BatchState, to: BatchState) -> Stored<bool>;
    /// Erases commitments, secrets and answers of a batch's sessions; a tombstone stays.
    fn erase_sessions(&mut self, key: &BatchKey) -> Stored<u64>;

    /// Puts a note into the spent set, with the transfer that shows it.
    fn insert_shown(&mut self, note: &NoteId, transfer: &TransferId) -> Stored<bool> {
        Ok(!self.insert_shows(&[(*note, *transfer)])?.is_empty())
    }
    /// The same of several notes; gives those that are new.
    fn insert_shows(&mut self, shows: &[(NoteId, TransferId)]) -> Stored<Vec<NoteId>>;
    /// Keeps a transfer.
    fn insert_transfer(&mut self, transfer: &TransferRecord) -> Stored<bool> {
        Ok(!self.insert_transfers(core::slice::from_ref(transfer))?.is_empty())
    }
    /// Keeps several; gives those that are new.
    fn insert_transfers(&mut self, transfers: &[TransferRecord]) -> Stored<Vec<TransferId>>;
    /// Keeps another copy of a transfer, in place of the one that is there.
    fn replace_transfer(&mut self, id: &TransferId, transfer: &[u8]) -> Stored<()>;
    /// Keeps that `by` claims an output.
    fn insert_claim(&mut self, transfer: &TransferId, index: u8, by: &TransferId) -> Stored<bool> {
        Ok(!self.insert_claims(&[Claim { transfer: *transfer, index, by: *by }])?.is_empty())
    }
    /// Keeps several claims; gives those outputs that nobody had claimed.
    fn insert_claims(&mut self, claims: &[Claim]) -> Stored<Vec<(TransferId, u8)>>;
    /// Marks a transfer as swept, if it was not.
    fn mark_swept_if_due(&mut self, transfer: &TransferId) -> Stored<bool>;

    /// Keeps that redemptions were accepted, those that are not yet.
    fn insert_redemptions(&mut self, pending: &[PendingRedemption]) -> Stored<()>;
    /// Forgets redemptions that are finished.
    fn delete_redemptions(&mut self, transfers: &[TransferId]) -> Stored<()>;
    /// Keeps what is allotted, each once for its transfer; tells how many are new.
    fn insert_allotments(&mut self, allotments: &[Allotment]) -> Stored<u64>;
    /// Counts what was allotted or paid within the faces of different issued notes, and gives how much it is now.
    fn add_to_roots(&mut self, amounts: &[(NoteId, ClassId, Amount)]) -> Stored<Vec<(NoteId, Amount)>>;
    /// Keeps what was paid.
    fn insert_payout(&mut self, payout: &PayoutRecord) -> Stored<bool> {
        Ok(self.insert_payouts(core::slice::from_ref(payout))? == 1)
    }
    /// Keeps several, and tells how many are new.
    fn insert_payouts(&mut self, payouts: &[PayoutRecord]) -> Stored<u64>;
    /// Closes a class.
    fn insert_expiry(&mut self, expiry: &ExpiryRecord) -> Stored<bool>;

    /// Keeps a claim.
    fn insert_restitution(&mut self, claim: &RestitutionRecord) -> Stored<bool>;
    /// Settles a claim, if it is open.
    fn settle_restitution_if_open(&mut self, note: &NoteId, state: RestitutionState) -> Stored<bool>;
    /// Drops the open claims on what a device held, and tells how many.
    fn delete_open_restitutions(&mut self, identity: &[u8; 32]) -> Stored<u64>;

    /// Keeps a double spend.
    fn insert_double_spend(&mut self, double_spend: &DoubleSpendRecord) -> Stored<bool>;
    /// Keeps a note that has to be listed.
    fn insert_revocable(&mut self, note: &RevocableRecord) -> Stored<bool>;
    /// Keeps that a note was listed.
    fn mark_listed(&mut self, note: &NoteId, at: Timestamp) -> Stored<()>;
    /// Keeps a page, in place of its earlier version.
    fn put_revocation(&mut self, page: &RevocationRecord) -> Stored<()>;
    /// Forgets the pages before `page`.
    fn delete_revocations_before(&mut self, page: u64) -> Stored<()>;
    /// Raises an alarm about `subject`.
    fn insert_alarm(&mut self, kind: &str, subject: &[u8], at: Timestamp) -> Stored<bool>;

    /// Keeps an undelivered payment under the name of one of its transfers.
    fn insert_payment(
        &mut self,
        context: &Context,
        name: &TransferId,
        payment: &[u8],
        deadline: Timestamp,
    ) -> Stored<bool>;
    /// Keeps another copy of an undelivered payment, in place of the one that is there.
    fn replace_payment(&mut self, context: &Context, name: &TransferId, payment: &[u8]) -> Stored<()>;
    /// Forgets undelivered payments whose deadline is before `now`.
    fn delete_payments(&mut self, now: Timestamp) -> Stored<u64>;
    /// Keeps an order.
    fn insert_transfer_order(&mut self, order: &TransferOrder) -> Stored<bool>;
    /// Counts a credit of `psp` and gives its sequence.
    fn next_credit_sequence(&mut self, psp: &Name) -> Stored<u64> {
        self.count_credits(psp, 1)
    }
    /// Counts `count` credits of `psp` and gives the sequence of the last one.
    fn count_credits(&mut self, psp: &Name, count: u64) -> Stored<u64>;
    /// Keeps a credit.
    fn insert_credit(&mut self, credit: &CreditRecord) -> Stored<bool> {
        Ok(self.insert_credits(core::slice::from_ref(credit))? == 1)
    }
    /// Keeps several, and tells how many are new.
    fn insert_credits(&mut self, credits: &[CreditRecord]) -> Stored<u64>;

    /// Keeps movements without their postings, and tells how many are new.
    fn insert_movements(&mut self, movements: &[MovementRow]) -> Stored<u64>;
    /// Keeps postings, and tells how many are new.
    fn insert_postings(&mut self, postings: &[PostingRow]) -> Stored<u64>;
    /// Changes a balance and gives the new one.
    fn add_to_balance(&mut self, account: &str, amount: i64) -> Stored<i64>;
}
