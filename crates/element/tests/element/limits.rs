//! Limits: whose, how new, and each exceeded by one unit.

use specie_core::limits::{Limits, LimitsBody};
use specie_core::{Amount, Timestamp};
use specie_element::client;
use specie_element::status::StatusWord;

use crate::support::*;

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

#[test]
fn limits_need_their_psp_in_the_manifest() {
    let world = World::new();
    let mut element = world.personalised();
    let manifest = world.manifest(1, ISSUED_AT);
    let body = world.limits(&keys_of(&mut element), 1);
    assert_eq!(refusal(world.set_limits(&mut element, &manifest, body)), StatusWord::WRONG_STATE);
    manifest.load(&mut element).unwrap();
    let by = |body, key| encoded(&Limits::sign(body, key));
    // Signed by a key that is not the entry's, or in the name of another PSP, or proven wrongly.
    let forged = by(body, &world.other_psp);
    assert_eq!(refusal(world.set_limits_by(&mut element, &manifest, PSP, &forged)), StatusWord::WRONG_PROOF);
    assert_eq!(refusal(world.set_limits_by(&mut element, &manifest, OTHER_PSP, &forged)), StatusWord::WRONG_PROOF);
    assert_eq!(refusal(world.set_limits_by(&mut element, &manifest, LEDGER, &forged)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(world.set_limits_by(&mut element, &manifest, VALUE, &forged)), StatusWord::WRONG_DATA);
    let unproven = world.manifest(1, ISSUED_AT);
    let path = unproven.path(OTHER_PSP);
    let proof = client::EntryProof { position: PSP as u32, path: &path, entry: unproven.entry(PSP) };
    let document = by(body, &world.psp);
    assert_eq!(refusal(client::limits(&mut element, &proof, &document)), StatusWord::WRONG_PROOF);
    let other_device = LimitsBody { device: world.maker.public(), ..body };
    assert_eq!(refusal(world.set_limits(&mut element, &manifest, other_device)), StatusWord::WRONG_DATA);
    world.set_limits(&mut element, &manifest, body).unwrap();
}

#[test]
fn limits_only_go_forward_and_stay_with_their_psp() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let body = world.limits(&keys_of(&mut element), 5);
    world.set_limits(&mut element, &manifest, body).unwrap();
    coins[0].spend(&mut element, &coins[0].preimage(&[stranger(FACE, 1)], 0), &[]).unwrap();
    world.set_limits(&mut element, &manifest, body).unwrap();
    assert_eq!(client::status(&mut element).unwrap().spent, FACE, "the same document is no synchronisation");
    for sequence in [4, 5] {
        let older = LimitsBody { sequence, max_payment: amount(9_999), ..body };
        assert_eq!(refusal(world.set_limits(&mut element, &manifest, older)), StatusWord::STALE);
    }
    let other = LimitsBody { psp: name("other"), sequence: 6, ..body };
    let document = encoded(&Limits::sign(other, &world.other_psp));
    assert_eq!(refusal(world.set_limits_by(&mut element, &manifest, OTHER_PSP, &document)), StatusWord::WRONG_STATE);
    let later = Timestamp::new(ISSUED_AT + 50).unwrap();
    let newer = LimitsBody { sequence: 6, issued_at: later, max_payment: amount(7), ..body };
    world.set_limits(&mut element, &manifest, newer).unwrap();
    let status = client::status(&mut restart(element)).unwrap();
    assert_eq!((status.spent, status.limits_sequence, status.max_payment), (0, 6, 7));
    assert_eq!(status.time_floor, ISSUED_AT + 50);
}

#[test]
fn each_limit_holds_to_the_unit() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let keys = keys_of(&mut element);
    let tight = |sequence, max_payment, max_cumulative| LimitsBody {
        sequence,
        max_payment: amount(max_payment),
        max_cumulative: amount(max_cumulative),
        ..world.limits(&keys, 1)
    };
    let pay = |coin: usize| coins[coin].preimage(&[stranger(FACE, 1)], 0);
    world.set_limits(&mut element, &manifest, tight(2, FACE - 1, 2 * FACE)).unwrap();
    assert_eq!(refusal(coins[0].spend(&mut element, &pay(0), &[])), StatusWord::OVER_PAYMENT);
    world.set_limits(&mut element, &manifest, tight(3, FACE, 2 * FACE - 1)).unwrap();
    coins[0].spend(&mut element, &pay(0), &[]).unwrap();
    assert_eq!(refusal(coins[1].spend(&mut element, &pay(1), &[])), StatusWord::OVER_CUMULATIVE);
    let mut element = restart(element);
    assert_eq!(refusal(coins[1].spend(&mut element, &pay(1), &[])), StatusWord::OVER_CUMULATIVE);
    // One unit back to a blank of its own, and it fits.
    let change = coins[1].preimage(&[stranger(FACE - 1, 1), coins[2].output(1, 5)], 0);
    coins[1].spend(&mut element, &change, &[coins[2].own(1, 5)]).unwrap();
    assert_eq!(client::status(&mut element).unwrap().spent, 2 * FACE - 1);
}

