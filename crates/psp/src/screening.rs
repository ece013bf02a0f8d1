//! Names of customers against a sanctions list. A hit is a likeness; a person decides what it means, with a reason. Until then, and
//! when it is the same person, the customer is in no tier: its devices get no limits, notes or blanks, and may redeem. The same person
//! is frozen too.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_identity::screening::{Hit, Subject};

use crate::credential::{hexadecimal, subject_of};
use crate::evidence::EvidenceKind;
use crate::identification::{IdentificationError, REASON_LENGTH_MAX};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// That a customer's name was compared with a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScreeningRecord {
    /// Whose name.
    pub customer: Name,
    /// `H32` of the list.
    pub list: [u8; 32],
    /// When the list was published, as it says.
    pub published: String,
    /// Who had it compared.
    pub by: Name,
    /// When.
    pub at: Timestamp,
}

/// An entry of a list that a customer's name resembles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HitRecord {
    /// Whose name.
    pub customer: Name,
    /// The entry.
    pub reference: String,
    /// Its name that is nearest.
    pub listed: String,
    /// How near, in thousandths.
    pub score: u16,
    /// Whether the dates of birth agree, where that can be said.
    pub birth: Option<bool>,
    /// `H32` of the list in which it was found.
    pub list: [u8; 32],
    /// When it was found.
    pub at: Timestamp,
    /// What a person decided.
    pub ruling: Option<Ruling>,
}

/// What a person decided about a hit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// Whether the customer is who is on the list.
    pub same: bool,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: Name,
    /// When.
    pub at: Timestamp,
}

/// What came of comparing all customers with a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rescreened {
    /// How many were compared.
    pub compared: u64,
    /// Customers with hits that nobody has decided yet.
    pub undecided: Vec<Name>,
    /// Customers whose document was looked at and whose name is not kept: they have to be asked.
    pub unnamed: Vec<Name>,
}

impl HitRecord {
    /// Whether the customer may be who is on the list.
    pub fn is_suspect(&self) -> bool {
        self.ruling.as_ref().is_none_or(|ruling| ruling.same)
    }

