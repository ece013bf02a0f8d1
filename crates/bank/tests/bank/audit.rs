//! What the bank decides is in its audit log, once.

use specie_audit::{Decision, Kind, Line, Verifier};
use specie_bank::signer::Signer;

use crate::world::{World, account, context};

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
