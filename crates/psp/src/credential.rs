//! Credentials as evidence: a demand to one customer, answered once by its wallet.
//!
//! Of an answer are kept the claims that the tier asks for, issuer, type, end, and tags of credential and person
//! (`docs/spec/identity.md` §3); never the presentation.

use core::fmt;

use specie_audit::Kind;
use specie_core::text::Name;
use specie_core::{Timestamp, hash, label};
use specie_identity::claim::ClaimPath;
use specie_identity::credential::Credential;
use specie_identity::demand::{Acceptable, Demand};
use specie_identity::screening::{Birth, Subject};

use crate::evidence::{EvidenceKind, EvidenceRecord};
use crate::identification::{Identification, IdentificationError};
use crate::person;
use crate::screening::HitRecord;
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};
use crate::tier::{Evidence, Tier};

/// A demand that was made. There is one at a time for a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemandRecord {
    /// To whom.
    pub customer: Name,
    /// What only its answer repeats.
    pub nonce: String,
    /// The claims, as JSON.
    pub claims: String,
    /// When it was made.
    pub asked_at: Timestamp,
    /// Until when it may be answered.
    pub valid_until: Timestamp,
    /// What answered it, hashed.
    pub answer: Option<[u8; 32]>,
}

/// What is kept of a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// Whose.
    pub customer: Name,
    /// Names the credential.
    pub hash: [u8; 32],
    /// Who issued it.
    pub issuer: String,
    /// Its type.
    pub vct: String,
    /// By what the person is known again.
    pub person: [u8; 32],
    /// The claims that were asked for, by path, as JSON.
    pub claims: String,
    /// Its last moment.
    pub expires: Option<Timestamp>,
    /// The presentation by which it came, hashed.
    pub answer: [u8; 32],
    /// When it was accepted.
    pub at: Timestamp,
}

/// A demand, and the credentials that would answer it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The demand.
    pub demand: Demand,
    /// Until when it may be answered.
    pub valid_until: Timestamp,
    /// What would do.
    pub acceptable: Vec<Acceptable>,
}

/// A credential that was accepted, and the entries of the sanctions list that its name resembles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// What is kept.
    pub credential: CredentialRecord,
    /// What a person has to look at, or has looked at.
    pub hits: Vec<HitRecord>,
}

