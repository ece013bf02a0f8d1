//! Every request may be repeated: the same answer, and money moves once. The same key with another request is refused.

use specie_api::idempotency::Key;
use specie_api::problem::IDEMPOTENCY_CONFLICT;
use specie_api::psp::{self as api, Challenges, RedemptionRequest, TransferRequest, WithdrawalRequest};
use specie_core::class::Kind;

use crate::device::credited;
use crate::world::{DEPOSIT, World};

#[test]
fn limits_descriptors_and_nonces() {
    let mut world = World::new();
    let bob = world.enrolled("north", "bob", 2);
    let (limits, descriptor, nonce) = (world.key(), world.key(), world.key());
    let all = |world: &World| {
        let client = world.client("north");
        (
            client.limits(&mut bob.signer(), &limits, None).unwrap(),
            client.descriptor(&mut bob.signer(), &descriptor).unwrap(),
            client.enrolment_nonce(&nonce).unwrap(),
        )
    };
    let first = all(&world);
    world.pass(60);
    assert_eq!(all(&world), first);
    world.serve("north");
    assert_eq!(all(&world), first);
    // The key of one path, used on another.
    let error = world.client("north").descriptor(&mut bob.signer(), &limits).unwrap_err();
    assert!(error.is(&IDEMPOTENCY_CONFLICT), "{error}");
    assert_eq!(error.problem().unwrap().status, 422);
}

#[test]
fn every_step_of_a_withdrawal() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let class = world.class(Kind::Value, 100);
    let key = world.key();
    let request = alice.request(&[class.clone(), class.clone()]);
    let withdraw = |world: &World, key: &Key, request: &WithdrawalRequest| {
        world.client("north").withdraw(&mut alice.signer(), key, request)
    };
    let first = withdraw(&world, &key, &request).unwrap();
    world.serve("north");
    assert_eq!(withdraw(&world, &key, &request).unwrap(), first);
    let error = withdraw(&world, &key, &alice.request(std::slice::from_ref(&class))).unwrap_err();
    assert!(error.is(&IDEMPOTENCY_CONFLICT), "{error}");
    assert_eq!(world.balance(&alice), DEPOSIT - 200);
    world.client("north").cancel(&mut alice.signer(), &world.key(), &first.withdrawal_id).unwrap();
    assert_eq!(world.balance(&alice), DEPOSIT);

    let opened = alice.open(&world, &[class.clone(), class], 7).unwrap();
    let id = opened.withdrawal.withdrawal_id;
    let (key, acknowledge) = (world.key(), world.key());
    let challenge = |world: &World, key: &Key, challenges: &Challenges| {
        world.client("north").challenge(&mut alice.signer(), key, &id, challenges)
    };
    let answers = challenge(&world, &key, &opened.challenges()).unwrap();
    world.serve("north");
    assert_eq!(challenge(&world, &key, &opened.challenges()).unwrap(), answers);
    assert_eq!(challenge(&world, &world.key(), &opened.challenges()).unwrap(), answers);
    let mut others = opened.challenges();
    others.challenges.swap(0, 1);
    let error = challenge(&world, &key, &others).unwrap_err();
    assert!(error.is(&IDEMPOTENCY_CONFLICT), "{error}");
    // Two answers for two challenges would give the issuing key away.
    let error = challenge(&world, &world.key(), &others).unwrap_err();
    assert!(error.is(&api::WITHDRAWAL_ANSWERED), "{error}");
    let error = world.client("north").cancel(&mut alice.signer(), &world.key(), &id).unwrap_err();
    assert!(error.is(&api::WITHDRAWAL_ANSWERED), "{error}");
    assert_eq!(alice.finish(&opened, &answers).len(), 2);
    for _ in 0..2 {
        world.client("north").acknowledge(&mut alice.signer(), &acknowledge, &id).unwrap();
    }
    let error = challenge(&world, &key, &opened.challenges()).unwrap_err();
    assert!(error.is(&api::WITHDRAWAL_CLOSED), "{error}");
    assert_eq!(world.balance(&alice), DEPOSIT - 200);
    world.check_at_rest();
}

