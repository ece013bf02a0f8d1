//! Customers: who they are to the PSP, in which tier, with which account.

use specie_audit::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use thiserror::Error;

use crate::claim::{ClaimCode, code_hash};
use crate::device::{Device, DeviceState};
use crate::evidence::{EvidenceKind, EvidenceRecord, Lack, REFERENCE_LENGTH_MAX};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, PostingRefusal, movement_id};
use crate::person;
use crate::service::Psp;
use crate::share::WEIGHT_MAX;
use crate::store::{Records, Store, StoreError};
use crate::tier::Evidence;

/// A customer. The PSP's own files say who that is; here it is a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Customer {
    /// Its name here, for claims.
    pub name: Name,
    /// Its account.
    pub account: Name,
    /// Its tier.
    pub tier: Name,
    /// What its devices may call themselves towards payers, if anything.
    pub merchant: Option<Merchant>,
}

/// What stands in descriptors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Merchant {
    /// The name shown to payers.
    pub payee: Name,
    /// ISO 18245 merchant category code.
    pub category: u16,
}

/// Why something about customers was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CustomerError {
    /// No customer has this name.
    #[error("there is no customer `{0}`")]
    Unknown(Name),
    /// The name or the account is taken.
    #[error("customer or account exists already: choose another name")]
    Taken,
    /// The reserve holds less in these books.
    #[error(
        "the reserve holds less than that in the books of this PSP: nothing was booked; look at what the bank paid out"
    )]
    Reserve,
    /// No tier has this name.
    #[error("no tier `{0}` is in force: name one of the newest version")]
    UnknownTier(Name),
    /// The tier asks for evidence that is not recorded.
    #[error("tier `{tier}` asks for {asked}, and nothing of the kind is recorded of `{customer}`, or it ran out")]
    Evidence {
        /// Whose.
        customer: Name,
        /// Which tier.
        tier: Name,
        /// What would do.
        asked: String,
    },
    /// Names are screened, and this one was not.
    #[error(
        "tier `{tier}` is for people whose name was compared with the sanctions list, and that of `{customer}` was not"
    )]
    NotScreened {
        /// Whose.
        customer: Name,
        /// Which tier.
        tier: Name,
    },
    /// The name is like one on the list.
    #[error("the name of `{0}` resembles one on the sanctions list, and it was not decided that it is somebody else's")]
    Suspected(Name),
    /// The customer is known as another person.
    #[error("customer `{0}` is known as another person: a customer does not change who it is")]
    OtherPerson(Name),
    /// Persons cannot be told apart.
    #[error("this PSP has no pepper, so it cannot say who is one person")]
    NoPepper,
    /// A person has customers in another tier.
    #[error("the same person is customer `{customer}` in tier `{tier}`: all customers of one person are in one tier")]
    PersonTier {
        /// The other customer.
        customer: Name,
        /// Its tier.
        tier: Name,
    },
    /// Weights that cannot be.
    #[error("weights are at most {WEIGHT_MAX}, and not all 0")]
    Weight,
    /// The device is blocked.
    #[error("device {0} is blocked: lift the block first")]
    Blocked(PublicKey),
    /// The device is lost.
    #[error("device {0} is reported lost")]
    Lost(PublicKey),
    /// A withdrawal of the device is under way.
    #[error("device {0} has a withdrawal that it has not finished: synchronise it first")]
    Unfinished(PublicKey),
    /// A reference to evidence is empty or too long.
    #[error("a reference to evidence has 1 to {REFERENCE_LENGTH_MAX} bytes")]
    Reference,
    /// That is no telephone number.
    #[error("a telephone number is `+`, country code and number: 4 to 15 digits")]
    Phone,
    /// One telephone number, two persons.
    #[error("this telephone number is that of customer `{0}`, who is not known to be the same person")]
    PhoneTaken(Name),
    /// No device has this key.
    #[error("there is no device {0}")]
    UnknownDevice(PublicKey),
    /// The bank struck the device off, which the PSP cannot undo.
    #[error("device {0} is struck off by the bank, for ever")]
    StruckOff(PublicKey),
    /// The customer is frozen.
    #[error("customer `{customer}` is frozen by case {case}: nothing was done, and no money moved")]
    Frozen {
        /// Who.
        customer: Name,
        /// By which case.
        case: u64,
    },
    /// The amounts are beyond what can be counted.
    #[error("the amount is beyond what the books can hold")]
    Overflow,
    /// The reference was booked before, for something else.
    #[error("reference `{0}` was booked before with another amount or customer: give every payment one of its own")]
    ReferenceUsed(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: Store, B> Psp<S, B> {
    /// Takes a customer on and opens its account, with what was seen of it. The same customer again changes nothing.
    ///
    /// # Errors
    /// When the tier is unknown or asks for other evidence, or name or account are another's.
    pub fn add_customer(
        &self,
        customer: &Customer,
        seen: &[EvidenceRecord],
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        let seen = seen.iter().map(EvidenceRecord::checked).collect::<Result<Vec<_>, _>>()?;
        let Customer { name, account, tier, merchant } = customer;
        let mut details = vec![("account", account.to_string()), ("tier", tier.to_string())];
        if let Some(Merchant { payee, category }) = merchant {
            details.extend([("payee", payee.to_string()), ("category", category.to_string())]);
        }
        self.store().write(|records| {
            if records.insert_customer(customer)? {
                self.audit(records, now, Kind::CustomerAdded, name.as_str(), &details)?;
            } else if records.customer(name)?.as_ref() != Some(customer) {
                return Err(CustomerError::Taken);
            }
            for evidence in &seen {
                self.keep_evidence(records, name, evidence)?;
            }
            self.know_by_credential(records, customer, now)?;
            self.check_tier(records, customer, &customer.tier, now)
        })
    }

    /// All customers, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn customers(&self) -> Result<Vec<Customer>, CustomerError> {
        self.store().read(|records| Ok(records.customers()?))
    }

    /// Moves a customer to another tier, and all customers of the same person with it; their devices get the new limits when they
    /// synchronise.
    ///
    /// # Errors
    /// When either is unknown, or the tier asks for evidence that is not recorded.
    pub fn set_tier(&self, customer: &Name, tier: &Name, now: Timestamp) -> Result<(), CustomerError> {
        self.store().write(|records| {
            records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
            for name in person::customers(records, customer)? {
                let found = records.customer(&name)?.ok_or(CustomerError::Unknown(name))?;
                self.check_tier(records, &found, tier, now)?;
                if found.tier != *tier {
                    records.set_tier(&name, tier)?;
                    let details = [("from", found.tier.as_str()), ("to", tier.as_str())];
                    self.audit(records, now, Kind::TierChanged, name.as_str(), &details)?;
                }
            }
            Ok(())
        })
    }

    /// Makes a claim code with which the customer can enrol one device. Only a hash of it is kept.
    ///
    /// # Errors
    /// When the customer is unknown.
    pub fn issue_claim_code(
        &self,
        customer: &Name,
        seed: &[u8; 32],
        now: Timestamp,
    ) -> Result<ClaimCode, CustomerError> {
        let code = ClaimCode::from_seed(seed);
        let valid_until = now.saturating_add(self.policy().periods().claim_code_seconds);
        self.store().write(|records| {
            not_frozen(records, customer)?;
            records.insert_claim_code(&code_hash(customer, &code), valid_until)?;
            let details = [("valid_until", valid_until.seconds().to_string())];
            Ok::<_, CustomerError>(self.audit(records, now, Kind::ClaimCodeIssued, customer.as_str(), &details)?)
        })?;
        Ok(code)
    }

    /// Credits a customer with what it paid in at the counter or by other money; `reference` names that payment, once.
    ///
    /// # Errors
    /// When the customer is unknown or frozen, or the sum too large.
    pub fn deposit(
        &self,
        customer: &Name,
        amount: Amount,
        reference: &str,
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        self.store().write(|records| {
            let customer = not_frozen(records, customer)?;
            let movement = Movement {
                id: movement_id(MovementKind::Deposit, reference.as_bytes()),
                kind: MovementKind::Deposit,
                debit: LedgerAccount::Settlement,
                credit: LedgerAccount::Customer(customer.account),
                amount,
                reference: reference.into(),
                at: now,
            };
            if ledger::post_new(records, &movement)?.map_err(|refusal| refusal.of(reference))? {
                let details = [("amount", amount.minor().to_string()), ("reference", reference.to_owned())];
                self.audit(records, now, Kind::CustomerCredited, customer.name.as_str(), &details)?;
            }
            Ok(())
        })
    }

    /// Blocks a device, or lifts the block.
    ///
    /// # Errors
    /// When the device is unknown, or struck off by the bank.
    pub fn set_blocked(&self, device: &PublicKey, blocked: bool, now: Timestamp) -> Result<(), CustomerError> {
        self.store().write(|records| {
            let found = records.device(device)?.ok_or(CustomerError::UnknownDevice(*device))?;
            match found.state {
                DeviceState::StruckOff => Err(CustomerError::StruckOff(*device)),
                DeviceState::Pending => Err(CustomerError::UnknownDevice(*device)),
                DeviceState::Active | DeviceState::Blocked => {
                    let (state, kind) = if blocked {
                        (DeviceState::Blocked, Kind::DeviceBlocked)
                    } else {
                        (DeviceState::Active, Kind::DeviceUnblocked)
                    };
                    if found.state == state {
                        return Ok(());
                    }
                    records.set_device_state(device, state)?;
                    let details = [("customer", found.customer.as_str())];
                    Ok(self.audit(records, now, kind, &device.to_string(), &details)?)
                }
            }
        })
    }

    /// The devices of a customer.
    ///
    /// # Errors
    /// When the store fails.
    pub fn devices(&self, customer: &Name) -> Result<Vec<Device>, CustomerError> {
        self.store().read(|records| Ok(records.devices_of(customer)?))
    }

    /// Whether a customer may be in a tier.
    fn check_tier(
        &self,
        records: &mut dyn Records,
        customer: &Customer,
        tier: &Name,
        now: Timestamp,
    ) -> Result<(), CustomerError> {
        let tier = self.policy().tier(tier, now).ok_or(CustomerError::UnknownTier(*tier))?;
        let (customer, name) = (customer.name, tier.name);
        match self.lack(records, &customer, tier, now)? {
            None => Ok(()),
            Some(Lack::Screening) => Err(CustomerError::NotScreened { customer, tier: name }),
            Some(Lack::Decision) => Err(CustomerError::Suspected(customer)),
            Some(Lack::Evidence) => {
                let asked = tier.evidence.iter().filter_map(Evidence::kind).map(EvidenceKind::as_str);
                let asked = asked.collect::<Vec<_>>().join(" or ");
                Err(CustomerError::Evidence { customer, tier: name, asked })
            }
        }
    }
}

/// The customer of that name, if nobody froze the person who it is.
pub(crate) fn not_frozen(records: &mut dyn Records, customer: &Name) -> Result<Customer, CustomerError> {
    let found = records.customer(customer)?.ok_or(CustomerError::Unknown(*customer))?;
    match person::frozen_by(records, customer)? {
        None => Ok(found),
        Some(case) => Err(CustomerError::Frozen { customer: *customer, case }),
    }
}

impl PostingRefusal {
    /// What the operator is told of it.
    pub(crate) fn of(self, reference: &str) -> CustomerError {
        match self {
            Self::Insufficient => CustomerError::Overflow,
            Self::NameTaken => CustomerError::ReferenceUsed(reference.into()),
        }
    }
}
