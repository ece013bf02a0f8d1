//! A customer is in no tier that asks for more than was seen of it.

use specie_psp::customer::{Customer, CustomerError};
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::evidence::{EvidenceKind, EvidenceRecord, REFERENCE_LENGTH_MAX};
use specie_psp::person::{Person, PersonKind};
use specie_psp::withdrawal::WithdrawalError;

use crate::world::{World, at, name, seen};

fn customer(who: &str, tier: &str) -> Customer {
    Customer { name: name(who), account: name(who), tier: name(tier), merchant: None }
}

#[test]
fn a_customer_is_only_in_tiers_for_which_evidence_is_recorded() {
    let world = World::before_enrolment();
    let psp = world.psp();
    let lacks = |result| assert!(matches!(result, Err(CustomerError::Evidence { .. })), "{result:?}");
    lacks(psp.add_customer(&customer("dora", "basic"), &[], at(0)));
    assert!(
        psp.customers().unwrap().iter().all(|customer| customer.name != name("dora")),
        "it was taken on all the same"
    );
    lacks(psp.add_customer(&customer("dora", "standard"), &[seen(EvidenceKind::Phone)], at(0)));
    psp.add_customer(&customer("dora", "prepaid"), &[], at(0)).unwrap();
    lacks(psp.set_tier(&name("dora"), &name("basic"), at(0)));
    psp.record_evidence(&name("dora"), &seen(EvidenceKind::Phone)).unwrap();
    psp.set_tier(&name("dora"), &name("basic"), at(0)).unwrap();
    lacks(psp.set_tier(&name("dora"), &name("standard"), at(0)));
    // Evidence that has run out is none.
    let until = EvidenceRecord { valid_until: Some(at(100)), ..seen(EvidenceKind::Document) };
    psp.record_evidence(&name("dora"), &until).unwrap();
    lacks(psp.set_tier(&name("dora"), &name("standard"), at(101)));
    psp.set_tier(&name("dora"), &name("standard"), at(100)).unwrap();
    assert_eq!(psp.evidence(&name("dora")).unwrap(), [until, seen(EvidenceKind::Phone)]);
    // What is not filed anywhere is not recorded.
    for reference in [String::new(), "x".repeat(REFERENCE_LENGTH_MAX + 1)] {
        let wrong = EvidenceRecord { reference, ..seen(EvidenceKind::Document) };
        assert!(matches!(psp.record_evidence(&name("dora"), &wrong), Err(CustomerError::Reference)));
    }
    let nobody = psp.record_evidence(&name("nobody"), &seen(EvidenceKind::Phone));
    assert!(matches!(nobody, Err(CustomerError::Unknown(_))), "{nobody:?}");
}

#[test]
fn a_device_gets_nothing_more_once_its_owners_evidence_ran_out_and_may_still_redeem() {
    let world = World::new();
    let psp = world.psp();
    let alice = name("alice");
    psp.record_evidence(&alice, &EvidenceRecord { valid_until: Some(at(50)), ..seen(EvidenceKind::Document) }).unwrap();
    psp.limits(&world.device.asks("limits-0000000001", 1), at(50)).unwrap();
    let late = psp.limits(&world.device.asks("limits-0000000002", 1), at(51));
    assert!(matches!(late, Err(DocumentError::Device(DeviceRefusal::Evidence))), "{late:?}");
    let late = psp.withdraw(&world.device.asks("withdraw-00000001", 1), &[(world.coin, 1)], at(51));
    assert!(matches!(late, Err(WithdrawalError::Device(DeviceRefusal::Evidence))), "{late:?}");
    assert!(psp.statement(&world.public(), at(51)).is_ok());
    // Other evidence of a kind that the tier asks for will do.
    psp.record_evidence(&alice, &seen(EvidenceKind::Phone)).unwrap();
    psp.withdraw(&world.device.asks("withdraw-00000001", 1), &[(world.coin, 1)], at(51)).unwrap();
}

/// Many customers by one telephone are many sets of limits.
#[test]
fn a_telephone_number_is_one_persons_however_it_is_typed() {
    let world = World::before_enrolment();
    let psp = world.psp();
    let phone = |reference: &str| EvidenceRecord { reference: reference.into(), ..seen(EvidenceKind::Phone) };
    for wrong in ["", "+", "0301234567", "+49", "+49x301", "+1234567890123456", "file 1"] {
        let refused = psp.record_evidence(&name("alice"), &phone(wrong));
        assert!(matches!(refused, Err(CustomerError::Phone)), "{wrong}: {refused:?}");
    }
    for typed in ["+49 (30) 123-45.67", "+49301234567"] {
        psp.record_evidence(&name("alice"), &phone(typed)).unwrap();
    }
    let taken =
        |result| assert!(matches!(result, Err(CustomerError::PhoneTaken(by)) if by == name("alice")), "{result:?}");
    taken(psp.record_evidence(&name("bob"), &phone("+49 30 1234567")));
    taken(psp.add_customer(&customer("dora", "basic"), &[phone("+49 30 1234567")], at(0)));
    assert!(psp.evidence(&name("bob")).unwrap().iter().all(|record| record.kind != EvidenceKind::Phone));
    psp.add_customer(&customer("dora", "basic"), &[phone("+49301234568")], at(0)).unwrap();
    psp.add_customer(&customer("erin", "prepaid"), &[], at(0)).unwrap();
    // The same person may be two customers, and a number that ran out may be given to somebody else.
    let person = Person { tag: [9; 32], kind: PersonKind::Natural };
    for customer in ["alice", "bob"] {
        psp.set_person(&name(customer), &person, at(0)).unwrap();
    }
    psp.record_evidence(&name("bob"), &phone("+49301234567")).unwrap();
    let ended = EvidenceRecord { valid_until: Some(at(5)), ..phone("+49301234568") };
    psp.record_evidence(&name("dora"), &ended).unwrap();
    let later = |seconds| EvidenceRecord { at: at(seconds), ..phone("+49301234568") };
    assert!(matches!(psp.record_evidence(&name("alice"), &later(5)), Err(CustomerError::PhoneTaken(_))));
    psp.record_evidence(&name("erin"), &later(6)).unwrap();
    let third = psp.record_evidence(&name("alice"), &later(7));
    assert!(matches!(third, Err(CustomerError::PhoneTaken(by)) if by == name("erin")), "{third:?}");
}