#[test]
fn redemptions_and_payments() {
    let mut world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 100), world.class(Kind::Value, 50)], 1).unwrap();
    let request = alice.redemption(&notes[..1], "north", "alice-account");
    let (redeem, pay) = (world.key(), world.key());
    let redeeming = |world: &World, request: &RedemptionRequest, key: &Key| {
        world.client("north").redeem(&mut alice.signer(), key, request)
    };
    let order = |amount| TransferRequest {
        to_psp: "south".into(),
        to_account: "carol-account".into(),
        amount,
        currency: "XTS".into(),
        reference: String::new(),
    };
    let first = redeeming(&world, &request, &redeem).unwrap();
    let paid = world.client("north").transfer(&mut alice.signer(), &pay, &order(20)).unwrap();
    world.serve("north");
    assert_eq!(redeeming(&world, &request, &redeem).unwrap(), first);
    // The same chains under another key are the same redemption.
    assert_eq!(credited(&redeeming(&world, &request, &world.key()).unwrap().items), [100]);
    assert_eq!(world.client("north").transfer(&mut alice.signer(), &pay, &order(20)).unwrap(), paid);
    let other = alice.redemption(&notes[1..], "north", "alice-account");
    let error = redeeming(&world, &other, &redeem).unwrap_err();
    assert!(error.is(&IDEMPOTENCY_CONFLICT), "{error}");
    let error = world.client("north").transfer(&mut alice.signer(), &pay, &order(21)).unwrap_err();
    assert!(error.is(&IDEMPOTENCY_CONFLICT), "{error}");
    assert_eq!(world.balance(&alice), DEPOSIT - 150 + 100 - 20);
    world.operator("south").psp.reconcile(world.now()).unwrap();
    world.check_at_rest();
}

#[test]
fn one_unit_more_than_the_tier_allows() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let client = world.client("north");
    let (hundred, blank) = (world.class(Kind::Value, 100), world.class(Kind::Blank, 500));
    let ask = |class: &specie_core::class::Class, count| {
        let class_id = class.id().0.into();
        let request = WithdrawalRequest { items: vec![api::WithdrawalItem { class_id, count }] };
        client.withdraw(&mut alice.signer(), &world.key(), &request)
    };
    // The account holds 10,000 and the tier allows 15,000 a day; 100 blanks an epoch.
    let error = ask(&hundred, 101).unwrap_err();
    assert!(error.is(&api::BALANCE), "{error}");
    let error = ask(&hundred, 151).unwrap_err();
    assert!(error.is(&api::TIER_LIMIT), "{error}");
    let error = ask(&blank, 101).unwrap_err();
    assert!(error.is(&api::RATION), "{error}");
    let opened = ask(&blank, 100).unwrap();
    let error = ask(&blank, 1).unwrap_err();
    assert!(error.is(&api::RATION), "{error}");
    client.cancel(&mut alice.signer(), &world.key(), &opened.withdrawal_id).unwrap();
    ask(&blank, 1).unwrap();
    let error = ask(&blank, 257).unwrap_err();
    assert!(error.is(&specie_api::problem::MALFORMED), "{error}");
    ask(&hundred, 100).unwrap();
    assert_eq!(client.account(&mut alice.signer()).unwrap().balance, 0);
    world.check_books();
    // Nobody carries on: after three days it is all back.
    world.pass(3 * 86_400 + 1);
    world.operator("north").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&alice), DEPOSIT);
    world.check_at_rest();
}

#[test]
fn requests_at_the_same_moment() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let class = world.class(Kind::Value, 100);
    let ask = |key: &Key, count| {
        let items = vec![api::WithdrawalItem { class_id: class.id().0.into(), count }];
        world.client("north").withdraw(&mut alice.signer(), key, &WithdrawalRequest { items })
    };
    // One request, eight times at once.
    let key = world.key();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(&key, 1).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
    // Eight requests at once, of which the account covers four.
    let keys: Vec<_> = (0..8).map(|_| world.key()).collect();
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = keys.iter().map(|key| scope.spawn(|| ask(key, 20))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(Result::is_ok).count()
    });
    assert_eq!(done, 4);
    assert_eq!(world.balance(&alice), DEPOSIT - 100 - 8_000);
    world.check_books();
}
