//! `specie psp customer`: people, their accounts, their devices.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_server::clock::random_seed;
use specie_server::psp::{
    self as server, CaseFailure, DeviceState, EvidenceKind, EvidenceRecord, Merchant, PersonKind, Provider,
};

use super::Which;
use crate::answer::Answer;
use crate::device::parse_amount;
use crate::failure::Failure;
use crate::printable::printable;
use crate::{moment, money};

#[derive(Subcommand, Debug)]
pub(crate) enum Customer {
    /// Take a customer on and open its account
    #[command(after_help = "\
EXAMPLES:
  specie psp customer add psp traveller --tier prepaid
  specie psp customer add psp alice --document 'passport, file 17' \\
      --valid-until 2031-04-30 --by mueller
  specie psp customer add psp bakery --tier merchant --payee 'Bakery Lindt' \\
      --category 5462 --document 'licence, file 18' --by mueller

A tier asks for evidence of who the customer is (see the files in `tiers`). What is recorded here is where it is filed.")]
    Add {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        /// A tier that is in force
        #[arg(long, value_name = "TIER", default_value = "standard", value_parser = parse_name)]
        tier: Name,
        #[command(flatten)]
        seen: Seen,
        /// Name of the account; the customer's without it
        #[arg(long, value_name = "NAME", value_parser = parse_name)]
        account: Option<Name>,
        /// A merchant's name, shown to payers
        #[arg(long, value_name = "NAME", value_parser = parse_name, requires = "category")]
        payee: Option<Name>,
        /// A merchant's ISO 18245 category code, of four digits
        #[arg(long, value_name = "CODE", requires = "payee", value_parser = clap::value_parser!(u16).range(..=9999))]
        category: Option<u16>,
    },
    /// Credit what a customer paid in
    #[command(after_help = "\
EXAMPLES:
  specie psp customer credit psp alice 200.00 --reference 'counter 2026-03-01 no 17'

The same reference is credited once; without one, every call credits anew.")]
    Credit {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        /// How much
        #[arg(value_name = "AMOUNT")]
        amount: String,
        /// Names the payment
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
    },
    /// Make a claim code, with which the customer can enrol one device
    #[command(after_help = "EXAMPLES:\n  specie psp customer claim psp alice")]
    Claim {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
    /// Show a customer's account and devices
    #[command(after_help = "EXAMPLES:\n  specie psp customer show psp alice")]
    Show {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
    /// List all customers
    #[command(after_help = "EXAMPLES:\n  specie psp customer list psp")]
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Record evidence of who a customer is, or list what is recorded
    #[command(after_help = "\
EXAMPLES:
  specie psp customer evidence psp alice
  specie psp customer evidence psp alice --phone +49301234567 --by mueller
  specie psp customer evidence psp alice --document 'passport, file 21' \\
      --valid-until 2036-01-31 --by mueller")]
    Evidence {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        #[command(flatten)]
        seen: Seen,
    },
    /// Say which person or organisation a customer is: all customers of one share its limits
    #[command(after_help = "\
EXAMPLES:
  specie psp customer person psp alice --issuer https://register.example --number 8405061234
  specie psp customer person psp bakery --issuer https://companies.example \\
      --number HRB1234 --organisation

Issuer and number are those by which a credential or a register tells persons apart, always written the same way. The number is not kept, a \
keyed hash of it is.")]
    Person {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        /// Who gave the number
        #[arg(long, value_name = "ISSUER")]
        issuer: String,
        /// The number
        #[arg(long, value_name = "NUMBER")]
        number: String,
        /// It is an organisation
        #[arg(long)]
        organisation: bool,
    },
    /// Move a customer to another tier
    #[command(after_help = "EXAMPLES:\n  specie psp customer tier psp alice basic")]
    Tier {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        /// A tier that is in force
        #[arg(value_name = "TIER", value_parser = parse_name)]
        tier: Name,
    },
}

/// What was seen of a customer.
#[derive(Args, Debug)]
pub(crate) struct Seen {
    /// A telephone number that the customer answered
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// A document that somebody looked at: where that is filed
    #[arg(long, value_name = "TEXT")]
    document: Option<String>,
    /// The last day on which the evidence counts, such as 2031-04-30; without it, it does not run out
    #[arg(long, value_name = "DATE", value_parser = moment::parse_last_of)]
    valid_until: Option<Timestamp>,
}

impl Seen {
    /// Who records it has seen it.
    fn records(&self, by: Name, now: Timestamp) -> Vec<EvidenceRecord> {
        let seen = [(EvidenceKind::Phone, &self.phone), (EvidenceKind::Document, &self.document)];
        seen.into_iter()
            .filter_map(|(kind, reference)| {
                let reference = reference.clone()?;
                Some(EvidenceRecord { kind, reference, valid_until: self.valid_until, by, at: now })
            })
            .collect()
    }
}

impl Customer {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Add { which, name, tier, seen, account, payee, category } => {
                let merchant = payee.zip(*category).map(|(payee, category)| Merchant { payee, category });
                let account = account.unwrap_or(*name);
                let customer = server::Customer { name: *name, account, tier: *tier, merchant };
                let provider = which.open()?;
                let now = provider.clock.now();
                still_valid(seen.valid_until, now)?;
                provider.psp.add_customer(&customer, &seen.records(provider.psp.actor().name(), now), now)?;
                let human = format!("{name} is a customer of tier {tier}, account {account}.\n");
                Ok(Answer::new(human, describe(&customer)))
            }
            Self::Credit { which, name, amount, reference } => {
                credit(&*which.open()?, name, amount, reference.as_deref())
            }
            Self::Claim { which, name } => {
                let provider = which.open()?;
                let code = provider.psp.issue_claim_code(name, &seed()?, provider.clock.now())?.to_string();
                let human = format!("Claim code of {name}: {code}\nIt enrols one device, once.\n");
                Ok(Answer::new(human, json!({ "customer": name.as_str(), "code": code })))
            }
            Self::Show { which, name } => show(&*which.open()?, name),
            Self::List { which } => {
                let customers = which.open()?.psp.customers()?;
                let human: String =
                    customers.iter().map(|customer| format!("{:<32}  {}\n", customer.name, customer.tier)).collect();
                let human = if human.is_empty() { "No customers yet.\n".to_owned() } else { human };
                let customers: Vec<Value> = customers.iter().map(describe).collect();
                Ok(Answer::new(human, json!({ "customers": customers })))
            }
            Self::Evidence { which, name, seen } => evidence(&*which.open()?, name, seen),
            Self::Person { which, name, issuer, number, organisation } => {
                let kind = if *organisation { PersonKind::Organisation } else { PersonKind::Natural };
                let provider = which.open()?;
                provider.psp.set_person_by_number(name, kind, (issuer, number), provider.clock.now())?;
                let human = format!("{name} shares its limits with all customers who are the same person.\n");
                Ok(Answer::new(human, json!({ "customer": name.as_str(), "kind": kind.as_str() })))
            }
            Self::Tier { which, name, tier } => {
                let provider = which.open()?;
                provider.psp.set_tier(name, tier, provider.clock.now())?;
                let human =
                    format!("{name} is of tier {tier}; devices learn their new limits when they synchronise.\n");
                Ok(Answer::new(human, json!({ "customer": name.as_str(), "tier": tier.as_str() })))
            }
        }
    }
}

