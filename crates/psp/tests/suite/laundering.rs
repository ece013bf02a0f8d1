//! Flows from the books, alerts, cases, freezes, statements.

use specie_aml::Settings;
use specie_aml::case::{CaseError, Decision, State, Step};
use specie_aml::flow::{Counterparty, FlowKind};
use specie_aml::report::Reporter;
use specie_aml::rules::RuleName;
use specie_audit::{Actor, Kind};
use specie_core::Timestamp;
use specie_core::class;
use specie_core::text::Currency;
use specie_psp::aml::cases::CaseFailure;
use specie_psp::aml::monitor::AdoptionError;
use specie_psp::aml::statement::AccountStatementError;
use specie_psp::bank::{CreditOrigin, Redemption};
use specie_psp::customer::CustomerError;
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::enrolment::EnrolmentError;
use specie_psp::identification::IdentificationError;
use specie_psp::redemption::RedemptionError;
use specie_psp::store::Store;
use specie_psp::transfer::{TransferError, TransferOrder};
use specie_psp::withdrawal::WithdrawalError;

use crate::faults::{Cut, Fuse};
use crate::world::{DAY, DEPOSIT, TestPsp, World, amount, at, enrol_for, name};

pub fn settings() -> Settings {
    let text = "version = 1\n\
                [report]\nentity = 4711\nofficer = 'Anna'\ncountry = 'XX'\n\
                [structuring]\nthreshold = 1000\nfrom-percent = 80\ncount = 3\nwindow-hours = 24\nmerchants = true\n\
                [limit-probing]\ncount = 3\nabove-percent = 50\nwindow-hours = 24\n";
    Settings::parse(text).unwrap()
}

fn order(to_psp: &str, to_account: &str, minor: u64) -> TransferOrder {
    TransferOrder {
        to_psp: name(to_psp),
        to_account: name(to_account),
        amount: amount(minor),
        currency: Currency::new("XTS").unwrap(),
        reference: None,
    }
}

fn redemption(psp: &str, account: &str, chain: Vec<u8>) -> Redemption {
    Redemption { psp: psp.into(), account: account.into(), chains: vec![chain] }
}

/// Three deposits just below the threshold.
pub fn structure(psp: &TestPsp) {
    for (number, minor) in [800, 900, 999].into_iter().enumerate() {
        psp.deposit(&name("alice"), amount(minor), &format!("part {number}"), at(number as u64)).unwrap();
    }
}

/// A flow in short: what, how much, with whom, by a device or not.
type Short = (FlowKind, u64, Option<Counterparty>, bool);

fn flows(psp: &TestPsp, customer: &str) -> Vec<Short> {
    let flows = psp.store().read(|records| records.flows_since(&name(customer), Timestamp::EPOCH)).unwrap();
    let short = |(_, flow): (u64, specie_aml::flow::Flow)| {
        (flow.kind, flow.amount.minor(), flow.counterparty, flow.device.is_some())
    };
    flows.into_iter().map(short).collect()
}

#[test]
fn flows_are_what_the_books_say_and_nothing_that_came_back() {
    let world = World::new();
    let (psp, device) = (world.psp(), &world.device);
    let (kept, _) = psp.withdraw(&device.asks("withdrawal-000001", 1), &[(world.coin, 3)], at(10)).unwrap();
    psp.monitor(&settings(), at(10)).unwrap();
    assert_eq!(flows(&psp, "alice").len(), 1, "what is only held is no flow yet");
    psp.challenge(&device.asks("challenge-0000001", 1), &kept, &[[1; 32]; 3], at(11)).unwrap();
    let (void, _) = psp.withdraw(&device.asks("withdrawal-000002", 1), &[(world.coin, 1)], at(12)).unwrap();
    psp.cancel(&device.asks("cancel-0000000001", 1), &void, at(12)).unwrap();
    psp.redeem(&device.asks("redemption-000001", 1), &redemption("north", "alice-account", vec![30, 1]), at(13))
        .unwrap();
    psp.transfer(&device.asks("transfer-00000001", 1), &order("north", "bob-account", 50), at(14)).unwrap();
    psp.transfer(&device.asks("transfer-00000002", 1), &order("south", "carol", 60), at(15)).unwrap();
    drop(psp.transfer(&device.asks("transfer-00000003", 1), &order("nowhere", "carol", 70), at(16)));
    world.bank.credit("alice-account", 7, CreditOrigin::Transfer);
    psp.reconcile(at(17)).unwrap();
    for _ in 0..2 {
        psp.monitor(&settings(), at(18)).unwrap();
        let other = |psp: &str, account: &str| Some(Counterparty { psp: name(psp), account: name(account) });
        assert_eq!(
            flows(&psp, "alice"),
            [
                (FlowKind::Deposit, DEPOSIT, None, false),
                (FlowKind::Withdrawal, 300, None, true),
                (FlowKind::Redemption, 30, None, false),
                (FlowKind::TransferOut, 50, other("north", "bob-account"), false),
                (FlowKind::TransferOut, 60, other("south", "carol"), false),
                (FlowKind::TransferIn, 7, None, false),
            ]
        );
        assert_eq!(flows(&psp, "bob"), [(FlowKind::TransferIn, 50, other("north", "alice-account"), false)]);
    }
    world.check_at_rest();
}

