//! `specie psp identity`: who customers are, and whether a sanctions list knows them.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_server::psp::{
    Birth, CredentialRecord, DocumentKind, HitRecord, IdentificationError, IdentityDocument, Provider, Subject,
};

use super::{Which, customer::seed, parse_name};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;
use crate::printable::printable;

/// Bytes of a presentation that are read at most.
const PRESENTATION_MAX: u64 = 1 << 20;

#[derive(Subcommand, Debug)]
#[command(
    after_help = "What is recorded under a name counts for the customer of that name, also when it becomes one only later. The issuers, \
the sanctions list and the pepper are named in psp.toml under [identification]."
)]
pub(crate) enum Identity {
    /// Ask for a credential: gives the nonce and the claims for the customer's wallet
    #[command(after_help = "\
EXAMPLES:
  specie psp identity ask psp alice --tier standard
  specie --json psp identity ask psp alice --tier standard > demand.json

Asking again replaces the demand before.")]
    Ask {
        #[command(flatten)]
        who: Who,
        /// The tier for which the credential shall be enough
        #[arg(long, value_name = "TIER", value_parser = parse_name)]
        tier: Name,
    },
    /// Take the answer of the customer's wallet: an SD-JWT with key binding
    #[command(after_help = "\
EXAMPLES:
  specie psp identity present psp alice presentation.txt

It is checked against the list of issuers and the demand, recorded as evidence, and its name is compared with the sanctions list. \
A presentation that is refused changes nothing; one that was accepted before changes nothing again.")]
    Present {
        #[command(flatten)]
        who: Who,
        /// The file with the presentation
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Record a document that you looked at
    #[command(after_help = "\
EXAMPLES:
  specie psp identity document psp alice --kind passport --country SE \\
      --number 12345678 --holder 'Iris Exempel' --born 1984-05-06 \\
      --valid-until 2031-04-30

Number, holder and date of birth are not kept: a keyed hash of the number is, and what of the sanctions list the name resembles.")]
    Document {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        document: DocumentArguments,
    },
    /// Compare a name with the sanctions list
    #[command(after_help = "\
EXAMPLES:
  specie psp identity screen psp alice --holder 'Iris Exempel' --born 1984-05-06")]
    Screen {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        subject: SubjectArguments,
    },
    /// Compare the names of all customers that are kept with the sanctions list
    #[command(after_help = "\
EXAMPLES:
  specie psp identity screen-all psp

For when the list in psp.toml is a new one. Customers whose document was looked at are named: their names are not kept.")]
    ScreenAll {
        #[command(flatten)]
        which: Which,
    },
    /// List what names resemble on the sanctions list, and what was decided
    #[command(
        after_help = "EXAMPLES:\n  specie psp identity hits psp\n  specie psp identity hits psp --customer alice"
    )]
    Hits {
        #[command(flatten)]
        which: Which,
        /// Only of this customer
        #[arg(long, value_name = "CUSTOMER", value_parser = parse_name)]
        customer: Option<Name>,
    },
    /// Decide whether a customer is who is on the list
    #[command(group(ArgGroup::new("verdict").required(true)), after_help = "\
EXAMPLES:
  specie psp identity decide psp alice --entry QDi.001 --another-person \\
      --reason 'born in another century'
  specie psp identity decide psp alice --entry QDi.001 --same-person \\
      --reason 'same passport number'

Until it is decided, and when it is the same person, the customer's devices get no limits, notes or blanks; they may redeem. The same \
person is frozen too, by a case that is opened for it; who decides otherwise later releases nobody: somebody else than who froze does, \
with `specie psp release`.")]
    Decide {
        #[command(flatten)]
        who: Who,
        /// Reference of the entry, as `specie psp identity hits` shows it
        #[arg(long, value_name = "REFERENCE")]
        entry: String,
        /// The customer is who is on the list
        #[arg(long, group = "verdict")]
        same_person: bool,
        /// The customer is somebody else
        #[arg(long, group = "verdict")]
        another_person: bool,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show what is kept of who a customer is
    #[command(after_help = "EXAMPLES:\n  specie psp identity show psp alice")]
    Show {
        #[command(flatten)]
        who: Who,
    },
    /// Delete what is kept of who a customer is
    #[command(after_help = "\
EXAMPLES:
  specie psp identity erase psp alice

Credentials with their claims, evidence and screening are deleted; the audit log keeps that they were there, and the tag of the \
person stays for its limits. Devices of a tier \
that asks for evidence get nothing more. Refused while a likeness to the sanctions list is undecided, or was decided to be the \
same person.")]
    Erase {
        #[command(flatten)]
        who: Who,
    },
}

