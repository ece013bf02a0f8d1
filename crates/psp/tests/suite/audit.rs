//! What a PSP decides is in its audit log, once, and in no other way than together with what it changes.

use specie_aml::case::{Decision, Step};
use specie_audit::{Actor, Kind, Line, Verifier};
use specie_identity::screening::Subject;
use specie_psp::customer::CustomerError;
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::store::StoreError;
use specie_psp::totals::ShowError;

use crate::identification::{Holder, LIST, customer, document, identifying};
use crate::laundering::{settings, structure};
use crate::totals::say;
use crate::world::{DAY, TestDevice, TestPsp, World, amount, at, enrol_for, name, seen};

fn decisions(psp: &TestPsp) -> Vec<specie_audit::Decision> {
    let lines = psp.audit_page(0, u64::MAX).unwrap();
    let decision = |line| if let Line::Record(record) = line { Some(record.decision) } else { None };
    lines.into_iter().filter_map(decision).collect()
}

fn kinds(psp: &TestPsp) -> Vec<Kind> {
    decisions(psp).iter().map(|decision| decision.kind).collect()
}

/// Every decision twice: the second changes nothing and is not there.
#[test]
fn every_decision_is_in_the_log_once_with_who_made_it() {
    let world = World::new();
    let begin = [
        Kind::CustomerAdded,
        Kind::EvidenceRecorded,
        Kind::CustomerAdded,
        Kind::EvidenceRecorded,
        Kind::ReservePaidIn,
        Kind::CustomerCredited,
        Kind::ClaimCodeIssued,
        Kind::DeviceEnrolled,
    ];
    assert_eq!(kinds(&world.psp()), begin);
    let anna = Actor::operator("anna").unwrap();
    let psp = world.psp().acting_for(anna);
    let alice = name("alice");
    for _ in 0..2 {
        world.enrol(&psp, &world.device, "enrol-0000000000").unwrap();
        psp.add_customer(&psp.customers().unwrap()[0], &[seen(EvidenceKind::Phone)], at(1)).unwrap();
        psp.deposit(&alice, amount(5), "slip 7", at(2)).unwrap();
        psp.set_tier(&alice, &name("standard"), at(3)).unwrap();
        psp.set_blocked(&world.public(), true, at(4)).unwrap();
        psp.audit_rule(at(5), Kind::PolicyInForce, "north", &[("policy", "tiers = 1")]).unwrap();
    }
    psp.set_blocked(&world.public(), false, at(6)).unwrap();
    psp.audit_rule(at(7), Kind::PolicyInForce, "north", &[("policy", "tiers = 2")]).unwrap();
    psp.audit_rule(at(8), Kind::PolicyInForce, "north", &[("policy", "tiers = 1")]).unwrap();
    world.bank.state().struck_off.push(world.device.identity());
    let service = world.psp();
    service.reconcile(at(9)).unwrap();
    service.reconcile(at(10)).unwrap();
    let found = decisions(&service).split_off(begin.len());
    let short: Vec<_> = found.iter().map(|decision| (decision.kind, decision.by.as_str(), decision.at)).collect();
    assert_eq!(
        short,
        [
            (Kind::EvidenceRecorded, "anna", at(0)),
            (Kind::CustomerCredited, "anna", at(2)),
            (Kind::TierChanged, "anna", at(3)),
            (Kind::DeviceBlocked, "anna", at(4)),
            (Kind::PolicyInForce, "anna", at(5)),
            (Kind::DeviceUnblocked, "anna", at(6)),
            (Kind::PolicyInForce, "anna", at(7)),
            (Kind::PolicyInForce, "anna", at(8)),
            (Kind::DeviceStruckOff, "service", at(9)),
        ]
    );
    assert_eq!(found[2].subject.as_str(), "alice");
    assert_eq!((found[2].details["from"].as_str(), found[2].details["to"].as_str()), ("basic", "standard"));
    assert_eq!(found[8].subject.as_str(), world.public().to_string());
}