fn credit(provider: &Provider, name: &Name, amount: &str, reference: Option<&str>) -> Result<Answer, Failure> {
    let currency = provider.psp.identity().currency;
    let amount = parse_amount(amount, currency)?;
    if amount.is_zero() {
        return Err(Failure::usage("there is nothing to credit", "name an amount"));
    }
    let reference = match reference {
        Some(reference) => reference.to_owned(),
        None => hex::encode(&seed()?[..16]),
    };
    provider.psp.deposit(name, amount, &reference, provider.clock.now())?;
    let balance = provider.psp.balance(name)?;
    let human = format!(
        "Credited {} to {name}; the account holds {}.\n",
        money::show(amount, currency),
        money::show(balance, currency)
    );
    let machine = json!({
        "customer": name.as_str(),
        "amount": amount.minor(),
        "balance": balance.minor(),
        "currency": currency.as_str(),
        "reference": reference,
    });
    Ok(Answer::new(human, machine))
}

fn evidence(provider: &Provider, name: &Name, seen: &Seen) -> Result<Answer, Failure> {
    let now = provider.clock.now();
    still_valid(seen.valid_until, now)?;
    for record in seen.records(provider.psp.actor().name(), now) {
        provider.psp.record_evidence(name, &record)?;
    }
    let mut human = String::new();
    let mut listed = Vec::new();
    for record in provider.psp.evidence(name)? {
        let until = moment::until(record.valid_until);
        let (kind, reference) = (record.kind.as_str(), printable(&record.reference));
        human.push_str(&format!("{kind:<10}  {reference}, {until}, seen by {}\n", record.by));
        listed.push(json!({
            "kind": kind,
            "reference": record.reference,
            "valid_until": record.valid_until.map(Timestamp::seconds),
            "by": record.by.as_str(),
            "at": record.at.seconds(),
        }));
    }
    if human.is_empty() {
        human = format!("Nothing is recorded of {name}.\n");
    }
    Ok(Answer::new(human, json!({ "customer": name.as_str(), "evidence": listed })))
}

