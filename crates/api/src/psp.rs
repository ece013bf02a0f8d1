//! The interface between devices and their PSP: paths, requests and answers.

#[cfg(feature = "client")]
mod client;
pub mod setting;

#[cfg(feature = "client")]
pub use client::Client;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::relayed::{
    ClaimedPayment, Manifests, PaymentClaim, PaymentUpload, Redemption, RedemptionItem, RedemptionRequest, Restitution,
    RestitutionClaim, RestitutionClaims, RestitutionItem, RestitutionState, Revocations, SignedHeader,
};

use crate::hexadecimal::{Hex, HexArray};
use crate::problem_codes;

/// Paths of the interface, `{id}` standing for the name of a withdrawal, `{device}` for a device's `A`, in hexadecimal.
pub mod path {
    /// Who this PSP is.
    pub const STATUS: &str = "/v1/status";
    /// What time it is.
    pub const TIME: &str = "/v1/time";
    /// The bank's manifests.
    pub const MANIFESTS: &str = "/v1/manifests";
    /// What is new of the bank's revocation list.
    pub const REVOCATIONS: &str = "/v1/revocations";
    /// A nonce for an enrolment.
    pub const ENROLMENT_NONCE: &str = "/v1/enrolments/nonce";
    /// Enrolment of a device.
    pub const ENROLMENTS: &str = "/v1/enrolments";
    /// A limits document.
    pub const LIMITS: &str = "/v1/limits";
    /// What is shown before limits are renewed.
    pub const SETTING: &str = "/v1/setting";
    /// A nonce for totals.
    pub const TOTALS_NONCE: &str = "/v1/totals/nonce";
    /// Totals, proven or opened.
    pub const TOTALS: &str = "/v1/totals";
    /// Payments, for totals that are opened.
    pub const UPLOADS: &str = "/v1/uploads";
    /// Whether the owner agrees to uploads.
    pub const UPLOADS_CONSENT: &str = "/v1/uploads/consent";
    /// A descriptor.
    pub const DESCRIPTORS: &str = "/v1/descriptors";
    /// W1 and W2 of a withdrawal.
    pub const WITHDRAWALS: &str = "/v1/withdrawals";
    /// W3 and W4 of a withdrawal.
    pub const CHALLENGES: &str = "/v1/withdrawals/{id}/challenges";
    /// The device has the answers.
    pub const ACKNOWLEDGE: &str = "/v1/withdrawals/{id}/acknowledge";
    /// The device does not want the withdrawal any more.
    pub const CANCEL: &str = "/v1/withdrawals/{id}/cancel";
    /// Redemption of notes and of what was received.
    pub const REDEMPTIONS: &str = "/v1/redemptions";
    /// Payments that did not reach their payee.
    pub const PAYMENTS: &str = "/v1/payments";
    /// What was uploaded for a request.
    pub const CLAIM: &str = "/v1/payments/claim";
    /// What a device leaves for the case that it is lost.
    pub const BACKUPS: &str = "/v1/backups";
    /// What a lost device of the same customer left.
    pub const BACKUPS_OF: &str = "/v1/backups/{device}";
    /// Claims on what a lost device of the same customer held.
    pub const RESTITUTIONS: &str = "/v1/restitutions/{device}";
    /// Online payment from account to account.
    pub const TRANSFERS: &str = "/v1/transfers";
    /// The device's account.
    pub const ACCOUNT: &str = "/v1/account";
}

/// The most sessions, so notes and blanks, in one withdrawal.
pub const WITHDRAWAL_COUNT_MAX: u64 = 256;

/// The most chains in one redemption.
pub const REDEMPTION_CHAINS_MAX: usize = 100;

/// The most holdings in one claim.
pub const RESTITUTION_HOLDINGS_MAX: usize = 100;

/// The longest backup, in bytes.
pub const BACKUP_LENGTH_MAX: usize = 1 << 20;

