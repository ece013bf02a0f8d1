//! A person gets its limits from one PSP: none before the bank says that it is this one, and none after it was given back.

use specie_audit::{Kind, Line};
use specie_core::text::Name;
use specie_identity::person::Pepper;
use specie_identity::screening::{Subject, THRESHOLD};
use specie_psp::bank::Redemption;
use specie_psp::customer::Customer;
use specie_psp::document::DocumentError;
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::identification::Identification;
use specie_psp::identity_document::{DocumentKind, IdentityDocument};
use specie_psp::person::PersonKind;
use specie_psp::registry::{RegistrationState, RegistryError};
use specie_psp::withdrawal::{DAY_SECONDS, MONTH_SECONDS, WithdrawalError};

use crate::faults::{Cut, Fuse};
use crate::world::{DAY, DEPOSIT, TestPsp, World, at, name, seen};

/// How long documents count in the tests' tiers.
const VALID: u64 = 14 * DAY;

fn pepper(byte: u8) -> Pepper {
    Pepper::new([byte; 32].into())
}

fn identifying(psp: TestPsp, byte: u8) -> TestPsp {
    let identification = Identification { pepper: pepper(byte), issuers: None, sanctions: None, threshold: THRESHOLD };
    psp.identifying_with(identification)
}

fn alice() -> Name {
    name("alice")
}

/// A bank that keeps a registry, of which the PSP has heard; alice is in a tier that asks for a document, of which the PSP wrote
/// down where it is filed, and nothing by which others would know her.
fn world() -> (World, TestPsp) {
    let world = World::new();
    let psp = identifying(world.psp(), 9);
    psp.set_tier(&alice(), &name("standard"), at(0)).unwrap();
    world.bank.state().registry = Some(pepper(9).name());
    psp.reconcile(at(0)).unwrap();
    (world, psp)
}

fn make_known(psp: &TestPsp) {
    psp.set_person_by_number(&alice(), PersonKind::Natural, ("https://register", "840506-0000"), at(0)).unwrap();
}

/// A limits document for alice's device.
fn limits(world: &World, psp: &TestPsp, seconds: u64) -> Result<(), DocumentError> {
    psp.limits(&world.device.asks(&format!("limits-{seconds:012}"), 1), at(seconds)).map(drop)
}

fn withdraw(world: &World, psp: &TestPsp, coins: u64, seconds: u64) -> Result<(), WithdrawalError> {
    let key = format!("withdrawal-{seconds:012}");
    psp.withdraw(&world.device.asks(&key, 1), &[(world.coin, coins)], at(seconds)).map(drop)
}

fn decided(psp: &TestPsp, kind: Kind) -> usize {
    let lines = psp.audit_page(0, u64::MAX).unwrap();
    lines.iter().filter(|line| matches!(line, Line::Record(record) if record.decision.kind == kind)).count()
}

#[test]
fn a_person_of_another_psp_gets_nothing_here_and_redeems() {
    let (world, psp) = world();
    assert!(matches!(limits(&world, &psp, 1), Err(DocumentError::Registry(RegistryError::Unrecognisable))));
    make_known(&psp);
    let pseudonym = psp.registrations(&alice(), at(1)).unwrap()[0].0;
    world.bank.state().elsewhere.insert(pseudonym);
    for second in 2..4 {
        let refused = limits(&world, &psp, second);
        assert!(matches!(refused, Err(DocumentError::Registry(RegistryError::Elsewhere(_)))), "{refused:?}");
        let refused = withdraw(&world, &psp, 1, second);
        assert!(matches!(refused, Err(WithdrawalError::Registry(RegistryError::Elsewhere(_)))), "{refused:?}");
    }
    assert!(matches!(psp.claim_person(&alice(), at(4)), Err(RegistryError::Elsewhere(_))));
    assert!(matches!(psp.release_person(&alice(), at(4)), Err(RegistryError::NotClaimed(_))), "not ours to give");
    assert_eq!(decided(&psp, Kind::PersonRefused), 1, "what does not change is not decided again");
    assert_eq!((world.balance(), psp.fleet(&alice(), at(4)).unwrap()[0].limits_until), (DEPOSIT, None));
    world.check_at_rest();
    let redemption = Redemption { psp: "north".into(), account: "alice-account".into(), chains: vec![vec![30, 1]] };
    psp.redeem(&world.device.asks("redemption-000001", 1), &redemption, at(5)).unwrap();
    assert_eq!(world.balance(), DEPOSIT + 30);
    // The other PSP gives her back.
    world.bank.state().elsewhere.clear();
    limits(&world, &psp, 6).unwrap();
    withdraw(&world, &psp, 1, 7).unwrap();
    assert_eq!(decided(&psp, Kind::PersonClaimed), 1);
    assert_eq!(world.bank.state().persons.len(), 1);
}

