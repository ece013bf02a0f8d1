//! Withdrawals: what they may ask for, and where their money goes.

use specie_core::class::Kind;
use specie_core::text::Currency;
use specie_core::{Amount, ClassId};
use specie_psp::bank::BatchStanding;
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::transfer::{TransferError, TransferOrder};
use specie_psp::withdrawal::WithdrawalError;

use crate::world::{DAY, DEPOSIT, TestPsp, World, amount, at, name};

fn withdraw(world: &World, psp: &TestPsp, key: &str, coins: u64, blanks: u64) -> Result<[u8; 16], WithdrawalError> {
    let items: Vec<_> =
        [(world.coin, coins), (world.blank, blanks)].into_iter().filter(|(_, count)| *count > 0).collect();
    let say = u8::try_from(coins * 16 + blanks).unwrap();
    let (id, sessions) = psp.withdraw(&world.device.asks(key, say), &items, at(10))?;
    assert_eq!(sessions.len() as u64, coins + blanks);
    Ok(id)
}

const FIRST: &str = "withdrawal-000001";
const SECOND: &str = "withdrawal-000002";

#[test]
fn value_is_held_then_settled() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 3, 2).unwrap();
    assert_eq!(world.balance(), DEPOSIT - 300);
    assert_eq!(psp.books().unwrap().withdrawals_in_progress, amount(300));
    world.check_books();
    let challenges = [[1; 32], [2; 32], [3; 32], [4; 32], [5; 32]];
    let answers = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &challenges, at(11)).unwrap();
    assert_eq!(answers.len(), 5);
    world.check_at_rest();
    assert_eq!(world.bank.state().issued(), 300);
    // The answers were lost: the same challenges again, under another key too.
    for key in ["challenge-0000001", "challenge-0000002"] {
        assert_eq!(psp.challenge(&world.device.asks(key, 1), &id, &challenges, at(12)).unwrap(), answers);
    }
    let other = psp.challenge(&world.device.asks("challenge-0000003", 2), &id, &[[9; 32]; 5], at(12));
    assert!(matches!(other, Err(WithdrawalError::Answered)), "{other:?}");
    assert!(matches!(cancel(&world, &psp, &id), Err(WithdrawalError::Answered)));
    psp.acknowledge(&world.device.asks("acknowledge-00001", 1), &id, at(13)).unwrap();
    psp.acknowledge(&world.device.asks("acknowledge-00001", 1), &id, at(13)).unwrap();
    let closed = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &challenges, at(14));
    assert!(matches!(closed, Err(WithdrawalError::Closed)), "{closed:?}");
    world.check_at_rest();
    assert_eq!(world.balance(), DEPOSIT - 300);
}

fn cancel(world: &World, psp: &TestPsp, id: &[u8; 16]) -> Result<(), WithdrawalError> {
    psp.cancel(&world.device.asks("cancel-0000000001", 1), id, at(12))
}

#[test]
fn a_cancelled_withdrawal_gives_money_and_ration_back() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 3, 10).unwrap();
    assert!(matches!(withdraw(&world, &psp, SECOND, 0, 1), Err(WithdrawalError::Ration { left: 0, asked: 1, .. })));
    cancel(&world, &psp, &id).unwrap();
    cancel(&world, &psp, &id).unwrap();
    assert_eq!(world.balance(), DEPOSIT);
    world.check_at_rest();
    assert!(matches!(withdraw(&world, &psp, FIRST, 3, 10), Err(WithdrawalError::Void)));
    let dead = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &[[1; 32]; 13], at(12));
    assert!(matches!(dead, Err(WithdrawalError::Void)), "{dead:?}");
    withdraw(&world, &psp, SECOND, 3, 10).unwrap();
}

#[test]
fn the_same_request_holds_once_and_another_one_needs_another_key() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 3, 0).unwrap();
    assert_eq!(withdraw(&world, &psp, FIRST, 3, 0).unwrap(), id);
    assert_eq!(world.balance(), DEPOSIT - 300);
    assert!(matches!(withdraw(&world, &psp, FIRST, 4, 0), Err(WithdrawalError::Conflict(_))));
    assert_eq!(world.bank.state().batches.len(), 1);
    // A key of this device used for another request of it.
    let challenges = [[1; 32]; 3];
    psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &challenges, at(12)).unwrap();
    let conflict = psp.challenge(&world.device.asks("challenge-0000001", 2), &id, &challenges, at(12));
    assert!(matches!(conflict, Err(WithdrawalError::Conflict(_))), "{conflict:?}");
}