problem_codes! {
    /// The device is not enrolled here.
    DEVICE_UNKNOWN = 401 "device-unknown", "This device is not enrolled here", "enrol the device", retry: false;
    /// The device is blocked by its PSP, or struck off by the bank.
    DEVICE_BLOCKED = 403 "device-blocked", "This device is blocked", "speak to the PSP", retry: false;
    /// What the PSP has seen of the owner is not enough for the tier, or ran out.
    EVIDENCE = 403 "evidence-missing", "The PSP lacks valid evidence of who the owner is",
        "show the PSP a valid document or credential", retry: false;
    /// Another PSP gives the owner its limits, or this one gave the owner back.
    OWNER_ELSEWHERE = 409 "owner-elsewhere", "The owner does not have its limits here",
        "have the other PSP release you, then ask this one; what the device holds can be redeemed at any time", retry: false;
    /// The device is reported lost.
    DEVICE_LOST = 403 "device-lost", "This device is reported lost", "the owner tells the PSP when it was found", retry: false;
    /// The customer has no other device of this key.
    LOST_DEVICE_UNKNOWN = 404 "lost-device-unknown", "This customer has no such device", "check the key of the lost device",
        retry: false;
    /// Nobody told the PSP that the device is lost.
    DEVICE_NOT_LOST = 409 "device-not-lost", "This device is not reported lost", "tell the PSP of the loss first", retry: false;
    /// The bank refused the claim as a whole.
    CLAIM_REFUSED = 409 "claim-refused", "The bank refuses the claim", "see the detail", retry: false;
    /// The claim code is wrong, used or run out.
    CLAIM_CODE = 403 "claim-code-invalid", "The claim code is not valid", "ask the PSP for a new claim code", retry: false;
    /// The nonce is unknown, used or run out.
    NONCE = 403 "nonce-invalid", "The nonce is not valid", "fetch a new nonce and prove again", retry: false;
    /// No trusted maker has this name, or the certificate is not by it.
    MAKER = 403 "maker-untrusted", "The secure element's maker is not trusted",
        "use a device with an element that this PSP accepts", retry: false;
    /// The series or the firmware of the element is withdrawn.
    SERIES = 403 "series-withdrawn", "The secure element's series or firmware is withdrawn",
        "redeem what the device holds and replace it", retry: false;
    /// The device's owner gave it up.
    RELEASED = 403 "device-released", "The owner gave this device up", "redeem what it holds, or enrol it for its new owner",
        retry: false;
    /// A device that its owner gave up may still go by that owner's limits.
    NOT_FREE = 409 "device-not-free", "The limits of the device's former owner have not run out",
        "enrol it with the same claim code when they have", retry: false;
    /// Other devices of the same person hold all of its limits.
    SHARED = 409 "limits-shared-out", "The owner's limits are shared out among other devices",
        "synchronise the other devices twice, or have the shares changed or lost devices reported, and synchronise again",
        retry: false;
    /// The proof or the attestation does not hold.
    PROOF = 403 "proof-invalid", "The enrolment's proof or attestation does not hold", "repair or replace the device",
        retry: false;
    /// The identity or the key is enrolled already.
    ALREADY_ENROLLED = 409 "already-enrolled", "This element is enrolled already", "wipe and replace the element",
        retry: false;
    /// The tier's setting asks for totals before new limits.
    TOTALS_NEEDED = 409 "totals-needed", "New limits need the device's totals",
        "synchronise with a device that shows its totals as the tier's setting says", retry: false;
    /// The tier's setting does not ask for what was sent.
    SETTING_DIFFERS = 409 "setting-differs", "The tier's setting asks for something else",
        "fetch the setting and show what it asks for", retry: false;
    /// The totals are not signed by the element for the nonce, or not proven.
    TOTALS_INVALID = 403 "totals-invalid", "The totals or their proof do not hold",
        "synchronise again; if it happens again, speak to the PSP", retry: false;
    /// A total is over its limit.
    TOTALS_OVER_LIMIT = 409 "totals-over-limit", "More than the limits allow",
        "redeem until the device is within its limits", retry: false;
    /// The owner withdrew its consent to uploads.
    UPLOADS_NOT_AGREED = 409 "uploads-not-agreed", "The owner does not agree to uploads any more",
        "agree again, or ask the PSP for another tier", retry: false;
    /// Uploaded payments come to less than what was spent.
    UPLOADS_INCOMPLETE = 409 "uploads-incomplete", "Payments are missing from what was uploaded",
        "upload every payment since the last limits; if some are lost, speak to the PSP", retry: false;
    /// The class is not in the newest manifest, or cannot be issued now.
    CLASS = 409 "class-unavailable", "This class cannot be issued", "fetch the newest manifest", retry: false;
    /// The account does not hold enough.
    BALANCE = 409 "insufficient-balance", "The account does not hold enough", "deposit first, or ask for less", retry: false;
    /// More than the tier allows to withdraw or to hold.
    TIER_LIMIT = 409 "tier-limit", "More than this customer's tier allows", "ask for less, or later", retry: false;
    /// More blanks, or larger ones, than the tier allows in this epoch.
    RATION = 409 "ration-exceeded", "More blanks than this device's ration", "ask for fewer or smaller blanks", retry: false;
    /// No withdrawal of this device has this name.
    WITHDRAWAL_UNKNOWN = 404 "withdrawal-unknown", "There is no such withdrawal", "start a new withdrawal", retry: false;
    /// The withdrawal is void: cancelled, refused or run out. Its amount is back in the account.
    WITHDRAWAL_VOID = 409 "withdrawal-void", "The withdrawal is void", "start a new withdrawal", retry: false;
    /// The withdrawal was answered already, so it cannot be cancelled, or not with other challenges.
    WITHDRAWAL_ANSWERED = 409 "withdrawal-answered", "The withdrawal was answered already",
        "repeat the challenges that were sent first", retry: false;
    /// The device acknowledged the answers, and they are gone.
    WITHDRAWAL_CLOSED = 410 "withdrawal-closed", "The withdrawal is closed", "start a new withdrawal", retry: false;
    /// The bank refused to issue.
    ISSUE_REFUSED = 409 "issue-refused", "The bank refuses to issue", "synchronise; if it happens again, speak to the PSP",
        retry: false;
    /// The account named does not exist.
    ACCOUNT_UNKNOWN = 404 "account-unknown", "There is no such account", "check the PSP and the account", retry: false;
    /// The currency is not the account's.
    CURRENCY = 409 "wrong-currency", "The account is in another currency", "use the account's currency", retry: false;
    /// The customer is no merchant.
    NOT_A_MERCHANT = 403 "not-a-merchant", "This customer has no merchant's name here", "ask the PSP for one", retry: false;
    /// A device paid from its account by itself.
    PERSON_NEEDED = 403 "person-needed", "A device may not do this by itself under its mandate", "enter the PIN and do the same again", retry: false;
    /// The bank refused the transfer.
    TRANSFER_REFUSED = 409 "transfer-refused", "The bank refuses the transfer", "check the PSP and the account", retry: false;
    /// The bank refused the redemption as a whole.
    REDEMPTION_REFUSED = 409 "redemption-refused", "The bank refuses the redemption", "see the detail", retry: false;
    /// Nothing was uploaded for this request.
    PAYMENT_UNKNOWN = 404 "payment-unknown", "Nothing was uploaded for this request", "ask the payer, or ask later",
        retry: true;
    /// The bank refused what was uploaded.
    PAYMENT_REFUSED = 409 "payment-refused", "The bank refuses the payment", "see the detail", retry: false;
    /// The bank cannot be reached. What was begun is finished by repeating it.
    BANK_UNAVAILABLE = 503 "bank-unavailable", "The bank cannot be reached now",
        "repeat with the same idempotency key later", retry: true;
}