#[test]
fn a_person_is_given_back_until_all_that_it_got_has_run_out() {
    let (world, psp) = world();
    make_known(&psp);
    limits(&world, &psp, 0).unwrap();
    let pseudonym = psp.registrations(&alice(), at(1)).unwrap()[0].0;
    // The document alone, then a withdrawal, which counts for longer.
    assert_eq!(psp.release_person(&alice(), at(DAY)).unwrap(), at(VALID));
    assert_eq!(world.bank.state().persons[&pseudonym], Some(at(VALID)));
    psp.claim_person(&alice(), at(DAY)).unwrap();
    assert_eq!(world.bank.state().persons[&pseudonym], None);
    withdraw(&world, &psp, 2, DAY).unwrap();
    let until = at(DAY + MONTH_SECONDS);
    for second in [2 * DAY, 3 * DAY] {
        assert_eq!(psp.release_person(&alice(), at(second)).unwrap(), until);
        assert_eq!(world.bank.state().persons[&pseudonym], Some(until));
    }
    assert_eq!(decided(&psp, Kind::PersonReleased), 2);
    for second in [3 * DAY + 1, VALID + 1, 100 * DAY] {
        let refused = limits(&world, &psp, second);
        let is_released = |error: &RegistryError| matches!(error, RegistryError::Released(Some(at)) if *at == until);
        assert!(matches!(&refused, Err(DocumentError::Registry(error)) if is_released(error)), "{refused:?}");
        assert!(
            matches!(withdraw(&world, &psp, 1, second), Err(WithdrawalError::Registry(error)) if is_released(&error))
        );
    }
    // What was begun before goes on, and is the same withdrawal.
    withdraw(&world, &psp, 2, DAY).unwrap();
    let key = format!("withdrawal-{DAY:012}");
    psp.challenge(&world.device.asks("challenge-0000001", 1), &world.operation(&key), &[[1; 32]; 2], at(3 * DAY + 2))
        .unwrap();
}

#[test]
fn coming_back_gives_no_second_ration() {
    let (world, psp) = world();
    make_known(&psp);
    psp.set_tier(&alice(), &name("basic"), at(0)).unwrap();
    // 20 coins of 100 are all of a day.
    withdraw(&world, &psp, 20, 0).unwrap();
    psp.release_person(&alice(), at(1)).unwrap();
    psp.claim_person(&alice(), at(2)).unwrap();
    assert!(matches!(withdraw(&world, &psp, 1, 3), Err(WithdrawalError::TierLimit { .. })));
    withdraw(&world, &psp, 20, DAY_SECONDS + 1).unwrap();
    world.check_books();
}

#[test]
fn whatever_becomes_known_of_a_person_is_claimed_and_nothing_is_forgotten_by_erasing_it() {
    let (world, psp) = world();
    let holder = Subject { name: "Alice".into(), birth: None };
    let document = IdentityDocument {
        kind: DocumentKind::Passport,
        country: *b"SE",
        number: "AB 123456".into(),
        holder,
        valid_until: None,
    };
    psp.check_document(&alice(), &document, at(0)).unwrap();
    limits(&world, &psp, 1).unwrap();
    assert_eq!(world.bank.state().persons.len(), 1);
    make_known(&psp);
    let both = psp.registrations(&alice(), at(1)).unwrap();
    let missing = both.iter().find(|(_, registration)| registration.is_none()).unwrap().0;
    // Another PSP knows her by her number: from now on she gets nothing here either.
    world.bank.state().elsewhere.insert(missing);
    assert!(matches!(limits(&world, &psp, 2), Err(DocumentError::Registry(RegistryError::Elsewhere(_)))));
    world.bank.state().elsewhere.clear();
    limits(&world, &psp, 3).unwrap();
    assert_eq!(world.bank.state().persons.len(), 2);
    psp.erase_identity(&alice(), at(4)).unwrap();
    psp.release_person(&alice(), at(5)).unwrap();
    assert_eq!(world.bank.state().persons.values().filter(|until| until.is_some()).count(), 2);
    // Shown again, she is still who was given back.
    psp.check_document(&alice(), &document, at(6)).unwrap();
    assert!(matches!(limits(&world, &psp, 7), Err(DocumentError::Registry(RegistryError::Released(_)))));
    psp.claim_person(&alice(), at(8)).unwrap();
    limits(&world, &psp, 9).unwrap();
    assert!(world.bank.state().persons.values().all(Option::is_none));
}

