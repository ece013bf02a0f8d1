//! From a customer's account to a note and back, and from PSP to PSP.

use specie_api::hexadecimal::Hex;
use specie_api::problem::NOT_FOUND;
use specie_api::psp::{self as api, PaymentClaim, PaymentUpload, RedemptionItem, TransferRequest};
use specie_core::class::Kind;
use specie_core::descriptor::Descriptor;
use specie_core::encoding::Decode;
use specie_core::limits::Limits;
use specie_core::manifest::{Entry, Manifest};
use specie_core::revocation::RevocationPage;
use specie_core::signature::PublicKey;

use crate::device::credited;
use crate::world::{DEPOSIT, World};

#[test]
fn notes_are_withdrawn_and_redeemed() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let (fifty, ten, blank) =
        (world.class(Kind::Value, 50), world.class(Kind::Value, 10), world.class(Kind::Blank, 5_000));
    let notes = alice.withdraw(&world, &[fifty.clone(), fifty, ten, blank.clone()], 1).unwrap();
    assert_eq!(world.balance(&alice), DEPOSIT - 110);
    world.check_at_rest();
    let redemption = alice.redemption(&notes[..3], "north", "alice-account");
    let redeemed = world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    assert_eq!(credited(&redeemed.items), [50, 50, 10]);
    assert_eq!(world.balance(&alice), DEPOSIT);
    world.check_at_rest();
    let account = world.client("north").account(&mut alice.signer()).unwrap();
    assert_eq!(account.rations[0].blanks, 99);
    let kinds: Vec<_> = account.history.iter().map(|movement| (movement.kind.as_str(), movement.amount)).collect();
    assert_eq!(kinds[..4], [("redemption", 10), ("redemption", 50), ("redemption", 50), ("withdrawal", -110)]);
    assert_eq!(account.history.iter().map(|movement| movement.amount).sum::<i64>(), account.balance as i64);
}

#[test]
fn a_redemption_may_go_to_an_account_at_another_psp() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let carol = world.enrolled("south", "carol", 2);
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 100)], 1).unwrap();
    let redemption = alice.redemption(&notes, "south", "carol-account");
    let redeemed = world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    assert_eq!(credited(&redeemed.items), [100]);
    assert_eq!(world.balance(&carol), DEPOSIT);
    world.operator("south").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&carol), DEPOSIT + 100);
    world.check_at_rest();
}

#[test]
fn a_chain_that_is_no_chain_is_refused_beside_good_ones() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let notes = alice.withdraw(&world, &[world.class(Kind::Value, 100)], 1).unwrap();
    let mut redemption = alice.redemption(&notes, "north", "alice-account");
    redemption.chains.insert(0, Hex(vec![0x80]));
    // Made out to another account than the request says.
    redemption.chains.push(alice.redeeming(&notes[0], "north", "bob-account"));
    let redeemed = world.client("north").redeem(&mut alice.signer(), &world.key(), &redemption).unwrap();
    assert_eq!(credited(&redeemed.items), [0, 100, 0]);
    let RedemptionItem::Refused { code, .. } = &redeemed.items[2] else { panic!() };
    assert_eq!(code, "wrong-destination");
    assert_eq!(world.balance(&alice), DEPOSIT);
    world.check_at_rest();
}

