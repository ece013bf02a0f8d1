//! One person, one PSP: before a person gets limits, notes or blanks here, the bank's registry of persons has to say that it is this
//! PSP's (`docs/spec/identity.md` §6), wherever the bank keeps one.
//!
//! | State | What it means | How it goes on |
//! |---|---|---|
//! | none | nobody asked | claimed when a device asks for limits or notes |
//! | `claimed` | the person has its limits here | until it is given back |
//! | `elsewhere` | another PSP has it | claimed again with the next request |
//! | `releasing` | given back, and the bank may not know | told again by [`Psp::reconcile`] |
//! | `released` | given back | until an operator claims it again |
//!
//! A claim is asked for under a name that follows from what was decided before, so a repeat after a crash is the same claim, and an
//! answer that comes late is never taken for one to a later claim.

use specie_aml::calendar;
use specie_audit::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Timestamp, hash, label};
use specie_identity::person::Pepper;
use thiserror::Error;

use crate::bank::{Bank, BankError, Refusal};
use crate::customer::{Customer, CustomerError, not_frozen};
use crate::device::DeviceError;
use crate::evidence::{EvidenceKind, EvidenceRecord};
use crate::identification::Identification;
use crate::identity_document;
use crate::person;
use crate::request::{OperationId, Request};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};
use crate::withdrawal::MONTH_SECONDS;

/// What was said of a person under one of its pseudonyms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// By what the bank knows the person.
    pub pseudonym: [u8; 32],
    /// The customer that led to it.
    pub customer: Name,
    /// How it stands.
    pub state: RegistrationState,
    /// Counts claims and releases of this pseudonym.
    pub sequence: u64,
    /// The last moment at which anything counts that was given here; of those given back.
    pub until: Option<Timestamp>,
}

/// How it stands with a person at the bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegistrationState {
    /// It is this PSP's.
    Claimed,
    /// It is another PSP's.
    Elsewhere,
    /// It is given back, and the bank may not know.
    Releasing,
    /// It is given back.
    Released,
}

/// Why a person gets nothing here, or is not given back. No money moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Another PSP has the person.
    #[error("{0}")]
    Elsewhere(String),
    /// This PSP gave the person back.
    #[error(
        "this PSP gave the owner back, so that another one can give it limits{}",
        .0.map_or_else(String::new, |until| format!("; what was given here counts until {}", calendar::show(until)))
    )]
    Released(Option<Timestamp>),
    /// Nothing is known by which another PSP would know the person again.
    #[error(
        "the owner was identified by nothing by which other PSPs know it again: a credential, a document by its number, the number \
         of a person, or a telephone number"
    )]
    Unrecognisable,
    /// The registry is kept under another pepper than this PSP's.
    #[error(
        "the bank keeps its registry of persons under another pepper than this PSP has: nobody who is known gets limits here"
    )]
    Pepper,
    /// The bank keeps no registry.
    #[error("the bank keeps no registry of persons")]
    NotKept,
    /// There is nobody to give back.
    #[error("customer `{0}` was never claimed at the bank, so there is nothing to give back")]
    NotClaimed(Name),
    /// The customer is unknown or frozen.
    #[error(transparent)]
    Customer(CustomerError),
    /// The bank cannot be reached, or refuses.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A pseudonym of a person, and what was said to the bank of it; `None` where nobody asked.
pub type Standing = ([u8; 32], Option<Registration>);

/// Under which pepper the registry is kept, by its name, and which one this PSP has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peppers {
    /// The registry's; `None` while there is no registry, as far as this PSP heard.
    pub registry: Option<[u8; 32]>,
    /// This PSP's.
    pub own: Option<[u8; 32]>,
}

/// What has to be claimed, with the number of each decision.
struct Claim {
    customer: Name,
    pepper: [u8; 32],
    persons: Vec<([u8; 32], u64)>,
}