impl CredentialRecord {
    /// Whether these claims were asked for when it came.
    pub(crate) fn has_claims(&self, claims: &[String]) -> Result<bool, StoreError> {
        let kept: serde_json::Value = from_json(&self.claims)?;
        Ok(claims.iter().all(|claim| kept.get(ClaimPath::top(claim).to_string()).is_some()))
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Asks for a credential that is enough for a tier. `seed` is random; the demand before it, if any, is forgotten.
    ///
    /// # Errors
    /// When the tier asks for none, or nobody who is trusted could give one.
    pub fn ask(
        &self,
        customer: &Name,
        tier: &Name,
        seed: &[u8; 32],
        now: Timestamp,
    ) -> Result<Asked, IdentificationError> {
        let issuers = self.identification()?.issuers.as_ref().ok_or(IdentificationError::NoIssuers)?;
        let tier = self.policy().tier(tier, now).ok_or(IdentificationError::UnknownTier(*tier))?;
        let claims = self.claims_of(tier)?;
        let demand = Demand::new(seed, self.identity().name.as_str(), claims, now);
        let acceptable = demand.acceptable(issuers);
        if acceptable.is_empty() {
            return Err(IdentificationError::NobodyAble(tier.name));
        }
        let valid_until = now.saturating_add(self.policy().periods().nonce_seconds);
        let record = DemandRecord {
            customer: *customer,
            nonce: demand.nonce.clone(),
            claims: to_json(&demand.claims),
            asked_at: now,
            valid_until,
            answer: None,
        };
        self.store().write(|records| records.put_demand(&record).map_err(IdentificationError::from))?;
        Ok(Asked { demand, valid_until, acceptable })
    }

    /// Takes the answer to the demand of a customer: records it as evidence, and screens its name. The same answer again
    /// changes nothing.
    ///
    /// # Errors
    /// When nothing was asked, the presentation is not accepted, or it is somebody else's.
    pub fn present(
        &self,
        customer: &Name,
        presentation: &str,
        now: Timestamp,
    ) -> Result<Accepted, IdentificationError> {
        let identification = self.identification()?;
        let issuers = identification.issuers.as_ref().ok_or(IdentificationError::NoIssuers)?;
        let answer = hash::h32(label::PRESENTATION, &[presentation.trim().as_bytes()]);
        let demand = match self.store().read(|records| self.open_demand(records, customer, &answer, now))? {
            Standing::Answered(accepted) => return Ok(accepted),
            Standing::Open(demand) => demand,
        };
        let credential = Credential::verify(presentation, &demand, issuers, now)?;
        let kept = kept(customer, &credential, identification, answer, now);
        let subject = subject_of(&kept.claims)?;
        let found = subject.as_ref().map(|subject| self.compare(subject)).transpose()?.flatten();
        self.store().write(|records| {
            if let Standing::Answered(accepted) = self.open_demand(records, customer, &answer, now)? {
                return Ok(accepted);
            }
            if !records.answer_demand(customer, &demand.nonce, &answer)? {
                return Err(IdentificationError::NoDemand(*customer));
            }
            check_person(records, &kept)?;
            records.put_credential(&kept)?;
            let evidence = EvidenceRecord {
                kind: EvidenceKind::Credential,
                reference: hexadecimal(&kept.hash),
                valid_until: kept.expires,
                by: self.acting(),
                at: now,
            };
            records.put_evidence(customer, &evidence)?;
            let details = [
                ("credential", evidence.reference.clone()),
                ("issuer", kept.issuer.clone()),
                ("type", kept.vct.clone()),
                ("until", kept.expires.map_or_else(String::new, |until| until.seconds().to_string())),
            ];
            self.audit(records, now, Kind::CredentialAccepted, customer.as_str(), &details)?;
            if let Some(found) = records.customer(customer)? {
                self.know_by_credential(records, &found, now)?;
            }
            self.record_screening(records, customer, found.as_deref(), now)?;
            Ok(Accepted { credential: kept.clone(), hits: records.hits(Some(customer))? })
        })
    }

    /// What is kept of a customer's credentials, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn credentials(&self, customer: &Name) -> Result<Vec<CredentialRecord>, IdentificationError> {
        self.store().read(|records| Ok(records.credentials(customer)?))
    }

    /// Deletes what is known of who a customer is: credentials with their claims, evidence, screening. Devices of a tier that
    /// asks for evidence get nothing more from then on.
    ///
    /// # Errors
    /// When the name resembles one on the list, and it was not decided that it is somebody else's; when a case about the customer is
    /// open or was reported; and where either is so of another customer of the same person.
    pub fn erase_identity(&self, customer: &Name, now: Timestamp) -> Result<(), IdentificationError> {
        self.store().write(|records| {
            let all = person::customers(records, customer)?;
            for name in &all {
                if records.hits(Some(name))?.iter().any(HitRecord::is_suspect) {
                    return Err(IdentificationError::UnderSuspicion(*name));
                }
            }
            // Who is frozen is in such a case too.
            if let Some(case) = person::case_that_keeps(records, &all)? {
                return Err(IdentificationError::InCase { customer: *case.customer(), case: case.number() });
            }
            if records.erase_identity(customer)? {
                self.audit(records, now, Kind::IdentityErased, customer.as_str(), &[("", ""); 0])?;
            }
            Ok(())
        })
    }