/// Whose identity, at which PSP.
#[derive(Args, Debug)]
pub(crate) struct Who {
    #[command(flatten)]
    which: Which,
    /// The customer's name, or that of one to be
    #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
    name: Name,
}

/// A name and a date of birth.
#[derive(Args, Debug)]
pub(crate) struct SubjectArguments {
    /// The name as it stands in the document
    #[arg(long, value_name = "NAME")]
    holder: String,
    /// Date of birth, such as 1984-05-06, or the year
    #[arg(long, value_name = "DATE", value_parser = parse_birth)]
    born: Option<Birth>,
}

/// A document that somebody looked at.
#[derive(Args, Debug)]
pub(crate) struct DocumentArguments {
    /// passport, identity-card, driving-licence, residence-permit or register-extract
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: DocumentKind,
    /// Who issued it: two letters of ISO 3166-1
    #[arg(long, value_name = "CODE", value_parser = parse_country)]
    country: [u8; 2],
    /// Its number
    #[arg(long, value_name = "TEXT")]
    number: String,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Its last day, such as 2031-04-30; without it, it does not run out
    #[arg(long, value_name = "DATE", value_parser = moment::parse_last_of)]
    valid_until: Option<Timestamp>,
}

impl Identity {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Ask { who, tier } => ask(&*who.which.open()?, &who.name, tier),
            Self::Present { who, file } => {
                let presentation = read(file)?;
                let provider = who.which.open()?;
                let accepted = provider.psp.present(&who.name, &presentation, provider.clock.now())?;
                let compared = compared(&provider, &who.name, &accepted.hits)?;
                let human = format!("Accepted: {}{compared}", told(&accepted.credential));
                let machine = json!({ "customer": who.name.as_str(), "credential": described(&accepted.credential) });
                Ok(with_hits(human, machine, &accepted.hits))
            }
            Self::Document { who, document } => {
                let provider = who.which.open()?;
                let now = provider.clock.now();
                super::customer::still_valid(document.valid_until, now)?;
                let hits = provider.psp.check_document(&who.name, &document.record(), now)?;
                let compared = compared(&provider, &who.name, &hits)?;
                let human = format!("Recorded that a document of {} was looked at.\n{compared}", who.name);
                Ok(with_hits(human, json!({ "customer": who.name.as_str() }), &hits))
            }
            Self::Screen { who, subject } => {
                let provider = who.which.open()?;
                let hits = provider.psp.screen(&who.name, &subject.subject(), provider.clock.now())?;
                let human = compared(&provider, &who.name, &hits)?;
                Ok(with_hits(human, json!({ "customer": who.name.as_str() }), &hits))
            }
            Self::ScreenAll { which } => screen_all(&*which.open()?),
            Self::Hits { which, customer } => {
                let hits = which.open()?.psp.hits(customer.as_ref())?;
                let human = if hits.is_empty() { "No name resembles one on the list.\n" } else { "" };
                Ok(with_hits(human.into(), json!({}), &hits))
            }
            Self::Decide { who, entry, same_person, reason, .. } => {
                let provider = who.which.open()?;
                let hit = provider.psp.decide_hit(&who.name, entry, *same_person, reason, provider.clock.now())?;
                let mut human = format!("Decided.\n{}", line(&hit));
                let frozen_by = provider.psp.frozen_by(&who.name).map_err(IdentificationError::from)?;
                if let Some(case) = frozen_by {
                    human.push_str(&format!("{} is frozen by case {case}: specie psp case show\n", who.name));
                }
                Ok(Answer::new(human, hit_json(&hit)).with("frozen_by_case", json!(frozen_by)))
            }
            Self::Show { who } => show(&*who.which.open()?, &who.name),
            Self::Erase { who } => {
                let provider = who.which.open()?;
                provider.psp.erase_identity(&who.name, provider.clock.now())?;
                let human = format!("Nothing is kept of who {} is.\n", who.name);
                Ok(Answer::new(human, json!({ "customer": who.name.as_str() })))
            }
        }
    }
}

impl SubjectArguments {
    fn subject(&self) -> Subject {
        Subject { name: self.holder.clone(), birth: self.born }
    }
}

