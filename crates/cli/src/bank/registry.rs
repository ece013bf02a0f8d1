//! `specie bank registry`: which PSP gives a person its limits.

use clap::Subcommand;
use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_server::bank::{CentralBank, PersonError, PersonRecord};

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::moment;

#[derive(Subcommand, Debug)]
pub(super) enum Registry {
    /// Keep a registry of persons from now on: a PSP gives a person limits only while the person is its own
    #[command(after_help = "\
EXAMPLES:
  specie bank registry keep bank --pepper 5f0c…

The pepper is a secret that all PSPs share and the bank never sees: one of them gives its pepper.key to the others (`specie psp init \
--pepper`), and tells the bank its name (`specie psp status`). PSPs hear of the registry when they next look, and from then on give \
nobody limits whom they could not claim; a PSP with another pepper gives none to anybody whom it knows.")]
    Keep {
        #[command(flatten)]
        which: Which,
        /// Name of the pepper, in hex
        #[arg(long, value_name = "NAME", value_parser = parse_key)]
        pepper: PublicKey,
    },
    /// Keep no registry any more; who has whom stays known
    #[command(after_help = "\
EXAMPLES:
  specie bank registry end bank

From then on a person with accounts at two PSPs has the limits of both.")]
    End {
        #[command(flatten)]
        which: Which,
    },
    /// Show whether a registry is kept and how many persons each PSP has, or who has one person
    #[command(after_help = "EXAMPLES:\n  specie bank registry show bank\n  specie bank registry show bank 77a1…")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Pseudonym of a person, in hex, as `specie psp person show` tells it
        #[arg(value_name = "PSEUDONYM", value_parser = parse_key)]
        pseudonym: Option<PublicKey>,
    },
    /// Take a person from a PSP that is gone, so that another can claim it
    #[command(after_help = "\
EXAMPLES:
  specie bank registry free bank 77a1… --until 2027-01-31 --reason 'psp-one was wound up' --by anna

Have the PSP release the person where it can: it knows what it gave, and goes on giving to whom it thinks its own. Choose a day by which \
all that it may have given has run out: its documents, and 30 days from its last withdrawals. The PSP that wants the person knows the \
pseudonym.")]
    Free {
        #[command(flatten)]
        which: Which,
        /// Pseudonym of the person, in hex
        #[arg(value_name = "PSEUDONYM", value_parser = parse_key)]
        pseudonym: PublicKey,
        /// The last day on which anything counts that the PSP gave
        #[arg(long, value_name = "DATE", value_parser = moment::parse_last_of)]
        until: Timestamp,
        /// Why; it stands in the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl Registry {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Keep { which, pepper } => {
                let bank = which.open()?;
                bank.keep_registry(Some(&pepper.0))?;
                show(&bank)
            }
            Self::End { which } => {
                let bank = which.open()?;
                bank.keep_registry(None)?;
                show(&bank)
            }
            Self::Show { which, pseudonym: None } => show(&*which.open()?),
            Self::Show { which, pseudonym: Some(pseudonym) } => Ok(person(&which.open()?.person(&pseudonym.0)?)),
            Self::Free { which, pseudonym, until, reason } => {
                Ok(person(&which.open()?.free_person(&pseudonym.0, *until, reason)?))
            }
        }
    }
}

fn show(bank: &CentralBank) -> Result<Answer, Failure> {
    let state = bank.registry().map_err(PersonError::from)?;
    let pepper = state.pepper.map(hex::encode);
    let mut human = match &pepper {
        Some(pepper) => format!("A registry of persons is kept under the pepper {pepper}.\n"),
        None => "No registry of persons is kept.\n".to_owned(),
    };
    for (psp, count) in &state.persons {
        human.push_str(&format!("  {psp:<32}  {count} pseudonyms\n"));
    }
    let count = |(psp, count): &(_, u64)| json!({ "psp": psp, "pseudonyms": count });
    let persons: Vec<Value> = state.persons.iter().map(|(psp, of)| count(&(psp.as_str(), *of))).collect();
    Ok(Answer::new(human, json!({ "pepper": pepper, "persons": persons })))
}

fn person(person: &PersonRecord) -> Answer {
    let PersonRecord { pseudonym, psp, claimed_at, until } = person;
    let human = match until {
        None => format!("{psp} has this person since {}.\n", moment::show(*claimed_at)),
        Some(until) => format!("Nobody has this person; what {psp} gave it counts until {}.\n", moment::show(*until)),
    };
    let machine = json!({
        "pseudonym": hex::encode(pseudonym),
        "psp": psp.as_str(),
        "claimed_at": claimed_at.seconds(),
        "until": until.map(Timestamp::seconds),
    });
    Answer::new(human, machine)
}

impl From<PersonError> for Failure {
    fn from(error: PersonError) -> Self {
        let (code, advice) = match &error {
            PersonError::OtherPepper => ("other-pepper", "end the registry first: specie bank registry end"),
            PersonError::Unknown => ("unknown-person", "check the pseudonym: `specie psp person show` tells it"),
            PersonError::Reason => ("reason", "say why, in few words"),
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