/// Nothing to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Who a PSP is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Always `psp`.
    pub service: String,
    /// The version of the program.
    pub version: String,
    /// The PSP's name in the manifest.
    pub psp: String,
    /// The key that signs its limits and descriptors.
    pub key: HexArray<32>,
    /// The currency of its accounts.
    pub currency: String,
    /// The bank's root key, by which the PSP checks manifests.
    pub root_key: HexArray<32>,
    /// Sequence of the newest manifest that it has; 0 for none.
    pub manifest_sequence: u64,
}

/// What time it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Unix seconds.
    pub seconds: u64,
}

/// A nonce for one enrolment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolmentNonce {
    /// The nonce.
    pub nonce: HexArray<32>,
    /// Last moment of validity, Unix seconds.
    pub valid_until: u64,
}

/// A device asks to be enrolled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The customer whose device it is.
    pub customer: String,
    /// The code that the PSP gave the customer for it.
    pub claim_code: String,
    /// `enrolment` (CBOR).
    pub enrolment: Hex,
}

/// A device is enrolled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// The device's name here: its `A`.
    pub device: HexArray<32>,
    /// The PSP's name.
    pub psp: String,
    /// The customer's account.
    pub account: String,
    /// The customer's tier.
    pub tier: String,
}

/// A limits document for the device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// `limits` (CBOR).
    pub limits: Hex,
}

