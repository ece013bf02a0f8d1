//! What a PSP remembers. A store runs closures in transactions; within one, [`Records`] are rows.

use specie_audit::{DecisionError, Kind, Record, SignedHead, Tree};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, ClassId, Timestamp};
use thiserror::Error;

use crate::aml::records::AmlRecords;
use crate::bank::SignedHeader;
use crate::credential::{CredentialRecord, DemandRecord};
use crate::customer::Customer;
use crate::device::{Device, DeviceState};
use crate::evidence::{EvidenceKind, EvidenceRecord};
use crate::ledger::{LedgerAccount, Movement, Totals};
use crate::loss::Backup;
use crate::person::Person;
use crate::registry::Registration;
use crate::request::{OperationId, Remembered};
use crate::screening::{HitRecord, Ruling, ScreeningRecord};
use crate::setting::{IssuedLimits, UploadedPayment, Verdict};
use crate::share::Allowance;
use crate::transfer::{Transfer, TransferState};
use crate::withdrawal::{Withdrawal, WithdrawalState};

/// Why a store failed. But for [`StoreError::Unknown`] nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is busy.
    #[error("the database is busy: try again")]
    Busy,
    /// It was lost while it wrote. Everything was written or nothing.
    #[error("the database was lost while it was writing: everything was written or nothing; repeat the same request")]
    Unknown,
    /// It does not work.
    #[error("the database failed: {0}")]
    Failed(String),
    /// It holds what this program never writes.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The audit log cannot take what it would have to say.
    #[error(transparent)]
    Audit(#[from] DecisionError),
}

/// A store.
pub trait Store: Send + Sync {
    /// Runs `work` in one transaction and commits it if `work` succeeds. An error leaves nothing behind. `work` may run more
    /// than once.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    fn write<T, E: From<StoreError>>(&self, work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E>;

    /// Runs `work` on one state of the store; it must not write.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    fn read<T, E: From<StoreError>>(&self, work: impl FnMut(&mut dyn Records) -> Result<T, E>) -> Result<T, E>;
}

/// What became of a posting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Posted {
    /// It is made.
    Made,
    /// It was made before.
    Before,
    /// Another movement has its name.
    NameTaken,
    /// An account that stays in credit does not hold enough, or a sum would be beyond [`Amount::MAX`].
    Insufficient,
}

/// A kind of feed that the PSP reads, from the bank or from itself; its place in each is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Credits.
    Credits,
    /// Devices struck off.
    StruckOff,
    /// Movements of the PSP's own books, for its rules.
    Movements,
    /// What its limits refused, for its rules.
    Refusals,
}

impl Feed {
    /// The stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credits => "credits",
            Self::StruckOff => "struck-off",
            Self::Movements => "movements",
            Self::Refusals => "refusals",
        }
    }
}

type Stored<T> = Result<T, StoreError>;

/// Rows within one transaction. Every method fails only when the store does.
#[allow(missing_docs, reason = "the names say it; what is not obvious has a comment")]
pub trait Records: AmlRecords {
    /// `false` when name or account are taken.
    fn insert_customer(&mut self, customer: &Customer) -> Stored<bool>;
    fn customer(&mut self, name: &Name) -> Stored<Option<Customer>>;
    fn customers(&mut self) -> Stored<Vec<Customer>>;
    fn account_exists(&mut self, account: &Name) -> Stored<bool>;
    fn set_tier(&mut self, customer: &Name, tier: &Name) -> Stored<()>;
    /// Keeps evidence, named by customer, kind and reference; what was kept under that name is replaced.
    fn put_evidence(&mut self, customer: &Name, evidence: &EvidenceRecord) -> Stored<()>;
    /// The evidence of a customer, oldest first.
    fn evidence(&mut self, customer: &Name) -> Stored<Vec<EvidenceRecord>>;
    /// For whom this evidence is kept, by name.
    fn customers_of_evidence(&mut self, kind: EvidenceKind, reference: &str) -> Stored<Vec<Name>>;

