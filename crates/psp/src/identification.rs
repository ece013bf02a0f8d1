//! How a PSP finds out who its customers are, and what can go wrong with that. [`credential`](crate::credential) and
//! [`identity_document`](crate::identity_document) give evidence, [`screening`](crate::screening) looks for names on a list.
//!
//! What is recorded under a name that is no customer yet counts as soon as it is one: evidence comes first.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_identity::person::Pepper;
use specie_identity::refusal::Refusal;
use specie_identity::screening::{NoName, SanctionsList};
use specie_identity::trust::TrustList;
use thiserror::Error;

use crate::aml::cases::CaseFailure;
use crate::credential::hexadecimal;
use crate::customer::CustomerError;
use crate::service::Psp;
use crate::store::{Store, StoreError};

/// What a PSP checks its customers with.
pub struct Identification {
    /// Keys the tags of persons and documents.
    pub pepper: Pepper,
    /// The issuers whose credentials are accepted; `None` accepts none.
    pub issuers: Option<TrustList>,
    /// The list with which names are compared; without one, names are not screened.
    pub sanctions: Option<SanctionsList>,
    /// The score from which on a likeness is looked at by a person.
    pub threshold: u16,
}

/// Why somebody was not identified. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentificationError {
    /// The PSP does not identify anybody.
    #[error("this PSP has no pepper, so it cannot record who anybody is")]
    NotConfigured,
    /// No issuer is trusted.
    #[error("this PSP trusts no issuer of credentials")]
    NoIssuers,
    /// No name is screened.
    #[error("this PSP has no sanctions list")]
    NoList,
    /// No tier has this name.
    #[error("no tier `{0}` is in force")]
    UnknownTier(Name),
    /// The tier asks for other evidence.
    #[error("tier `{0}` asks for no credential")]
    NoCredentialAsked(Name),
    /// The tier asks for no name, and names must be screened.
    #[error(
        "tier `{0}` asks a credential for no name, and names are screened here: `name`, or `given_name` and `family_name`, must \
         be among its claims"
    )]
    NoNameAsked(Name),
    /// No issuer is believed about all the claims.
    #[error("no issuer is trusted about all the claims that tier `{0}` asks for")]
    NobodyAble(Name),
    /// Nothing was asked, or not lately.
    #[error("nothing is being asked of `{0}`: no demand was made, or it ran out")]
    NoDemand(Name),
    /// The demand has its answer.
    #[error("the demand to `{0}` was answered before, by another presentation")]
    Answered(Name),
    /// The presentation is not accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One person, two customers.
    #[error("this is the person whom customer `{0}` is already: nobody is two customers")]
    SamePerson(Name),
    /// One customer, two persons.
    #[error("customer `{0}` showed a credential of another person before: nobody becomes somebody else")]
    OtherPerson(Name),
    /// The customer cannot be the person of the credential.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// One document, two customers.
    #[error("this document was shown for customer `{0}` before")]
    SameDocument(Name),
    /// The number of a document is none.
    #[error("the number of a document has 4 to 64 letters and digits")]
    DocumentNumber,
    /// There is nothing to compare with the list.
    #[error(transparent)]
    NoName(#[from] NoName),
    /// No such hit.
    #[error("no entry `{reference}` of a list was found like the name of `{customer}`")]
    UnknownHit {
        /// Whose.
        customer: Name,
        /// Which entry.
        reference: String,
    },
    /// A decision needs a reason.
    #[error("a decision has a reason of 1 to {REASON_LENGTH_MAX} bytes")]
    Reason,
    /// What is on record may be needed by authorities.
    #[error(
        "the name of `{0}` resembles an entry of a sanctions list, and it was not decided that it is somebody else's"
    )]
    UnderSuspicion(Name),
    /// The same.
    #[error("case {case} about `{customer}` is not closed, or was reported: what is known of the customer is kept")]
    InCase {
        /// Whose.
        customer: Name,
        /// Which case.
        case: u64,
    },
    /// The customer is not frozen.
    #[error(transparent)]
    Case(CaseFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CaseFailure> for IdentificationError {
    fn from(error: CaseFailure) -> Self {
        match error {
            CaseFailure::Store(error) => error.into(),
            error => Self::Case(error),
        }
    }
}

/// Why a PSP does not work with the pepper that it is given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// It would know nobody again.
    #[error(
        "this is another pepper than the one by which this PSP knows its persons (named {}…, this one {}…): with it one person could come \
         twice and have two sets of limits. Nothing was changed. Restore the file of the pepper from its backup. It cannot be \
         replaced, since what persons are known by cannot be computed anew; where it is lost, take `[identification]` out of \
         psp.toml: the PSP then serves the customers that it has, and identifies nobody new",
        &hexadecimal(known)[..16], &hexadecimal(given)[..16]
    )]
    Other {
        /// Names the one by which persons are known.
        known: [u8; 32],
        /// Names the one that was given.
        given: [u8; 32],
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The longest reason of a decision, in bytes.
pub const REASON_LENGTH_MAX: usize = 1000;

impl<S, B> Psp<S, B> {
    /// The pepper, the lists and the threshold.
    pub(crate) fn identification(&self) -> Result<&Identification, IdentificationError> {
        self.configured_identification().ok_or(IdentificationError::NotConfigured)
    }

    /// Whether names are compared with a list here.
    pub(crate) fn screens(&self) -> bool {
        self.configured_identification().is_some_and(|identification| identification.sanctions.is_some())
    }

    /// Who acts, as records name it.
    pub(crate) fn acting(&self) -> Name {
        Name::new(self.actor().as_str()).expect("names of actors are names")
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Takes note of the pepper at its first use, and from then on takes no other one. As long as nobody is known by it, it may be replaced.
    ///
    /// # Errors
    /// [`PepperError::Other`] when persons are known by another one. Nothing changes then.
    pub fn adopt_pepper(&self) -> Result<(), PepperError> {
        let Some(Identification { pepper, .. }) = self.configured_identification() else { return Ok(()) };
        let given = pepper.name();
        if self.store().read(|records| records.own_pepper())? == Some(given) {
            return Ok(());
        }
        self.store().write(|records| match records.own_pepper()? {
            Some(known) if known != given && records.knows_somebody()? => Err(PepperError::Other { known, given }),
            _ => Ok(records.set_own_pepper(&given)?),
        })
    }

    /// Writes into the audit log with which lists customers are identified, unless it says so already.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_identification(&self, now: Timestamp) -> Result<(), StoreError> {
        let (kind, psp) = (Kind::IdentificationInForce, self.identity().name);
        let Some(Identification { issuers, sanctions, threshold, .. }) = self.configured_identification() else {
            // Who never identified anybody has decided nothing.
            if self.store().read(|records| records.audit_newest_about(kind, psp.as_str()))?.is_none() {
                return Ok(());
            }
            let nothing = ["issuers", "sanctions", "published", "threshold"].map(|name| (name, ""));
            return self.audit_rule(now, kind, psp.as_str(), &nothing);
        };
        let hash = |hash: Option<&[u8; 32]>| hash.map_or_else(String::new, hexadecimal);
        let details = [
            ("issuers", hash(issuers.as_ref().map(|list| &list.hash))),
            ("sanctions", hash(sanctions.as_ref().map(|list| &list.hash))),
            ("published", sanctions.as_ref().map_or_else(String::new, |list| list.published.clone())),
            ("threshold", threshold.to_string()),
        ];
        self.audit_rule(now, kind, psp.as_str(), &details)
    }
}
