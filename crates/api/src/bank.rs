//! What PSPs ask of the bank, and what it publishes to everyone.
//!
//! Requests of PSPs are signed with [`authorization::Psp`](crate::authorization::Psp). Manifests, revocations,
//! evidence, conservation and status are public.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::relayed::{
    ClaimedPayment, Manifests, PaymentClaim, PaymentUpload, Redemption, RedemptionItem, RedemptionRequest, Restitution,
    RestitutionClaim, RestitutionClaims, RestitutionItem, RestitutionState, Revocations, SignedHeader,
};

use crate::hexadecimal::{Hex, HexArray};
use crate::problem_codes;

#[cfg(feature = "client")]
mod client;

#[cfg(feature = "client")]
pub use client::Client;

/// Where to ask.
pub mod path {
    /// Who the bank is.
    pub const STATUS: &str = "/v1/status";
    /// Signed headers and the newest manifest.
    pub const MANIFESTS: &str = "/v1/manifests";
    /// What is new of the revocation list.
    pub const REVOCATIONS: &str = "/v1/revocations";
    /// Evidence of double spends, oldest first.
    pub const EVIDENCE: &str = "/v1/evidence";
    /// Whether the books hold.
    pub const CONSERVATION: &str = "/v1/conservation";
    /// Registers a device.
    pub const DEVICES: &str = "/v1/devices";
    /// The PSP's devices that were struck off, oldest first.
    pub const STRUCK_OFF: &str = "/v1/devices/struck-off";
    /// Whether the registry of persons is kept, and under which pepper.
    pub const PERSONS: &str = "/v1/persons";
    /// Claims a person: this PSP alone gives it limits.
    pub const CLAIM_PERSON: &str = "/v1/persons/claim";
    /// Gives a person back.
    pub const RELEASE_PERSON: &str = "/v1/persons/release";
    /// Opens a batch of issuance sessions; shows one.
    pub const ISSUANCE: &str = "/v1/issuance/{batch}";
    /// Has a batch answered.
    pub const CHALLENGES: &str = "/v1/issuance/{batch}/challenges";
    /// Says that the device keeps the notes.
    pub const ACKNOWLEDGE: &str = "/v1/issuance/{batch}/acknowledge";
    /// Gives a batch up before its challenges were answered.
    pub const CANCEL: &str = "/v1/issuance/{batch}/cancel";
    /// Redemption of notes and of what was received.
    pub const REDEMPTIONS: &str = "/v1/redemptions";
    /// What a lost device held: claims on it.
    pub const RESTITUTIONS: &str = "/v1/restitutions/{device}";
    /// Gives claims up: the device was found.
    pub const GIVE_UP: &str = "/v1/restitutions/{device}/give-up";
    /// Payments that did not reach their payee.
    pub const PAYMENTS: &str = "/v1/payments";
    /// What was uploaded for a request.
    pub const CLAIM: &str = "/v1/payments/claim";
    /// Online payment from account to account, between PSPs.
    pub const TRANSFERS: &str = "/v1/transfers";
    /// What the bank credited to accounts of the PSP, oldest first.
    pub const CREDITS: &str = "/v1/credits";
    /// The PSP's reserve.
    pub const RESERVE: &str = "/v1/reserve";
}

/// The most sessions in one batch.
pub const BATCH_SESSIONS_MAX: u64 = 256;

/// The most chains in one redemption.
pub const REDEMPTION_CHAINS_MAX: usize = 256;

/// The most holdings in one claim.
pub const RESTITUTION_HOLDINGS_MAX: usize = 256;

/// The most entries in one page of a list.
pub const PAGE_LENGTH_MAX: u32 = 500;

/// The most pseudonyms of one person.
pub const PSEUDONYMS_MAX: usize = 32;

/// How long an unanswered batch lives, in seconds: seven days.
pub const BATCH_LIFETIME_SECONDS: u64 = 7 * 24 * 3_600;

/// Codes of refused chains and payments besides those of the protocol's rules (`docs/spec/protocol.md`, §9).
pub mod refusal {
    /// The bytes are no chain.
    pub const MALFORMED: &str = "malformed";
    /// The redeeming transfer names another destination than the request.
    pub const WRONG_DESTINATION: &str = "wrong-destination";
    /// The redeemer itself spent this note before, otherwise. Evidence is kept.
    pub const DOUBLE_SPENT: &str = "double-spent";
    /// What remained of a transfer in the chain was given to its payer already.
    pub const LAPSED: &str = "lapsed";
    /// More came back of the class than was issued: an alarm at the bank, which pays no more of it for now.
    pub const CLASS_EXHAUSTED: &str = "class-exhausted";
}

