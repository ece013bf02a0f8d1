//! What bank and PSP publish: manifests, revocation lists, limits, the device's own descriptor. Newer ones replace older ones; a fork is
//! reported, loudly.

use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::class::Class;
use specie_core::manifest::SignedHeader;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::step::Step;
use crate::wallet::Wallet;

/// What became of something published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// Newer than what was held; held now.
    Newer,
    /// Not newer than what is held; nothing changed.
    NotNewer,
}

/// Why something published is refused. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// Not a well-formed message of its kind.
    #[error("the message is malformed: {0}")]
    Malformed(specie_core::encoding::DecodeError),
    /// The signature does not verify.
    #[error("the signature does not verify")]
    BadSignature,
    /// By another central bank.
    #[error("this is by another central bank than the wallet's")]
    OtherIssuer,
    /// Two manifests with one sequence number: somebody is being given keys of their own.
    #[error("ALARM: the bank's root key signed two different manifests number {0}")]
    ManifestFork(u64),
    /// Two revocation lists with one sequence number.
    #[error("ALARM: the ledger's key signed two different revocation lists number {0}")]
    RevocationFork(u64),
    /// The headers given do not connect what is held to what is offered.
    #[error("the manifest headers do not connect to the one that the wallet followed last (number {0})")]
    BrokenChain(u64),
    /// The PSP, or the ledger's key, is not in the manifest at hand.
    #[error("the signer is not in the manifest at hand")]
    UnknownSigner,
    /// For another device, or another PSP's.
    #[error("this is meant for another device")]
    OtherDevice,
    /// Past its date.
    #[error("this is past its date")]
    Expired,
    /// The element does not take it.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for PublicationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::BadSignature => "bad-signature",
            Self::OtherIssuer => "other-issuer",
            Self::ManifestFork(_) => "manifest-fork",
            Self::RevocationFork(_) => "revocation-fork",
            Self::BrokenChain(_) => "broken-manifest-chain",
            Self::UnknownSigner => "unknown-signer",
            Self::OtherDevice => "other-device",
            Self::Expired => "expired",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::BadSignature => "discard it, and synchronise to get a good one",
            Self::OtherIssuer | Self::OtherDevice => "discard it",
            Self::ManifestFork(_) | Self::RevocationFork(_) => {
                "keep both documents and report them to the central bank; accept nothing from whoever sent this one"
            }
            Self::BrokenChain(_) => "ask for all headers since that number",
            Self::UnknownSigner | Self::Expired => "synchronise, then try again",
            Self::Element(fault) => fault.advice(),
        }
    }
}

impl Wallet {
    /// Sequence number of the manifest held; 0 for none.
    pub fn manifest_sequence(&self) -> u64 {
        todo!()
    }

    /// Sequence number up to which every header was seen and follows the one before: ask for those after it. Less than
    /// [`Wallet::manifest_sequence`] only when another device passed a newer manifest on.
    pub fn manifest_followed(&self) -> u64 {
        todo!()
    }

    /// Sequence number of the revocation list held; 0 for none.
    pub fn revocation_sequence(&self) -> u64 {
        todo!()
    }

    /// Sequence number of the limits held; 0 for none.
    pub fn limits_sequence(&self) -> u64 {
        todo!()
    }

    /// The latest signed time seen: `now` is never taken to be earlier (§9).
    pub fn time_floor(&self) -> Timestamp {
        todo!()
    }

    /// The class of that name, if the manifest held has it.
    pub fn class(&self, id: &ClassId) -> Option<&Class> {
        let _ = id;
        todo!()
    }

    /// Every class of the manifest held.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        core::iter::empty()
    }

    /// The manifest held, as it travels.
    pub fn manifest(&self) -> Option<&[u8]> {
        todo!()
    }

    /// The revocation list held, as it travels.
    pub fn revocation_list(&self) -> Option<&[u8]> {
        todo!()
    }

    /// Takes a manifest, with the headers between the one followed last and itself where they are at hand. Without them a newer one is still
    /// taken (devices pass manifests on to each other), and must be connected at the next synchronisation.
    ///
    /// # Errors
    /// When it is not the bank's, or forks.
    pub fn accept_manifest(&mut self, headers: &[SignedHeader], manifest: &[u8]) -> Result<Step<Update>, PublicationError> {
        let _ = (headers, manifest);
        todo!()
    }

    /// Takes a revocation list.
    ///
    /// # Errors
    /// When it is not the ledger's, or forks.
    pub fn accept_revocation_list(&mut self, list: &[u8]) -> Result<Step<Update>, PublicationError> {
        let _ = list;
        todo!()
    }

    /// Takes new limits and hands them to the element.
    ///
    /// # Errors
    /// When they are not this device's PSP's, or the element refuses them.
    pub fn accept_limits(&mut self, limits: &[u8], element: &mut impl Element) -> Result<Step<Update>, PublicationError> {
        let _ = (limits, element);
        todo!()
    }

    /// Takes the descriptor that requests of this wallet carry from now on.
    ///
    /// # Errors
    /// When it is not by a PSP of the manifest, not about this device, or past its date.
    pub fn accept_descriptor(&mut self, descriptor: &[u8], now: Timestamp) -> Result<Step<()>, PublicationError> {
        let _ = (descriptor, now);
        todo!()
    }

    /// Messages to send along to somebody who knows the manifest and revocation list of these sequence numbers: the newer ones, if any.
    pub fn newer_publications(&self, manifest_sequence: u64, revocation_sequence: u64) -> Vec<Vec<u8>> {
        let _ = (manifest_sequence, revocation_sequence);
        todo!()
    }
}
