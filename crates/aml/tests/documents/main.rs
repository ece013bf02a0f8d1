//! Reports and statements: valid by their schemas whatever the names in them are, and refused when they do not add up.
#![allow(clippy::unwrap_used)]

use specie_aml::Settings;
use specie_aml::alert::Alert;
use specie_aml::case::{Case, Decision, Entry, Step};
use specie_aml::flow::{Counterparty, Event, Flow, FlowKind, History};
use specie_aml::report::{Money, Report, Reporter};
use specie_aml::rules::Counted;
use specie_aml::statement::{Booking, Period, Statement, StatementError};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use uppsala::XsdValidator;

const REPORT: &str = include_str!("../../schemas/goaml-report.xsd");
const STATEMENT: &str = include_str!("../../schemas/camt.053.xsd");

/// Names that try to be markup, or are what XML does not have.
const HOSTILE: &[&str] = &[
    "</account><x>",
    "]]><!--",
    "&amp;&#0;&x;",
    "a\u{0}b\u{1b}c\u{fffe}",
    "\"' onload=\"x",
    "<!ENTITY e \"x\">",
    "名前 ✓ \u{202e}x",
];

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(1_767_225_600 + seconds).unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

/// What the schema has against a document.
fn errors(schema: &str, document: &str) -> Vec<String> {
    let schema = uppsala::parse(schema).unwrap();
    let document = match uppsala::parse(document) {
        Ok(document) => document,
        Err(error) => return vec![format!("not well-formed: {error:?}")],
    };
    let errors = XsdValidator::from_schema(&schema).unwrap().validate(&document);
    errors.iter().map(|error| format!("{error:?}")).collect()
}

/// Every text of the document in elements of this name.
fn texts(document: &str, element: &str) -> Vec<String> {
    let document = uppsala::parse(document).unwrap();
    document.get_elements_by_tag_name(element).iter().map(|id| document.text_content_deep(*id)).collect()
}

const EURO: Money<'static> = Money { currency: "EUR", exponent: 2 };

struct Reported {
    case: Case,
    alerts: Vec<Alert>,
    flows: Vec<Flow>,
    psp: Name,
    reporter: Reporter,
}

impl Reported {
    /// A case of every kind of flow, with this text for every name in it.
    fn new(text: &str) -> Self {
        let kinds = [
            FlowKind::Deposit,
            FlowKind::Withdrawal,
            FlowKind::Redemption,
            FlowKind::TransferIn,
            FlowKind::TransferOut,
            FlowKind::Deposit,
            FlowKind::Deposit,
        ];
        let flow = |(number, kind): (u8, FlowKind)| {
            let transfer = matches!(kind, FlowKind::TransferIn | FlowKind::TransferOut);
            Flow {
                id: [number; 16],
                customer: name(text),
                account: name(text),
                kind,
                amount: amount(90_000 + u64::from(number)),
                counterparty: transfer.then(|| Counterparty { psp: name(text), account: name(text) }),
                device: (!transfer && kind != FlowKind::Deposit).then_some(PublicKey([9; 32])),
                at: at(number.into()),
            }
        };
        let flows: Vec<_> = (0..).zip(kinds).map(flow).collect();
        let events = flows.iter().cloned().map(Event::Flow).collect();
        let history = History { customer: name(text), merchant: false, tier_per_day: amount(100_000), events };
        let alerts = Settings::example().evaluate(&history, 0, &mut Counted::default());
        assert!(!alerts.is_empty());
        let ids = alerts.iter().map(|alert| alert.id).collect();
        let printable: String = text.chars().filter(|c| !c.is_control()).collect();
        let mut case = Case::open(7, name(text), ids, name("anna"), &printable, at(0)).unwrap();
        for (by, step) in [
            ("anna", Step::Assign(name("ben"))),
            ("anna", Step::Freeze(printable.clone())),
            ("ben", Step::Propose(Decision::Report, printable.clone())),
            ("anna", Step::Agree(printable.clone())),
        ] {
            case.apply(Entry { at: at(100), by: name(by), step }).unwrap();
        }
        let reporter = Reporter { entity: 4711, officer: text.into(), country: "XX".into() };
        Self { case, alerts, flows, psp: name(text), reporter }
    }