problem_codes! {
    /// No PSP of this name is registered.
    PSP_UNKNOWN = 404 "psp-unknown", "No PSP of this name is registered", "check the name of the PSP", retry: false;
    /// The identity is registered already, or struck off.
    DEVICE_KNOWN = 409 "device-known", "This device is registered already", "enrol another element", retry: false;
    /// The identity is no canonical point, or the neutral one.
    DEVICE_INVALID = 422 "device-invalid", "This is no device's identity", "enrol the device anew", retry: false;
    /// This PSP has not registered the device.
    DEVICE_UNREGISTERED = 404 "device-unregistered", "This PSP has not registered such a device",
        "register the device first", retry: false;
    /// The device is struck off for double spending.
    DEVICE_STRUCK_OFF = 403 "device-struck-off", "The device is struck off for double spending", "block the device",
        retry: false;
    /// A class is unknown, or not issued now.
    CLASS_NOT_ISSUED = 409 "class-not-issued", "This class is not issued now", "fetch the newest manifest", retry: false;
    /// The bank's books do not hold, and no operator has looked yet.
    ISSUANCE_HALTED = 503 "issuance-halted", "The bank opens no batches for now", "repeat with the same idempotency key later",
        retry: true;
    /// A batch has no session, too many, or a class twice.
    BATCH_SIZE = 422 "batch-size", "A batch has 1 to 256 sessions, and each class once", "ask for another batch",
        retry: false;
    /// The name of the batch was used for another request.
    BATCH_KNOWN = 409 "batch-known", "This name was used for another batch", "name the batch otherwise", retry: false;
    /// This PSP has no such batch.
    BATCH_UNKNOWN = 404 "batch-unknown", "There is no such batch", "open a batch first", retry: false;
    /// The batch was cancelled or ran out. It was not answered and never will be.
    BATCH_VOID = 409 "batch-void", "The batch is void and was not answered", "refund it and open another", retry: false;
    /// The batch is not answered yet, so there is nothing to acknowledge.
    BATCH_OPEN = 409 "batch-open", "The batch is not answered yet", "send the challenges first", retry: false;
    /// The batch was answered and acknowledged, or its notes are worthless by now: the answers are erased.
    BATCH_ERASED = 410 "batch-erased", "The answers of this batch are erased", "open another batch", retry: false;
    /// A batch is answered once. Other challenges are refused for ever.
    OTHER_CHALLENGES = 409 "other-challenges", "The batch was answered for other challenges",
        "repeat the challenges that were sent first", retry: false;
    /// The bank's signer signs no more notes of a class, now or ever: nothing was debited.
    SIGNING_LIMIT = 503 "signing-limit", "The bank signs no more notes of this class now", "repeat later; the bank's operator may raise the limit",
        retry: true;
    /// Not one canonical challenge for each session.
    CHALLENGES_INVALID = 422 "challenges-invalid", "Not one canonical challenge for each session", "send the device's own challenges",
        retry: false;
    /// The PSP's reserve does not cover it.
    RESERVE_TOO_LOW = 409 "reserve-too-low", "The PSP's reserve does not cover this", "have the reserve funded", retry: true;
    /// Another PSP has the person, or gave it limits that have not run out.
    PERSON_ELSEWHERE = 409 "person-elsewhere", "Another PSP gives this person its limits",
        "have that PSP release the person; what it gave has to run out first", retry: false;
    /// The registry of persons is kept under another pepper, or not at all.
    PEPPER_DIFFERS = 409 "pepper-differs", "The registry of persons is not kept under this pepper",
        "take over the pepper of the other PSPs", retry: false;
    /// More pseudonyms than one person has, or none.
    PSEUDONYMS = 422 "pseudonyms-size", "A person has 1 to 32 pseudonyms", "claim fewer at once", retry: false;
    /// More chains than one redemption takes, or none.
    REDEMPTION_SIZE = 422 "redemption-size", "A redemption has 1 to 256 chains", "redeem in parts", retry: false;
    /// More holdings than one claim takes, or none.
    CLAIM_SIZE = 422 "claim-size", "A claim has 1 to 256 holdings", "claim in parts", retry: false;
    /// The payment breaks a rule of the protocol; the detail begins with the rule's code.
    PAYMENT_INVALID = 422 "payment-invalid", "The bank does not accept this payment", "see the detail", retry: false;
    /// Nothing that pays this request was uploaded.
    PAYMENT_NOT_FOUND = 404 "payment-not-found", "Nothing that pays this request was uploaded", "ask the payer, or ask later",
        retry: true;
    /// The name of the transfer was used for another one.
    TRANSFER_KNOWN = 409 "transfer-known", "This name was used for another transfer", "name the transfer otherwise",
        retry: false;
    /// A transfer of nothing.
    TRANSFER_EMPTY = 422 "transfer-empty", "A transfer moves more than nothing", "transfer more than zero", retry: false;
}