    /// Keeps a demand without an answer; the one before it to the same customer is forgotten.
    fn put_demand(&mut self, demand: &DemandRecord) -> Stored<()>;
    fn demand(&mut self, customer: &Name) -> Stored<Option<DemandRecord>>;
    /// Notes the answer to a demand; `false` when there is no such demand, or it has one.
    fn answer_demand(&mut self, customer: &Name, nonce: &str, answer: &[u8; 32]) -> Stored<bool>;
    /// Keeps a credential, named by customer and hash; when it is presented again, with the claims asked for then.
    fn put_credential(&mut self, credential: &CredentialRecord) -> Stored<()>;
    /// The credentials of a customer, oldest first.
    fn credentials(&mut self, customer: &Name) -> Stored<Vec<CredentialRecord>>;
    fn customer_of_person(&mut self, person: &[u8; 32]) -> Stored<Option<Name>>;
    /// Keeps that a name was compared; what was kept of that customer before is replaced.
    fn put_screening(&mut self, screening: &ScreeningRecord) -> Stored<()>;
    fn screening(&mut self, customer: &Name) -> Stored<Option<ScreeningRecord>>;
    /// Keeps a hit that nobody decided about, named by customer and reference; what was kept under that name is replaced.
    fn put_hit(&mut self, hit: &HitRecord) -> Stored<()>;
    /// The hits of a customer, or of all, the nearest of each first.
    fn hits(&mut self, customer: Option<&Name>) -> Stored<Vec<HitRecord>>;
    fn set_ruling(&mut self, customer: &Name, reference: &str, ruling: &Ruling) -> Stored<()>;
    /// Deletes demands, credentials, evidence, screening and hits of a customer; `false` when there were none.
    fn erase_identity(&mut self, customer: &Name) -> Stored<bool>;

    /// Which person a customer is, if that is known.
    fn person(&mut self, customer: &Name) -> Stored<Option<Person>>;
    /// Says so; the customer must not be another one.
    fn bind_person(&mut self, customer: &Name, person: &Person) -> Stored<()>;
    /// All customers of a person, by name.
    fn customers_of_person(&mut self, tag: &[u8; 32]) -> Stored<Vec<Name>>;

    /// The name of the pepper under which the bank keeps its registry of persons, as this PSP last heard.
    fn registry(&mut self) -> Stored<Option<[u8; 32]>>;
    fn set_registry(&mut self, pepper: Option<&[u8; 32]>) -> Stored<()>;
    /// The name of the pepper by which this PSP knows persons; `None` before it knew anybody.
    fn own_pepper(&mut self) -> Stored<Option<[u8; 32]>>;
    fn set_own_pepper(&mut self, pepper: &[u8; 32]) -> Stored<()>;
    /// Whether a person, a credential or a document is known by a keyed hash, or was.
    fn knows_somebody(&mut self) -> Stored<bool>;
    fn registration(&mut self, pseudonym: &[u8; 32]) -> Stored<Option<Registration>>;
    /// The registrations that a customer led to.
    fn registrations_of(&mut self, customer: &Name) -> Stored<Vec<Registration>>;
    /// Those that the bank has not heard yet are given back.
    fn releasing(&mut self) -> Stored<Vec<Registration>>;
    /// Keeps a registration, in place of what was kept of that pseudonym.
    fn put_registration(&mut self, registration: &Registration) -> Stored<()>;

    fn insert_claim_code(&mut self, hash: &[u8; 32], valid_until: Timestamp) -> Stored<()>;
    /// Marks a code as used; `false` when there is none, or it is used or too old.
    fn use_claim_code(&mut self, hash: &[u8; 32], now: Timestamp) -> Stored<bool>;
    /// Makes a used code good again.
    fn restore_claim_code(&mut self, hash: &[u8; 32]) -> Stored<()>;