    /// Whether another likeness to the same entry is no nearer.
    fn covers(&self, other: &Self) -> bool {
        self.listed == other.listed && self.score >= other.score && self.birth == other.birth
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Compares a name with the list, for a customer; gives its hits. Decisions about them stand.
    ///
    /// # Errors
    /// When there is no list, or nothing to compare.
    pub fn screen(
        &self,
        customer: &Name,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Vec<HitRecord>, IdentificationError> {
        self.identification()?.sanctions.as_ref().ok_or(IdentificationError::NoList)?;
        let found = self.compare(subject)?;
        self.store().write(|records| {
            self.record_screening(records, customer, found.as_deref(), now)?;
            Ok(records.hits(Some(customer))?)
        })
    }

    /// Compares the names of all customers that are kept with the list: for when it is a new one.
    ///
    /// # Errors
    /// When there is no list.
    pub fn screen_all(&self, now: Timestamp) -> Result<Rescreened, IdentificationError> {
        self.identification()?.sanctions.as_ref().ok_or(IdentificationError::NoList)?;
        let mut result = Rescreened::default();
        for customer in self.store().read(|records| records.customers().map_err(IdentificationError::from))? {
            let name = customer.name;
            let (named, suspected) = self.screen_again(&name, now)?;
            match named {
                Some(true) => result.compared += 1,
                Some(false) => result.unnamed.push(name),
                None => {}
            }
            if suspected {
                result.undecided.push(name);
            }
        }
        Ok(result)
    }

    /// The hits of a customer, or of all, and what was decided about them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn hits(&self, customer: Option<&Name>) -> Result<Vec<HitRecord>, IdentificationError> {
        self.store().read(|records| Ok(records.hits(customer)?))
    }

    /// When a customer's name was last compared with a list, and with which.
    ///
    /// # Errors
    /// When the store fails.
    pub fn screening(&self, customer: &Name) -> Result<Option<ScreeningRecord>, IdentificationError> {
        self.store().read(|records| Ok(records.screening(customer)?))
    }

    /// Records what a person decided about a hit; what was decided before is replaced, and stays in the audit log. The same person
    /// is frozen with it, by a case of its own; to decide otherwise later releases nobody: that takes another person.
    ///
    /// # Errors
    /// When there is no such hit, or no reason.
    pub fn decide_hit(
        &self,
        customer: &Name,
        reference: &str,
        same: bool,
        reason: &str,
        now: Timestamp,
    ) -> Result<HitRecord, IdentificationError> {
        if reason.trim().is_empty() || reason.len() > REASON_LENGTH_MAX {
            return Err(IdentificationError::Reason);
        }
        self.store().write(|records| {
            let hit = records.hits(Some(customer))?.into_iter().find(|hit| hit.reference == reference);
            let unknown = || IdentificationError::UnknownHit { customer: *customer, reference: reference.into() };
            let mut hit = hit.ok_or_else(unknown)?;
            if hit.ruling.as_ref().is_some_and(|ruling| ruling.same == same && ruling.reason == reason) {
                return Ok(hit);
            }
            let ruling = Ruling { same, reason: reason.into(), by: self.acting(), at: now };
            records.set_ruling(customer, reference, &ruling)?;
            let decision = if same { "same-person" } else { "another-person" };
            let details = [("entry", reference), ("decision", decision), ("reason", reason)];
            self.audit(records, now, Kind::HitDecided, customer.as_str(), &details)?;
            if same && records.customer(customer)?.is_some() {
                self.freeze(records, customer, ["the same person as on the sanctions list", reason], now)?;
            }
            hit.ruling = Some(ruling);
            Ok(hit)
        })
    }

    /// Compares the name that is kept of a customer; tells whether there is one, if there should be, and whether a hit is undecided.
    fn screen_again(&self, customer: &Name, now: Timestamp) -> Result<(Option<bool>, bool), IdentificationError> {
        loop {
            let subject = self.store().read(|records| kept_subject(records, customer))?;
            let found = subject.as_ref().map(|subject| self.compare(subject)).transpose()?.flatten();
            let screened = self.store().write(|records| {
                // Another name was recorded meanwhile.
                if kept_subject(records, customer)? != subject {
                    return Ok::<_, IdentificationError>(None);
                }
                let named = if subject.is_some() {
                    self.record_screening(records, customer, found.as_deref(), now)?;
                    Some(true)
                } else {
                    has_document(records, customer)?.then_some(false)
                };
                Ok(Some((named, records.hits(Some(customer))?.iter().any(|hit| hit.ruling.is_none()))))
            })?;
            if let Some(screened) = screened {
                return Ok(screened);
            }
        }
    }

    /// Compares a name with the list, if there is one. Outside of any transaction that writes: it takes longer than others should wait.
    pub(crate) fn compare(&self, subject: &Subject) -> Result<Option<Vec<Hit>>, IdentificationError> {
        let identification = self.identification()?;
        let list = identification.sanctions.as_ref();
        Ok(list.map(|list| list.screen(subject, identification.threshold)).transpose()?)
    }

    /// Records that a name was compared, and what [`Psp::compare`] found.
    pub(crate) fn record_screening(
        &self,
        records: &mut dyn Records,
        customer: &Name,
        found: Option<&[Hit]>,
        now: Timestamp,
    ) -> Result<(), IdentificationError> {
        let identification = self.identification()?;
        let (Some(list), Some(found)) = (&identification.sanctions, found) else { return Ok(()) };
        let known = records.hits(Some(customer))?;
        let mut news = 0_u32;
        for hit in found {
            let record = HitRecord {
                customer: *customer,
                reference: hit.reference.clone(),
                listed: hit.name.clone(),
                score: hit.score,
                birth: hit.birth,
                list: list.hash,
                at: now,
                ruling: None,
            };
            // What was decided about a lesser likeness was not decided about this one.
            let decided = known.iter().any(|before| before.reference == record.reference && before.covers(&record));
            if !decided {
                records.put_hit(&record)?;
                news += 1;
            }
        }
        let before = records.screening(customer)?;
        if news > 0 || before.is_none_or(|before| before.list != list.hash) {
            let screening = ScreeningRecord {
                customer: *customer,
                list: list.hash,
                published: list.published.clone(),
                by: self.acting(),
                at: now,
            };
            records.put_screening(&screening)?;
            let details = [
                ("list", hexadecimal(&list.hash)),
                ("published", list.published.clone()),
                ("threshold", identification.threshold.to_string()),
                ("new_hits", news.to_string()),
            ];
            self.audit(records, now, Kind::NameScreened, customer.as_str(), &details)?;
        }
        Ok(())
    }
}

/// The name that is kept of a customer, from its newest credential that has one.
fn kept_subject(records: &mut dyn Records, customer: &Name) -> Result<Option<Subject>, IdentificationError> {
    let kept = records.credentials(customer)?;
    Ok(kept.iter().rev().find_map(|credential| subject_of(&credential.claims).transpose()).transpose()?)
}

fn has_document(records: &mut dyn Records, customer: &Name) -> Result<bool, StoreError> {
    Ok(records.evidence(customer)?.iter().any(|record| record.kind == EvidenceKind::Document))
}
