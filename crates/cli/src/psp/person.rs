//! `specie psp person`: a person gets its limits from one PSP, as the bank's registry says.

use clap::Subcommand;
use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_server::psp::{BankRefusal, Provider, RegistryError};

use super::{Which, parse_name};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;

#[derive(Subcommand, Debug)]
pub(crate) enum Person {
    /// Show how it stands with the person who is a customer, in the bank's registry
    #[command(after_help = "\
EXAMPLES:
  specie psp person show psp alice

There is a pseudonym for each credential, document and number by which the person is known. They are what the bank knows it by.")]
    Show {
        #[command(flatten)]
        which: Which,
        /// One of its customers
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
    /// Claim a person at the bank, also one that was released: from then on no other PSP gives it limits
    #[command(after_help = "\
EXAMPLES:
  specie psp person claim psp alice

A person is claimed by itself when a device of it first asks for limits or notes. Claim it at the counter to know before whether another \
PSP has it.")]
    Claim {
        #[command(flatten)]
        which: Which,
        /// One of its customers
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
    /// Release a person, so that another PSP can give it limits
    #[command(after_help = "\
EXAMPLES:
  specie psp person release psp alice

Its devices get no limits and notes here any more, and redeem what they hold. Another PSP can claim the person when all that it was given \
here has run out: documents of limits, and 30 days from its last withdrawal. What is printed is when that is. Account and customer stay.")]
    Release {
        #[command(flatten)]
        which: Which,
        /// One of its customers
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
}

impl Person {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Show { which, name } => show(&*which.open()?, name),
            Self::Claim { which, name } => {
                let provider = which.open()?;
                provider.psp.claim_person(name, provider.clock.now())?;
                show(&provider, name)
            }
            Self::Release { which, name } => {
                let provider = which.open()?;
                let until = provider.psp.release_person(name, provider.clock.now())?;
                let human = format!(
                    "Released: another PSP can claim the person after {}. Nothing is given to it here any more.\n",
                    moment::show(until)
                );
                Ok(Answer::new(human, json!({ "customer": name.as_str(), "until": until.seconds() })))
            }
        }
    }
}

fn show(provider: &Provider, name: &Name) -> Result<Answer, Failure> {
    let mut human = String::new();
    let mut listed: Vec<Value> = Vec::new();
    for (pseudonym, registration) in provider.psp.registrations(name, provider.clock.now())? {
        let pseudonym = hex::encode(pseudonym);
        let state = registration.as_ref().map_or("unclaimed", |registration| registration.state.as_str());
        let until = registration.and_then(|registration| registration.until);
        let counts =
            until.map_or_else(String::new, |until| format!(", what it was given counts until {}", moment::show(until)));
        human.push_str(&format!("{state:<10}  {pseudonym}{counts}\n"));
        listed.push(json!({ "pseudonym": pseudonym, "state": state, "until": until.map(Timestamp::seconds) }));
    }
    if human.is_empty() {
        human = format!("Nothing is known of {name} by which another PSP would know it again.\n");
    }
    Ok(Answer::new(human, json!({ "customer": name.as_str(), "persons": listed })))
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        if let RegistryError::Customer(error) = error {
            return error.into();
        }
        let (code, advice) = match &error {
            RegistryError::Elsewhere(_) => (
                "person-elsewhere",
                "have the other PSP release the person (`specie psp person release`), and claim it when what that gave has run out; \
                 what its devices hold can be redeemed at any time",
            ),
            RegistryError::Released(_) => ("person-released", "claim it again: specie psp person claim"),
            RegistryError::Unrecognisable => {
                ("person-unknown", "identify the customer: `specie psp identity`, or `specie psp customer person`")
            }
            RegistryError::Pepper => {
                ("pepper-differs", "see `specie psp status`; take over the pepper of the other PSPs")
            }
            RegistryError::NotKept => ("registry-not-kept", "nothing has to be claimed"),
            RegistryError::NotClaimed(_) => ("person-not-claimed", "see `specie psp person show`"),
            RegistryError::Bank(error) if error.refusal() == Some(BankRefusal::PepperDiffers) => {
                ("pepper-differs", "see `specie psp status`; take over the pepper of the other PSPs")
            }
            RegistryError::Bank(_) => {
                ("bank-unavailable", "do the same again later; a person released gets nothing meanwhile")
            }
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