impl DocumentArguments {
    fn record(&self) -> IdentityDocument {
        IdentityDocument {
            kind: self.kind,
            country: self.country,
            number: self.number.clone(),
            holder: self.subject.subject(),
            valid_until: self.valid_until,
        }
    }
}

fn ask(provider: &Provider, name: &Name, tier: &Name) -> Result<Answer, Failure> {
    let asked = provider.psp.ask(name, tier, &seed()?, provider.clock.now())?;
    let mut human = format!(
        "Ask the wallet of {name} for one of these, with key binding, until {}:\n  nonce  {}\n  aud    {}\n",
        moment::show(asked.valid_until),
        asked.demand.nonce,
        asked.demand.audience
    );
    for acceptable in &asked.acceptable {
        let claims: Vec<_> = acceptable.claims.iter().map(ToString::to_string).collect();
        human.push_str(&format!(
            "  {} of {}: {}\n",
            printable(&acceptable.types.join(" or ")),
            printable(&acceptable.issuer),
            printable(&claims.join(", "))
        ));
    }
    let machine = json!({
        "customer": name.as_str(),
        "nonce": asked.demand.nonce,
        "aud": asked.demand.audience,
        "asked_at": asked.demand.asked_at.seconds(),
        "valid_until": asked.valid_until.seconds(),
        "credentials": asked.acceptable,
    });
    Ok(Answer::new(human, machine))
}

fn screen_all(provider: &Provider) -> Result<Answer, Failure> {
    let result = provider.psp.screen_all(provider.clock.now())?;
    let names = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut human = format!("Compared {} names with the list.\n", result.compared);
    for name in &result.undecided {
        human.push_str(&format!("  {name}: see `specie psp identity hits`, and decide\n"));
    }
    for name in &result.unnamed {
        human.push_str(&format!("  {name}: no name is kept; ask, and use `specie psp identity screen`\n"));
    }
    let machine = json!({
        "compared": result.compared,
        "undecided": names(&result.undecided),
        "unnamed": names(&result.unnamed),
    });
    Ok(Answer::new(human, machine))
}

fn show(provider: &Provider, name: &Name) -> Result<Answer, Failure> {
    let (credentials, screening) = (provider.psp.credentials(name)?, provider.psp.screening(name)?);
    let hits = provider.psp.hits(Some(name))?;
    let mut human: String = credentials.iter().map(told).collect();
    if let Some(screening) = &screening {
        human.push_str(&format!(
            "Name compared at {} by {} with the list of {}.\n",
            moment::show(screening.at),
            screening.by,
            printable(&screening.published)
        ));
    }
    if human.is_empty() && hits.is_empty() {
        human = format!("No credential of {name} is kept, and its name was not compared with a list.\n");
    }
    let machine = json!({
        "customer": name.as_str(),
        "credentials": credentials.iter().map(described).collect::<Vec<_>>(),
        "screening": screening.map(|screening| json!({
            "list": hex::encode(screening.list),
            "published": screening.published,
            "by": screening.by.as_str(),
            "at": screening.at.seconds(),
        })),
    });
    Ok(with_hits(human, machine, &hits))
}

fn told(credential: &CredentialRecord) -> String {
    let until = moment::until(credential.expires);
    format!(
        "{} of {}, {until}; kept of it: {}\n",
        printable(&credential.vct),
        printable(&credential.issuer),
        printable(&credential.claims)
    )
}

fn described(credential: &CredentialRecord) -> Value {
    json!({
        "hash": hex::encode(credential.hash),
        "issuer": credential.issuer,
        "type": credential.vct,
        "person": hex::encode(credential.person),
        "claims": serde_json::from_str::<Value>(&credential.claims).unwrap_or_default(),
        "expires": credential.expires.map(Timestamp::seconds),
        "at": credential.at.seconds(),
    })
}

fn with_hits(mut human: String, mut machine: Value, hits: &[HitRecord]) -> Answer {
    hits.iter().for_each(|hit| human.push_str(&line(hit)));
    if hits.iter().any(|hit| hit.ruling.is_none()) {
        human.push_str("Compare, and decide: specie psp identity decide\n");
    }
    machine["hits"] = hits.iter().map(hit_json).collect();
    Answer::new(human, machine)
}

/// What came of comparing a name; nothing where there is no list to compare with.
fn compared(provider: &Provider, name: &Name, hits: &[HitRecord]) -> Result<String, Failure> {
    let Some(screening) = provider.psp.screening(name)? else { return Ok(String::new()) };
    let found = if hits.is_empty() { "it is like none there" } else { "it is like" };
    let end = if hits.is_empty() { "." } else { ":" };
    Ok(format!("The name was compared with the list of {}; {found}{end}\n", printable(&screening.published)))
}

