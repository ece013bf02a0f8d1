//! What a PSP has seen of its customers. The records say that and when it was seen, by whom, and where it is filed; what is
//! filed is not here.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;

use crate::customer::{Customer, CustomerError};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};
use crate::tier::Tier;

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
    fn counts(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now <= until)
    }

    pub(crate) fn check(&self) -> Result<(), CustomerError> {
        match self.reference.len() {
            1..=REFERENCE_LENGTH_MAX => Ok(()),
            _ => Err(CustomerError::Reference),
        }
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Records what was seen of a customer. The same again changes nothing but the time until which it counts.
    ///
    /// # Errors
    /// When the customer is unknown, or the reference too long or empty.
    pub fn record_evidence(&self, customer: &Name, evidence: &EvidenceRecord) -> Result<(), CustomerError> {
        evidence.check()?;
        self.store().write(|records| {
            records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            Ok(self.keep_evidence(records, customer, evidence)?)
        })
    }

    /// The audit log says what was seen and until when it counts, and not where it is filed: that may be a telephone number.
    pub(crate) fn keep_evidence(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        evidence: &EvidenceRecord,
    ) -> Result<(), StoreError> {
        let EvidenceRecord { kind, reference, valid_until, by, at } = evidence;
        let same = |known: &EvidenceRecord| {
            (known.kind, &known.reference, known.valid_until) == (*kind, reference, *valid_until)
        };
        if records.evidence(customer)?.iter().any(same) {
            return Ok(());
        }
        records.put_evidence(customer, evidence)?;
        let until = valid_until.map(|until| ("valid_until", until.seconds().to_string()));
        let details = [("evidence", kind.as_str().to_owned()), ("seen_by", by.to_string())];
        let details: Vec<_> = details.into_iter().chain(until).collect();
        self.audit(records, *at, Kind::EvidenceRecorded, customer.as_str(), &details)
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

/// Whether what was seen of a customer is enough for a tier.
pub(crate) fn suffices(
    records: &mut dyn Records,
    customer: &Customer,
    tier: &Tier,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if tier.is_anonymous() {
        return Ok(true);
    }
    let seen = records.evidence(&customer.name)?;
    let asked = |kind| tier.evidence.iter().any(|evidence| evidence.kind() == Some(kind));
    Ok(seen.iter().any(|record| record.counts(now) && asked(record.kind)))
}