/// Nothing to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Who the bank is and how it does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Always `bank`.
    pub service: String,
    /// The version of the program.
    pub version: String,
    /// The issuer's name.
    pub issuer: String,
    /// The one currency that it issues.
    pub currency: String,
    /// The root key that signs manifests.
    pub root_key: HexArray<32>,
    /// The bank's time, Unix seconds.
    pub time: u64,
    /// Sequence of the newest manifest; 0 for none.
    pub manifest_sequence: u64,
    /// Sequence of the newest page of the revocation list; 0 for none.
    pub revocation_sequence: u64,
    /// Notes that wait to be listed, because enough were listed within a day.
    pub revocations_waiting: u64,
    /// The epoch whose classes are issued now; null while there is none.
    pub issuing_epoch: Option<u32>,
    /// Devices registered.
    pub devices: u64,
    /// Of these, struck off.
    pub struck_off: u64,
    /// Double spends with evidence.
    pub double_spends: u64,
    /// Alarms: things that cannot be while keys and generators are sound. Must be 0.
    pub alarms: u64,
}

/// A page of the evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EvidencePage {
    /// Oldest first.
    pub items: Vec<EvidenceItem>,
    /// Whether there is more after the last item.
    pub more: bool,
}

/// One double spend.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EvidenceItem {
    /// Counts evidence from 1.
    pub sequence: u64,
    /// When it was found, Unix seconds.
    pub at: u64,
    /// The note shown twice.
    pub note_id: HexArray<32>,
    /// The culprit `U`, as computed from the evidence.
    pub device: HexArray<32>,
    /// Whether this device was ever registered. If not, keys or generators are broken: an alarm.
    pub registered: bool,
    /// What was paid so far beyond the face of the issued note below which this happened: it stands against those convicted
    /// there. Minor units.
    pub loss: u64,
    /// `evidence` (CBOR): verify it, believe nobody.
    pub evidence: Hex,
}

/// Whether issued − redeemed − expired = outstanding, class by class, and whether the books balance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Conservation {
    /// Whether everything below holds.
    pub holds: bool,
    /// One line for each class of value notes.
    pub classes: Vec<ClassConservation>,
    /// Sum of all postings; must be 0.
    pub postings_sum: i64,
    /// Reserves of all PSPs, minor units.
    pub reserves: i64,
    /// Loss by double spends, from the facts, minor units.
    pub fraud_loss: u64,
    /// The same in the ledger.
    pub fraud_loss_ledger: i64,
    /// What is wrong, in words; empty when `holds`.
    pub findings: Vec<String>,
}

/// Conservation of one class, minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClassConservation {
    /// The class.
    pub class_id: HexArray<16>,
    /// Its epoch.
    pub epoch: u32,
    /// Its face value.
    pub face: u64,
    /// From answered sessions.
    pub issued: u64,
    /// From redemptions and leftovers.
    pub redeemed: u64,
    /// From expiries.
    pub expired: u64,
    /// `issued − redeemed − expired`.
    pub outstanding: i64,
    /// The ledger account.
    pub ledger: i64,
}

/// A PSP registers a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceRegistration {
    /// `U`.
    pub device: HexArray<32>,
}

/// A PSP claims for one of its accounts what a lost device, named in the path by its `U`, held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RestitutionRequest {
    /// The account to credit when nobody redeemed it in time.
    pub account: String,
    /// `holding` (CBOR), 1 to [`RESTITUTION_HOLDINGS_MAX`].
    pub holdings: Vec<Hex>,
}

/// How the registry of persons is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The name of the pepper that all PSPs share; null while there is no registry.
    pub pepper: Option<HexArray<32>>,
}