    fn report(&self) -> Report<'_> {
        let Self { case, alerts, flows, psp, reporter } = self;
        Report { reporter, psp, money: EURO, case, alerts, flows }
    }
}

#[test]
fn a_report_is_valid_and_says_what_is_in_the_case() {
    let reported = Reported::new("mallory & sons");
    let xml = reported.report().to_xml().unwrap();
    assert_eq!(errors(REPORT, &xml), Vec::<String>::new(), "{xml}");
    assert_eq!(xml, reported.report().to_xml().unwrap());
    assert_eq!(texts(&xml, "transaction").len(), reported.flows.len());
    assert_eq!(texts(&xml, "amount_local")[0], "900.00");
    assert_eq!(texts(&xml, "submission_date"), ["2026-01-01T00:01:40"]);
    assert!(texts(&xml, "action")[0].contains("is frozen"));
    assert!(texts(&xml, "indicator").contains(&"structuring".to_owned()));
    // Before it is decided there is no report.
    let undecided = Case::replay(7, name("x"), vec![], reported.case.entries()[..4].to_vec()).unwrap();
    assert_eq!(Report { case: &undecided, ..reported.report() }.to_xml(), None);
}

/// What does not fit is cut, and says so, at any length.
#[test]
fn a_report_says_what_is_cut_off_its_reason() {
    let reported = Reported::new("mallory");
    let fits = texts(&reported.report().to_xml().unwrap(), "reason")[0].chars().count();
    assert!(fits < 4_000);
    let with = |count: usize| {
        let alert = Alert { reason: "x".repeat(count), ..reported.alerts[0].clone() };
        let xml = Report { alerts: &[alert], ..reported.report() }.to_xml().unwrap();
        assert_eq!(errors(REPORT, &xml), Vec::<String>::new());
        texts(&xml, "reason")[0].clone()
    };
    let rest = with(1).chars().count() - 1;
    assert!(with(4_000 - rest).ends_with('x'), "just fits");
    for count in [4_001 - rest, 10_000] {
        let reason = with(count);
        assert_eq!(reason.chars().count(), 4_000);
        let said =
            format!("[Cut: {} characters, of which a report takes 4000. The rest stands in case 7.]", rest + count);
        assert!(reason.ends_with(&said), "{reason}");
    }
}

#[test]
fn hostile_names_stay_texts() {
    for text in HOSTILE {
        let xml = Reported::new(text).report().to_xml().unwrap();
        assert_eq!(errors(REPORT, &xml), Vec::<String>::new(), "{text:?}: {xml}");
        let expected: String =
            text.chars().map(|c| if c.is_control() || c == '\u{fffe}' { '\u{fffd}' } else { c }).collect();
        assert!(texts(&xml, "client_number").iter().all(|name| *name == expected), "{text:?}: {xml}");
        let statement = statement(text, 500, &[(true, 300), (false, 200)], 600).unwrap().to_xml(at(9));
        assert_eq!(errors(STATEMENT, &statement), Vec::<String>::new(), "{text:?}: {statement}");
    }
}