impl RegistrationState {
    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Elsewhere => "elsewhere",
            Self::Releasing => "releasing",
            Self::Released => "released",
        }
    }

    /// The state of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Claimed, Self::Elsewhere, Self::Releasing, Self::Released]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl From<CustomerError> for RegistryError {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Store(error) => error.into(),
            error => Self::Customer(error),
        }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Has the bank say that the owner of a device is this PSP's, where that is still to be done and something new is asked for.
    pub(crate) fn claim_owner(&self, request: &Request<'_>, now: Timestamp) -> Result<(), RegistryError> {
        let claim = self.store().read(|records| {
            if records.request(&request.operation())?.is_some() {
                return Ok(None);
            }
            match self.active(records, &PublicKey(request.who), now) {
                Ok(party) => self.unclaimed(records, &party.customer, false, now),
                Err(DeviceError::Store(error)) => Err(error.into()),
                // What it does not get needs no claim.
                Err(DeviceError::Refused(_)) => Ok(None),
            }
        })?;
        claim.map_or(Ok(()), |claim| self.ask_for(&claim, now))
    }

    /// Claims the person who is `customer`, also one that was given back. A person that is claimed stays so.
    ///
    /// # Errors
    /// [`RegistryError::Elsewhere`] when another PSP has it.
    pub fn claim_person(&self, customer: &Name, now: Timestamp) -> Result<(), RegistryError> {
        self.pull_registry(now)?;
        self.finish_releases(now)?;
        let claim = self.store().read(|records| {
            records.registry()?.ok_or(RegistryError::NotKept)?;
            let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            self.unclaimed(records, &found, true, now)
        })?;
        claim.map_or(Ok(()), |claim| self.ask_for(&claim, now))
    }

    /// Gives the person who is `customer` back: its devices get nothing more here, and redeem. Another PSP can claim it when what was
    /// given here has run out, which is the moment that this tells. The same again tells the bank again.
    ///
    /// # Errors
    /// When it was not claimed, one of its customers is frozen, or the bank cannot be reached: then it is told later.
    pub fn release_person(&self, customer: &Name, now: Timestamp) -> Result<Timestamp, RegistryError> {
        let until = self.store().write(|records| {
            records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            let names = person::customers(records, customer)?;
            for name in &names {
                not_frozen(records, name)?;
            }
            let mut held = self.registrations_by(records, &names, now)?;
            held.retain(|registration| registration.state != RegistrationState::Elsewhere);
            if held.is_empty() {
                return Err(RegistryError::NotClaimed(*customer));
            }
            let given = given_until(records, &names, now)?;
            let mut last = None;
            for registration in held {
                let is_news = registration.state == RegistrationState::Claimed;
                // Nothing was given since it was given back.
                let until = registration.until.filter(|_| !is_news).unwrap_or(given);
                // A release that the bank may still hear of is the same one: an earlier one must not come after a later claim.
                let is_under_way = registration.state == RegistrationState::Releasing;
                let sequence = registration.sequence + u64::from(!is_under_way);
                let released =
                    Registration { state: RegistrationState::Releasing, sequence, until: Some(until), ..registration };
                records.put_registration(&released)?;
                if is_news {
                    let details = [("until", until.seconds().to_string())];
                    self.audit(records, now, Kind::PersonReleased, released.customer.as_str(), &details)?;
                }
                last = last.max(Some(until));
            }
            Ok(last.unwrap_or(given))
        })?;
        self.finish_releases(now)?;
        Ok(until)
    }

    /// Hears from the bank whether it keeps a registry, and under which pepper.
    pub(crate) fn pull_registry(&self, now: Timestamp) -> Result<(), RegistryError> {
        let kept = self.bank().registry()?;
        let own = self.peppers()?;
        if own.registry != kept {
            self.store().write(|records| {
                records.set_registry(kept.as_ref())?;
                let psp = self.identity().name;
                match &kept {
                    Some(pepper) => {
                        let details = [("pepper", crate::credential::hexadecimal(pepper))];
                        self.audit(records, now, Kind::RegistryBegun, psp.as_str(), &details)
                    }
                    None => self.audit(records, now, Kind::RegistryEnded, psp.as_str(), &[("", ""); 0]),
                }
            })?;
        }
        if kept.is_some() && own.own.is_some() && kept != own.own { Err(RegistryError::Pepper) } else { Ok(()) }
    }

    /// Tells the bank of persons who were given back, where it may not know.
    pub(crate) fn finish_releases(&self, now: Timestamp) -> Result<(), RegistryError> {
        for registration in self.store().read(|records| records.releasing())? {
            let Registration { pseudonym, sequence, until, .. } = &registration;
            let told =
                self.bank().release_person(&operation(&[(*pseudonym, *sequence)]), pseudonym, until.unwrap_or(now));
            match told {
                // Where another PSP has it, there is nothing left to give back.
                Err(error) if error.refusal() != Some(Refusal::PersonElsewhere) => return Err(error.into()),
                _ => {}
            }
            self.store().write(|records| {
                if records.registration(pseudonym)?.as_ref() != Some(&registration) {
                    return Ok::<_, StoreError>(());
                }
                records.put_registration(&Registration { state: RegistrationState::Released, ..registration.clone() })
            })?;
        }
        Ok(())
    }

    fn ask_for(&self, claim: &Claim, now: Timestamp) -> Result<(), RegistryError> {
        let pseudonyms: Vec<_> = claim.persons.iter().map(|(pseudonym, _)| *pseudonym).collect();
        let asked = self.bank().claim_person(&operation(&claim.persons), &claim.pepper, &pseudonyms);
        let (state, kind, detail) = match &asked {
            Ok(()) => (RegistrationState::Claimed, Kind::PersonClaimed, ("names", pseudonyms.len().to_string())),
            Err(BankError::Refused { refusal: Refusal::PersonElsewhere, detail }) => {
                (RegistrationState::Elsewhere, Kind::PersonRefused, ("why", detail.clone()))
            }
            Err(_) => return Ok(asked?),
        };
        self.store().write(|records| {
            let mut news = false;
            for (pseudonym, sequence) in &claim.persons {
                let before = records.registration(pseudonym)?;
                // Heard before, or decided otherwise meanwhile.
                if before.is_some_and(|before| before.sequence > *sequence || before.state == state) {
                    continue;
                }
                let (customer, sequence) = (claim.customer, *sequence);
                let registration = Registration { pseudonym: *pseudonym, customer, state, sequence, until: None };
                records.put_registration(&registration)?;
                news = true;
            }
            if news {
                self.audit(records, now, kind, claim.customer.as_str(), &[(detail.0, detail.1.as_str())])?;
            }
            Ok::<_, StoreError>(())
        })?;
        match asked {
            Err(BankError::Refused { detail, .. }) => Err(RegistryError::Elsewhere(detail)),
            _ => Ok(()),
        }
    }
}