    fn insert_nonce(&mut self, operation: &OperationId, nonce: &[u8; 32], valid_until: Timestamp) -> Stored<()>;
    /// The nonce given for that operation, with its last moment.
    fn nonce(&mut self, operation: &OperationId) -> Stored<Option<([u8; 32], Timestamp)>>;
    fn nonce_count(&mut self) -> Stored<u64>;
    /// Marks a nonce as used; `false` when there is none, or it is used or too old.
    fn use_nonce(&mut self, nonce: &[u8; 32], now: Timestamp) -> Stored<bool>;

    /// `false` when key or identity are enrolled.
    fn insert_device(&mut self, device: &Device) -> Stored<bool>;
    fn device(&mut self, key: &PublicKey) -> Stored<Option<Device>>;
    fn device_by_identity(&mut self, identity: &[u8; 32]) -> Stored<Option<Device>>;
    fn devices_of(&mut self, customer: &Name) -> Stored<Vec<Device>>;
    fn pending_devices(&mut self) -> Stored<Vec<Device>>;
    fn set_device_state(&mut self, key: &PublicKey, state: DeviceState) -> Stored<()>;
    fn set_weight(&mut self, key: &PublicKey, weight: u32) -> Stored<()>;
    fn set_label(&mut self, key: &PublicKey, label: Option<&Name>) -> Stored<()>;
    fn set_released(&mut self, key: &PublicKey, at: Timestamp) -> Stored<()>;
    /// Writes what is new of a device that has another owner.
    fn hand_over(&mut self, device: &Device) -> Stored<()>;
    /// Whether a withdrawal of the device is neither void nor acknowledged.
    fn has_unfinished_withdrawal(&mut self, key: &PublicKey) -> Stored<bool>;
    /// Removes a device that was never active.
    fn remove_pending_device(&mut self, key: &PublicKey) -> Stored<()>;
    /// Counts a limits document and gives its sequence.
    fn next_limits_sequence(&mut self, key: &PublicKey) -> Stored<u64>;

    /// `false` when the device is reported lost already.
    fn insert_loss(&mut self, device: &PublicKey, reported_at: Timestamp) -> Stored<bool>;
    /// `false` when the device is not reported lost.
    fn delete_loss(&mut self, device: &PublicKey) -> Stored<bool>;
    /// Keeps a device's backup of a day, instead of another of that day.
    fn set_backup(&mut self, device: &PublicKey, day: u64, backup: &Backup) -> Stored<()>;
    /// A device's backups, newest first.
    fn backups(&mut self, device: &PublicKey) -> Stored<Vec<Backup>>;
    /// Forgets a device's backups of days before `day`.
    fn delete_backups(&mut self, device: &PublicKey, day: u64) -> Stored<()>;
    /// What the documents of a sequence allow, newest first.
    fn issued_limits(&mut self, device: &PublicKey, sequence: u64) -> Stored<Vec<IssuedLimits>>;
    /// The largest sequence of the device's documents; 0 for none.
    fn newest_issued(&mut self, device: &PublicKey) -> Stored<u64>;
    /// The nonce that the device got last for its totals, with its last moment, while it is not used.
    fn totals_nonce(&mut self, device: &PublicKey) -> Stored<Option<([u8; 32], Timestamp)>>;
    fn set_totals_nonce(&mut self, device: &PublicKey, nonce: &[u8; 32], valid_until: Timestamp) -> Stored<()>;
    fn remove_totals_nonce(&mut self, device: &PublicKey) -> Stored<()>;
    fn insert_verdict(&mut self, operation: &OperationId, device: &PublicKey, verdict: &Verdict) -> Stored<()>;
    /// The newest verdict of the device that no document was issued for and that is not older than `since`, with the sequence of the
    /// limits that it was about.
    fn unused_verdict(&mut self, device: &PublicKey, since: Timestamp) -> Stored<Option<(OperationId, u64)>>;
    fn use_verdict(&mut self, operation: &OperationId, document: u64) -> Stored<()>;
    /// The verdicts on a device, oldest first.
    fn verdicts(&mut self, device: &PublicKey) -> Stored<Vec<Verdict>>;
    /// Keeps a payment that the device told of, unless it did before.
    fn insert_uploaded(
        &mut self,
        device: &PublicKey,
        limits_sequence: u64,
        payment: &UploadedPayment,
        now: Timestamp,
        keep_until: Timestamp,
    ) -> Stored<()>;
    /// The devices of which uploaded payments were to be kept until before `now`.
    fn devices_with_old_uploads(&mut self, now: Timestamp) -> Stored<Vec<PublicKey>>;
    fn delete_uploads(&mut self, device: &PublicKey, kept_until_before: Timestamp) -> Stored<()>;
    /// When the owner of a device withdrew its consent to uploads, if it did.
    fn uploads_refused(&mut self, device: &PublicKey) -> Stored<Option<Timestamp>>;
    fn set_uploads_refused(&mut self, device: &PublicKey, at: Option<Timestamp>) -> Stored<()>;
    /// What the device told of, oldest first.
    fn uploaded(&mut self, device: &PublicKey) -> Stored<Vec<UploadedPayment>>;
    /// What the payments come to that the device made under these limits, as it told of them; at most [`Amount::MAX`].
    fn paid_under(&mut self, device: &PublicKey, limits_sequence: u64) -> Stored<Amount>;