#[test]
fn one_unit_more_than_allowed_is_refused() {
    let world = World::new();
    let psp = world.psp();
    // 2,000 a day.
    assert!(matches!(withdraw(&world, &psp, FIRST, 15, 0).map(drop), Ok(())));
    let more = psp.withdraw(&world.device.asks(SECOND, 1), &[(world.coin, 6)], at(10));
    let Err(WithdrawalError::TierLimit { allowed, asked, .. }) = more else { panic!("{:?}", more.map(drop)) };
    assert_eq!((allowed, asked), (amount(500), amount(600)));
    psp.withdraw(&world.device.asks(SECOND, 1), &[(world.coin, 5)], at(10)).unwrap();
    let third = world.device.asks("withdrawal-000003", 1);
    assert!(matches!(psp.withdraw(&third, &[(world.coin, 1)], at(10)), Err(WithdrawalError::TierLimit { .. })));
    // A day later there is room again.
    assert!(matches!(
        psp.withdraw(&third, &[(world.coin, 1)], at(10 + 86_399)),
        Err(WithdrawalError::TierLimit { .. })
    ));
    psp.withdraw(&third, &[(world.coin, 1)], at(10 + 86_400)).unwrap();
    world.check_books();
}

#[test]
fn one_unit_more_than_a_month_allows_is_refused_whatever_the_days_are() {
    let world = World::new();
    let psp = world.psp();
    psp.deposit(&name("alice"), amount(DEPOSIT), "more", at(0)).unwrap();
    let take = |key: &str, coins, seconds| {
        psp.withdraw(&world.device.asks(key, 1), &[(world.coin, coins)], at(seconds)).map(drop)
    };
    // 6,000 within 30 days, 2,000 within 24 hours.
    for (key, day) in [("withdrawal-day-00", 0), ("withdrawal-day-01", 1), ("withdrawal-day-25", 25)] {
        take(key, 20, day * DAY).unwrap();
    }
    for seconds in [26 * DAY, 30 * DAY - 1] {
        let more = take("withdrawal-000099", 1, seconds);
        assert!(matches!(more, Err(WithdrawalError::TierLimit { allowed: Amount::ZERO, .. })), "{more:?}");
    }
    // 30 days after the first there is room for as much as the first was.
    let more = take("withdrawal-000099", 21, 30 * DAY);
    assert!(matches!(more, Err(WithdrawalError::TierLimit { allowed, .. }) if allowed == amount(2_000)), "{more:?}");
    take("withdrawal-000099", 20, 30 * DAY).unwrap();
    world.check_books();
}

#[test]
fn blanks_are_rationed_by_device_epoch_and_cap() {
    let world = World::new();
    let psp = world.psp();
    let eleven = withdraw(&world, &psp, FIRST, 0, 11);
    assert!(matches!(eleven, Err(WithdrawalError::Ration { epoch: 1, left: 10, asked: 11 })), "{eleven:?}");
    withdraw(&world, &psp, FIRST, 0, 10).unwrap();
    assert!(matches!(withdraw(&world, &psp, SECOND, 0, 1), Err(WithdrawalError::Ration { left: 0, .. })));
    assert_eq!(psp.statement(&world.public(), at(10)).unwrap().rations[0].blanks, 0);
    // The next epoch has a ration of its own, and the old one is not issued any more.
    let (small, large) =
        (world.bank.publish(Kind::Blank, 5_000, 2, at(20)), world.bank.publish(Kind::Blank, 5_001, 2, at(20)));
    psp.reconcile(at(20)).unwrap();
    let cap = psp.withdraw(&world.device.asks(SECOND, 1), &[(large, 1)], at(20));
    assert!(matches!(cap, Err(WithdrawalError::Cap { .. })), "{:?}", cap.map(drop));
    let old = psp.withdraw(&world.device.asks(SECOND, 1), &[(world.blank, 1)], at(20));
    assert!(matches!(old, Err(WithdrawalError::Class(_))), "{:?}", old.map(drop));
    psp.withdraw(&world.device.asks(SECOND, 1), &[(small, 10)], at(20)).unwrap();
    let ration = psp.statement(&world.public(), at(20)).unwrap().rations;
    assert_eq!((ration.len(), ration[0].epoch, ration[0].blanks, ration[0].cap_max), (1, 2, 0, amount(5_000)));
}

