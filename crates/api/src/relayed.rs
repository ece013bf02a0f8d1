//! What goes between a device and the bank, and its PSP hands on unchanged: what the bank publishes, redemptions, and
//! payments that did not arrive.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::hexadecimal::{Hex, HexArray};

/// The bank's manifests after some sequence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifests {
    /// Every signed header after that sequence, oldest first.
    pub headers: Vec<SignedHeader>,
    /// The newest manifest (CBOR); null while there is none.
    pub manifest: Option<Hex>,
}

/// A manifest's header with its signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHeader {
    /// `manifest-header` (CBOR).
    pub header: Hex,
    /// By the root key.
    pub signature: HexArray<64>,
}

/// The bank's newest revocation list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// `revocation-list` (CBOR); null while no note was ever revoked.
    pub list: Option<Hex>,
}

/// Redeems chains to one account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// In the order of the chains.
    pub items: Vec<RedemptionItem>,
}

/// What became of one chain: an amount credited, or why none was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct PaymentUpload {
    /// `payment` (CBOR).
    pub payment: Hex,
}

/// A payee looks for what was uploaded for its request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentClaim {
    /// `request` (CBOR).
    pub request: Hex,
}

/// What was uploaded, and pays the request exactly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimedPayment {
    /// `payment` (CBOR).
    pub payment: Hex,
}