    fn request(&mut self, operation: &OperationId) -> Stored<Option<Remembered>>;
    fn insert_request(&mut self, operation: &OperationId, request: &Remembered, now: Timestamp) -> Stored<()>;

    /// Makes a movement, once for its name, if the account debited may be.
    fn post(&mut self, movement: &Movement) -> Stored<Posted>;
    fn totals(&mut self, account: &LedgerAccount) -> Stored<Totals>;
    /// Every account that was ever touched, with its stored totals and those of its movements.
    fn trial_balance(&mut self) -> Stored<Vec<(LedgerAccount, Totals, Totals)>>;
    /// Movements of an account, newest first.
    fn movements(&mut self, account: &LedgerAccount, count_max: u64) -> Stored<Vec<Movement>>;

    fn insert_withdrawal(&mut self, withdrawal: &Withdrawal) -> Stored<()>;
    fn withdrawal(&mut self, id: &OperationId) -> Stored<Option<Withdrawal>>;
    fn set_withdrawal_state(&mut self, id: &OperationId, state: WithdrawalState) -> Stored<()>;
    /// Withdrawals whose amount is still held.
    fn unsettled_withdrawals(&mut self) -> Stored<Vec<Withdrawal>>;
    /// When a customer last withdrew value, void withdrawals left out.
    fn last_withdrawn(&mut self, customer: &Name) -> Stored<Option<Timestamp>>;
    /// What a customer's withdrawals since `since` come to, void ones left out.
    fn withdrawn_since(&mut self, customer: &Name, since: Timestamp) -> Stored<Amount>;

    /// Blanks that a device had in an epoch.
    fn blanks(&mut self, device: &PublicKey, epoch: u32) -> Stored<u64>;
    /// Blanks that a customer's devices had in an epoch, those it gave up included.
    fn blanks_of_customer(&mut self, customer: &Name, epoch: u32) -> Stored<u64>;
    /// Counts blanks for both.
    fn take_blanks(&mut self, device: &PublicKey, customer: &Name, epoch: u32, blanks: u64) -> Stored<()>;
    fn return_blanks(&mut self, device: &PublicKey, customer: &Name, epoch: u32, blanks: u64) -> Stored<()>;
    /// Counts all blanks of a device for its new owner too.
    fn move_blanks(&mut self, device: &PublicKey, to: &Name) -> Stored<()>;

