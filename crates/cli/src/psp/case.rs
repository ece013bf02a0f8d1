//! `specie psp alerts`, `case`, `freeze`, `release`, `statement`: what people do against money laundering.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use specie_aml::case::{self, Step};
use specie_core::Timestamp;
use specie_core::text::Name;
use specie_device::durable::{self, Access};
use specie_server::psp::{AccountStatementError, CaseFailure, Provider, Raised};

use super::{Which, parse_name};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::{moment, money};

/// Look at what is new in the books, and list the alerts of the rules against money laundering
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp alerts psp
  specie psp alerts psp --open

The rules and their thresholds are the file that psp.toml names as `aml`. Amounts in reasons are minor units.")]
pub(super) struct Alerts {
    #[command(flatten)]
    which: Which,
    /// Only alerts that are in no case
    #[arg(long)]
    open: bool,
}

/// Cases: what people make of alerts.
#[derive(Subcommand, Debug)]
pub(super) enum Case {
    /// Open a case about a customer, with its alerts that are in no case
    #[command(after_help = "\
EXAMPLES:
  specie psp case open psp mallory --by anna --reason 'three deposits just below the threshold'
  specie psp case open psp mallory --alert 5f0c… --by anna --reason 'see the alert'")]
    Open {
        #[command(flatten)]
        which: Which,
        /// The customer's name
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        customer: Name,
        /// An alert that it is about, in hex; more than one by naming each
        #[arg(long, value_name = "ALERT", value_parser = parse_alert)]
        alert: Vec<[u8; 16]>,
        #[command(flatten)]
        act: Act,
    },
    /// Make somebody responsible for a case
    #[command(after_help = "EXAMPLES:\n  specie psp case assign psp 7 --to ben --by anna")]
    Assign {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
        /// Who is responsible from now on
        #[arg(long, value_name = "NAME", value_parser = parse_name)]
        to: Name,
    },
    /// Write something down in a case
    #[command(after_help = "EXAMPLES:\n  specie psp case note psp 7 --by ben --text 'called the customer'")]
    Note {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
        /// What is to be written down
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Propose a decision: only who is responsible does
    #[command(after_help = "\
EXAMPLES:
  specie psp case propose psp 7 report --by ben --reason 'no business explains the deposits'
  specie psp case propose psp 7 close --by ben --reason 'sold a car, contract in file 17'")]
    Propose {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
        /// What is to be decided
        #[arg(value_name = "DECISION")]
        decision: Decision,
        #[command(flatten)]
        act: Act,
    },
    /// Agree or disagree with a proposal: another person than proposed does
    #[command(after_help = "\
EXAMPLES:
  specie psp case decide psp 7 agree --by anna --reason 'the same view'
  specie psp case decide psp 7 disagree --by anna --reason 'ask for the contract first'")]
    Decide {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
        /// Whether it is decided so
        #[arg(value_name = "VERDICT")]
        verdict: Verdict,
        #[command(flatten)]
        act: Act,
    },
    /// Show a case, its alerts, and what was done in it
    #[command(after_help = "EXAMPLES:\n  specie psp case show psp 7")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
    },
    /// List all cases
    #[command(after_help = "EXAMPLES:\n  specie psp case list psp")]
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Write the report of a case that was decided to be reported, in the shape of goAML
    #[command(after_help = "\
EXAMPLES:
  specie psp case report psp 7 --out report.xml

Who reports is the table [report] of the file that psp.toml names as `aml`. The shape is that of the schema \
crates/aml/schemas/goaml-report.xsd; a financial intelligence unit may want more.")]
    Report {
        #[command(flatten)]
        which: Which,
        /// Number of the case
        #[arg(value_name = "CASE")]
        case: u64,
        /// File to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Freeze a customer: its devices can only redeem to its account, and nothing leaves that
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp freeze psp mallory --case 7 --by anna --reason 'order 17 of the unit'

Money that its devices hold can be paid offline until their limits run out, and redeemed elsewhere through devices of other people.")]
pub(super) struct Freeze {
    #[command(flatten)]
    hold: Hold,
}

/// Release a frozen customer: another person than froze it does
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp release psp mallory --case 7 --by ben --reason 'order 17 was lifted'")]
pub(super) struct Release {
    #[command(flatten)]
    hold: Hold,
}

/// Whom, by which case, why.
#[derive(Args, Debug)]
struct Hold {
    #[command(flatten)]
    which: Which,
    /// The customer's name
    #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
    customer: Name,
    /// Number of the case about the customer
    #[arg(long, value_name = "CASE")]
    case: u64,
    #[command(flatten)]
    act: Act,
}

/// Write the statement of an account in ISO 20022 camt.053
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp statement psp alice --from 2026-01-01 --to 2026-01-31 --out alice.xml")]
pub(super) struct Statement {
    #[command(flatten)]
    which: Which,
    /// The account's name
    #[arg(value_name = "ACCOUNT", value_parser = parse_name)]
    account: Name,
    /// First day, in UTC
    #[arg(long, value_name = "DATE", value_parser = moment::parse_first_of)]
    from: Timestamp,
    /// Last day, in UTC
    #[arg(long, value_name = "DATE", value_parser = moment::parse_last_of)]
    to: Timestamp,
    /// File to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Why it is done.
#[derive(Args, Debug)]
pub(super) struct Act {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What can be decided of a case.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub(super) enum Decision {
    /// There is no suspicion.
    Close,
    /// There is: report it.
    Report,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(super) enum Verdict {
    Agree,
    Disagree,
}

impl Alerts {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let provider = self.which.open()?;
        if provider.aml.is_none() {
            let advice = "name a file with thresholds as `aml` in psp.toml";
            return Err(Failure::refused("no-rules", "this PSP has no rules against money laundering", advice));
        }
        provider.monitor().map_err(CaseFailure::from)?;
        let mut alerts = provider.psp.alerts().map_err(CaseFailure::from)?;
        alerts.retain(|raised| !self.open || raised.case.is_none());
        let human: String = alerts.iter().map(line).collect();
        let human = if human.is_empty() { "No alerts.\n".to_owned() } else { human };
        let alerts: Vec<Value> = alerts.iter().map(describe_alert).collect();
        Ok(Answer::new(human, json!({ "alerts": alerts })))
    }
}

impl Case {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Open { which, customer, alert, act } => {
                let provider = which.open()?;
                // Alerts that nobody has looked for yet belong in it too.
                provider.monitor().map_err(CaseFailure::from)?;
                let now = provider.clock.now();
                let case = provider.psp.open_case(customer, alert, &act.reason, now)?;
                let human = format!(
                    "Case {} about {customer} is open. Alerts in it: {}.\n",
                    case.number(),
                    case.alerts().len()
                );
                Ok(Answer::new(human, describe(&case)))
            }
            Self::Assign { which, case, to } => {
                step(which, *case, &Step::Assign(*to), &format!("{to} is responsible for case {case}."))
            }
            Self::Note { which, case, text } => {
                step(which, *case, &Step::Note(text.clone()), &format!("Noted in case {case}."))
            }
            Self::Propose { which, case, decision, act } => {
                let (decision, word) = match decision {
                    Decision::Close => (case::Decision::Close, "close"),
                    Decision::Report => (case::Decision::Report, "report"),
                };
                let said = format!("Proposed to {word} case {case}. Another person decides.");
                step(which, *case, &Step::Propose(decision, act.reason.clone()), &said)
            }
            Self::Decide { which, case, verdict, act } => {
                let (step_of, said): (fn(String) -> Step, _) = match verdict {
                    Verdict::Agree => (Step::Agree, "Decided as proposed"),
                    Verdict::Disagree => (Step::Disagree, "Not decided so: it goes back to who is responsible"),
                };
                step(which, *case, &step_of(act.reason.clone()), &format!("{said}: case {case}."))
            }
            Self::Show { which, case } => show(&*which.open()?, *case),
            Self::List { which } => {
                let cases = which.open()?.psp.cases().map_err(CaseFailure::from)?;
                let human: String = cases.iter().map(headline).collect();
                let human = if human.is_empty() { "No cases yet.\n".to_owned() } else { human };
                let cases: Vec<Value> = cases.iter().map(describe).collect();
                Ok(Answer::new(human, json!({ "cases": cases })))
            }
            Self::Report { which, case, out } => {
                let provider = which.open()?;
                let reporter = provider.aml.as_ref().and_then(|settings| settings.report.as_ref());
                let reporter = reporter.ok_or_else(|| {
                    let advice = "add the table [report] to the file that psp.toml names as `aml`, as docs/compliance.md has it, and raise its `version`";
                    Failure::refused("no-reporter", "this PSP has not said who reports", advice)
                })?;
                let exponent = money::exponent(provider.psp.identity().currency);
                let xml = provider.psp.report(*case, reporter, exponent, provider.clock.now())?;
                let file = write(out, &xml)?;
                Ok(Answer::new(format!("Wrote {file}.\n"), json!({ "case": case, "file": file })))
            }
        }
    }
}

impl Freeze {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let said = format!("{} is frozen.", self.hold.customer);
        self.hold.take(&Step::Freeze(self.hold.act.reason.clone()), &said)
    }
}

impl Release {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let said = format!("{} is released.", self.hold.customer);
        self.hold.take(&Step::Release(self.hold.act.reason.clone()), &said)
    }
}