#[test]
fn rejects_what_makes_no_sense_or_costs_too_much() {
    let world = World::new();
    let psp = world.psp();
    let ask = |items: &[_]| psp.withdraw(&world.device.asks(FIRST, 1), items, at(10)).map(drop);
    for items in [
        &[][..],
        &[(world.coin, 0)],
        &[(world.coin, 1), (world.coin, 1)],
        &[(world.blank, 257)],
        &[(world.coin, u64::MAX), (world.blank, 1)],
    ] {
        assert!(matches!(ask(items), Err(WithdrawalError::Items)), "{items:?}");
    }
    let unknown = ask(&[(specie_core::ClassId([0; 16]), 1)]);
    assert!(matches!(unknown, Err(WithdrawalError::Class(_))), "{unknown:?}");
    let future = psp.withdraw(&world.device.asks(FIRST, 1), &[(world.coin, 1)], specie_core::Timestamp::EPOCH);
    assert!(matches!(future, Err(WithdrawalError::Class(_))));
    // Nothing is left but 99.
    let (to_psp, to_account) = (name("north"), name("bob-account"));
    let currency = psp.identity().currency;
    let order = specie_psp::transfer::TransferOrder {
        to_psp,
        to_account,
        amount: amount(DEPOSIT - 99),
        currency,
        reference: None,
    };
    psp.transfer(&world.device.asks("transfer-00000001", 1), &order, at(10)).unwrap();
    assert!(matches!(ask(&[(world.coin, 1)]), Err(WithdrawalError::Balance)));
    assert_eq!(world.balance(), 99);
    assert!(world.bank.state().batches.is_empty());
    world.check_at_rest();
}

#[test]
fn only_the_device_itself_goes_on_with_its_withdrawal() {
    let world = World::new();
    let psp = world.psp();
    let other = crate::world::TestDevice::new(51);
    world.enrol(&psp, &other, "enrol-1111111111").unwrap();
    let id = withdraw(&world, &psp, FIRST, 1, 0).unwrap();
    let stolen = psp.challenge(&other.asks("challenge-0000001", 1), &id, &[[1; 32]], at(11));
    assert!(matches!(stolen, Err(WithdrawalError::Unknown)), "{stolen:?}");
    assert!(matches!(psp.cancel(&other.asks("cancel-0000000001", 1), &id, at(11)), Err(WithdrawalError::Unknown)));
}

#[test]
fn a_blocked_device_gets_nothing_and_its_money_comes_back() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 1, 0).unwrap();
    psp.set_blocked(&world.public(), true, at(1)).unwrap();
    let refused = withdraw(&world, &psp, SECOND, 1, 0);
    assert!(matches!(refused, Err(WithdrawalError::Device(DeviceRefusal::Blocked))), "{refused:?}");
    let refused = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &[[1; 32]], at(11));
    assert!(matches!(refused, Err(WithdrawalError::Device(DeviceRefusal::Blocked))), "{refused:?}");
    psp.reconcile(at(10 + 3 * 86_400 + 1)).unwrap();
    assert_eq!(world.balance(), DEPOSIT);
    world.check_at_rest();
    psp.set_blocked(&world.public(), false, at(1)).unwrap();
    withdraw(&world, &psp, SECOND, 1, 0).unwrap();
}

#[test]
fn a_device_that_the_bank_struck_off_gets_nothing_for_ever() {
    let world = World::new();
    let psp = world.psp();
    world.bank.state().struck_off.push(world.device.identity());
    let refused = withdraw(&world, &psp, FIRST, 1, 0);
    assert!(matches!(refused, Err(WithdrawalError::Bank(_))), "{refused:?}");
    assert_eq!(world.balance(), DEPOSIT);
    world.check_at_rest();
    let refused = withdraw(&world, &psp, SECOND, 1, 0);
    assert!(matches!(refused, Err(WithdrawalError::Device(DeviceRefusal::StruckOff))), "{refused:?}");
    assert!(psp.set_blocked(&world.public(), false, at(1)).is_err());
    // The PSP learns of it even if the device never asks.
    let world = World::new();
    let psp = world.psp();
    world.bank.state().struck_off.push(world.device.identity());
    psp.reconcile(at(10)).unwrap();
    let refused = withdraw(&world, &psp, FIRST, 1, 0);
    assert!(matches!(refused, Err(WithdrawalError::Device(DeviceRefusal::StruckOff))), "{refused:?}");
}

