//! What comes from the bank: credits, manifests, revocation lists.

use specie_core::class::Kind;
use specie_core::signature::SigningKey;
use specie_psp::bank::{CreditOrigin, Redemption, RedemptionResult};
use specie_psp::customer::CustomerError;
use specie_psp::publication::PublicationError;
use specie_psp::redemption::RedemptionError;

use crate::world::{DEPOSIT, World, amount, at, name};

#[test]
fn credits_are_applied_once_and_strangers_credits_are_kept() {
    let world = World::new();
    let psp = world.psp();
    for minor in [1, 2, 3, 4, 5] {
        world.bank.credit("alice-account", minor, CreditOrigin::Redemption);
    }
    world.bank.credit("nobody", 70, CreditOrigin::Transfer);
    world.bank.credit(&"x".repeat(33), 7, CreditOrigin::Transfer);
    assert_eq!(psp.pull_credits(at(10)).unwrap(), 7);
    assert_eq!(psp.pull_credits(at(10)).unwrap(), 0);
    assert_eq!(world.balance(), DEPOSIT + 15);
    assert_eq!(psp.books().unwrap().unclaimed, amount(77));
    world.check_at_rest();
}

#[test]
fn a_redemption_is_credited_at_once_and_once() {
    let world = World::new();
    let psp = world.psp();
    let redemption = |account: &str, psp: &str, chains: Vec<Vec<u8>>| Redemption {
        psp: psp.into(),
        account: account.into(),
        chains,
    };
    let request = world.device.asks("redemption-000001", 1);
    let two = redemption("alice-account", "north", vec![vec![30, 1], vec![40, 2]]);
    for _ in 0..2 {
        let results = psp.redeem(&request, &two, at(10)).unwrap();
        assert_eq!(results, [30, 40].map(|minor| RedemptionResult::Credited(amount(minor))));
        assert_eq!(world.balance(), DEPOSIT + 70);
    }
    world.check_at_rest();
    let conflict = psp.redeem(&world.device.asks("redemption-000001", 2), &two, at(10));
    assert!(matches!(conflict, Err(RedemptionError::Conflict(_))), "{conflict:?}");
    let ask = |redemption: &Redemption| psp.redeem(&world.device.asks("redemption-000002", 1), redemption, at(10));
    let stranger = ask(&redemption("nobody", "north", vec![vec![30, 3]]));
    assert!(matches!(stranger, Err(RedemptionError::UnknownAccount(_))), "{stranger:?}");
    assert!(matches!(ask(&redemption("alice-account", "north", vec![])), Err(RedemptionError::Chains)));
    let many = redemption("alice-account", "north", vec![vec![1]; 101]);
    assert!(matches!(ask(&many), Err(RedemptionError::Chains)));
    // A blocked device redeems what its owner holds.
    psp.set_blocked(&world.public(), true, at(1)).unwrap();
    ask(&redemption("alice-account", "north", vec![vec![5, 4]])).unwrap();
    assert_eq!(world.balance(), DEPOSIT + 75);
    world.check_at_rest();
}

#[test]
fn only_the_banks_own_manifests_are_believed() {
    let world = World::new();
    let psp = world.psp();
    let sequence = psp.manifest_sequence().unwrap();
    let coin = world.bank.publish(Kind::Value, 200, 1, at(10));
    let mut signature = [0; 64];
    world.bank.forge_manifest(|signed| {
        signature = signed.signature;
        signed.signature[5] ^= 1;
    });
    assert!(matches!(psp.pull_publications(), Err(PublicationError::Unbelievable("manifest"))));
    assert_eq!(psp.manifest_sequence().unwrap(), sequence);
    let withdraw = || psp.withdraw(&world.device.asks("withdrawal-000001", 1), &[(coin, 1)], at(10)).map(drop);
    assert!(withdraw().is_err());
    world.bank.forge_manifest(|signed| signed.signature = signature);
    psp.pull_publications().unwrap();
    assert_eq!(psp.manifest_sequence().unwrap(), sequence + 1);
    assert_eq!(psp.manifests(sequence).unwrap().headers.len(), 1);
    assert_eq!(psp.manifests(0).unwrap().headers.len() as u64, sequence + 1);
    withdraw().unwrap();
}

#[test]
fn only_the_ledgers_own_revocation_list_is_believed_without_gaps_or_forks() {
    let world = World::new();
    let psp = world.psp();
    let all = || psp.revocations(0, 9).unwrap();
    let unbelievable = || matches!(psp.pull_publications(), Err(PublicationError::Unbelievable("revocation list")));
    world.bank.revoke(1, 2, Some(&SigningKey::from_seed(&[99; 32])));
    assert!(unbelievable() && all().is_empty());
    world.bank.revoke(2, 2, None);
    assert!(unbelievable() && all().is_empty(), "page 1 is missing");
    world.bank.revoke(1, 2, None);
    psp.pull_publications().unwrap();
    let second = all();
    assert_eq!(second.len(), 1);
    world.bank.revoke(1, 1, None);
    psp.pull_publications().unwrap();
    assert_eq!(all(), second, "an older one");
    world.bank.revoke(3, 4, None);
    assert!(unbelievable() && all() == second, "page 2 is missing");
    world.bank.revoke(1, 5, None);
    psp.pull_publications().unwrap();
    assert!(all() != second && all().len() == 1);
    assert_eq!((psp.revocations(4, 9).unwrap().len(), psp.revocations(5, 9).unwrap().len()), (1, 0));
    world.bank.revoke(2, 6, None);
    assert!(unbelievable(), "page 1 is not full");
    world.bank.revoke(1, 32, None);
    psp.pull_publications().unwrap();
    world.bank.revoke(2, 33, None);
    assert!(unbelievable(), "page 2 names another page 1");
}

#[test]
fn a_reference_is_booked_once() {
    let world = World::new();
    let psp = world.psp();
    psp.deposit(&name("alice"), amount(5), "slip 7", at(1)).unwrap();
    psp.deposit(&name("alice"), amount(5), "slip 7", at(2)).unwrap();
    assert_eq!(world.balance(), DEPOSIT + 5);
    for (customer, minor) in [("alice", 6), ("bob", 5)] {
        let other = psp.deposit(&name(customer), amount(minor), "slip 7", at(2));
        assert!(matches!(other, Err(CustomerError::ReferenceUsed(_))), "{other:?}");
    }
    let beyond = psp.deposit(&name("alice"), specie_core::Amount::MAX, "slip 8", at(2));
    assert!(matches!(beyond, Err(CustomerError::Overflow)), "{beyond:?}");
    world.check_at_rest();
}

#[test]
fn what_is_paid_out_of_the_reserve_is_booked_once_and_never_more_than_it_holds() {
    let world = World::new();
    let psp = world.psp();
    let reserve = || psp.books().unwrap().reserve.minor();
    let before = reserve();
    let out = |minor, reference: &str| psp.defund_reserve(amount(minor), reference, at(1));
    let more = out(before + 1, "too much");
    assert!(matches!(more, Err(CustomerError::Reserve)), "{more:?}");
    assert_eq!(reserve(), before, "nothing was booked");
    for _ in 0..2 {
        out(before - 1, "order 1").unwrap();
    }
    assert_eq!(reserve(), 1);
    let other = out(1, "order 1");
    assert!(matches!(other, Err(CustomerError::ReferenceUsed(_))), "{other:?}");
    // Paid in and out may have one reference.
    psp.fund_reserve(amount(7), "order 1", at(2)).unwrap();
    assert_eq!(reserve(), 8);
    world.check_books();
}