impl Hold {
    fn take(&self, step: &Step, said: &str) -> Result<Answer, Failure> {
        let provider = self.which.open()?;
        let now = provider.clock.now();
        let case = provider.psp.freeze_or_release(&self.customer, self.case, step, now)?;
        Ok(Answer::new(format!("{said}\n"), describe(&case)))
    }
}

impl Statement {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let provider = self.which.open()?;
        let exponent = money::exponent(provider.psp.identity().currency);
        let now = provider.clock.now();
        let xml = provider.psp.account_statement(&self.account, (self.from, self.to), exponent, now)?;
        let file = write(&self.out, &xml)?;
        let over = self.to < now;
        let open = if over { "" } else { "The last day is not over: movements can follow that are not in it.\n" };
        let machine = json!({ "account": self.account.as_str(), "file": file, "over": over });
        Ok(Answer::new(format!("Wrote {file}.\n{open}"), machine))
    }
}

fn step(which: &Which, number: u64, step: &Step, said: &str) -> Result<Answer, Failure> {
    let provider = which.open()?;
    let case = provider.psp.take_step(number, step, provider.clock.now())?;
    Ok(Answer::new(format!("{said}\n"), describe(&case)))
}

fn show(provider: &Provider, number: u64) -> Result<Answer, Failure> {
    let (case, alerts) = provider.psp.case(number)?;
    let mut human = headline(&case);
    alerts.iter().for_each(|raised| human.push_str(&format!("  {}", line(raised))));
    for entry in case.entries() {
        let (at, by, step) = (moment::show(entry.at), entry.by, entry.step.as_str());
        human.push_str(&format!("  {at}  {by}  {step}: {}\n", entry.step.detail()));
    }
    let mut machine = describe(&case);
    machine["alerts"] = alerts.iter().map(describe_alert).collect();
    Ok(Answer::new(human, machine))
}