    /// The claims that a tier asks a credential for.
    fn claims_of(&self, tier: &Tier) -> Result<Vec<ClaimPath>, IdentificationError> {
        let asked = tier.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Credential { claims } => Some(claims),
            _ => None,
        });
        let asked = asked.ok_or(IdentificationError::NoCredentialAsked(tier.name))?;
        let has = |name: &str| asked.iter().any(|claim| claim == name);
        if self.screens() && !has("name") && !(has("given_name") && has("family_name")) {
            return Err(IdentificationError::NoNameAsked(tier.name));
        }
        Ok(asked.iter().map(ClaimPath::top).collect())
    }

    /// How it stands with the demand of a customer, for one who answers it now.
    fn open_demand(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        answer: &[u8; 32],
        now: Timestamp,
    ) -> Result<Standing, IdentificationError> {
        let record = records.demand(customer)?.ok_or(IdentificationError::NoDemand(*customer))?;
        match record.answer {
            Some(before) if before == *answer => {
                let before = records.credentials(customer)?.into_iter().find(|credential| credential.answer == *answer);
                // Erased since.
                let credential = before.ok_or(IdentificationError::NoDemand(*customer))?;
                Ok(Standing::Answered(Accepted { credential, hits: records.hits(Some(customer))? }))
            }
            Some(_) => Err(IdentificationError::Answered(*customer)),
            None if record.valid_until < now => Err(IdentificationError::NoDemand(*customer)),
            None => Ok(Standing::Open(Demand {
                nonce: record.nonce,
                audience: self.identity().name.to_string(),
                asked_at: record.asked_at,
                claims: from_json(&record.claims)?,
            })),
        }
    }
}

/// What there is to a presentation.
enum Standing {
    Open(Demand),
    Answered(Accepted),
}

fn kept(
    customer: &Name,
    credential: &Credential,
    identification: &Identification,
    answer: [u8; 32],
    at: Timestamp,
) -> CredentialRecord {
    let claims = credential.claims.iter().map(|(claim, value)| (claim.to_string(), value.clone()));
    CredentialRecord {
        customer: *customer,
        hash: credential.hash,
        issuer: credential.issuer.clone(),
        vct: credential.vct.clone(),
        person: credential.person(&identification.pepper).0,
        claims: serde_json::Value::Object(claims.collect()).to_string(),
        expires: credential.expires,
        answer,
        at,
    }
}

/// One person is one customer, and one customer one person.
fn check_person(records: &mut dyn Records, kept: &CredentialRecord) -> Result<(), IdentificationError> {
    match records.customer_of_person(&kept.person)? {
        Some(other) if other != kept.customer => return Err(IdentificationError::SamePerson(other)),
        _ => {}
    }
    let others = records.credentials(&kept.customer)?;
    if others.iter().any(|other| other.issuer == kept.issuer && other.person != kept.person) {
        return Err(IdentificationError::OtherPerson(kept.customer));
    }
    // What was erased of either is not known any more; that they are two persons is.
    let is_other = records.person(&kept.customer)?.is_some_and(|known| known.tag != kept.person);
    if is_other && !records.customers_of_person(&kept.person)?.is_empty() {
        return Err(IdentificationError::OtherPerson(kept.customer));
    }
    Ok(())
}

/// Whom to look for on a list, from the claims that are kept; `None` where no name is.
pub(crate) fn subject_of(claims: &str) -> Result<Option<Subject>, StoreError> {
    let claims: serde_json::Value = from_json(claims)?;
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    let name = match (text("name"), text("given_name"), text("family_name")) {
        (Some(name), _, _) => name.to_owned(),
        (None, Some(given), Some(family)) => format!("{given} {family}"),
        _ => return Ok(None),
    };
    Ok(Some(Subject { name, birth: text("birthdate").and_then(Birth::parse) }))
}

/// 64 hexadecimal digits.
pub(crate) fn hexadecimal<const N: usize>(bytes: &[u8; N]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("claims are JSON")
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(format!("claims: {error}")))
}

impl fmt::Debug for CredentialRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialRecord({} of {} for {}, ..)", self.vct, self.issuer, self.customer)
    }
}