/// What only a bank decides.
const BANKS: &[Kind] = &[
    Kind::BankSetUp,
    Kind::BankRulesInForce,
    Kind::ClassPublished,
    Kind::NoticeWaived,
    Kind::EpochBegun,
    Kind::KeysDestroyed,
    Kind::ClassTotals,
    Kind::ManifestPublished,
    Kind::PspRegistered,
    Kind::SupervisionSet,
    Kind::SupervisionEnded,
    Kind::DisclosureHandedOut,
    Kind::DisclosureOpened,
    Kind::DeviceRegistered,
    Kind::AlarmRaised,
    Kind::AlarmAcknowledged,
    Kind::RevocationsPublished,
    Kind::RestitutionRefused,
    Kind::RestitutionSettled,
    Kind::RestitutionGivenUp,
    Kind::PersonFreed,
];

/// Every way to decide something, one after the other, each of them twice.
struct Walk<'w> {
    world: &'w World,
    seen: Vec<Kind>,
}

impl Walk<'_> {
    /// `decide` writes these records, and nothing when it comes again.
    #[track_caller]
    fn step(&mut self, expected: &[Kind], decide: impl Fn(&TestPsp)) {
        let psp = identifying(self.world.psp(), Some(LIST));
        for expected in [expected, &[]] {
            decide(&psp);
            assert_eq!(kinds(&psp).split_off(self.seen.len()), expected);
            self.seen.extend(expected);
        }
    }

    /// The same for what is decided anew whenever it is asked for.
    #[track_caller]
    fn once(&mut self, expected: &[Kind], decide: impl FnOnce(&TestPsp)) {
        let psp = identifying(self.world.psp(), Some(LIST));
        decide(&psp);
        assert_eq!(kinds(&psp).split_off(self.seen.len()), expected);
        self.seen.extend(expected);
    }
}