impl<S: Store, B> Psp<S, B> {
    /// How it stands with the person who is `customer`, under each of its pseudonyms; `None` where nobody asked.
    ///
    /// # Errors
    /// When the customer is unknown.
    pub fn registrations(&self, customer: &Name, now: Timestamp) -> Result<Vec<Standing>, RegistryError> {
        self.store().read(|records| {
            let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            let names = person::customers(records, &found.name)?;
            let known = self.registrations_by(records, &names, now)?;
            let mut all = self.pseudonyms(records, &names, now)?;
            all.extend(known.iter().map(|registration| registration.pseudonym));
            all.sort_unstable();
            all.dedup();
            let of = |pseudonym| known.iter().find(|known| known.pseudonym == pseudonym).cloned();
            Ok(all.into_iter().map(|pseudonym| (pseudonym, of(pseudonym))).collect())
        })
    }

    /// Under which pepper the registry is kept, and which one this PSP has.
    ///
    /// # Errors
    /// When the store fails.
    pub fn peppers(&self) -> Result<Peppers, StoreError> {
        let own = self.configured_identification().map(|identification| identification.pepper.name());
        Ok(Peppers { registry: self.store().read(|records| records.registry())?, own })
    }
}

impl<S, B> Psp<S, B> {
    /// Whether the person who is `customer` may be given anything.
    pub(crate) fn check_claimed(
        &self,
        records: &mut dyn Records,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        match self.unclaimed(records, customer, false, now)? {
            None => Ok(()),
            // More became known of the person since it was claimed, a moment ago: the next attempt claims that too.
            Some(_) => Err(StoreError::Busy.into()),
        }
    }