/// A descriptor for the device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// `descriptor` (CBOR).
    pub descriptor: Hex,
}

/// So many of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawalItem {
    /// The class.
    pub class_id: HexArray<16>,
    /// How many; at least one.
    pub count: u64,
}

/// A device asks for notes and blanks (W1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRequest {
    /// Each class once; at most [`WITHDRAWAL_COUNT_MAX`] in all.
    pub items: Vec<WithdrawalItem>,
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

/// A withdrawal is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Names the withdrawal.
    pub withdrawal_id: HexArray<16>,
    /// One for each note, in the order of the items.
    pub sessions: Vec<Session>,
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
}

/// What a device holds, encrypted for its owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BackupUpload {
    /// 1 to [`BACKUP_LENGTH_MAX`] bytes.
    pub backup: Hex,
}

/// What a lost device left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Backups {
    /// The newest of each of the last days, newest first.
    pub backups: Vec<KeptBackup>,
}

/// A backup as it was kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeptBackup {
    /// When it came, Unix seconds.
    pub kept_at: u64,
    /// What the device left.
    pub backup: Hex,
}

/// A device claims what a lost one of the same customer held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RestitutionRequest {
    /// `holding` (CBOR), 1 to [`RESTITUTION_HOLDINGS_MAX`].
    pub holdings: Vec<Hex>,
}

/// An online payment from the device's account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// The payee's PSP.
    pub to_psp: String,
    /// The payee's account.
    pub to_account: String,
    /// Minor units; more than zero.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// What it is for, at most 140 bytes of text.
    pub reference: String,
}

/// An online payment is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Names the payment.
    pub transfer_id: HexArray<16>,
    /// What the account holds after it, minor units.
    pub balance: u64,
}

/// The device's account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The PSP.
    pub psp: String,
    /// The account's name.
    pub account: String,
    /// Minor units.
    pub balance: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// The customer's tier.
    pub tier: String,
    /// What may still be withdrawn today, minor units.
    pub withdrawable: u64,
    /// Blanks left for this device, by epoch of the newest manifest that can be issued now.
    pub rations: Vec<RationLeft>,
    /// The newest movements, newest first.
    pub history: Vec<Movement>,
}

/// What is left of a ration of blanks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RationLeft {
    /// The epoch.
    pub epoch: u32,
    /// How many blanks may still be had.
    pub blanks: u64,
    /// The largest cap of a blank that may be had, minor units.
    pub cap_max: u64,
}

/// A movement of the account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// Names the movement.
    pub id: HexArray<16>,
    /// Unix seconds.
    pub at: u64,
    /// What it was: `deposit`, `withdrawal`, `withdrawal-refund`, `redemption`, `restitution`, `payment-sent`, `payment-received`,
    /// `payment-refund`.
    pub kind: String,
    /// Minor units; negative when it left the account.
    pub amount: i64,
    /// What it was for.
    pub reference: String,
}