    /// Keeps what a document allows, for the customer whose device it is for; one of the same sequence that allows the same counts until the later
    /// of their ends.
    fn insert_limits(&mut self, customer: &Name, limits: &Allowance) -> Stored<()>;
    /// What was given to a customer's devices and is not forgotten, each with the last moment at which something that its device withdrew
    /// can be redeemed: the epoch when that is nothing, or the device is lost.
    fn allowances(&mut self, customer: &Name) -> Stored<Vec<(Allowance, Timestamp)>>;
    /// Forgets what was given to a device under sequences from `from` and before `before`, if there is something under that.
    fn forget_limits(&mut self, device: &PublicKey, from: u64, before: u64) -> Stored<()>;
    /// Adds to what a device withdrew since its element last said what it holds, and takes from it what came to nothing.
    fn add_withdrawn(&mut self, device: &PublicKey, customer: &Name, value: Amount, now: Timestamp) -> Stored<()>;
    fn return_withdrawn(&mut self, device: &PublicKey, value: Amount) -> Stored<()>;
    /// Takes what a device was given over to another customer.
    fn move_limits(&mut self, device: &PublicKey, to: &Name) -> Stored<()>;
    /// Takes note that the device withdrew what can be redeemed until then.
    fn note_redeemable(&mut self, device: &PublicKey, until: Timestamp) -> Stored<()>;

    fn insert_transfer(&mut self, transfer: &Transfer) -> Stored<()>;
    fn transfer(&mut self, id: &OperationId) -> Stored<Option<Transfer>>;
    fn set_transfer_state(&mut self, id: &OperationId, state: TransferState) -> Stored<()>;
    fn pending_transfers(&mut self) -> Stored<Vec<Transfer>>;

    /// The newest record of the audit log.
    fn audit_newest(&mut self) -> Stored<Option<Record>>;
    /// The newest one of this kind about `subject`.
    fn audit_newest_about(&mut self, kind: Kind, subject: &str) -> Stored<Option<Record>>;
    /// Records after `sequence`, at most `limit`, oldest first.
    fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<Record>>;
    /// Heads after `sequence` up to `until`, oldest first.
    fn audit_heads(&mut self, after: u64, until: u64) -> Stored<Vec<SignedHead>>;
    /// The tree under its newest head, as far as that goes.
    fn audit_tree(&mut self) -> Stored<Tree>;
    /// Adds a record; `false` when there is one in its place.
    fn insert_audit(&mut self, record: &Record) -> Stored<bool>;
    /// Adds a head; `false` when there is one of the same moment.
    fn insert_audit_head(&mut self, head: &SignedHead, tree: &Tree) -> Stored<bool>;

    /// How far a feed was read; 0 at first.
    fn feed_position(&mut self, feed: Feed) -> Stored<u64>;
    fn set_feed_position(&mut self, feed: Feed, sequence: u64) -> Stored<()>;

    /// Stores a checked header.
    fn insert_header(&mut self, sequence: u64, header: &SignedHeader) -> Stored<()>;
    /// Headers after a sequence, oldest first.
    fn headers_after(&mut self, sequence: u64) -> Stored<Vec<SignedHeader>>;
    /// The newest header's sequence; 0 for none.
    fn newest_sequence(&mut self) -> Stored<u64>;
    fn manifest(&mut self) -> Stored<Option<Vec<u8>>>;
    fn set_manifest(&mut self, manifest: &[u8]) -> Stored<()>;
    /// The newest page of the revocation list (CBOR).
    fn newest_revocation(&mut self) -> Stored<Option<Vec<u8>>>;
    /// Of the newest `pages` pages those signed after sequence `after` (CBOR), oldest first.
    fn revocations_after(&mut self, after: u64, pages: u32) -> Stored<Vec<Vec<u8>>>;
    /// Keeps a checked page, in place of its earlier version.
    fn put_revocation(&mut self, page: u64, sequence: u64, content: &[u8]) -> Stored<()>;
    /// Forgets the pages before `page`.
    fn delete_revocations_before(&mut self, page: u64) -> Stored<()>;

    /// Forgets nonces and claim codes that ran out before `now`, requests older than `requests_before`, and demands that ran out before
    /// that.
    fn forget(&mut self, now: Timestamp, requests_before: Timestamp) -> Stored<()>;
}

/// So many of one class, with what the PSP has to know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The class.
    pub class_id: ClassId,
    /// How many.
    pub count: u64,
    /// The epoch, for blanks: they are given back to their ration when the withdrawal becomes void.
    pub blank_epoch: Option<u32>,
}
