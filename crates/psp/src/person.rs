//! Persons: customers of one person share one set of limits.
//!
//! A person is known here by a tag (`docs/spec/identity.md`), a keyed hash of the number by which an issuer of credentials or a
//! register tells persons apart. The number itself is not kept.

use specie_aml::case::{Case, State};
use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::text::Name;

use crate::customer::{Customer, CustomerError};
use crate::device::Device;
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};
use crate::tier::Tier;

/// What kind of person a tag is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PersonKind {
    /// A human being.
    Natural,
    /// An organisation.
    Organisation,
}

/// A person, as a PSP knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// Its tag, the same at all PSPs that share a pepper.
    pub tag: [u8; 32],
    /// Its kind.
    pub kind: PersonKind,
}

/// All that one person has at this PSP: what limits are counted for.
pub(crate) struct Holdings<'p> {
    pub(crate) customers: Vec<Name>,
    /// Devices of all customers, in the order of their enrolment.
    pub(crate) devices: Vec<Device>,
    pub(crate) tier: &'p Tier,
}

impl PersonKind {
    /// The stable name, as stored, shown and hashed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::Organisation => "organisation",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Natural, Self::Organisation].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Says which person a customer is. Customers of one person are in one tier and share its limits.
    ///
    /// # Errors
    /// When the customer is unknown or another person, or the person has customers in another tier.
    pub fn set_person(&self, customer: &Name, person: &Person, now: Timestamp) -> Result<(), CustomerError> {
        self.store().write(|records| {
            let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            if bind(records, &found, person)? {
                let details = [("kind", person.kind.as_str())];
                self.audit(records, now, Kind::PersonKnown, customer.as_str(), &details)?;
            }
            Ok(())
        })
    }

    /// Says which person a customer is, by the number by which `issuer` tells persons apart; only its tag is kept.
    ///
    /// # Errors
    /// As [`Psp::set_person`], or when this PSP has no pepper.
    pub fn set_person_by_number(
        &self,
        customer: &Name,
        kind: PersonKind,
        (issuer, number): (&str, &str),
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        let identification = self.configured_identification().ok_or(CustomerError::NoPepper)?;
        let tag = identification.pepper.person(issuer, number).0;
        self.set_person(customer, &Person { tag, kind }, now)
    }

    /// Which person a customer is, if that is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn person(&self, customer: &Name) -> Result<Option<Person>, CustomerError> {
        self.store().read(|records| Ok(records.person(customer)?))
    }
}

impl<S, B> Psp<S, B> {
    /// Takes from a customer's oldest credential which person it is, where that is not known yet.
    pub(crate) fn know_by_credential(
        &self,
        records: &mut dyn Records,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        let Some(credential) = records.credentials(&customer.name)?.into_iter().next() else { return Ok(()) };
        if records.person(&customer.name)?.is_none() {
            let person = Person { tag: credential.person, kind: PersonKind::Natural };
            bind(records, customer, &person)?;
            let details = [("kind", person.kind.as_str())];
            self.audit(records, now, Kind::PersonKnown, customer.name.as_str(), &details)?;
        }
        Ok(())
    }

    /// All that the person who is `customer` has here.
    pub(crate) fn holdings(
        &self,
        records: &mut dyn Records,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Holdings<'_>, StoreError> {
        let customers = customers(records, &customer.name)?;
        let mut devices = Vec::new();
        for name in &customers {
            devices.extend(records.devices_of(name)?);
        }
        Ok(Holdings { customers, devices, tier: self.tier_of(customer, now)? })
    }
}

/// The customers of the person who is `customer`; that one alone where the person is not known.
pub(crate) fn customers(records: &mut dyn Records, customer: &Name) -> Result<Vec<Name>, StoreError> {
    match records.person(customer)? {
        Some(person) => records.customers_of_person(&person.tag),
        None => Ok(vec![*customer]),
    }
}

/// The case about one of these customers, of one person, that is open or was reported: what is known of them is kept then.
pub(crate) fn case_that_keeps(records: &mut dyn Records, customers: &[Name]) -> Result<Option<Case>, StoreError> {
    let keeps = |case: &Case| customers.contains(case.customer()) && case.state() != State::Closed;
    Ok(records.cases()?.into_iter().find(keeps))
}

/// The case by which the person who is `customer` is frozen, whichever of its customers the case is about.
pub(crate) fn frozen_by(records: &mut dyn Records, customer: &Name) -> Result<Option<u64>, StoreError> {
    for name in customers(records, customer)? {
        if let Some(case) = records.frozen_by(&name)? {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

/// Says which person a customer is; `false` when that is known already.
fn bind(records: &mut dyn Records, customer: &Customer, person: &Person) -> Result<bool, CustomerError> {
    match records.person(&customer.name)? {
        Some(known) if known == *person => return Ok(false),
        Some(_) => return Err(CustomerError::OtherPerson(customer.name)),
        None => {}
    }
    for name in records.customers_of_person(&person.tag)? {
        let other = records.customer(&name)?.filter(|other| other.tier != customer.tier);
        if let Some(other) = other {
            return Err(CustomerError::PersonTier { customer: other.name, tier: other.tier });
        }
    }
    records.bind_person(&customer.name, person)?;
    Ok(true)
}
