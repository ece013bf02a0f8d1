//! What a PSP decides is in its audit log, once, and in no other way than together with what it changes.

use specie_audit::{Actor, Decision, Kind, Line, Verifier};
use specie_psp::customer::CustomerError;
use specie_psp::evidence::EvidenceKind;
use specie_psp::store::StoreError;

use crate::world::{TestPsp, World, amount, at, name, seen};

fn decisions(psp: &TestPsp) -> Vec<Decision> {
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