#[test]
fn alerts_are_raised_once_whatever_breaks_and_how_often_the_rules_run() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let world = World::new();
            structure(&world.psp());
            let fuse = Fuse::new(step, cut);
            drop(world.psp_with(&fuse).monitor(&settings(), at(10)));
            let psp = world.psp();
            psp.monitor(&settings(), at(11)).unwrap();
            assert_eq!(psp.monitor(&settings(), at(12)).unwrap(), []);
            let alerts = psp.alerts().unwrap();
            assert_eq!(alerts.len(), 1, "{cut:?} {step}: {alerts:?}");
            let alert = &alerts[0].alert;
            assert_eq!((alert.rule, alert.version, alert.customer), (RuleName::Structuring, 1, name("alice")));
            assert_eq!((alert.events.len(), alert.at), (3, at(2)));
            if !fuse.is_broken() {
                assert!(step > 3, "a run has more steps than {step}");
                break;
            }
        }
    }
}

#[test]
fn thresholds_do_not_change_under_a_version() {
    let world = World::new();
    let psp = world.psp();
    psp.adopt_rules(&settings(), at(10)).unwrap();
    psp.adopt_rules(&settings(), at(10)).unwrap();
    structure(&psp);
    let text = settings().to_toml().replace("threshold = 1000", "threshold = 5000");
    let changed = Settings::parse(&text).unwrap();
    assert!(matches!(psp.adopt_rules(&changed, at(11)), Err(AdoptionError::Changed(1))));
    let second = Settings { version: 2, ..settings() };
    psp.adopt_rules(&second, at(12)).unwrap();
    let log = psp.store().read(|records| records.audit_after(0, 100)).unwrap();
    let adopted = log.iter().filter(|record| record.decision.kind == Kind::AmlRulesAdopted);
    assert_eq!(adopted.map(|record| record.decision.subject.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(psp.monitor(&second, at(12)).unwrap()[0].version, 2);
}

#[test]
fn probing_is_found_and_a_flood_keeps_little() {
    let world = World::new();
    let psp = world.psp();
    // `basic` lets 2,000 be withdrawn in a day: 20 coins.
    let ask = |key: &str, coins: u64| {
        let refused = psp.withdraw(&world.device.asks(key, 1), &[(world.coin, coins)], at(10)).map(drop);
        assert!(matches!(refused, Err(WithdrawalError::TierLimit { .. })), "{refused:?}");
    };
    for key in ["withdrawal-000001", "withdrawal-000001", "withdrawal-000002"] {
        ask(key, 21);
    }
    ask("withdrawal-000003", 25);
    assert_eq!(psp.monitor(&settings(), at(11)).unwrap(), [], "two different amounts");
    ask("withdrawal-000004", 30);
    let alerts = psp.monitor(&settings(), at(12)).unwrap();
    assert_eq!((alerts.len(), alerts[0].rule), (1, RuleName::LimitProbing));
    for number in 0..200 {
        ask(&format!("flood-{number:010}"), 22);
    }
    let kept = psp.store().read(|records| records.refusals_since(&name("alice"), Timestamp::EPOCH)).unwrap();
    assert_eq!(kept.len(), 100);
    assert_eq!(psp.monitor(&settings(), at(13)).unwrap(), []);
    // Old ones are forgotten, and those after them are looked at.
    psp.monitor(&settings(), at(402 * DAY)).unwrap();
    let coin = world.bank.publish(class::Kind::Value, 100, 2, at(402 * DAY));
    psp.reconcile(at(402 * DAY)).unwrap();
    for (number, coins) in [(1, 21), (2, 22), (3, 23)] {
        let key = format!("later-{number:010}");
        drop(psp.withdraw(&world.device.asks(&key, 1), &[(coin, coins)], at(402 * DAY)));
    }
    assert_eq!(psp.monitor(&settings(), at(402 * DAY)).unwrap().len(), 1);
    assert_eq!(world.balance(), DEPOSIT);
    world.check_at_rest();
}

/// The PSP as that operator has it.
fn by(world: &World, operator: &str) -> TestPsp {
    world.psp().acting_for(Actor::operator(operator).unwrap())
}

fn because() -> String {
    "because".into()
}

#[test]
fn a_frozen_customer_keeps_its_money_and_moves_none() {
    let world = World::new();
    let (psp, device, alice) = (world.psp(), &world.device, name("alice"));
    let (open, _) = psp.withdraw(&device.asks("withdrawal-000001", 1), &[(world.coin, 3)], at(10)).unwrap();
    let (answered, _) = psp.withdraw(&device.asks("withdrawal-000002", 1), &[(world.coin, 2)], at(10)).unwrap();
    let challenges = [[1; 32]; 2];
    let answers = psp.challenge(&device.asks("challenge-0000002", 1), &answered, &challenges, at(10)).unwrap();
    let elsewhere = redemption("south", "carol", vec![20, 1]);
    psp.redeem(&device.asks("redemption-000001", 1), &elsewhere, at(10)).unwrap();
    let (anna, ben) = (by(&world, "anna"), by(&world, "ben"));
    let case = anna.open_case(&alice, &[], "an order", at(11)).unwrap().number();
    anna.take_step(case, &Step::Freeze(because()), at(11)).unwrap();

    let frozen = |refusal: &DeviceRefusal| *refusal == DeviceRefusal::Frozen;
    let deposit = psp.deposit(&alice, amount(5), "later", at(12));
    assert!(matches!(deposit, Err(CustomerError::Frozen { case: 1, .. })), "{deposit:?}");
    assert!(matches!(psp.issue_claim_code(&alice, &[9; 32], at(12)), Err(CustomerError::Frozen { .. })));
    let withdraw = psp.withdraw(&device.asks("withdrawal-000003", 1), &[(world.coin, 1)], at(12));
    assert!(matches!(&withdraw, Err(WithdrawalError::Device(refusal)) if frozen(refusal)), "{withdraw:?}");
    let limits = psp.limits(&device.asks("limits-0000000001", 1), at(12));
    assert!(matches!(&limits, Err(DocumentError::Device(refusal)) if frozen(refusal)), "{limits:?}");
    for order in [order("north", "bob-account", 1), order("south", "carol", 1)] {
        let transfer = psp.transfer(&device.asks("transfer-00000001", 1), &order, at(12));
        assert!(matches!(&transfer, Err(TransferError::Device(refusal)) if frozen(refusal)), "{transfer:?}");
    }
    let challenge = psp.challenge(&device.asks("challenge-0000001", 1), &open, &[[1; 32]; 3], at(12));
    assert!(matches!(&challenge, Err(WithdrawalError::Device(refusal)) if frozen(refusal)), "{challenge:?}");
    for (psp_name, account) in [("south", "carol"), ("north", "bob-account")] {
        let away = redemption(psp_name, account, vec![30, 2]);
        let away = psp.redeem(&device.asks("redemption-000002", 1), &away, at(12));
        assert!(matches!(away, Err(RedemptionError::Frozen(_))), "{away:?}");
    }
    assert_eq!(world.balance(), DEPOSIT - 500);

    // Nothing is lost: what is held comes back, what was answered is given again, what devices hold comes home.
    psp.cancel(&device.asks("cancel-0000000001", 1), &open, at(13)).unwrap();
    let again = psp.challenge(&device.asks("challenge-0000002", 1), &answered, &challenges, at(13)).unwrap();
    assert_eq!(again, answers);
    psp.redeem(&device.asks("redemption-000001", 1), &elsewhere, at(13)).unwrap();
    let home = redemption("north", "alice-account", vec![40, 3]);
    psp.redeem(&device.asks("redemption-000003", 1), &home, at(13)).unwrap();
    world.bank.credit("alice-account", 6, CreditOrigin::Transfer);
    psp.reconcile(at(14)).unwrap();
    assert_eq!(world.balance(), DEPOSIT - 200 + 46);
    world.check_at_rest();

    let same = anna.take_step(case, &Step::Release(because()), at(15));
    assert!(matches!(same, Err(CaseFailure::Case(CaseError::SameReleaser { .. }))), "{same:?}");
    let second = ben.open_case(&alice, &[], "another order", at(15)).unwrap().number();
    let twice = ben.take_step(second, &Step::Freeze(because()), at(15));
    assert!(matches!(twice, Err(CaseFailure::FrozenElsewhere { case: 1, .. })), "{twice:?}");
    assert_eq!(psp.case(second).unwrap().0.entries().len(), 1, "a refused step leaves nothing");
    let other = ben.freeze_or_release(&name("bob"), case, &Step::Release(because()), at(15));
    assert!(matches!(other, Err(CaseFailure::CaseOfOther { .. })), "{other:?}");
    ben.freeze_or_release(&alice, case, &Step::Release(because()), at(15)).unwrap();
    psp.transfer(&device.asks("transfer-00000001", 1), &order("north", "bob-account", 1), at(16)).unwrap();
    psp.limits(&device.asks("limits-0000000001", 1), at(16)).unwrap();
    psp.deposit(&alice, amount(5), "later", at(16)).unwrap();
    world.check_at_rest();
}

#[test]
fn a_frozen_owners_device_does_not_change_hands_with_what_is_in_it() {
    let world = World::new();
    let (psp, alice, bob, device) = (world.psp(), name("alice"), name("bob"), world.public());
    let (anna, ben) = (by(&world, "anna"), by(&world, "ben"));
    let case = anna.open_case(&alice, &[], "an order", at(1)).unwrap().number();
    anna.take_step(case, &Step::Freeze(because()), at(1)).unwrap();
    let given = psp.release_device(&device, at(2));
    assert!(matches!(given, Err(CustomerError::Frozen { .. })), "{given:?}");
    ben.take_step(case, &Step::Release(because()), at(3)).unwrap();
    psp.release_device(&device, at(4)).unwrap();
    // Given away before, taken after.
    anna.take_step(case, &Step::Freeze(because()), at(5)).unwrap();
    let taken = enrol_for(&world, &psp, &bob, &world.device, "enrol-1111111111", at(6));
    assert!(matches!(taken, Err(EnrolmentError::AlreadyEnrolled)), "{taken:?}");
    let home = redemption("north", "bob-account", vec![40, 3]);
    let away = psp.redeem(&world.device.asks("redemption-000001", 1), &home, at(7));
    assert!(matches!(away, Err(RedemptionError::Frozen(_))), "{away:?}");
    ben.take_step(case, &Step::Release(because()), at(8)).unwrap();
    enrol_for(&world, &psp, &bob, &world.device, "enrol-2222222222", at(9)).unwrap();
}

#[test]
fn a_case_takes_its_customers_alerts_and_two_people() {
    let world = World::new();
    let (psp, alice, anna, ben) = (world.psp(), name("alice"), by(&world, "anna"), by(&world, "ben"));
    structure(&psp);
    let alert = psp.monitor(&settings(), at(10)).unwrap()[0].id;
    let other = anna.open_case(&name("bob"), &[alert], "wrong", at(11));
    assert!(matches!(other, Err(CaseFailure::OtherCustomer { .. })), "{other:?}");
    let nobody = anna.open_case(&name("carl"), &[], "wrong", at(11));
    assert!(matches!(nobody, Err(CaseFailure::UnknownCustomer(_))), "{nobody:?}");
    assert!(matches!(anna.open_case(&alice, &[[7; 16]], "x", at(11)), Err(CaseFailure::UnknownAlert(_))));
    assert!(psp.cases().unwrap().is_empty(), "a refused case leaves nothing");
    let case = anna.open_case(&alice, &[], "three deposits", at(11)).unwrap();
    assert_eq!((case.number(), case.alerts()), (1, &[alert][..]));
    let again = anna.open_case(&alice, &[alert], "again", at(11));
    assert!(matches!(again, Err(CaseFailure::InCase { case: 1, .. })), "{again:?}");
    assert!(anna.open_case(&alice, &[], "a tip", at(11)).unwrap().alerts().is_empty());

    let reporter = settings().report.unwrap();
    let report = |psp: &TestPsp, reporter: &Reporter| psp.report(1, reporter, 2, at(20));
    anna.take_step(1, &Step::Assign(name("ben")), at(12)).unwrap();
    ben.take_step(1, &Step::Propose(Decision::Report, "no business".into()), at(13)).unwrap();
    assert!(matches!(report(&psp, &reporter), Err(CaseFailure::NotReported(1))));
    let same = ben.take_step(1, &Step::Agree(because()), at(14));
    assert!(matches!(same, Err(CaseFailure::Case(CaseError::SamePerson { .. }))), "{same:?}");
    // As after a restart, from what is stored.
    let psp = world.psp();
    anna.take_step(1, &Step::Agree(because()), at(14)).unwrap();
    let (case, raised) = psp.case(1).unwrap();
    assert_eq!((case.state(), raised[0].case, case.entries().len()), (State::Reported, Some(1), 4));
    let xml = report(&psp, &reporter).unwrap();
    assert_eq!(xml, report(&psp, &reporter).unwrap());
    assert_eq!(xml.matches("<transaction>").count(), 3);
    for part in ["<amount_local>8.00<", "<amount_local>9.99<", "no business", "structuring", "north/1"] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    assert!(matches!(psp.case(9), Err(CaseFailure::UnknownCase(9))));
    let log = psp.store().read(|records| records.audit_after(0, 100)).unwrap();
    let said = |kind| {
        log.iter().filter(|record| record.decision.kind == kind).map(|record| record.decision.by.as_str()).collect()
    };
    let (opened, steps, reported): (Vec<_>, Vec<_>, Vec<_>) =
        (said(Kind::CaseOpened), said(Kind::CaseStep), said(Kind::CaseReported));
    assert_eq!((opened, steps, reported.len()), (vec!["anna", "anna"], vec!["anna", "ben", "anna"], 1));
}

#[test]
fn statements_follow_one_another() {
    let world = World::new();
    let (psp, device, account) = (world.psp(), &world.device, name("alice-account"));
    let (id, _) = psp.withdraw(&device.asks("withdrawal-000001", 1), &[(world.coin, 3)], at(10)).unwrap();
    psp.cancel(&device.asks("cancel-0000000001", 1), &id, at(11)).unwrap();
    psp.transfer(&device.asks("transfer-00000001", 1), &order("north", "bob-account", 250), at(20)).unwrap();
    let statement = |from: u64, to: u64| psp.account_statement(&account, (at(from), at(to)), 2, at(100)).unwrap();
    let amounts = |xml: &str| -> Vec<String> {
        let parts = xml.split("<Amt Ccy=\"XTS\">").skip(1);
        parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
    };
    assert_eq!(amounts(&statement(0, 10)), ["0.00", "97.00", "100.00", "3.00"]);
    assert_eq!(amounts(&statement(11, 19)), ["97.00", "100.00", "3.00"]);
    assert_eq!(amounts(&statement(20, 20)), ["100.00", "97.50", "2.50"]);
    assert_eq!(amounts(&statement(21, 99)), ["97.50", "97.50"]);
    assert_eq!(amounts(&statement(0, 99)), ["0.00", "97.50", "100.00", "3.00", "3.00", "2.50"]);
    let missing = psp.account_statement(&name("nobody"), (at(0), at(1)), 2, at(100));
    assert!(matches!(missing, Err(AccountStatementError::UnknownAccount(_))), "{missing:?}");
    let backwards = psp.account_statement(&account, (at(1), at(0)), 2, at(100));
    assert!(matches!(backwards, Err(AccountStatementError::Statement(_))), "{backwards:?}");
}

/// Whoever is asked for it later must not find that somebody had it erased meanwhile.
#[test]
fn what_is_known_of_a_customer_in_a_case_is_kept() {
    let world = World::new();
    let (anna, ben) = (by(&world, "anna"), by(&world, "ben"));
    let alice = name("alice");
    let step = |psp: &TestPsp, case, step| psp.take_step(case, &step, at(2)).map(drop).unwrap();
    let kept = |case| {
        let erased = anna.erase_identity(&alice, at(3));
        assert!(matches!(erased, Err(IdentificationError::InCase { case: by, .. }) if by == case), "{erased:?}");
        assert_eq!(anna.evidence(&alice).unwrap().len(), 1);
    };
    let decided = |decision| {
        let case = anna.open_case(&alice, &[], "an order", at(1)).unwrap().number();
        kept(case);
        step(&anna, case, Step::Assign(name("anna")));
        step(&anna, case, Step::Propose(decision, because()));
        kept(case);
        step(&ben, case, Step::Agree(because()));
        case
    };
    decided(Decision::Close);
    kept(decided(Decision::Report));
    anna.erase_identity(&name("bob"), at(3)).unwrap();
    assert!(anna.evidence(&name("bob")).unwrap().is_empty());
}
