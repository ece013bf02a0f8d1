//! The bank dies in the middle. Whatever was under way ends as if it had not, and nothing is lost or made.

use specie_api::psp::{self as api, TransferRequest, WithdrawalItem, WithdrawalRequest};
use specie_core::class::Kind;

use crate::device::credited;
use crate::world::{DEPOSIT, World};

#[test]
fn a_withdrawal_goes_on_after_the_bank_comes_back() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let class = world.class(Kind::Value, 100);
    let key = world.key();
    let items = vec![WithdrawalItem { class_id: class.id().0.into(), count: 1 }];
    let request = WithdrawalRequest { items };
    world.kill_bank();
    let error = world.client("north").withdraw(&mut alice.signer(), &key, &request).unwrap_err();
    assert!(error.is(&api::BANK_UNAVAILABLE) && error.may_retry(), "{error}");
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
    assert!(world.operator("north").psp.reconcile(world.now()).is_err());
    world.restart_bank();
    world.operator("north").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.client("north").withdraw(&mut alice.signer(), &key, &request).unwrap().sessions.len(), 1);
    world.check_books();

    let opened = alice.open(&world, std::slice::from_ref(&class), 3).unwrap();
    world.kill_bank();
    let error = alice.challenge(&world, &opened).map(drop).unwrap_err();
    assert!(error.is(&api::BANK_UNAVAILABLE), "{error}");
    // Documents and manifests are the PSP's own: devices get them all the same.
    world.client("north").limits(&mut alice.signer(), &world.key(), None).unwrap();
    assert!(world.client("north").manifests(0).unwrap().manifest.is_some());
    world.serve("north");
    world.restart_bank();
    let answers = alice.challenge(&world, &opened).unwrap();
    assert_eq!(alice.finish(&opened, &answers).len(), 1);
    world.pass(3 * 86_400 + 1);
    world.operator("north").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
    world.check_at_rest();
}

#[test]
fn money_held_for_a_withdrawal_that_never_reached_the_bank_comes_back() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let class = world.class(Kind::Value, 100);
    world.kill_bank();
    assert!(alice.open(&world, &[class], 3).is_err());
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
    world.restart_bank();
    world.pass(3 * 86_400 + 1);
    world.operator("north").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&alice), DEPOSIT);
    world.check_at_rest();
}

#[test]
fn an_answer_that_the_psp_never_saw_is_settled() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let opened = alice.open(&world, &[world.class(Kind::Value, 100)], 3).unwrap();
    // The bank answers the PSP, whose process has died: the answer reaches nobody.
    let provider = world.operator("north");
    let id = opened.withdrawal.withdrawal_id;
    let challenges: Vec<_> = opened.challenges().challenges.iter().map(|challenge| challenge.0).collect();
    let bank = specie_server::psp::HttpBank::new(
        world.bank_client(),
        provider.psp.identity().name,
        provider.psp.identity().key.clone(),
        world.clock(),
    );
    specie_psp::bank::Bank::answer_batch(&bank, &id.0, &challenges).unwrap();
    world.check_books();
    assert_eq!(provider.psp.books().unwrap().withdrawals_in_progress.minor(), 100);
    world.serve("north");
    // Here, or in the background of the server that just started, whichever comes first.
    provider.psp.reconcile(world.now()).unwrap();
    assert!(provider.psp.books().unwrap().withdrawals_in_progress.is_zero());
    world.check_at_rest();
    let answers = alice.challenge(&world, &opened).unwrap();
    assert_eq!(alice.finish(&opened, &answers).len(), 1);
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
}

#[test]
fn payments_and_redemptions_wait_for_the_bank() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let carol = world.enrolled("south", "carol", 2);
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 100)], 1).unwrap();
    world.kill_bank();
    let order = TransferRequest {
        to_psp: "south".into(),
        to_account: "carol-account".into(),
        amount: 40,
        currency: "XTS".into(),
        reference: "later".into(),
    };
    let (pay, redeem) = (world.key(), world.key());
    let error = world.client("north").transfer(&mut alice.signer(), &pay, &order).unwrap_err();
    assert!(error.is(&api::BANK_UNAVAILABLE), "{error}");
    let request = alice.redemption(&notes, "north", "alice-account");
    let error = world.client("north").redeem(&mut alice.signer(), &redeem, &request).unwrap_err();
    assert!(error.is(&api::BANK_UNAVAILABLE), "{error}");
    assert_eq!(world.balance(&alice), DEPOSIT - 100 - 40);
    world.restart_bank();
    // The payment goes on by itself, the redemption when the device repeats it.
    assert_eq!(world.operator("north").psp.reconcile(world.now()).unwrap().transfers, 1);
    world.operator("south").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&carol), DEPOSIT + 40);
    let redeemed = world.client("north").redeem(&mut alice.signer(), &redeem, &request).unwrap();
    assert_eq!(credited(&redeemed.items), [100]);
    assert_eq!(world.client("north").transfer(&mut alice.signer(), &pay, &order).unwrap().balance, DEPOSIT - 40);
    world.check_at_rest();
}

#[test]
fn a_pending_enrolment_is_finished() {
    let mut world = World::new();
    let device = crate::device::TestDevice::new(1, "north", "alice", world.clock());
    let (key, request) = (world.key(), world.enrolment(&device, "maker", "series"));
    world.kill_bank();
    let error = world.client("north").enrol(&key, &request).unwrap_err();
    assert!(error.is(&api::BANK_UNAVAILABLE), "{error}");
    let error = world.client("north").account(&mut device.signer()).unwrap_err();
    assert!(error.is(&api::DEVICE_UNKNOWN), "{error}");
    world.restart_bank();
    assert_eq!(world.operator("north").psp.reconcile(world.now()).unwrap().devices, 1);
    assert_eq!(world.balance(&device), DEPOSIT);
    world.client("north").enrol(&key, &request).unwrap();
}

#[test]
fn stopping_in_order_answers_what_is_under_way() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let client = world.client("north");
    assert!(client.account(&mut alice.signer()).is_ok());
    let mut world = world;
    world.stop("north");
    assert!(matches!(client.account(&mut alice.signer()), Err(specie_api::client::CallError::Unreachable { .. })));
}