#[test]
fn online_payments_go_within_a_psp_and_between_psps() {
    let world = World::new();
    let (alice, bob) = (world.enrolled("north", "alice", 1), world.enrolled("north", "bob", 2));
    let carol = world.enrolled("south", "carol", 3);
    let pay = |to_psp: &str, to_account: &str, amount| {
        let request = TransferRequest {
            to_psp: to_psp.into(),
            to_account: to_account.into(),
            amount,
            currency: "XTS".into(),
            reference: "rent".into(),
        };
        world.client("north").transfer(&mut alice.signer(), &world.key(), &request)
    };
    assert_eq!(pay("north", "bob-account", 30).unwrap().balance, DEPOSIT - 30);
    assert_eq!(world.balance(&bob), DEPOSIT + 30);
    assert_eq!(pay("south", "carol-account", 70).unwrap().balance, DEPOSIT - 100);
    world.operator("south").psp.reconcile(world.now()).unwrap();
    assert_eq!(world.balance(&carol), DEPOSIT + 70);
    let received = world.client("south").account(&mut carol.signer()).unwrap().history;
    assert_eq!((received[0].kind.as_str(), received[0].reference.as_str()), ("payment-received", "rent"));
    for (psp, account, amount, code) in [
        ("nowhere", "carol-account", 1, &api::TRANSFER_REFUSED),
        ("north", "nobody", 1, &api::ACCOUNT_UNKNOWN),
        ("north", "bob-account", DEPOSIT - 99, &api::BALANCE),
        ("south", "carol-account", DEPOSIT - 99, &api::BALANCE),
    ] {
        let refused = pay(psp, account, amount).unwrap_err();
        assert!(refused.is(code), "{refused}");
    }
    assert_eq!(world.balance(&alice), DEPOSIT - 100);
    world.check_at_rest();
}

#[test]
fn limits_and_descriptors_verify_under_the_key_in_the_manifest() {
    let world = World::new();
    let (alice, bob) = (world.enrolled("north", "alice", 1), world.enrolled("north", "bob", 2));
    let client = world.client("north");
    let manifests = client.manifests(0).unwrap();
    let bytes = manifests.manifest.unwrap();
    let manifest = Manifest::decode(&bytes.0).unwrap();
    let status = client.status().unwrap();
    manifest.verify(&PublicKey(status.root_key.0)).unwrap();
    assert_eq!(manifests.headers.len() as u64, status.manifest_sequence);
    assert!(client.manifests(status.manifest_sequence).unwrap().headers.is_empty());
    // North came before south, whose registration made one more manifest.
    world.operator("north").psp.reconcile(world.now()).unwrap();
    let psp = manifest.entries().find_map(|(entry, _)| match entry {
        Entry::Psp { name, key } if name.as_str() == "north" => Some(key),
        _ => None,
    });
    assert_eq!(psp.unwrap().0, status.key.0);
    let limits = client.limits(&mut alice.signer(), &world.key(), None).unwrap().limits;
    Limits::decode(&limits.0).unwrap().verify(&psp.unwrap()).unwrap();
    let descriptor = client.descriptor(&mut bob.signer(), &world.key()).unwrap().descriptor;
    Descriptor::decode(&descriptor.0).unwrap().verify(&psp.unwrap()).unwrap();
    let refused = client.descriptor(&mut alice.signer(), &world.key()).unwrap_err();
    assert!(refused.is(&api::NOT_A_MERCHANT), "{refused}");
    // The list is there before anybody cheated, since the last sweep of the bank or not yet.
    let pages = client.revocations(0).unwrap().pages;
    let page = |page: &specie_api::hexadecimal::Hex| RevocationPage::decode(&page.0).unwrap().notes().len();
    assert!(pages.len() <= 1 && pages.iter().all(|bytes| page(bytes) == 0));
    assert_eq!(client.time().unwrap().seconds, world.now().seconds());
}

#[test]
fn payments_that_are_none_are_neither_kept_nor_found() {
    let world = World::new();
    let alice = world.enrolled("north", "alice", 1);
    let client = world.client("north");
    let upload = PaymentUpload { payment: Hex(vec![0x80]) };
    let refused = client.upload_payment(&mut alice.signer(), &world.key(), &upload).unwrap_err();
    assert!(refused.is(&api::PAYMENT_REFUSED), "{refused}");
    let claim = PaymentClaim { request: Hex(vec![0x80]) };
    let refused = client.claim_payment(&mut alice.signer(), &world.key(), &claim).unwrap_err();
    assert!(refused.problem().is_some() && !refused.is(&NOT_FOUND), "{refused}");
}
