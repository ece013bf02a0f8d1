//! Conservation is watched: whatever is changed in facts or books is found, and the alarm stands until a person ends it.

use specie_audit::{Actor, Decision, Kind, Line};
use specie_bank::issuance::IssuanceError;
use specie_bank::redemption::Redeemed;
use specie_bank::watch::AcknowledgeError;
use specie_testbed::damage;

use crate::world::{World, account, amount, at};

/// A note of 100 redeemed, one of 500 and one of 100 in hand.
fn lived(seed: u64) -> (World, crate::world::Device, crate::world::Asset) {
    let mut world = World::new(seed);
    let alice = world.device("alpha");
    let (spent, kept) = (world.note(&alice, 100), world.note(&alice, 100));
    world.note(&alice, 500);
    assert_eq!(world.redeem_asset(&spent, account("alpha", "alice")), Redeemed::Credited(amount(100)));
    (world, alice, kept)
}

/// Changes the database as no program does.
fn tamper(world: &World, sql: &str) {
    damage::damage(&world.bank().storage().0, sql);
}

fn decided(world: &World, kind: Kind) -> Vec<Decision> {
    let lines = world.bank().audit_page(0, u64::MAX).unwrap();
    let decision = |line| if let Line::Record(record) = line { Some(record.decision) } else { None };
    lines.into_iter().filter_map(decision).filter(|decision| decision.kind == kind).collect()
}

#[test]
fn whatever_is_changed_in_facts_or_books_is_found() {
    for sql in damage::BREAKING_CONSERVATION {
        let (world, ..) = lived(300);
        let watched = world.bank().watch_conservation(world.now).unwrap();
        assert!(watched.conservation.holds() && watched.alarm.is_none());
        tamper(&world, sql);
        let watched = world.bank().watch_conservation(world.now).unwrap();
        assert!(!watched.conservation.holds() && watched.alarm.is_some(), "{sql}");
        assert_eq!(*world.bank().watched().unwrap(), watched);
    }
}

#[test]
fn a_payout_of_a_class_that_nobody_published_is_found() {
    let (world, ..) = lived(301);
    damage::unpublish_classes(&world.bank().storage().0);
    let findings = world.conservation().findings;
    assert!(findings.iter().any(|finding| finding.about.contains("unpublished class")), "{findings:?}");
}

#[test]
fn the_alarm_is_raised_once_stops_issuing_and_ends_by_a_person_with_a_reason() {
    let (mut world, alice, kept) = lived(302);
    let class = kept.held.class.id();
    let request = world.request(&alice, &[(class, 1)]);
    world.start(&alice, &request).unwrap();
    tamper(&world, damage::RESERVE_RAISED);
    let raised = world.bank().watch_conservation(world.now).unwrap().alarm.unwrap();
    assert!(raised.findings.contains("reserve/alpha"), "{}", raised.findings);
    // Once, whoever looks and whatever moves meanwhile.
    world.restart();
    assert_eq!(world.redeem_asset(&kept, account("alpha", "alice")), Redeemed::Credited(amount(100)));
    for bank in [world.bank(), &world.another_process()] {
        assert_eq!(bank.watch_conservation(at(2_000_000)).unwrap().alarm.as_ref(), Some(&raised));
    }
    assert_eq!(decided(&world, Kind::AlarmRaised).len(), 1);
    // A batch that is open already is shown again, no other is opened.
    world.start(&alice, &request).unwrap();
    assert!(matches!(world.withdraw(&alice, &[(class, 1)]), Err(IssuanceError::Halted)));

    let anna = world.another_process().acting_for(Actor::operator("anna").unwrap());
    assert!(matches!(anna.acknowledge_conservation(" ", world.now), Err(AcknowledgeError::NoReason)));
    assert_eq!(anna.acknowledge_conservation("ticket 17", world.now).unwrap(), raised);
    assert!(matches!(anna.acknowledge_conservation("again", world.now), Err(AcknowledgeError::NoAlarm)));
    let acknowledged = decided(&world, Kind::AlarmAcknowledged);
    assert_eq!((acknowledged.len(), acknowledged[0].by.as_str()), (1, "anna"));
    assert_eq!(acknowledged[0].details["reason"], "ticket 17");
    world.withdraw(&alice, &[(class, 1)]).unwrap();
    // What she looked at is no news; what is wrong besides is.
    let watched = world.bank().watch_conservation(world.now).unwrap();
    assert!(!watched.conservation.holds() && watched.alarm.is_none());
    tamper(&world, damage::RESERVE_RAISED);
    assert!(world.bank().watch_conservation(world.now).unwrap().alarm.is_some());
    assert_eq!(decided(&world, Kind::AlarmRaised).len(), 2);
}

#[test]
fn totals_are_in_the_log_once_for_each_change() {
    let (mut world, _, kept) = lived(303);
    assert_eq!(world.bank().record_totals(world.now).unwrap(), 2);
    assert_eq!(world.another_process().record_totals(at(2_000_000)).unwrap(), 0);
    world.redeem_asset(&kept, account("alpha", "alice"));
    assert_eq!(world.bank().record_totals(world.now).unwrap(), 1);
    let written = decided(&world, Kind::ClassTotals).pop().unwrap();
    assert_eq!(written.subject.as_str(), kept.held.class.id().to_string());
    let total = |name: &str| written.details[name].as_str();
    assert_eq!(["issued", "redeemed", "expired", "outstanding"].map(total), ["200", "200", "0", "0"]);
}