#[test]
fn a_withdrawal_that_nobody_carries_on_is_refunded_in_time() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 5, 5).unwrap();
    psp.reconcile(at(10 + 3 * 86_400)).unwrap();
    assert_eq!(world.balance(), DEPOSIT - 500);
    psp.reconcile(at(10 + 3 * 86_400 + 1)).unwrap();
    assert_eq!(world.balance(), DEPOSIT);
    assert_eq!(world.bank.state().batches[&id].standing, BatchStanding::Void);
    world.check_at_rest();
}

#[test]
fn money_stays_held_when_the_bank_forgets_and_people_are_told() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 5, 0).unwrap();
    world.bank.state().batches.remove(&id);
    for now in [at(11), at(10 + 4 * 86_400)] {
        let done = psp.reconcile(now).unwrap();
        assert_eq!(done.findings.len(), 1, "{done:?}");
        assert_eq!(world.balance(), DEPOSIT - 500);
    }
    world.check_books();
}

#[test]
fn a_reserve_too_low_delays_and_loses_nothing() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 5, 0).unwrap();
    let reserve = std::mem::replace(&mut world.bank.state().reserve, 499);
    let request = world.device.asks("challenge-0000001", 1);
    let refused = psp.challenge(&request, &id, &[[1; 32]; 5], at(11));
    assert!(matches!(refused, Err(WithdrawalError::Bank(_))), "{refused:?}");
    world.bank.state().reserve = reserve;
    psp.challenge(&request, &id, &[[1; 32]; 5], at(11)).unwrap();
    world.check_at_rest();
}

#[test]
fn other_challenges_that_the_bank_never_answered_cost_nothing() {
    let world = World::new();
    let psp = world.psp();
    let id = withdraw(&world, &psp, FIRST, 3, 0).unwrap();
    // The bank broke between its signer's record and its own: the batch is open, and good for these challenges only.
    world.bank.state().begun.insert(id, vec![[1; 32]; 3]);
    let other = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &[[2; 32]; 3], at(11));
    assert!(matches!(other, Err(WithdrawalError::Bank(_))), "{other:?}");
    assert_eq!(psp.books().unwrap().withdrawals_in_progress, amount(300), "the bank debited nothing yet");
    world.check_books();
    cancel(&world, &psp, &id).unwrap();
    assert_eq!(world.balance(), DEPOSIT);
    world.check_at_rest();
}

#[test]
fn a_key_serves_one_request_of_whatever_kind() {
    let world = World::new();
    let psp = world.psp();
    withdraw(&world, &psp, FIRST, 3, 0).unwrap();
    let documents = psp.limits(&world.device.asks(FIRST, 200), at(10));
    assert!(matches!(documents, Err(DocumentError::Conflict(_))), "{documents:?}");
    let order = TransferOrder {
        to_psp: name("north"),
        to_account: name("bob-account"),
        amount: amount(10),
        currency: Currency::new("XTS").unwrap(),
        reference: None,
    };
    let paid = psp.transfer(&world.device.asks(FIRST, 201), &order, at(10));
    assert!(matches!(paid, Err(TransferError::Conflict(_))), "{paid:?}");
    psp.transfer(&world.device.asks(SECOND, 201), &order, at(10)).unwrap();
    assert!(matches!(withdraw(&world, &psp, SECOND, 3, 0), Err(WithdrawalError::Conflict(_))));
    assert_eq!(world.balance(), DEPOSIT - 310);
    world.check_books();
}

#[test]
fn a_request_with_very_many_items_is_refused_before_they_are_compared() {
    let world = World::new();
    // As many as fit a request: to compare each with each would keep all others waiting.
    let items: Vec<_> = (0..70_000_u128).map(|number| (ClassId((number + (1 << 100)).to_be_bytes()), 1)).collect();
    let refused = world.psp().withdraw(&world.device.asks(FIRST, 1), &items, at(10));
    assert!(matches!(refused, Err(WithdrawalError::Items)), "{refused:?}");
}
