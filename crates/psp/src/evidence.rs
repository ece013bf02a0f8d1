//! What a PSP has seen of its customers. The records say that and when it was seen, by whom, and where it is filed; what is
//! filed is not here.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;

use crate::credential::hexadecimal;
use crate::customer::CustomerError;
use crate::person;
use crate::screening::HitRecord;
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};
use crate::tier::{Evidence, Tier};

/// The longest reference, in bytes.
pub const REFERENCE_LENGTH_MAX: usize = 256;

/// What kind of evidence was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EvidenceKind {
    /// A telephone number that the customer answers.
    Phone,
    /// A verifiable credential.
    Credential,
    /// A document that somebody looked at.
    Document,
}

/// Evidence of who a customer is, as recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvidenceRecord {
    /// What was seen.
    pub kind: EvidenceKind,
    /// Where it is filed; 1 to [`REFERENCE_LENGTH_MAX`] bytes. Names the record together with kind and customer.
    pub reference: String,
    /// The last moment at which it counts; `None` where it does not run out.
    pub valid_until: Option<Timestamp>,
    /// Who saw it.
    pub by: Name,
    /// When it was recorded.
    pub at: Timestamp,
}

macro_rules! kinds {
    ($($kind:ident = $text:literal,)*) => {
        impl EvidenceKind {
            /// The stable name, as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The kind of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    Phone = "phone",
    Credential = "credential",
    Document = "document",
}

impl EvidenceRecord {
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now <= until)
    }

    /// The record as it is kept: a telephone number has one form, however it was typed.
    pub(crate) fn checked(&self) -> Result<Self, CustomerError> {
        let reference = match self.kind {
            EvidenceKind::Phone => telephone_number(&self.reference).ok_or(CustomerError::Phone)?,
            EvidenceKind::Credential | EvidenceKind::Document => self.reference.clone(),
        };
        match reference.len() {
            1..=REFERENCE_LENGTH_MAX => Ok(Self { reference, ..self.clone() }),
            _ => Err(CustomerError::Reference),
        }
    }
}

/// `+` and the digits of a number as it is dialled from abroad; ITU-T E.164 has at most 15.
fn telephone_number(text: &str) -> Option<String> {
    let sign = |sign: &char| !matches!(sign, ' ' | '-' | '.' | '/' | '(' | ')');
    let digits: String = text.trim().strip_prefix('+')?.chars().filter(sign).collect();
    let good = (4..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| format!("+{digits}"))
}

impl<S: Store, B> Psp<S, B> {
    /// Records what was seen of a customer. The same again changes nothing but the time until which it counts.
    ///
    /// # Errors
    /// When the customer is unknown, the reference too long or empty, or a telephone number none, or another person's.
    pub fn record_evidence(&self, customer: &Name, evidence: &EvidenceRecord) -> Result<(), CustomerError> {
        let evidence = evidence.checked()?;
        self.store().write(|records| {
            records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            self.keep_evidence(records, customer, &evidence)
        })
    }

    /// The audit log says what was seen and until when it counts, and not where it is filed: that may be a telephone number.
    pub(crate) fn keep_evidence(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        evidence: &EvidenceRecord,
    ) -> Result<(), CustomerError> {
        let EvidenceRecord { kind, reference, valid_until, by, at } = evidence;
        let same = |known: &EvidenceRecord| {
            (known.kind, &known.reference, known.valid_until) == (*kind, reference, *valid_until)
        };
        if records.evidence(customer)?.iter().any(same) {
            return Ok(());
        }
        if *kind == EvidenceKind::Phone {
            check_telephone(records, customer, evidence)?;
        }
        records.put_evidence(customer, evidence)?;
        let until = valid_until.map(|until| ("valid_until", until.seconds().to_string()));
        let details = [("evidence", kind.as_str().to_owned()), ("seen_by", by.to_string())];
        let details: Vec<_> = details.into_iter().chain(until).collect();
        Ok(self.audit(records, *at, Kind::EvidenceRecorded, customer.as_str(), &details)?)
    }

    /// What was seen of a customer, oldest first.
    ///
    /// # Errors
    /// When the customer is unknown.
    pub fn evidence(&self, customer: &Name) -> Result<Vec<EvidenceRecord>, CustomerError> {
        self.store().read(|records| {
            records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            Ok(records.evidence(customer)?)
        })
    }
}

/// One telephone number is one person's, as long as it counts for that person: else one number would have the limits of many.
fn check_telephone(records: &mut dyn Records, customer: &Name, evidence: &EvidenceRecord) -> Result<(), CustomerError> {
    let same = |known: &EvidenceRecord| (known.kind, &known.reference) == (evidence.kind, &evidence.reference);
    let own = person::customers(records, customer)?;
    for other in records.customers_of_evidence(evidence.kind, &evidence.reference)? {
        let counts = records.evidence(&other)?.iter().any(|known| same(known) && known.counts(evidence.at));
        if counts && !own.contains(&other) {
            return Err(CustomerError::PhoneTaken(other));
        }
    }
    Ok(())
}

/// What is missing for a customer to be in a tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lack {
    /// Evidence of a kind that the tier asks for.
    Evidence,
    /// The name was not compared with the sanctions list.
    Screening,
    /// The name resembles one on the list, and nobody decided that it is somebody else's.
    Decision,
}

impl<S, B> Psp<S, B> {
    /// What a customer lacks for a tier; `None` when it may be in it.
    pub(crate) fn lack(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        tier: &Tier,
        now: Timestamp,
    ) -> Result<Option<Lack>, StoreError> {
        for name in person::customers(records, customer)? {
            if records.hits(Some(&name))?.iter().any(HitRecord::is_suspect) {
                return Ok(Some(Lack::Decision));
            }
        }
        if tier.is_anonymous() {
            return Ok(None);
        }
        let mut named = false;
        for record in records.evidence(customer)?.iter().filter(|record| record.counts(now)) {
            if !is_asked(records, customer, tier, record)? {
                continue;
            }
            if record.kind == EvidenceKind::Phone {
                return Ok(None);
            }
            named = true;
        }
        let screened = !self.screens() || records.screening(customer)?.is_some();
        Ok(if !named {
            Some(Lack::Evidence)
        } else if !screened {
            Some(Lack::Screening)
        } else {
            None
        })
    }
}

/// Whether a tier asks for this evidence. A credential counts with the claims that were asked for when it came.
fn is_asked(
    records: &mut dyn Records,
    customer: &Name,
    tier: &Tier,
    record: &EvidenceRecord,
) -> Result<bool, StoreError> {
    let asked = tier.evidence.iter().find(|evidence| evidence.kind() == Some(record.kind));
    let Some(Evidence::Credential { claims }) = asked else { return Ok(asked.is_some()) };
    let kept = records.credentials(customer)?;
    let kept = kept.iter().find(|credential| hexadecimal(&credential.hash) == record.reference);
    kept.map_or(Ok(false), |credential| credential.has_claims(claims))
}