fn headline(case: &case::Case) -> String {
    let assignee = case.assignee().map_or_else(String::new, |name| format!(", {name} is responsible"));
    let frozen = if case.frozen_by().is_some() { ", frozen" } else { "" };
    format!("{:>5}  {:<8}  {}{frozen}{assignee}\n", case.number(), case.state().as_str(), case.customer())
}

fn line(raised: &Raised) -> String {
    let alert = &raised.alert;
    let case = raised.case.map_or_else(|| "no case".to_owned(), |case| format!("case {case}"));
    let (id, at, rule) = (hex::encode(alert.id), moment::show(alert.at), alert.rule.as_str());
    format!("{id}  {at}  {}  {rule}  {case}: {}\n", alert.customer, alert.reason)
}

fn describe_alert(raised: &Raised) -> Value {
    let alert = &raised.alert;
    json!({
        "id": hex::encode(alert.id),
        "rule": alert.rule.as_str(),
        "version": alert.version,
        "customer": alert.customer.as_str(),
        "events": alert.events.iter().map(hex::encode).collect::<Vec<_>>(),
        "reason": alert.reason,
        "at": alert.at.seconds(),
        "case": raised.case,
    })
}

fn describe(case: &case::Case) -> Value {
    let entries = case.entries().iter().map(|entry| {
        json!({
            "at": entry.at.seconds(),
            "by": entry.by.as_str(),
            "step": entry.step.as_str(),
            "detail": entry.step.detail(),
        })
    });
    json!({
        "case": case.number(),
        "customer": case.customer().as_str(),
        "state": case.state().as_str(),
        "assignee": case.assignee().map(|name| name.to_string()),
        "frozen": case.frozen_by().is_some(),
        "entries": entries.collect::<Vec<_>>(),
    })
}

