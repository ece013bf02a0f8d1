//! What the bank decides is in its audit log, once.

use specie_audit::{Actor, Decision, Kind, Line, Verifier};
use specie_bank::person;
use specie_bank::restitution::give_up;
use specie_bank::signer::Signer;

use crate::restitutions::{home, lost};
use crate::world::{World, account, context, name};

fn decisions(world: &World) -> Vec<Decision> {
    let lines = world.bank().audit_page(0, u64::MAX).unwrap();
    let decision = |line| if let Line::Record(record) = line { Some(record.decision) } else { None };
    lines.into_iter().filter_map(decision).collect()
}

#[test]
fn setting_up_and_publishing_are_in_the_log_once() {
    let world = World::new(90);
    let classes = world.classes.len();
    let found = decisions(&world);
    let kinds: Vec<_> = found.iter().map(|decision| decision.kind).collect();
    let published = std::iter::repeat_n(Kind::ClassPublished, classes);
    let expected: Vec<_> = [Kind::BankSetUp].into_iter().chain(published).chain([Kind::ManifestPublished]).collect();
    assert_eq!(kinds, expected);
    let manifest = world.bank().draft_manifest(&[], world.now).unwrap().sign(&world.root);
    for _ in 0..2 {
        world.bank().publish_manifest(&manifest, world.now).unwrap();
    }
    assert_eq!(decisions(&world).len(), found.len() + 1);
}

#[test]
fn a_device_is_registered_and_struck_off_once() {
    let mut world = World::new(91);
    let begin = decisions(&world).len();
    let (culprit, honest) = (world.device("alpha"), world.device("beta"));
    let note = world.note(&culprit, 100);
    for (tag, byte) in world.tags(&honest, 3).iter().zip(1..) {
        let paid = note.pay(&[(100, tag)], context(byte)).remove(0);
        world.redeem_asset(&paid, account("beta", "bob"));
    }
    let found = decisions(&world).split_off(begin);
    let kinds: Vec<_> = found.iter().map(|decision| decision.kind).collect();
    assert_eq!(
        kinds,
        [Kind::DeviceRegistered, Kind::DeviceRegistered, Kind::DeviceStruckOff, Kind::RevocationsPublished]
    );
    assert!(found.iter().all(|decision| decision.by.as_str() == "service"));
    assert_eq!(found[0].subject, found[2].subject);
    assert_eq!(found[2].details["evidence"], "1");
    let head = world.bank().sign_audit_head(world.now).unwrap().unwrap();
    let mut verifier = Verifier::new(world.keys().ledger_key());
    verifier.line(&Line::Log(world.bank().audit_log()).to_text()).unwrap();
    let lines = world.bank().audit_page(0, head.head.sequence).unwrap();
    lines.iter().for_each(|line| verifier.line(&line.to_text()).unwrap());
    assert_eq!(verifier.finish().unwrap().head, head);
}

/// What a PSP decides, and what the bank's operator does: `cli/tests/program/auditing.rs` has him do it.
const ELSEWHERE: &[Kind] = &[
    // `epochs.rs` has these.
    Kind::NoticeWaived,
    Kind::EpochBegun,
    Kind::KeysDestroyed,
    // `watch.rs` has these.
    Kind::ClassTotals,
    Kind::AlarmAcknowledged,
    Kind::PspRegistered,
    Kind::ReservePaidIn,
    Kind::ReservePaidOut,
    Kind::SupervisionSet,
    Kind::SupervisionEnded,
    Kind::DisclosureHandedOut,
    Kind::DisclosureOpened,
    Kind::PolicyInForce,
    Kind::TiersPublished,
    Kind::IdentificationInForce,
    Kind::CustomerAdded,
    Kind::EvidenceRecorded,
    Kind::CredentialAccepted,
    Kind::DocumentChecked,
    Kind::NameScreened,
    Kind::HitDecided,
    Kind::IdentityErased,
    Kind::TierChanged,
    Kind::PersonKnown,
    Kind::PersonRefused,
    Kind::ClaimCodeIssued,
    Kind::CustomerCredited,
    Kind::DeviceEnrolled,
    Kind::DeviceRefused,
    Kind::DeviceBlocked,
    Kind::DeviceUnblocked,
    Kind::DeviceLost,
    Kind::DeviceFound,
    Kind::LimitsIssued,
    Kind::TotalsJudged,
    Kind::AmlRulesAdopted,
    Kind::AlertRaised,
    Kind::CaseOpened,
    Kind::CaseStep,
    Kind::CaseReported,
    Kind::CustomerFrozen,
    Kind::CustomerReleased,
    Kind::WeightSet,
    Kind::DeviceReleased,
    Kind::DeviceHandedOver,
    Kind::UploadsRefused,
    Kind::UploadsAgreed,
];