#[test]
fn holding_is_limited_to_the_unit() {
    let world = World::new();
    let (mut element, manifest, _) = world.registered();
    let most = 2 * FACE + CAP + 5;
    let body = LimitsBody { max_holding: amount(most), ..world.limits(&keys_of(&mut element), 2) };
    world.set_limits(&mut element, &manifest, body).unwrap();
    client::owner_tag(&mut element, 2, &[0; 32], CAP).unwrap();
    assert_eq!(refusal(client::owner_tag(&mut element, 3, &[0; 32], 6)), StatusWord::OVER_HOLDING);
    client::owner_tag(&mut element, 3, &[0; 32], 5).unwrap();
    assert_eq!(refusal(client::owner_tag(&mut element, 3, &[0; 32], 6)), StatusWord::OVER_HOLDING);
    assert_eq!(refusal(client::owner_tag(&mut element, 4, &[0; 32], 1)), StatusWord::OVER_HOLDING);
    client::owner_tag(&mut element, 4, &[0; 32], 0).unwrap();
    client::release(&mut element, 3).unwrap();
    client::owner_tag(&mut element, 4, &[0; 32], 5).unwrap();
    assert_eq!(client::status(&mut element).unwrap().held, most);
}

#[test]
fn limits_below_what_is_held_are_refused_to_the_unit_and_change_nothing() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let keys = keys_of(&mut element);
    let body = |sequence, most| LimitsBody {
        max_holding: amount(most),
        max_cumulative: amount(0),
        ..world.limits(&keys, sequence)
    };
    client::owner_tag(&mut element, 2, &[0; 32], 7).unwrap();
    coins[0].spend(&mut element, &coins[0].preimage(&[stranger(FACE, 1)], 0), &[]).unwrap();
    let before = client::status(&mut element).unwrap();
    assert_eq!(before.held, FACE + 7, "what is expected counts");
    let refused = world.set_limits(&mut element, &manifest, body(2, FACE + 6));
    assert_eq!(refusal(refused), StatusWord::OVER_HOLDING);
    let mut element = restart(element);
    assert_eq!(client::status(&mut element).unwrap(), before, "what was spent stays counted too");
    // What it holds still goes out under the limits before, and then the new ones are taken: just so much, and less.
    world.set_limits(&mut element, &manifest, body(2, FACE + 7)).unwrap();
    assert_eq!(refusal(world.set_limits(&mut element, &manifest, body(3, 7))), StatusWord::OVER_HOLDING);
    coins[1].spend(&mut element, &coins[1].preimage(&[], 0), &[]).unwrap();
    client::release(&mut element, 2).unwrap();
    world.set_limits(&mut element, &manifest, body(3, 0)).unwrap();
    assert_eq!(client::status(&mut element).unwrap().limits_sequence, 3);
}

#[test]
fn without_limits_money_neither_leaves_nor_is_expected_but_is_redeemed() {
    let world = World::new();
    let mut element = world.personalised();
    let manifest = world.manifest(1, ISSUED_AT);
    manifest.load(&mut element).unwrap();
    let (_, _, coins) = world.withdrawn();
    client::nonces(&mut element, 0, 8).unwrap();
    world.load_classes(&mut element, &manifest);
    coins[0].register(&mut element).unwrap();
    coins[2].register(&mut element).unwrap();
    let pay = coins[0].preimage(&[stranger(FACE, 1)], 0);
    assert_eq!(refusal(coins[0].spend(&mut element, &pay, &[])), StatusWord::LIMITS_RUN_OUT);
    assert_eq!(refusal(client::owner_tag(&mut element, 2, &[0; 32], 1)), StatusWord::LIMITS_RUN_OUT);
    client::owner_tag(&mut element, 2, &[0; 32], 0).unwrap();
    coins[0].spend(&mut element, &coins[0].preimage(&[], 0), &[]).unwrap();
    assert_eq!(client::status(&mut element).unwrap().spent, 0);
}

#[test]
fn limits_run_out_by_the_time_floor() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    world.manifest(2, VALID_UNTIL).load(&mut element).unwrap();
    coins[0].spend(&mut element, &coins[0].preimage(&[stranger(FACE, 1)], 0), &[]).unwrap();
    world.manifest(3, VALID_UNTIL + 1).load(&mut element).unwrap();
    let pay = coins[1].preimage(&[stranger(FACE, 1)], 0);
    assert_eq!(refusal(coins[1].spend(&mut element, &pay, &[])), StatusWord::LIMITS_RUN_OUT);
    // All of it to itself: nothing leaves.
    let keep = coins[1].preimage(&[coins[2].output(FACE, 1)], 0);
    coins[1].spend(&mut element, &keep, &[coins[2].own(0, 1)]).unwrap();
}