fn show(provider: &Provider, name: &Name) -> Result<Answer, Failure> {
    let currency = provider.psp.identity().currency;
    let balance = provider.psp.balance(name)?;
    let customers = provider.psp.customers()?;
    let customer = customers.iter().find(|customer| customer.name == *name);
    let devices = provider.psp.devices(name)?;
    let cases = provider.psp.cases().map_err(CaseFailure::from)?;
    let frozen = cases.iter().find(|case| case.customer() == name && case.frozen_by().is_some());
    let frozen = frozen.map(|case| case.number());
    let mut human = format!("{name}: {}", money::show(balance, currency));
    if let Some(customer) = customer {
        human.push_str(&format!(" in account {}, tier {}", customer.account, customer.tier));
    }
    frozen.iter().for_each(|case| human.push_str(&format!(", FROZEN by case {case}")));
    human.push('\n');
    let mut machine = customer.map_or_else(|| json!({}), describe);
    machine["frozen_by_case"] = json!(frozen);
    machine["balance"] = json!(balance.minor());
    machine["currency"] = json!(currency.as_str());
    let mut listed = Vec::new();
    for device in &devices {
        let state = match device.state {
            _ if device.lost_at.is_some() => "lost",
            DeviceState::Pending => "pending",
            DeviceState::Active => "active",
            DeviceState::Blocked => "blocked",
            DeviceState::StruckOff => "struck-off",
        };
        let (key, identity) = (device.key.to_string(), hex::encode(device.identity));
        human.push_str(&format!(
            "  {state:<10}  device {key}, U {identity}, since {}\n",
            moment::show(device.enrolled_at)
        ));
        listed.push(json!({
            "key": key,
            "identity": identity,
            "state": state,
            "enrolled_at": device.enrolled_at.seconds(),
            "lost_at": device.lost_at.map(|at| at.seconds()),
        }));
    }
    machine["devices"] = json!(listed);
    Ok(Answer::new(human, machine))
}

/// Evidence that ran out counts for nothing: it is not recorded.
pub(super) fn still_valid(until: Option<Timestamp>, now: Timestamp) -> Result<(), Failure> {
    match until {
        Some(until) if until < now => {
            let reason =
                format!("the evidence counted {} and no longer: nothing was recorded", moment::until(Some(until)));
            Err(Failure::refused("evidence-expired", reason, "check --valid-until, or ask for what is still valid"))
        }
        _ => Ok(()),
    }
}

fn describe(customer: &server::Customer) -> Value {
    json!({
        "customer": customer.name.as_str(),
        "account": customer.account.as_str(),
        "tier": customer.tier.as_str(),
        "merchant": customer.merchant.as_ref().map(|merchant| {
            json!({ "payee": merchant.payee.as_str(), "category": merchant.category })
        }),
    })
}

pub(super) fn seed() -> Result<[u8; 32], Failure> {
    random_seed().map_err(|error| Failure::refused("no-randomness", error, "repair the operating system"))
}

/// A name of 1 to 32 bytes.
pub(crate) fn parse_name(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| "a name has 1 to 32 bytes".to_owned())
}
