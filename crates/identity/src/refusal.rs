//! Why a presentation is not accepted.

use specie_core::Timestamp;
use thiserror::Error;

use crate::claim::ClaimPath;

/// Why a presentation is not accepted. Texts from the presentation are shown escaped, values of claims never.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not what it should be at all.
    #[error("the presentation cannot be read: {0}. Ask the wallet for an SD-JWT with key binding in compact form")]
    Malformed(String),
    /// A time is none.
    #[error("claim `{0}` is not a whole number of seconds since 1970")]
    NoTime(&'static str),
    /// It is signed, but is no SD-JWT VC.
    #[error("the token is no SD-JWT credential: its header `typ` must be `dc+sd-jwt`")]
    NoCredential,
    /// The hashes are of another function.
    #[error("its disclosures are hashed by `{0}`; only `sha-256` is accepted")]
    HashFunction(String),
    /// Nobody said that this issuer is believed.
    #[error("issuer `{0}` is not on the list of trusted issuers: add it there if it is to be believed")]
    UnknownIssuer(String),
    /// The issuer is not believed about this type.
    #[error("issuer `{issuer}` is not trusted for credentials of type `{vct}`")]
    UntrustedType {
        /// Who issued it.
        issuer: String,
        /// The type.
        vct: String,
    },
    /// The issuer did not sign it with a key that is listed.
    #[error(
        "the credential is not signed by issuer `{0}` with a key of the list: it is forged, or the list is out of date"
    )]
    Forged(String),
    /// The issuer may take it back, and nobody can ask here whether it did.
    #[error(
        "the credential may have been revoked (claim `status`), which is not checked: allow it with \
         `unchecked_status = true` for issuer `{0}`, or ask for another credential"
    )]
    UncheckedStatus(String),
    /// It is not valid any more.
    #[error("the credential ran out at {}", .0.seconds())]
    Expired(Timestamp),
    /// It is not valid yet.
    #[error("the credential is valid from {} on: check the clock, or present it later", .0.seconds())]
    NotYetValid(Timestamp),
    /// Digests and disclosures do not belong together.
    #[error("its disclosures do not fit the credential: {0}")]
    Disclosures(String),
    /// Nobody is named who may present it.
    #[error(
        "the credential names no key of its holder (claim `cnf`: {0}), so anybody who has seen it could present it"
    )]
    NoHolderKey(String),
    /// The holder did not take part.
    #[error(
        "there is no key binding: whoever has a copy could present it. Ask the wallet for a presentation with key binding"
    )]
    NoKeyBinding,
    /// Somebody else presents it.
    #[error("the key binding is not signed by the holder of the credential")]
    WrongHolder,
    /// It is an answer to another question.
    #[error(
        "the key binding has another `{0}` than was asked for: it was made for somebody else, or is presented again"
    )]
    OtherDemand(&'static str),
    /// It was made too early or too late.
    #[error(
        "the key binding was made at {made}, which is not between the demand and now: check the clock of the wallet"
    )]
    NotFresh {
        /// When it was made, as it says.
        made: u64,
    },
    /// Something was added or left out after the holder signed.
    #[error("the key binding is for other disclosures (`sd_hash`): they were changed after the holder signed")]
    OtherDisclosures,
    /// A claim that was asked for is not there.
    #[error("claim `{0}` was asked for and is not disclosed")]
    Missing(ClaimPath),
    /// The issuer is not believed about a claim.
    #[error("issuer `{issuer}` is not trusted about claim `{claim}`")]
    UntrustedClaim {
        /// Who issued it.
        issuer: String,
        /// The claim.
        claim: ClaimPath,
    },
    /// It says more than it must.
    #[error("it discloses more than was asked for: `{0}`. Nothing of it was kept; present it again without that")]
    Surplus(ClaimPath),
}
