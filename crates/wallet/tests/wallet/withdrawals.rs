//! Withdrawing: the right notes, in any order of interruptions, and nothing that is not the bank's.

use specie_core::class::Kind;
use specie_core::encoding::Decode;
use specie_core::enrolment::Certificate;
use specie_core::group::Scalar;
use specie_element::client;
use specie_wallet::WalletError;
use specie_wallet::withdrawal::{Action, Item, WithdrawalError, WithdrawalId};

use crate::bank::{Bank, CAP, NOW, SMALL_CAP, SPEND_UNTIL, amount, at, xts};
use crate::device::{Device, Halt};

fn planned(device: &mut Device, items: &[Item]) -> WithdrawalId {
    let seed = device.seed();
    let step = device.wallet.plan_withdrawal(items, at(NOW), &seed).unwrap();
    device.commit(step).unwrap()
}

/// A withdrawal of 3 notes whose challenges wait to be sent.
fn challenged(bank: &mut Bank, device: &mut Device) -> (WithdrawalId, String) {
    let items = device.wallet.value_items(xts(), amount(5), at(NOW)).unwrap();
    let id = planned(device, &items);
    while device.wallet.withdrawal_action(&id) == Action::UseElement {
        let step = device.wallet.withdraw_with_element(&id, at(NOW), &mut device.port).unwrap();
        device.commit(step).unwrap();
    }
    let Action::Open { items } = device.wallet.withdrawal_action(&id) else { panic!("not open") };
    let certificate = client::identity(&mut device.port).unwrap();
    let U = Certificate::decode(certificate.as_bytes()).unwrap().body.U;
    let sessions = bank.open("remote", &items, &U);
    for wrong in [&sessions[1..], &[sessions[2], sessions[1], sessions[0]][..], &[]] {
        let error = device.wallet.withdrawal_opened(&id, "remote", wrong).err().unwrap();
        assert_eq!(error, WithdrawalError::WrongAnswer);
    }
    let mut zero = sessions.clone();
    zero[1].commitment.rnd = [0; 32];
    assert_eq!(device.wallet.withdrawal_opened(&id, "remote", &zero).err(), Some(WithdrawalError::Forged(1)));
    let step = device.wallet.withdrawal_opened(&id, "remote", &sessions).unwrap();
    device.commit(step).unwrap();
    (id, "remote".to_string())
}

#[test]
fn notes_and_blanks_arrive_and_are_told_apart() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    device.withdraw(&mut bank, 388, 5).unwrap();
    assert_eq!((device.spendable(), device.total()), (388, 388));
    assert_eq!(device.wallet.blanks(xts(), at(NOW)).free, 5);
    assert_eq!(device.held_by_element(), 388);
    assert_eq!(device.wallet.withdrawals().count(), 0);
    device.reload();
    assert_eq!((device.spendable(), device.total()), (388, 388));
    assert_eq!(device.wallet.history().next().unwrap().amount, amount(388));
}

#[test]
fn more_notes_than_the_element_hands_out_at_once() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    device.withdraw(&mut bank, 0, 70).unwrap();
    assert_eq!(device.wallet.blanks(xts(), at(NOW)).free, 70);
}

#[test]
fn blanks_are_of_the_lowest_sufficient_cap() {
    let mut bank = Bank::new();
    let device = Device::new(&mut bank, "anna");
    let small = bank.class_of(Kind::Blank, SMALL_CAP).id();
    let large = bank.class_of(Kind::Blank, CAP).id();
    let of = |cap| device.wallet.blank_items(xts(), 2, amount(cap), at(NOW));
    assert_eq!(of(SMALL_CAP).unwrap(), [Item { class_id: small, count: 2 }]);
    assert_eq!(of(SMALL_CAP + 1).unwrap(), [Item { class_id: large, count: 2 }]);
    assert_eq!(of(CAP + 1).unwrap_err().code(), "nothing-issued");
}

#[test]
fn what_is_not_issued_cannot_be_asked_for() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let late = at(SPEND_UNTIL + 1);
    assert_eq!(device.wallet.value_items(xts(), amount(5), late).unwrap_err().code(), "nothing-issued");
    let class_id = bank.class_of(Kind::Value, 5).id();
    for (count, now, code) in
        [(0, at(NOW), "nothing-issued"), (1, late, "nothing-issued"), (257, at(NOW), "too-many-notes")]
    {
        let error = device.wallet.plan_withdrawal(&[Item { class_id, count }], now, &[1; 32]).err().unwrap();
        assert_eq!(error.code(), code);
    }
    assert_eq!(device.wallet.value_items(xts(), amount(500 * 300), at(NOW)).unwrap_err().code(), "too-many-notes");
}