/// A kind that is not met here, and is not decided elsewhere, fails: add what decides it.
#[test]
fn no_kind_of_decision_is_missing() {
    let begin = |world: &World| decisions(world).len();
    let mut seen = Vec::new();
    let mut see = |world: &World, begin: usize, expected: &[Kind]| {
        let kinds: Vec<_> = decisions(world).iter().map(|decision| decision.kind).collect();
        assert_eq!(kinds[begin..], *expected);
        seen.extend(kinds);
    };
    // Rules: those of the manifest, and the others.
    let world = World::new(92);
    let start = begin(&world);
    for _ in 0..2 {
        world.bank().audit_rules(world.now).unwrap();
    }
    let fewer = world.another_process().with_revocations_per_day(7);
    fewer.audit_rules(world.now).unwrap();
    see(&world, start, &[Kind::BankRulesInForce; 2]);
    // A lost device: claimed, refused and settled, each once.
    let mut gone = lost(93);
    let start = begin(&gone.world);
    let note = gone.note.clone();
    for _ in 0..2 {
        gone.claim(home(), &[note.holding(), vec![1, 2, 3]]);
    }
    gone.settled();
    see(&gone.world, start, &[Kind::RestitutionClaimed, Kind::RestitutionRefused, Kind::RestitutionSettled]);
    let settled = decisions(&gone.world).pop().unwrap();
    assert_eq!((settled.details["outcome"].as_str(), settled.by.as_str()), ("paid", "service"));
    let refused = &decisions(&gone.world)[start + 1];
    assert_eq!(refused.details["refused"], "malformed 1");
    // A person: claimed, released, freed, each twice.
    let world = World::new(97);
    let start = begin(&world);
    let (psp, pepper, now, later) = (name("alpha"), [7; 32], world.now, world.now.saturating_add(1));
    let anna = Actor::operator("anna").unwrap();
    for pepper in [Some(&pepper), Some(&pepper), None, None, Some(&pepper)] {
        world.transact(|tx| person::keep_registry(tx, anna, pepper, now)).unwrap();
    }
    for _ in 0..2 {
        world.transact(|tx| person::claim(tx, &psp, &pepper, &[[1; 32]], now)).unwrap();
    }
    for _ in 0..2 {
        world.transact(|tx| person::release(tx, &psp, &[1; 32], now, now)).unwrap();
    }
    for _ in 0..2 {
        world.transact(|tx| person::free(tx, anna, &[1; 32], later, "it is gone", now)).unwrap();
    }
    let persons = [Kind::PersonClaimed, Kind::PersonReleased, Kind::PersonFreed];
    let registry = [Kind::RegistryBegun, Kind::RegistryEnded, Kind::RegistryBegun];
    see(&world, start, &[registry, persons].concat());
    // One that was found.
    let mut found = lost(94);
    let start = begin(&found.world);
    let note = found.note.clone();
    found.claimed(&note);
    let (psp, identity, now) = (found.device.psp, found.device.identity, found.world.now);
    for _ in 0..2 {
        found.world.transact(|tx| give_up(tx, &psp, &identity, now)).unwrap();
    }
    see(&found.world, start, &[Kind::RestitutionClaimed, Kind::RestitutionGivenUp]);
    // Notes that the bank did not issue, spent twice: nobody who is registered, and more than was issued.
    let mut world = World::new(95);
    let start = begin(&world);
    let (alice, honest) = (world.device("alpha"), world.device("beta"));
    let (real, tags, forged) = (world.note(&alice, 100), world.tags(&honest, 2), world.forge(100));
    for (tag, byte) in tags.iter().zip(1..) {
        let paid = forged.pay(&[(100, tag)], context(byte)).remove(0);
        world.redeem_asset(&paid, account("beta", "bob"));
    }
    for _ in 0..2 {
        world.redeem_asset(&real, account("alpha", "alice"));
    }
    see(
        &world,
        start,
        &[
            Kind::DeviceRegistered,
            Kind::DeviceRegistered,
            Kind::AlarmRaised,
            Kind::RevocationsPublished,
            Kind::AlarmRaised,
        ],
    );
    // And one that is.
    let mut world = World::new(96);
    let start = begin(&world);
    let (culprit, honest) = (world.device("alpha"), world.device("beta"));
    let note = world.note(&culprit, 100);
    for (tag, byte) in world.tags(&honest, 2).iter().zip(1..) {
        let paid = note.pay(&[(100, tag)], context(byte)).remove(0);
        world.redeem_asset(&paid, account("beta", "bob"));
    }
    see(
        &world,
        start,
        &[Kind::DeviceRegistered, Kind::DeviceRegistered, Kind::DeviceStruckOff, Kind::RevocationsPublished],
    );
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !ELSEWHERE.contains(kind) && !seen.contains(kind)).collect();
    assert_eq!(missing, [] as [&Kind; 0]);
}