/// Writes a document about a customer to a file that does not exist yet; gives its name.
fn write(path: &std::path::Path, document: &str) -> Result<String, Failure> {
    let name = path.display().to_string();
    durable::create(path, document.as_bytes(), Access::Owner)
        .map_err(|error| Failure::refused("file", format!("{name}: {error}"), "name a file that does not exist yet"))?;
    Ok(name)
}

fn parse_alert(text: &str) -> Result<[u8; 16], String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "an alert is named by 32 hexadecimal digits".to_owned())
}

impl From<CaseFailure> for Failure {
    fn from(error: CaseFailure) -> Self {
        let (code, advice) = match &error {
            CaseFailure::UnknownCustomer(_) => ("unknown-customer", "see `specie psp customer list`"),
            CaseFailure::UnknownCase(_) => ("unknown-case", "see `specie psp case list`"),
            CaseFailure::UnknownAlert(_) => ("unknown-alert", "see `specie psp alerts`"),
            CaseFailure::OtherCustomer { .. } | CaseFailure::CaseOfOther { .. } => {
                ("other-customer", "name the customer that it is about, or open a case about this one")
            }
            CaseFailure::InCase { .. } => ("alert-in-case", "go on in that case"),
            CaseFailure::FrozenElsewhere { .. } => ("frozen", "go on in that case"),
            CaseFailure::OnTheList(_) => {
                ("on-the-list", "if it is somebody else, decide so first: specie psp identity decide --another-person")
            }
            CaseFailure::NotReported(_) => ("not-reported", "propose and decide to report it first"),
            CaseFailure::Case(case::CaseError::SamePerson { .. } | case::CaseError::SameReleaser { .. }) => {
                ("same-person", "have another person do it")
            }
            CaseFailure::Case(case::CaseError::NotAssignee { .. }) => {
                ("not-assignee", "assign the case to yourself first")
            }
            CaseFailure::Case(case::CaseError::Text) => ("bad-text", "write less, in one or more plain lines"),
            CaseFailure::Case(_) => {
                ("case-state", "see `specie psp case show`: a case is assigned, then proposed, then decided")
            }
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}

impl From<AccountStatementError> for Failure {
    fn from(error: AccountStatementError) -> Self {
        let (code, advice) = match &error {
            AccountStatementError::UnknownAccount(_) => ("unknown-account", "see `specie psp customer list`"),
            AccountStatementError::Statement(_) => {
                ("statement", "choose other days; if it is the books, see `specie psp status`")
            }
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
