//! What goes between a device and the bank, and its PSP hands on unchanged: what the bank publishes, redemptions, and
//! payments that did not arrive, and claims for lost devices.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::hexadecimal::{Hex, HexArray};

/// The bank's manifests after some sequence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifests {
    /// Every signed header after that sequence, oldest first.
    pub headers: Vec<SignedHeader>,
    /// The newest manifest (CBOR); null while there is none.
    pub manifest: Option<Hex>,
}

/// A manifest's header with its signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedHeader {
    /// `manifest-header` (CBOR).
    pub header: Hex,
    /// By the root key.
    pub signature: HexArray<64>,
}

/// What is new of the bank's revocation list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// `revocation-page` (CBOR), each, oldest first.
    pub pages: Vec<Hex>,
}

/// Redeems chains to one account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RedemptionRequest {
    /// PSP of the account, as in the context of the redeeming transfers. It need not be the PSP that hands this on.
    pub psp: String,
    /// The account to credit, as in the context of the redeeming transfers.
    pub account: String,
    /// `chain` (CBOR), each with its redeeming transfer last.
    pub chains: Vec<Hex>,
}

/// What became of each chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// In the order of the chains.
    pub items: Vec<RedemptionItem>,
}

/// What became of one chain: an amount credited, or why none was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RedemptionItem {
    /// The chain is redeemed; a repeat gives the same again and credits nothing more.
    Credited {
        /// Minor units.
        amount: u64,
    },
    /// The chain is not redeemed.
    Refused {
        /// A stable code: of the protocol's rules, or one of the bank.
        code: String,
        /// What happened.
        detail: String,
    },
}

/// A payment that did not reach its payee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PaymentUpload {
    /// `payment` (CBOR).
    pub payment: Hex,
}

/// A payee looks for what was uploaded for its request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PaymentClaim {
    /// `request` (CBOR).
    pub request: Hex,
}

/// What was uploaded, and pays the request exactly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimedPayment {
    /// `payment` (CBOR).
    pub payment: Hex,
}

/// What became of each holding of a claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Restitution {
    /// In the order of the holdings.
    pub items: Vec<RestitutionItem>,
}

/// What became of one holding: a claim on it, or why there is none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RestitutionItem {
    /// It is claimed; a repeat gives the same again.
    Claimed(RestitutionClaim),
    /// It is not claimed.
    Refused {
        /// A stable code: of the protocol's rules, or one of the bank.
        code: String,
        /// What happened.
        detail: String,
    },
}

/// A claim on something that a lost device held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RestitutionClaim {
    /// The note, or the blank that owns the output.
    pub note_id: HexArray<32>,
    /// Minor units; zero for change of nothing, which may still be due what payees leave over.
    pub amount: u64,
    /// Last moment at which others may redeem it, Unix seconds. The account is paid after it.
    pub deadline: u64,
    /// The account, at the PSP of the device.
    pub account: String,
    /// What became of it.
    pub state: RestitutionState,
}

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RestitutionState {
    /// Nobody has redeemed it so far, and somebody still may.
    Open,
    /// It was paid.
    Paid,
    /// Somebody else redeemed it, or paid with it.
    Void,
}

/// Every claim on what a device held, by deadline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RestitutionClaims {
    /// The claims.
    pub claims: Vec<RestitutionClaim>,
}