    /// What has still to be claimed before the person who is `customer` gets anything: nothing without a registry. With `again`,
    /// what was given back too.
    fn unclaimed(
        &self,
        records: &mut dyn Records,
        customer: &Customer,
        again: bool,
        now: Timestamp,
    ) -> Result<Option<Claim>, RegistryError> {
        let Some(pepper) = records.registry()? else { return Ok(None) };
        let names = person::customers(records, &customer.name)?;
        let mut persons = Vec::new();
        let mut known = self.pseudonyms(records, &names, now)?;
        let nobody = known.is_empty();
        for Registration { pseudonym, state, sequence, until, .. } in self.registrations_by(records, &names, now)? {
            match state {
                RegistrationState::Released if again => persons.push((pseudonym, sequence + 1)),
                RegistrationState::Releasing | RegistrationState::Released => {
                    return Err(RegistryError::Released(until));
                }
                RegistrationState::Elsewhere if known.contains(&pseudonym) => persons.push((pseudonym, sequence)),
                RegistrationState::Claimed | RegistrationState::Elsewhere => {}
            }
            known.retain(|other| *other != pseudonym);
        }
        persons.extend(known.into_iter().map(|pseudonym| (pseudonym, 1)));
        if nobody && persons.is_empty() {
            return match self.configured_identification() {
                _ if self.tier_of(customer, now)?.is_anonymous() => Ok(None),
                None => Err(RegistryError::Pepper),
                Some(_) => Err(RegistryError::Unrecognisable),
            };
        }
        if persons.is_empty() {
            return Ok(None);
        }
        let own = self.configured_identification().map(|identification| identification.pepper.name());
        if own != Some(pepper) {
            return Err(RegistryError::Pepper);
        }
        persons.sort_unstable();
        Ok(Some(Claim { customer: customer.name, pepper, persons }))
    }

    /// By what the bank knows the person who is all these customers: by what credentials, the PSP's people and documents say of it; by the telephone
    /// numbers that it answers, where nothing else is known. Numbers get other owners, and whoever is known better is not stopped by that.
    fn pseudonyms(
        &self,
        records: &mut dyn Records,
        customers: &[Name],
        now: Timestamp,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut tags = Vec::new();
        let mut numbers = Vec::new();
        for customer in customers {
            tags.extend(records.person(customer)?.map(|person| person.tag));
            tags.extend(records.credentials(customer)?.iter().map(|credential| credential.person));
            let evidence = records.evidence(customer)?;
            tags.extend(evidence.iter().filter_map(identity_document::tag));
            let counts = |seen: &EvidenceRecord| seen.kind == EvidenceKind::Phone && seen.counts(now);
            numbers.extend(evidence.into_iter().filter(counts).map(|seen| seen.reference));
        }
        if let (true, Some(Identification { pepper, .. })) = (tags.is_empty(), self.configured_identification()) {
            tags.extend(numbers.iter().map(|number| pepper.telephone(number)));
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(tags.iter().map(Pepper::pseudonym).collect())
    }

    /// What was said to the bank of the person who is all these customers, also under pseudonyms whose evidence was erased.
    fn registrations_by(
        &self,
        records: &mut dyn Records,
        customers: &[Name],
        now: Timestamp,
    ) -> Result<Vec<Registration>, StoreError> {
        let mut found: Vec<Registration> = Vec::new();
        for customer in customers {
            found.extend(records.registrations_of(customer)?);
        }
        for pseudonym in self.pseudonyms(records, customers, now)? {
            if !found.iter().any(|registration| registration.pseudonym == pseudonym) {
                found.extend(records.registration(&pseudonym)?);
            }
        }
        Ok(found)
    }
}

/// The last moment at which anything counts that these customers were given: documents until they run out, withdrawals for a month.
fn given_until(records: &mut dyn Records, customers: &[Name], now: Timestamp) -> Result<Timestamp, StoreError> {
    let mut until = now;
    for customer in customers {
        for (limits, _) in records.allowances(customer)? {
            until = until.max(limits.valid_until);
        }
        if let Some(withdrawn) = records.last_withdrawn(customer)? {
            until = until.max(withdrawn.saturating_add(MONTH_SECONDS));
        }
    }
    Ok(until)
}

/// Names what is asked of the bank about these persons.
fn operation(persons: &[([u8; 32], u64)]) -> OperationId {
    let parts: Vec<_> = persons.iter().map(|(pseudonym, sequence)| (pseudonym, sequence.to_be_bytes())).collect();
    let parts: Vec<&[u8]> = parts.iter().flat_map(|(pseudonym, sequence)| [&pseudonym[..], &sequence[..]]).collect();
    let wide = hash::h32(label::PSP_OPERATION, &parts);
    wide[..16].try_into().expect("16 of 32 bytes")
}