/// A PSP claims a person, under all pseudonyms by which it knows it: all of them or none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PersonClaim {
    /// The name of the pepper behind them.
    pub pepper: HexArray<32>,
    /// 1 to [`PSEUDONYMS_MAX`].
    pub pseudonyms: Vec<HexArray<32>>,
}

/// A PSP gives a person back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PersonRelease {
    /// Under this pseudonym.
    pub pseudonym: HexArray<32>,
    /// The last moment at which anything counts that the PSP gave the person, Unix seconds.
    pub until: u64,
}

/// A page of devices struck off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StruckOffPage {
    /// Oldest first.
    pub devices: Vec<StruckOff>,
    /// Whether there is more after the last one.
    pub more: bool,
}

/// A device struck off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StruckOff {
    /// Sequence of the evidence against it.
    pub sequence: u64,
    /// `U`.
    pub device: HexArray<32>,
    /// When, Unix seconds.
    pub at: u64,
}

/// So many of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuanceItem {
    /// The class.
    pub class_id: HexArray<16>,
    /// How many; at least one.
    pub count: u64,
}

/// A PSP opens a batch (W1). The batch's name, in the path, is chosen by the PSP at random.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuanceRequest {
    /// `U` of the device.
    pub device: HexArray<32>,
    /// Each class once; at most [`BATCH_SESSIONS_MAX`] in all.
    pub items: Vec<IssuanceItem>,
}

/// The bank's commitment for one note (W2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The class of the note.
    pub class_id: HexArray<16>,
    /// `rnd ‖ a ‖ b1 ‖ b2`.
    pub commitment: HexArray<128>,
}

/// A batch is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// One for each note, in the order of the items.
    pub sessions: Vec<Session>,
    /// Face values of the value notes together: what the answer will debit from the reserve, minor units.
    pub value: u64,
    /// Last moment at which it is answered, Unix seconds.
    pub valid_until: u64,
}

/// The device's challenges (W3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Challenges {
    /// `e` for each session, in their order.
    pub challenges: Vec<HexArray<32>>,
}

/// The bank's answers (W4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Responses {
    /// `r ‖ s1 ‖ s2 ‖ δ` for each session, in their order.
    pub responses: Vec<HexArray<128>>,
    /// What was debited from the reserve, minor units.
    pub value: u64,
}

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BatchState {
    /// Not answered yet.
    Open,
    /// Answered: the reserve is debited. The answer may be had again.
    Answered,
    /// Answered, and the answers erased.
    Erased,
    /// Never answered, and never will be.
    Void,
}

/// A batch as the bank sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchStatus {
    /// Where it stands.
    pub state: BatchState,
    /// Face values of its value notes together, minor units.
    pub value: u64,
    /// Last moment at which it is answered, Unix seconds.
    pub valid_until: u64,
}

/// An online payment to an account at another PSP, out of the reserve of the PSP that asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// Names the transfer; chosen by the PSP that asks, at random.
    pub transfer_id: HexArray<16>,
    /// The payer's account.
    pub from_account: String,
    /// The payee's PSP.
    pub to_psp: String,
    /// The payee's account.
    pub to_account: String,
    /// Minor units; more than zero.
    pub amount: u64,
    /// What it is for, at most 140 bytes of text.
    pub reference: String,
}

/// A page of credits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreditsPage {
    /// Oldest first.
    pub credits: Vec<Credit>,
    /// Whether there is more after the last one.
    pub more: bool,
}

/// Money that the bank put into the PSP's reserve for one of its accounts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// Counts the credits of this PSP from 1, without gaps.
    pub sequence: u64,
    /// The account to credit. The bank does not know whether it exists.
    pub account: String,
    /// Minor units; more than zero.
    pub amount: u64,
    /// Where it comes from.
    pub kind: CreditKind,
    /// Redemptions and leftovers: the transfer's id in hexadecimal. Restitutions: the claim's. Transfers: what the payer wrote.
    pub reference: String,
    /// When, Unix seconds.
    pub at: u64,
}

/// Where a credit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CreditKind {
    /// A chain was redeemed.
    Redemption,
    /// What nobody claimed of a transfer fell to its payer.
    Leftover,
    /// Nobody redeemed what a lost device held.
    Restitution,
    /// An online payment from another account.
    Transfer,
}

/// A PSP's reserve.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// Minor units.
    pub balance: u64,
    /// Sequence of the newest credit; 0 for none.
    pub credit_sequence: u64,
}