/// A kind that is not met on this walk, and is no bank's, fails: add the step that decides it.
#[test]
fn no_kind_of_decision_is_missing() {
    let world = World::before_enrolment();
    let seen = kinds(&world.psp());
    let (mut walk, device, key, other) =
        (Walk { world: &world, seen }, &world.device, world.public(), TestDevice::new(51));
    let (alice, bob, iris) = (name("alice"), name("bob"), name("iris"));
    walk.step(&[Kind::IdentificationInForce], |psp| psp.audit_identification(at(0)).unwrap());
    walk.step(&[Kind::IdentificationInForce], |_| world.psp().audit_identification(at(0)).unwrap());
    walk.step(&[Kind::PolicyInForce], |psp| {
        psp.audit_rule(at(0), Kind::PolicyInForce, "north", &[("policy", "tiers = 1")]).unwrap();
    });
    walk.step(&[Kind::TiersPublished], |psp| {
        psp.audit_rule(at(0), Kind::TiersPublished, "1", &[("tiers", "none")]).unwrap();
    });
    walk.step(&[Kind::AmlRulesAdopted], |psp| psp.adopt_rules(&settings(), at(0)).unwrap());
    // Whoever it is.
    walk.step(&[Kind::CustomerAdded], |psp| psp.add_customer(&customer("dora", "prepaid"), &[], at(0)).unwrap());
    walk.step(&[Kind::EvidenceRecorded], |psp| psp.record_evidence(&bob, &seen_phone()).unwrap());
    walk.once(&[Kind::CredentialAccepted, Kind::NameScreened], |psp| {
        Holder::iris().shows(psp, "iris", "online", at(0)).unwrap();
    });
    walk.step(&[Kind::CustomerAdded, Kind::PersonKnown], |psp| {
        psp.add_customer(&customer("iris", "online"), &[], at(0)).unwrap();
    });
    walk.step(&[Kind::DocumentChecked, Kind::NameScreened], |psp| {
        psp.check_document(&alice, &document("AB 123456", "Baltazar Nimmervar", ""), at(1)).unwrap();
    });
    walk.step(&[Kind::HitDecided], |psp| {
        psp.decide_hit(&alice, "M-1", false, "taller", at(2)).unwrap();
    });
    walk.step(&[Kind::IdentityErased], |psp| psp.erase_identity(&iris, at(2)).unwrap());
    walk.step(&[Kind::TierChanged], |psp| psp.set_tier(&alice, &name("proofs"), at(3)).unwrap());
    // Its devices.
    walk.once(&[Kind::ClaimCodeIssued, Kind::DeviceEnrolled], |psp| {
        world.enrol(psp, device, "enrol-0000000001").unwrap();
    });
    walk.once(&[Kind::ClaimCodeIssued, Kind::DeviceRefused], |psp| {
        let known = TestDevice::new(53);
        world.bank.state().devices.insert(known.identity(), [0; 16]);
        world.enrol(psp, &known, "enrol-0000000003").unwrap_err();
    });
    walk.once(&[Kind::ClaimCodeIssued, Kind::DeviceEnrolled], |psp| {
        world.enrol(psp, &other, "enrol-0000000002").unwrap();
    });
    walk.step(&[Kind::ReservePaidOut], |psp| psp.defund_reserve(amount(10), "paid out", at(4)).unwrap());
    walk.step(&[Kind::WeightSet], |psp| psp.set_weights(&alice, &[(key, 3)], at(4)).unwrap());
    walk.once(&[Kind::TotalsJudged], |psp| drop(show(psp, device, 1, 2).unwrap_err()));
    walk.once(&[], |psp| drop(show(psp, device, 3, 4).unwrap_err()));
    walk.once(&[Kind::TotalsJudged], |psp| show(psp, device, 5, 5).unwrap());
    walk.step(&[Kind::LimitsIssued], |psp| {
        psp.limits(&device.asks("limits-0000000001", 1), at(5)).unwrap();
    });
    // Renewed as they were, they are no news.
    walk.once(&[], |psp| {
        show(psp, device, 6, 6).unwrap();
        psp.limits(&device.asks("limits-0000000002", 1), at(6)).unwrap();
    });
    for (key, agrees, kind) in
        [("consent-0000000001", false, Kind::UploadsRefused), ("consent-0000000002", true, Kind::UploadsAgreed)]
    {
        walk.step(&[kind], |psp| psp.agree_to_uploads(&device.asks(key, 1), agrees, at(6)).unwrap());
    }
    walk.step(&[Kind::DeviceBlocked], |psp| psp.set_blocked(&key, true, at(7)).unwrap());
    walk.step(&[Kind::DeviceUnblocked], |psp| psp.set_blocked(&key, false, at(7)).unwrap());
    walk.step(&[Kind::DeviceLost], |psp| {
        psp.report_lost(&key, at(8)).unwrap();
    });
    walk.step(&[Kind::RestitutionClaimed], |psp| {
        psp.claim(&other.asks("claim-0000000001", 1), &key, &[vec![30, 1]], at(8)).unwrap();
    });
    walk.step(&[Kind::DeviceFound], |psp| {
        psp.report_found(&key, &[8; 16], at(9)).unwrap();
    });
    let late = at(30 * DAY);
    walk.step(&[Kind::DeviceReleased], |psp| psp.release_device(&key, at(10)).unwrap());
    walk.once(&[Kind::NameScreened, Kind::ClaimCodeIssued, Kind::DeviceHandedOver], |psp| {
        psp.screen(&bob, &Subject { name: "Bob Exempel".into(), birth: None }, late).unwrap();
        enrol_for(&world, psp, &bob, device, "enrol-0000000004", late).unwrap();
    });
    walk.once(&[Kind::DeviceStruckOff], |psp| {
        world.bank.state().struck_off.push(device.identity());
        psp.reconcile(late).unwrap();
        psp.reconcile(late).unwrap();
    });
    // Its money, and suspicion.
    walk.step(&[Kind::CustomerCredited; 3], structure);
    walk.step(&[Kind::AlertRaised], |psp| {
        psp.monitor(&settings(), late).unwrap();
    });
    let (anna, ben) = (Actor::operator("anna").unwrap(), Actor::operator("ben").unwrap());
    let (acting, because) = (|by| world.psp().acting_for(by), || "because".to_owned());
    walk.once(&[Kind::CaseOpened], |_| {
        acting(anna).open_case(&alice, &[], "three deposits", late).unwrap();
    });
    for (kind, by, step) in [
        (Kind::CustomerFrozen, anna, Step::Freeze(because())),
        (Kind::CustomerReleased, ben, Step::Release(because())),
        (Kind::CaseStep, anna, Step::Assign(ben.name())),
        (Kind::CaseStep, ben, Step::Propose(Decision::Report, because())),
        (Kind::CaseStep, anna, Step::Agree(because())),
    ] {
        walk.once(&[kind], |_| {
            acting(by).take_step(1, &step, late).unwrap();
            let again = matches!(step, Step::Assign(_)) || acting(by).take_step(1, &step, late).is_err();
            assert!(again, "{step:?}");
        });
    }
    walk.step(&[Kind::CaseReported], |psp| {
        psp.report(1, &settings().report.unwrap(), 2, late).unwrap();
    });
    // Whose it is.
    walk.once(&[Kind::RegistryBegun], |psp| {
        world.bank.state().registry = psp.peppers().unwrap().own;
        psp.reconcile(late).unwrap();
        psp.reconcile(late).unwrap();
    });
    let pseudonym = world.psp().registrations(&alice, at(1)).unwrap()[0].0;
    world.bank.state().elsewhere.insert(pseudonym);
    walk.step(&[Kind::PersonRefused], |psp| drop(psp.claim_person(&alice, late).unwrap_err()));
    world.bank.state().elsewhere.clear();
    walk.step(&[Kind::PersonClaimed], |psp| psp.claim_person(&alice, late).unwrap());
    walk.step(&[Kind::PersonReleased], |psp| {
        psp.release_person(&alice, late).unwrap();
    });
    walk.once(&[Kind::RegistryEnded], |psp| {
        world.bank.state().registry = None;
        psp.reconcile(late).unwrap();
    });
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !BANKS.contains(kind) && !walk.seen.contains(kind)).collect();
    assert_eq!(missing, [] as [&Kind; 0]);
}