#[test]
fn rejects_answers_that_do_not_verify() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let (id, remote) = challenged(&mut bank, &mut device);
    let Action::Challenge { challenges, .. } = device.wallet.withdrawal_action(&id) else { panic!("not challenged") };
    let responses = bank.answer(&remote, &challenges);
    let (store, balance) = (device.store.clone(), device.balance().total());
    for number in 0..responses.len() {
        for part in 0..4 {
            let mut wrong = responses.clone();
            let response = &mut wrong[number];
            *[&mut response.r, &mut response.s1, &mut response.s2, &mut response.delta][part] += Scalar::ONE;
            let error = device.wallet.withdrawal_answered(&id, &wrong).err().unwrap();
            assert_eq!(error, WithdrawalError::Forged(number));
        }
    }
    assert_eq!(device.wallet.withdrawal_answered(&id, &responses[1..]).err(), Some(WithdrawalError::WrongAnswer));
    device.assert_unchanged(&store, balance);
    device.finish_withdrawal(&mut bank, &id).unwrap();
    assert_eq!(device.spendable(), 5);
}

#[test]
fn is_cancelled_until_the_challenges_are_out() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let (id, _) = challenged(&mut bank, &mut device);
    assert_eq!(device.balance().in_withdrawal, amount(5));
    assert_eq!(device.wallet.cancel_withdrawal(&id).err(), Some(WithdrawalError::TooLateToCancel));
    let used = client::status(&mut device.port).unwrap().records_used;
    let step = device.wallet.withdrawal_void(&id).unwrap();
    device.commit(step).unwrap();
    device.resume(NOW).unwrap();
    assert!(client::status(&mut device.port).unwrap().records_used < used);
    assert_eq!(device.balance().in_withdrawal, amount(0));
    device.reload();
    assert_eq!(device.wallet.withdrawal_action(&id), Action::Done);

    let items = device.wallet.value_items(xts(), amount(5), at(NOW)).unwrap();
    let id = planned(&mut device, &items);
    let step = device.wallet.cancel_withdrawal(&id).unwrap();
    device.commit(step).unwrap();
    assert_eq!(device.wallet.withdrawal_void(&id).err(), Some(WithdrawalError::NotWaiting));
}

#[test]
fn two_at_once_do_not_share_a_nonce() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let items = device.wallet.value_items(xts(), amount(5), at(NOW)).unwrap();
    let (first, second) = (planned(&mut device, &items), planned(&mut device, &items));
    for id in [&first, &second, &second, &first, &first, &first] {
        if device.wallet.withdrawal_action(id) == Action::UseElement {
            let step = device.wallet.withdraw_with_element(id, at(NOW), &mut device.port).unwrap();
            device.commit(step).unwrap();
        }
    }
    device.finish_withdrawal(&mut bank, &first).unwrap();
    device.finish_withdrawal(&mut bank, &second).unwrap();
    assert_eq!(device.spendable(), 10);
}

#[test]
fn a_full_element_says_so() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let halted = (0..8).find_map(|_| device.withdraw(&mut bank, 0, 100).err());
    assert_eq!(halted, Some(Halt::Refused("element-full")));
}

#[test]
fn a_cancelled_withdrawal_does_not_take_the_nonces_of_the_next() {
    let mut bank = Bank::new();
    let mut device = Device::new(&mut bank, "anna");
    let items = device.wallet.value_items(xts(), amount(5), at(NOW)).unwrap();
    let id = planned(&mut device, &items);
    let step = device.wallet.withdraw_with_element(&id, at(NOW), &mut device.port).unwrap();
    device.commit(step).unwrap();
    let step = device.wallet.cancel_withdrawal(&id).unwrap();
    device.commit(step).unwrap();
    let next = planned(&mut device, &items);
    for _ in 0..2 {
        let step = device.wallet.withdraw_with_element(&next, at(NOW), &mut device.port).unwrap();
        device.commit(step).unwrap();
    }
    device.resume(NOW).unwrap();
    device.finish_withdrawal(&mut bank, &next).unwrap();
    assert_eq!(device.spendable(), 5);
}
