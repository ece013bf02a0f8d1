//! Documents as evidence: somebody at the counter looks at one. Of it are kept kind, country, a keyed hash of its number, who
//! looked and when; neither number nor copy.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_identity::screening::Subject;

use crate::credential::hexadecimal;
use crate::evidence::{EvidenceKind, EvidenceRecord};
use crate::identification::IdentificationError;
use crate::screening::HitRecord;
use crate::service::Psp;
use crate::store::Store;

/// What kind of document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentKind {
    /// A passport.
    Passport,
    /// An identity card.
    IdentityCard,
    /// A driving licence.
    DrivingLicence,
    /// A residence permit.
    ResidencePermit,
    /// What says that an organisation exists.
    RegisterExtract,
}

/// A document that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityDocument {
    /// What kind.
    pub kind: DocumentKind,
    /// Who issued it: ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// Its number, as it stands on it.
    pub number: String,
    /// Whose it is.
    pub holder: Subject,
    /// Its last moment; `None` where it does not run out.
    pub valid_until: Option<Timestamp>,
}

impl DocumentKind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passport => "passport",
            Self::IdentityCard => "identity-card",
            Self::DrivingLicence => "driving-licence",
            Self::ResidencePermit => "residence-permit",
            Self::RegisterExtract => "register-extract",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        let all =
            [Self::Passport, Self::IdentityCard, Self::DrivingLicence, Self::ResidencePermit, Self::RegisterExtract];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The tag of the document that was looked at, from what is recorded of it; `None` for evidence that says only where it is filed.
pub(crate) fn tag(evidence: &EvidenceRecord) -> Option<[u8; 32]> {
    let digits = evidence.reference.rsplit(' ').next().filter(|digits| digits.len() == 64 && digits.is_ascii())?;
    let mut tag = [0; 32];
    for (byte, digits) in tag.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (evidence.kind == EvidenceKind::Document).then_some(tag)
}

impl<S: Store, B> Psp<S, B> {
    /// Records a document that somebody looked at as evidence, and screens the holder's name. The same again changes nothing
    /// but the time until which it counts. Gives what of the list the name resembles.
    ///
    /// # Errors
    /// When the document is somebody else's, or there is nothing to compare.
    pub fn check_document(
        &self,
        customer: &Name,
        document: &IdentityDocument,
        now: Timestamp,
    ) -> Result<Vec<HitRecord>, IdentificationError> {
        let signs = document.number.chars().filter(|sign| sign.is_alphanumeric()).count();
        if !(4..=64).contains(&signs) {
            return Err(IdentificationError::DocumentNumber);
        }
        let country = String::from_utf8_lossy(&document.country).to_uppercase();
        let kind = format!("{} {country}", document.kind.as_str());
        let tag = self.identification()?.pepper.document(&kind, &document.number);
        let evidence = EvidenceRecord {
            kind: EvidenceKind::Document,
            reference: format!("{kind} {}", hexadecimal(&tag)),
            valid_until: document.valid_until,
            by: self.acting(),
            at: now,
        };
        let found = self.compare(&document.holder)?;
        self.store().write(|records| {
            let known = records.customers_of_evidence(evidence.kind, &evidence.reference)?;
            if let Some(other) = known.into_iter().find(|other| other != customer) {
                return Err(IdentificationError::SameDocument(other));
            }
            let before = records.evidence(customer)?.into_iter().find(|record| record.reference == evidence.reference);
            if before.is_none_or(|before| before.valid_until != evidence.valid_until) {
                records.put_evidence(customer, &evidence)?;
                let until = document.valid_until.map_or_else(String::new, |until| until.seconds().to_string());
                let details = [("document", evidence.reference.clone()), ("until", until)];
                self.audit(records, now, Kind::DocumentChecked, customer.as_str(), &details)?;
            }
            self.record_screening(records, customer, found.as_deref(), now)?;
            Ok(records.hits(Some(customer))?)
        })
    }
}