fn seen_phone() -> EvidenceRecord {
    seen(EvidenceKind::Phone)
}

/// Shows totals under keys with this number in them; whoever says another number than it means proves nothing.
fn show(psp: &TestPsp, device: &TestDevice, number: u64, meant: u64) -> Result<(), ShowError> {
    let nonce_key = format!("nonce-{number:011}");
    let nonce = psp.totals_nonce(&device.asks(&nonce_key, 1), &[number as u8; 32], at(4)).unwrap().nonce;
    let (said, other) = (say(device, &nonce, 0, number, 0), say(device, &nonce, 0, meant, 0));
    psp.accept_totals(
        &device.asks(&format!("totals-{number:010}"), 1),
        &said.statement,
        &other.proof(device, 8_000, 15_000),
        at(4),
    )
}

#[test]
fn what_the_log_cannot_take_is_not_done() {
    let world = World::new();
    let psp = world.psp();
    let before = (kinds(&psp), world.balance());
    let refused = psp.deposit(&name("alice"), amount(5), &"x".repeat(60_001), at(1));
    assert!(matches!(refused, Err(CustomerError::Store(StoreError::Audit(_)))), "{refused:?}");
    assert_eq!((kinds(&psp), world.balance()), before);
}

#[test]
fn an_export_of_many_pages_holds() {
    let world = World::new();
    let psp = world.psp();
    assert_eq!(psp.audit_log().as_str(), "psp/north");
    psp.sign_audit_head(at(1)).unwrap();
    for time in 0..1_000 {
        psp.set_blocked(&world.public(), time % 2 == 0, at(time)).unwrap();
    }
    let head = psp.sign_audit_head(at(1_000)).unwrap().unwrap();
    // The same moment again: nothing new to say.
    assert_eq!(psp.sign_audit_head(at(1_000)).unwrap(), Some(head));
    psp.set_blocked(&world.public(), true, at(1_001)).unwrap();
    let mut verifier = Verifier::new(psp.identity().key.public());
    verifier.line(&Line::Log(psp.audit_log()).to_text()).unwrap();
    let (mut after, mut pages) = (0, 0);
    loop {
        let page = psp.audit_page(after, head.head.sequence).unwrap();
        for line in &page {
            verifier.line(&line.to_text()).unwrap();
            after = if let Line::Record(record) = line { record.sequence } else { after };
        }
        pages += 1;
        if page.is_empty() {
            break;
        }
    }
    let verified = verifier.finish().unwrap();
    assert_eq!((verified.head, verified.heads, pages), (head, 2, 4));
}
