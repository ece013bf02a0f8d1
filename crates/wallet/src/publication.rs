//! What bank and PSP publish: manifests, the revocation list, limits, the device's own descriptor. Newer ones replace older ones; a fork is
//! reported, loudly.

mod accept;
mod held;
mod revocations;
mod tell;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Classes, Info};
use specie_core::descriptor::Descriptor;
use specie_core::disclosure::SupervisoryKey;
use specie_core::limits::LimitsBody;
use specie_core::manifest::SignedHeader;
use specie_core::text::Currency;
use thiserror::Error;

use crate::element::ElementFault;
use crate::error::WalletError;
use crate::sorted::Boxes;
use crate::wallet::Wallet;

pub(crate) use held::HeldManifest;
pub use revocations::RevocationSummary;
pub(crate) use revocations::Revocations;

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
    /// Two pages that cannot both be of one revocation list.
    #[error("ALARM: the ledger's key signed two revocation lists (page {0})")]
    RevocationFork(u64),
    /// Pages between those held and this one are missing.
    #[error("page {0} of the revocation list does not follow those held")]
    RevocationGap(u64),
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
            Self::RevocationGap(_) => "revocation-gap",
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
            Self::RevocationGap(_) | Self::UnknownSigner | Self::Expired => "synchronise, then try again",
            Self::Element(fault) => fault.advice(),
        }
    }
}

/// What is held of everything published.
#[derive(Default)]
pub(crate) struct Publications {
    manifest: Option<HeldManifest>,
    /// Every header seen, by sequence.
    headers: Boxes<u64, SignedHeader>,
    /// Every header up to this one was seen and follows the one before.
    followed: u64,
    pub(crate) limits: Option<LimitsBody>,
    pub(crate) descriptor: Option<Descriptor>,
}

impl Publications {
    fn time_floor(&self) -> Timestamp {
        let manifest = self.manifest.as_ref().map(|manifest| manifest.signed.header.issued_at);
        manifest.max(self.limits.as_ref().map(|limits| limits.issued_at)).unwrap_or_default()
    }
}

impl Wallet {
    /// Sequence number of the manifest held; 0 for none.
    pub fn manifest_sequence(&self) -> u64 {
        self.publications.manifest.as_ref().map_or(0, |manifest| manifest.signed.header.sequence)
    }

    /// To whom a payment of `amount` has to be disclosed by the manifest held (§7.1).
    pub(crate) fn disclosed_to(&self, currency: Currency, amount: Amount) -> Option<SupervisoryKey> {
        self.publications.held_manifest().and_then(|manifest| manifest.disclosed_to(currency, amount))
    }

    /// Sequence number up to which every header was seen and follows the one before: ask for those after it. Less than
    /// [`Wallet::manifest_sequence`] only when another device passed a newer manifest on.
    pub fn manifest_followed(&self) -> u64 {
        self.publications.followed
    }

    /// Sequence number of the limits held; 0 for none.
    pub fn limits_sequence(&self) -> u64 {
        self.publications.limits.map_or(0, |limits| limits.sequence)
    }

    /// The latest signed time seen: `now` is never taken to be earlier (§9).
    pub fn time_floor(&self) -> Timestamp {
        self.publications.time_floor().max(self.purse.revocations().issued_at())
    }

    /// The class of that name, if the manifest held has it.
    pub fn class(&self, id: &ClassId) -> Option<&Class> {
        self.publications.manifest.as_ref()?.class(id)
    }

    /// What the class of that name is for.
    pub(crate) fn class_info(&self, id: &ClassId) -> Option<&Info> {
        self.publications.manifest.as_ref()?.info(id)
    }

    /// Every class of the manifest held: its name, and what it is for.
    pub fn class_infos(&self) -> impl Iterator<Item = (ClassId, &Info)> {
        self.publications.manifest.iter().flat_map(HeldManifest::infos)
    }

    /// The manifest held, as it travels.
    pub fn manifest(&self) -> Option<&[u8]> {
        self.publications.manifest.as_ref().map(|manifest| manifest.bytes.as_slice())
    }

    /// The descriptor that requests of this wallet carry, if it has one.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        self.publications.descriptor.as_ref()
    }
}
