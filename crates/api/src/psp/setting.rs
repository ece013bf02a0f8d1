//! What a device shows its PSP before its limits are renewed: totals, proven or opened, and payments
//! (`docs/spec/totals.md`).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::hexadecimal::{Hex, HexArray};

/// Offline, by customers whom nobody knows: nothing is shown.
pub const OFFLINE_ANONYMOUS: &str = "offline-anonymous";
/// Offline, by customers whom the PSP knows: nothing is shown.
pub const OFFLINE_KNOWN: &str = "offline-known";
/// That the totals are within the limits is proven.
pub const PROOFS: &str = "proofs";
/// Totals and payments are shown.
pub const UPLOADS: &str = "uploads";

/// The most payments in one upload.
pub const UPLOAD_MAX: usize = 200;

/// What a device shows before its limits are renewed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The tier of the device's owner.
    pub tier: String,
    /// The setting of the tier: `offline-anonymous`, `offline-known`, `proofs`, `uploads`.
    pub setting: String,
    /// The most that a device of the tier may hold, in minor units: what totals are compared with before the first limits.
    pub max_holding: u64,
    /// The most that may leave a device of the tier until it synchronises, in minor units: likewise.
    pub max_cumulative: u64,
}

/// A nonce for one statement of totals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TotalsNonce {
    /// The nonce.
    pub nonce: HexArray<32>,
    /// Last moment of validity, Unix seconds.
    pub valid_until: u64,
}

/// What an element says of its limits and totals. Without a proof or an opening it tells which limits it holds, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The PSP's nonce.
    pub nonce: HexArray<32>,
    /// Sequence of the limits that the element holds; 0 for none.
    pub limits_sequence: u64,
    /// Commitment to what is held.
    pub held: HexArray<32>,
    /// Commitment to what was spent.
    pub spent: HexArray<32>,
    /// By `A`.
    pub signature: HexArray<64>,
}

/// Asks for limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitsRequest {
    /// What the element says, where the setting asks for no totals. Without it the same limits come under the same sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// A device's totals, as its element signed them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// The PSP's nonce.
    pub nonce: HexArray<32>,
    /// Sequence of the limits that the element holds; 0 for none.
    pub limits_sequence: u64,
    /// Commitment to what is held.
    pub held: HexArray<32>,
    /// Commitment to what was spent.
    pub spent: HexArray<32>,
    /// By `A`.
    pub signature: HexArray<64>,
    /// How they are shown to be within the limits.
    pub shown: Shown,
}

/// How totals are shown to be within their limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Shown {
    /// By a range proof.
    Proof(Hex),
    /// By opening both.
    Opened {
        /// What is held.
        held: Opening,
        /// What was spent.
        spent: Opening,
    },
}

/// How a commitment opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Minor units.
    pub total: u64,
    /// `r`.
    pub blinding: HexArray<32>,
}

/// Payments that a device made and got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// Sequence of the limits that the element holds; 0 for none.
    pub limits_sequence: u64,
    /// At most [`UPLOAD_MAX`].
    pub payments: Vec<UploadedPayment>,
}

/// Whether the owner of a device agrees that its payments are uploaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Whether it does.
    pub uploads: bool,
}

/// A payment as the device tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UploadedPayment {
    /// `paid` or `received`.
    pub direction: String,
    /// The request that was paid.
    pub request: HexArray<32>,
    /// Unix seconds, by the device's clock.
    pub at: u64,
    /// Minor units.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// The other side's verified name, if it showed one.
    pub counterparty: Option<String>,
}
