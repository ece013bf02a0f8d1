//! The registry of persons: one PSP has a person, whatever the others claim, release, repeat or race for.

use std::sync::Barrier;

use specie_audit::{Actor, Kind, Line};
use specie_bank::person::{self, PSEUDONYMS_MAX, PersonError};
use specie_bank::storage::Storage;
use specie_core::Timestamp;

use crate::world::{DAY, World, name};

const PEPPER: [u8; 32] = [7; 32];

fn world(seed: u64) -> World {
    let world = World::new(seed);
    world.transact(|tx| person::keep_registry(tx, Actor::service(), Some(&PEPPER), world.now)).unwrap();
    world
}

fn claim(world: &World, psp: &str, pseudonyms: &[[u8; 32]]) -> Result<(), PersonError> {
    world.transact(|tx| person::claim(tx, &name(psp), &PEPPER, pseudonyms, world.now))
}

fn release(world: &World, psp: &str, pseudonym: [u8; 32], until: Timestamp) -> Result<(), PersonError> {
    world.transact(|tx| person::release(tx, &name(psp), &pseudonym, until, world.now))
}

/// Who has whom, and what was decided.
fn state(world: &World, pseudonym: [u8; 32]) -> (Option<String>, usize) {
    let person = world.bank().storage().read(|view| view.person(&pseudonym).map_err(PersonError::from)).unwrap();
    let lines = world.bank().audit_page(0, u64::MAX).unwrap();
    let records = lines.iter().filter(|line| matches!(line, Line::Record(_))).count();
    (person.map(|person| format!("{} {:?}", person.psp, person.until)), records)
}

#[test]
fn one_psp_has_a_person_until_what_it_gave_has_run_out() {
    let mut world = world(80);
    let (alice, bob) = ([1; 32], [2; 32]);
    claim(&world, "alpha", &[alice]).unwrap();
    let before = state(&world, alice);
    claim(&world, "alpha", &[alice]).unwrap();
    assert!(matches!(claim(&world, "beta", &[alice]), Err(PersonError::Elsewhere(None))));
    // All or nothing: bob is free, but the two are said to be one person.
    assert!(matches!(claim(&world, "beta", &[bob, alice]), Err(PersonError::Elsewhere(None))));
    assert_eq!(state(&world, bob).0, None);
    let until = world.now.saturating_add(30 * DAY);
    assert!(
        matches!(release(&world, "beta", alice, world.now), Err(PersonError::Elsewhere(None))),
        "another's release"
    );
    release(&world, "beta", bob, until).unwrap();
    assert_eq!(state(&world, alice), before, "what changes nothing is not in the log");
    release(&world, "alpha", alice, until).unwrap();
    let before = state(&world, alice);
    release(&world, "alpha", alice, until).unwrap();
    world.now = until;
    assert!(matches!(claim(&world, "beta", &[alice]), Err(PersonError::Elsewhere(Some(at))) if at == until));
    assert_eq!(state(&world, alice), before);
    // One second later it is free, once.
    world.now = until.saturating_add(1);
    claim(&world, "beta", &[alice]).unwrap();
    assert!(matches!(claim(&world, "alpha", &[alice]), Err(PersonError::Elsewhere(None))));
    assert!(
        matches!(release(&world, "alpha", alice, until), Err(PersonError::Elsewhere(None))),
        "released again, late"
    );
    // Who gave it back may take it again at once: it knows what it gave.
    release(&world, "beta", alice, until.saturating_add(30 * DAY)).unwrap();
    claim(&world, "beta", &[alice]).unwrap();
    assert_eq!(state(&world, alice).0.unwrap(), "beta None");
}

#[test]
fn claims_that_are_no_claims_change_nothing() {
    let world = world(81);
    let many: Vec<_> = (0..=PSEUDONYMS_MAX).map(|number| [number as u8; 32]).collect();
    for wrong in [&[][..], &many] {
        assert!(matches!(claim(&world, "alpha", wrong), Err(PersonError::Size)));
    }
    assert!(matches!(claim(&world, "nobody", &many[..1]), Err(PersonError::Psp(_))));
    let other = world.transact(|tx| person::claim(tx, &name("alpha"), &[8; 32], &many[..1], world.now));
    assert!(matches!(other, Err(PersonError::Pepper)));
    let keep =
        |pepper: Option<&[u8; 32]>| world.transact(|tx| person::keep_registry(tx, Actor::service(), pepper, world.now));
    assert!(matches!(keep(Some(&[8; 32])), Err(PersonError::OtherPepper)));
    claim(&world, "alpha", &many[..PSEUDONYMS_MAX]).unwrap();
    // Ended and begun again: who has whom stays known.
    keep(None).unwrap();
    assert!(matches!(claim(&world, "beta", &many[..1]), Err(PersonError::Pepper)));
    keep(Some(&PEPPER)).unwrap();
    assert!(matches!(claim(&world, "beta", &many[..1]), Err(PersonError::Elsewhere(None))));
}

#[test]
fn the_bank_frees_a_person_with_a_reason_and_a_name() {
    let mut world = world(82);
    let (alice, until) = ([1; 32], world.now.saturating_add(DAY));
    let free = |world: &World, reason: &str| {
        let by = Actor::operator("anna").unwrap();
        world.transact(|tx| person::free(tx, by, &alice, until, reason, world.now))
    };
    assert!(matches!(free(&world, "it is gone"), Err(PersonError::Unknown)));
    claim(&world, "alpha", &[alice]).unwrap();
    assert!(matches!(free(&world, " "), Err(PersonError::Reason)));
    free(&world, "alpha is wound up").unwrap();
    let newest = world
        .bank()
        .storage()
        .read(|view| view.audit_newest_about(Kind::PersonFreed, &"01".repeat(32)).map_err(PersonError::from));
    let decision = newest.unwrap().unwrap().decision;
    assert_eq!((decision.by.as_str(), decision.details["reason"].as_str()), ("anna", "alpha is wound up"));
    assert!(claim(&world, "beta", &[alice]).is_err());
    world.now = until.saturating_add(1);
    claim(&world, "beta", &[alice]).unwrap();
}

#[test]
fn of_two_psps_that_race_for_a_person_one_has_it() {
    let world = world(83);
    for number in 0..8_u8 {
        let (pseudonyms, barrier) = ([[number; 32], [100 + number; 32]], Barrier::new(2));
        let (world, barrier, now) = (&world, &barrier, world.now);
        let won: Vec<_> = std::thread::scope(|scope| {
            let racers = ["alpha", "beta"].map(|psp| {
                let mut pseudonyms = pseudonyms;
                // Each in its own order.
                pseudonyms.rotate_left(usize::from(psp == "beta"));
                scope.spawn(move || {
                    let bank = world.another_process();
                    barrier.wait();
                    bank.storage().transact(|tx| person::claim(tx, &name(psp), &PEPPER, &pseudonyms, now)).is_ok()
                })
            });
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let has = pseudonyms.map(|pseudonym| state(world, pseudonym).0.unwrap());
        assert_eq!(has[0], has[1]);
    }
}