fn line(hit: &HitRecord) -> String {
    let birth = match hit.birth {
        Some(true) => ", same date of birth",
        Some(false) => ", another date of birth",
        None => "",
    };
    let decided = match &hit.ruling {
        None => "not decided".to_owned(),
        Some(ruling) => {
            let what = if ruling.same { "the same person" } else { "another person" };
            format!("{what}, decided by {}: {}", ruling.by, printable(&ruling.reason))
        }
    };
    let (entry, listed) = (printable(&hit.reference), printable(&hit.listed));
    format!("  {}: like entry {entry}, {listed}, by {} of 1000{birth}; {decided}\n", hit.customer, hit.score)
}

fn hit_json(hit: &HitRecord) -> Value {
    json!({
        "customer": hit.customer.as_str(),
        "entry": hit.reference,
        "listed": hit.listed,
        "score": hit.score,
        "birth_agrees": hit.birth,
        "list": hex::encode(hit.list),
        "at": hit.at.seconds(),
        "decision": hit.ruling.as_ref().map(|ruling| json!({
            "same_person": ruling.same,
            "reason": ruling.reason,
            "by": ruling.by.as_str(),
            "at": ruling.at.seconds(),
        })),
    })
}

fn read(path: &std::path::Path) -> Result<String, Failure> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(PRESENTATION_MAX).read_to_string(&mut text));
    read.map_err(|error| Failure::file(&path.display().to_string(), &error))?;
    Ok(text)
}

fn parse_birth(text: &str) -> Result<Birth, String> {
    Birth::parse(text).ok_or_else(|| "a date of birth is 1984-05-06, or 1984".to_owned())
}

fn parse_kind(text: &str) -> Result<DocumentKind, String> {
    let kinds = "passport, identity-card, driving-licence, residence-permit or register-extract";
    DocumentKind::parse(text).ok_or_else(|| format!("a kind is {kinds}"))
}

fn parse_country(text: &str) -> Result<[u8; 2], String> {
    let letters = text.to_ascii_uppercase().into_bytes();
    let country = <[u8; 2]>::try_from(letters).ok().filter(|letters| letters.iter().all(u8::is_ascii_uppercase));
    country.ok_or_else(|| "a country is two letters, such as SE".to_owned())
}

impl From<IdentificationError> for Failure {
    fn from(error: IdentificationError) -> Self {
        use IdentificationError as Error;
        if let Error::Customer(error) = error {
            return error.into();
        }
        if let Error::Case(error) = error {
            return error.into();
        }
        let (code, advice) = match &error {
            Error::NotConfigured => ("identification", "write [identification] with a pepper_file into psp.toml"),
            Error::NoIssuers => ("identification", "name a list of issuers in psp.toml: identification.issuers"),
            Error::NoList => ("identification", "name a sanctions list in psp.toml: identification.sanctions"),
            Error::UnknownTier(_) => ("unknown-tier", "name a tier that is in force: see the files in `tiers`"),
            Error::NoCredentialAsked(_) => ("credential-not-asked", "look at a document instead, or name another tier"),
            Error::NoNameAsked(_) => {
                ("credential-not-asked", "add the claims of the name in a new version of the tiers")
            }
            Error::NobodyAble(_) => ("issuers", "add an issuer who can say all of it, or ask for less"),
            Error::NoDemand(_) => ("no-demand", "ask first: specie psp identity ask"),
            Error::Answered(_) => ("demand-answered", "ask again for another credential: specie psp identity ask"),
            Error::Refused(_) => ("credential-refused", "ask again, and have it presented again"),
            Error::SamePerson(_) | Error::SameDocument(_) => {
                ("same-person", "use the customer that the person is already")
            }
            Error::OtherPerson(_) => ("other-person", "take the other person on as a customer of its own"),
            Error::DocumentNumber => ("document-number", "type the number as it stands in the document"),
            Error::NoName(_) => ("no-name", "type the name as it stands in the document"),
            Error::UnknownHit { .. } => ("unknown-hit", "see `specie psp identity hits`"),
            Error::Reason => ("reason", "say why, in few words"),
            Error::UnderSuspicion(_) => {
                ("under-suspicion", "decide the hits first; what is the same person's must be kept")
            }
            Error::InCase { .. } => ("in-case", "have the case decided first: see `specie psp case show`"),
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