#[test]
fn a_crash_between_claim_and_use_or_within_a_release_is_mended_by_repeating() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let (world, psp) = world();
            make_known(&psp);
            let fuse = Fuse::new(step, cut);
            let breaking = identifying(world.psp_with(&fuse), 9);
            let _ = limits(&world, &breaking, 1)
                .map_err(drop)
                .and_then(|()| breaking.release_person(&alice(), at(2)).map_err(drop))
                .and_then(|_| breaking.claim_person(&alice(), at(3)).map_err(drop));
            let place = format!("crash {cut:?} step {step}");
            let has_document = psp.fleet(&alice(), at(4)).unwrap()[0].limits_until.is_some();
            let held = world.bank.state().persons.values().any(Option::is_none);
            let released = world.bank.state().persons.values().any(Option::is_some);
            assert!(!has_document || held || released, "{place}: given before it was claimed");
            // The service comes back; the device repeats its request, the operator its orders.
            psp.reconcile(at(5)).unwrap();
            match limits(&world, &psp, 1) {
                Ok(()) | Err(DocumentError::Registry(RegistryError::Released(_))) => {}
                Err(error) => panic!("{place}: {error}"),
            }
            psp.release_person(&alice(), at(6))
                .or_else(|error| match error {
                    RegistryError::NotClaimed(_) => Ok(at(0)),
                    error => Err(error),
                })
                .unwrap();
            psp.claim_person(&alice(), at(7)).unwrap();
            assert_eq!(world.bank.state().persons.values().collect::<Vec<_>>(), [&None], "{place}");
            let states: Vec<_> = psp
                .registrations(&alice(), at(1))
                .unwrap()
                .into_iter()
                .map(|(_, known)| known.unwrap().state)
                .collect();
            assert_eq!(states, [RegistrationState::Claimed], "{place}");
            limits(&world, &psp, 8).unwrap();
            if !fuse.is_broken() {
                assert!(step > 8, "{step}");
                break;
            }
        }
    }
}

#[test]
fn another_pepper_gives_no_limits_and_says_so() {
    let (world, _) = world();
    let psp = identifying(world.psp(), 8);
    make_known(&psp);
    assert!(matches!(limits(&world, &psp, 1), Err(DocumentError::Registry(RegistryError::Pepper))));
    let findings = psp.reconcile(at(2)).unwrap().findings;
    assert!(findings.iter().any(|finding| finding.contains("pepper")), "{findings:?}");
    world.bank.state().registry = None;
    psp.reconcile(at(3)).unwrap();
    limits(&world, &psp, 4).unwrap();
    assert!(matches!(psp.claim_person(&alice(), at(5)), Err(RegistryError::NotKept)));
    assert_eq!((decided(&psp, Kind::RegistryBegun), decided(&psp, Kind::RegistryEnded)), (1, 1));
}

#[test]
fn no_release_is_left_that_could_come_after_a_later_claim() {
    let (world, psp) = world();
    make_known(&psp);
    limits(&world, &psp, 0).unwrap();
    let breaking = identifying(world.psp_with(&Fuse::new(1, Cut::After)), 9);
    assert!(matches!(breaking.release_person(&alice(), at(1)), Err(RegistryError::Bank(_))), "nobody heard the answer");
    let said = world.bank.state().said.clone();
    psp.release_person(&alice(), at(2)).unwrap();
    assert_eq!(world.bank.state().said, said, "the same release, told again");
    psp.claim_person(&alice(), at(3)).unwrap();
    psp.reconcile(at(4)).unwrap();
    assert!(world.bank.state().persons.values().all(Option::is_none));
}

/// A telephone number is all that a tier asks for: with a registry one number has one set of limits, at whatever PSP.
#[test]
fn who_is_known_by_a_telephone_number_only_is_known_by_that() {
    let (world, psp) = world();
    let seen = EvidenceRecord { valid_until: Some(at(9)), ..seen(EvidenceKind::Phone) };
    let bob = Customer { name: name("dora"), account: name("dora"), tier: name("basic"), merchant: None };
    psp.add_customer(&bob, std::slice::from_ref(&seen), at(0)).unwrap();
    let pseudonyms = |seconds| psp.registrations(&bob.name, at(seconds)).unwrap();
    let number = Pepper::pseudonym(&pepper(9).telephone("+49301234567"));
    assert_eq!(pseudonyms(1), [(number, None)]);
    world.bank.state().elsewhere.insert(number);
    let refused = psp.claim_person(&bob.name, at(1));
    assert!(matches!(refused, Err(RegistryError::Elsewhere(_))), "{refused:?}");
    world.bank.state().elsewhere.clear();
    psp.claim_person(&bob.name, at(2)).unwrap();
    assert_eq!(pseudonyms(3)[0].1.as_ref().unwrap().state, RegistrationState::Claimed);
    // One that ran out may be somebody else's, and whoever is known by something better is not stopped by a number.
    let erin = Customer { name: name("erin"), account: name("erin"), ..bob.clone() };
    let other = EvidenceRecord { reference: "+4930765432".into(), ..seen };
    psp.add_customer(&erin, &[other], at(0)).unwrap();
    assert!(psp.registrations(&erin.name, at(10)).unwrap().is_empty());
    psp.set_person_by_number(&erin.name, PersonKind::Natural, ("https://register", "2"), at(4)).unwrap();
    let known = psp.registrations(&erin.name, at(5)).unwrap();
    assert_eq!(known.len(), 1);
    assert_ne!(known[0].0, Pepper::pseudonym(&pepper(9).telephone("+4930765432")));
    // Without the registry's pepper nobody is known again, by a number neither.
    for psp in [identifying(world.psp(), 8), world.psp()] {
        let refused = psp.claim_person(&erin.name, at(6));
        assert!(refused.is_err(), "{refused:?}");
    }
}