/// The validator does validate: each of these breaks one rule of the schema.
#[test]
fn the_schemas_refuse_what_is_wrong() {
    let xml = Reported::new("mallory").report().to_xml().unwrap();
    for (good, bad) in [
        ("<rentity_id>4711</rentity_id>", "<rentity_id>none</rentity_id>"),
        ("<rentity_id>4711</rentity_id>", ""),
        ("<report_code>STR</report_code>", "<report_code>STRANGE</report_code>"),
        ("T00:01:40<", "<"),
        ("<amount_local>900.00<", "<amount_local>-900.00<"),
        ("<amount_local>900.00<", "<amount_local>900,00<"),
        ("<currency_code_local>EUR<", "<currency_code_local>euro<"),
        ("<transmode_code>CASH<", "<transmode_code>GOLD<"),
        ("<from_country>XX</from_country>", ""),
        ("</reporting_person>", "</reporting_person><extra>1</extra>"),
        ("<indicator>structuring<", "<indicator><"),
    ] {
        let wrong = xml.replacen(good, bad, 1);
        assert_ne!(wrong, xml, "{good}");
        assert_ne!(errors(REPORT, &wrong), Vec::<String>::new(), "{bad}");
    }
    let xml = statement("alice", 500, &[(true, 300), (false, 200)], 600).unwrap().to_xml(at(9));
    for (good, bad) in [
        ("<Amt Ccy=\"EUR\">", "<Amt>"),
        ("Ccy=\"EUR\">5.00<", "Ccy=\"EUR\">5.000001<"),
        ("<CdtDbtInd>DBIT<", "<CdtDbtInd>DEBIT<"),
        ("<NbOfNtries>1<", "<NbOfNtries>one<"),
        ("<Cd>OPBD<", "<Cd>OPENING<"),
        ("camt.053.001.08", "camt.053.001.02"),
        ("<GrpHdr>", "<GrpHdr><CreDtTm>2026-01-01T00:00:00Z</CreDtTm>"),
    ] {
        let wrong = xml.replacen(good, bad, 1);
        assert_ne!(wrong, xml, "{good}");
        assert_ne!(errors(STATEMENT, &wrong), Vec::<String>::new(), "{bad}");
    }
}

fn statement(
    text: &str,
    opening: u64,
    entries: &[(bool, u64)],
    closing: u64,
) -> Result<Statement<'static>, StatementError> {
    let leaked: &'static Name = Box::leak(Box::new(name(text)));
    let period = Period { psp: leaked, account: leaked, money: EURO, from: at(0), to: at(9) };
    let booking = |(number, (is_credit, minor)): (u64, &(bool, u64))| Booking {
        reference: format!("{number:032x}"),
        is_credit: *is_credit,
        amount: amount(*minor),
        at: at(number),
        kind: "deposit",
        text: text.into(),
    };
    Statement::new(period, amount(opening), (0..).zip(entries).map(booking).collect(), amount(closing))
}

#[test]
fn a_statement_is_valid_and_adds_up() {
    let xml = statement("alice", 500, &[(true, 300), (false, 200), (true, 7)], 607).unwrap().to_xml(at(9));
    assert_eq!(errors(STATEMENT, &xml), Vec::<String>::new(), "{xml}");
    assert_eq!(texts(&xml, "Sum"), ["3.07", "2.00"]);
    assert_eq!(texts(&xml, "Amt"), ["5.00", "6.07", "3.00", "2.00", "0.07"]);
    let empty = statement("alice", 500, &[], 500).unwrap().to_xml(at(9));
    assert_eq!(errors(STATEMENT, &empty), Vec::<String>::new(), "{empty}");
}

#[test]
fn statements_and_messages_have_names_of_their_own() {
    let ids = |account, now| {
        let xml = statement(account, 5, &[], 5).unwrap().to_xml(at(now));
        (texts(&xml, "MsgId").remove(0), texts(&xml, "Id").remove(0))
    };
    let (message, alice) = ids("alice", 9);
    assert_eq!(ids("alice", 9), (message.clone(), alice.clone()));
    // Made again later it is the same statement in another message.
    let later = ids("alice", 10);
    assert!(later.1 == alice && later.0 != message);
    let (others, bob) = ids("bob", 9);
    assert!(bob != alice && others != message);
}

#[test]
fn a_statement_that_does_not_add_up_is_none() {
    assert_eq!(statement("a", 500, &[(true, 300)], 799), Err(StatementError::DoesNotAddUp));
    assert_eq!(statement("a", 0, &[(false, 300)], 300), Err(StatementError::DoesNotAddUp));
    let largest = 999_999_999_999_999_999;
    assert!(statement("a", 0, &[(true, largest)], largest).is_ok());
    assert_eq!(statement("a", 0, &[(true, largest + 1)], largest + 1), Err(StatementError::TooLarge));
    let period = Period { psp: &name("n"), account: &name("a"), money: EURO, from: at(1), to: at(0) };
    assert_eq!(Statement::new(period, Amount::ZERO, vec![], Amount::ZERO), Err(StatementError::Backwards));
}
