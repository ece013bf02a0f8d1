//! Two processes, many threads, one database: one wins, and the key stays secret.

use std::sync::Barrier;

use specie_bank::issuance::IssuanceError;
use specie_bank::redemption::Redeemed;
use specie_bank::storage::Storage;
use specie_core::class::Kind;
use specie_core::group::Scalar;

use crate::world::{World, account, amount, context};

#[test]
fn a_session_is_answered_for_one_of_two_racing_challenges() {
    let mut world = World::new(70);
    let device = world.device("alpha");
    let class = world.class(Kind::Value, 10).id();
    for _ in 0..5 {
        let request = world.request(&device, &[(class, 1)]);
        let started = world.start(&device, &request).unwrap();
        let barrier = Barrier::new(2);
        let (batch, now) = (&request.batch, world.now);
        let challenges = [started.challenges.clone(), vec![started.challenges[0] + Scalar::ONE]];
        let (world, barrier) = (&world, &barrier);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = challenges
                .iter()
                .map(|challenges| {
                    scope.spawn(move || {
                        let bank = world.another_process();
                        barrier.wait();
                        bank.storage().transact(|tx| bank.answer_batch(tx, batch, challenges, now))
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        let lost = answers.iter().filter(|answer| matches!(answer, Err(IssuanceError::OtherChallenges))).count();
        assert_eq!((won, lost), (1, 1));
    }
    assert_eq!(world.reserve("alpha"), 1_000_000 - 50);
    world.assert_conserved();
}

#[test]
fn the_same_notes_redeemed_by_many_at_once_are_paid_once() {
    let mut world = World::new(71);
    let device = world.device("alpha");
    let to = account("alpha", "alice");
    let chains: Vec<_> = (0..6).map(|_| world.note(&device, 10).redeem(to)).collect();
    let before = world.reserve("alpha");
    let (shared, chains, now) = (&world, &chains, world.now);
    std::thread::scope(|scope| {
        for racer in 0..4_u8 {
            scope.spawn(move || {
                let bank = shared.another_process();
                let mut own = chains.clone();
                own.rotate_left(racer.into());
                let checked = bank.check_redemption(to, &own, now, &[racer; 32]).unwrap();
                let redeemed = bank.redeem(&checked, now).unwrap();
                assert_eq!(redeemed, vec![Redeemed::Credited(amount(10)); 6]);
            });
        }
    });
    assert_eq!(world.reserve("alpha"), before + 60);
    world.assert_conserved();
}

#[test]
fn two_payees_of_one_note_at_once_are_both_paid_and_one_is_convicted() {
    let mut world = World::new(72);
    let (culprit, honest) = (world.device("alpha"), world.device("beta"));
    let note = world.note(&culprit, 50);
    let tags = world.tags(&honest, 4);
    let to = account("beta", "bob");
    let chains: Vec<_> =
        tags.iter().zip(1..).map(|(tag, byte)| note.pay(&[(50, tag)], context(byte)).remove(0).redeem(to)).collect();
    let (shared, now) = (&world, world.now);
    std::thread::scope(|scope| {
        for chain in &chains {
            scope.spawn(move || {
                let bank = shared.another_process();
                let checked = bank.check_redemption(to, &[chain], now, &[1; 32]).unwrap();
                let redeemed = bank.redeem(&checked, now).unwrap();
                assert_eq!(redeemed, [Redeemed::Credited(amount(50))]);
            });
        }
    });
    assert_eq!(world.balance("fraud-loss"), -150);
    let found = world.transact(|tx| tx.double_spends_after(0, 9)).unwrap();
    assert_eq!((found.len(), found[0].culprit), (1, Some(culprit.identity)));
    world.assert_conserved();
}
