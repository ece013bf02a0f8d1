//! SPEND: one show, one answer.

use specie_core::group::{Scalar, decode_scalar};
use specie_core::show::{Show, verify_compact_vartime};
use specie_core::transfer::{Input, Preimage, challenge};
use specie_element::client::{self, Spend};
use specie_element::status::StatusWord;

use crate::support::*;

/// Whether a payee accepts the element's answer.
fn convinces(world: &World, coin: &Coin, preimage: &Preimage, z3: [u8; 32]) -> bool {
    let d = challenge(preimage.to_bytes().as_slice());
    let show = Show::new(&coin.issued.secrets, &d, decode_scalar(&z3).unwrap());
    verify_compact_vartime(&world.generators, &coin.class, &coin.issued.note, &d, &show).is_ok()
}

#[test]
fn shows_convince_a_payee() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let pay = coins[0].preimage(&[stranger(123, 1), coins[2].output(FACE - 123, 4)], 0);
    let z3 = coins[0].spend(&mut element, &pay, &[coins[2].own(1, 4)]).unwrap();
    assert!(convinces(&world, &coins[0], &pay, z3));
    let status = client::status(&mut element).unwrap();
    assert_eq!((status.spent, status.held), (123, FACE + (FACE - 123)));
    // The change goes on, with change of its own.
    let pay_on = coins[2].preimage(&[stranger(77, 1), coins[3].output(300, 5)], 0);
    let z3 = coins[2].spend(&mut element, &pay_on, &[coins[3].own(1, 5)]).unwrap();
    assert!(convinces(&world, &coins[2], &pay_on, z3));
    let status = client::status(&mut element).unwrap();
    assert_eq!((status.spent, status.held), (200, FACE + 300));
    let redeem = coins[3].preimage(&[], 1);
    let z3 = coins[3].spend(&mut element, &redeem, &[]).unwrap();
    assert!(convinces(&world, &coins[3], &redeem, z3));
    assert_eq!(client::status(&mut element).unwrap().held, FACE);
}

#[test]
fn the_same_preimage_gets_the_same_answer_and_no_other_gets_any() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let pay = coins[0].preimage(&[stranger(FACE, 1)], 0);
    let z3 = coins[0].spend(&mut element, &pay, &[]).unwrap();
    let mut element = restart(element);
    assert_eq!(coins[0].spend(&mut element, &pay, &[]).unwrap(), z3);
    assert_eq!(client::status(&mut element).unwrap().spent, FACE, "a repeat does not count twice");
    for other in [coins[0].preimage(&[stranger(FACE, 2)], 0), coins[0].preimage(&[stranger(FACE, 1)], 1)] {
        assert_eq!(refusal(coins[0].spend(&mut element, &other, &[])), StatusWord::ALREADY_SPENT);
    }
    assert_eq!(refusal(coins[0].spend(&mut element, &coins[0].preimage(&[], 0), &[])), StatusWord::ALREADY_SPENT);
}

#[test]
fn another_gamma_gets_the_journalled_answer() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let preimage = coins[0].preimage(&[stranger(FACE, 1)], 0).to_bytes();
    let z3 = coins[0].spend_bytes(&mut element, preimage.as_slice(), &[]).unwrap();
    for gamma in [Scalar::ONE.to_bytes(), [0; 32], [0xFF; 32]] {
        let again = Spend { index: 0, gamma: &gamma, own: &[coins[1].own(7, 7)], preimage: preimage.as_slice() };
        assert_eq!(client::spend(&mut element, &again).unwrap(), z3);
    }
}

/// `z3` depends on preimage and γ by their product `d·γ` alone. A host that could choose γ would have its element approve
/// a redemption, which no limit counts, and come away with the show of a payment.
#[test]
fn the_show_of_one_preimage_is_not_had_by_asking_for_another() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let coin = &coins[0];
    let (asked, meant) = (coin.preimage(&[], 1), coin.preimage(&[stranger(FACE, 1)], 0));
    let [d, wanted] = [&asked, &meant].map(|preimage| challenge(preimage.to_bytes().as_slice()));
    let gamma = (coin.issued.secrets.gamma * wanted * d.invert()).to_bytes();
    let bytes = asked.to_bytes();
    let lie = Spend { index: 0, gamma: &gamma, own: &[], preimage: bytes.as_slice() };
    let answer = client::spend(&mut element, &lie);
    assert!(!answer.as_ref().is_ok_and(|z3| convinces(&world, coin, &meant, *z3)), "paid outside the limits");
    assert_eq!(refusal(answer), StatusWord::WRONG_DATA);
    assert_eq!(client::status(&mut element).unwrap().held, 2 * FACE);
}

#[test]
fn only_the_registered_note_is_shown() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let good = coins[0].preimage(&[stranger(FACE, 1)], 0);
    let preimage = good.to_bytes();
    let preimage = preimage.as_slice();
    let gamma = coins[0].issued.secrets.gamma.to_bytes();
    let right = Spend { index: 0, gamma: &gamma, own: &[], preimage };
    let (zero, one, large) = ([0; 32], Scalar::ONE.to_bytes(), [0xFF; 32]);
    let mut trailing = preimage.to_vec();
    trailing.push(0);
    for (wrong, status) in [
        (Spend { index: 7, ..right }, StatusWord::UNKNOWN_INDEX),
        (Spend { index: 8, ..right }, StatusWord::UNKNOWN_INDEX),
        (Spend { index: 1, ..right }, StatusWord::WRONG_DATA),
        (Spend { gamma: &zero, ..right }, StatusWord::WRONG_DATA),
        (Spend { gamma: &one, ..right }, StatusWord::WRONG_DATA),
        (Spend { gamma: &large, ..right }, StatusWord::WRONG_DATA),
        (Spend { preimage: &trailing, ..right }, StatusWord::WRONG_DATA),
        (Spend { preimage: &preimage[..preimage.len() - 1], ..right }, StatusWord::WRONG_DATA),
        (Spend { preimage: &[], ..right }, StatusWord::WRONG_DATA),
    ] {
        assert_eq!(refusal(client::spend(&mut element, &wrong)), status);
    }
    let other_note = Preimage { note: coins[1].issued.note, ..good };
    assert_eq!(refusal(coins[0].spend(&mut element, &other_note, &[])), StatusWord::WRONG_DATA);
    // Of the right class and with the right γ, but of another ζ or ζ1.
    for part in [0, 1] {
        let mut other_point = good;
        other_point.note.0[part * 32 + 7] ^= 1;
        assert_eq!(refusal(coins[0].spend(&mut element, &other_point, &[])), StatusWord::WRONG_DATA);
    }
    let other_class = Preimage { class_id: world.blank.id(), ..good };
    assert_eq!(refusal(coins[0].spend(&mut element, &other_class, &[])), StatusWord::WRONG_DATA);
    client::spend(&mut element, &right).unwrap();
}

#[test]
fn outputs_add_up_to_the_input() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    for sum in [FACE - 1, FACE + 1] {
        let wrong = coins[0].preimage(&[stranger(sum, 1)], 0);
        assert_eq!(refusal(coins[0].spend(&mut element, &wrong, &[])), StatusWord::WRONG_DATA);
    }
    let received = coins[2].preimage(&[], 0).input;
    let pay = coins[0].preimage(&[stranger(FACE, 1)], 0);
    let as_received = Preimage { input: received, ..pay };
    assert_eq!(refusal(coins[0].spend(&mut element, &as_received, &[])), StatusWord::WRONG_DATA);
    let over_cap = coins[2].preimage(&[coins[3].output(CAP, 1), stranger(1, 1)], 0);
    assert_eq!(refusal(coins[2].spend(&mut element, &over_cap, &[coins[3].own(0, 1)])), StatusWord::WRONG_DATA);
    let as_issued = Preimage { input: Input::Issued, ..coins[2].preimage(&[], 0) };
    assert_eq!(refusal(coins[2].spend(&mut element, &as_issued, &[])), StatusWord::WRONG_DATA);
    let at_cap = coins[2].preimage(&[coins[3].output(CAP, 1), stranger(0, 1)], 0);
    coins[2].spend(&mut element, &at_cap, &[coins[3].own(0, 1)]).unwrap();
}

#[test]
fn lies_about_own_outputs_are_refused() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let to_itself = coins[0].preimage(&[stranger(100, 1), coins[2].output(FACE - 100, 4)], 0);
    for own in [
        vec![coins[2].own(0, 4)],                     // not the owner of that output
        vec![coins[2].own(1, 5)],                     // another blind
        vec![coins[2].own(2, 4)],                     // no such output
        vec![coins[3].own(1, 4)],                     // another blank
        vec![coins[6].own(1, 4)],                     // not registered
        vec![coins[1].own(1, 4)],                     // no blank
        vec![coins[2].own(1, 4), coins[2].own(1, 4)], // twice
    ] {
        assert_eq!(refusal(coins[0].spend(&mut element, &to_itself, &own)), StatusWord::WRONG_DATA);
    }
    // To the note that is spent: whatever comes there could not be spent.
    let loop_back = coins[2].preimage(&[coins[2].output(10, 4)], 0);
    assert_eq!(refusal(coins[2].spend(&mut element, &loop_back, &[coins[2].own(0, 4)])), StatusWord::WRONG_DATA);
    let redeem = coins[0].preimage(&[], 0);
    assert_eq!(refusal(coins[0].spend(&mut element, &redeem, &[coins[2].own(0, 4)])), StatusWord::WRONG_DATA);
    // Nothing of it changed anything; unclaimed, its own output counts as leaving.
    assert_eq!(client::status(&mut element).unwrap().held, 2 * FACE);
    coins[0].spend(&mut element, &to_itself, &[]).unwrap();
    assert_eq!(client::status(&mut element).unwrap().spent, FACE);
    // A blank that was shown, or that holds something already, takes no more.
    coins[2].spend(&mut element, &coins[2].preimage(&[], 0), &[]).unwrap();
    let to_shown = coins[1].preimage(&[coins[2].output(FACE, 4)], 0);
    assert_eq!(refusal(coins[1].spend(&mut element, &to_shown, &[coins[2].own(0, 4)])), StatusWord::WRONG_DATA);
    let keep = coins[1].preimage(&[coins[3].output(FACE, 4)], 0);
    coins[1].spend(&mut element, &keep, &[coins[3].own(0, 4)]).unwrap();
    let to_full = coins[4].preimage(&[coins[3].output(1, 6)], 0);
    assert_eq!(refusal(coins[4].spend(&mut element, &to_full, &[coins[3].own(0, 6)])), StatusWord::WRONG_DATA);
}

#[test]
fn own_outputs_are_capped_by_their_blank() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    client::owner_tag(&mut element, 3, &[1; 32], 40).unwrap();
    let pay = coins[2].preimage(&[coins[3].output(CAP, 1)], 0);
    coins[2].spend(&mut element, &pay, &[coins[3].own(0, 1)]).unwrap();
    let status = client::status(&mut element).unwrap();
    assert_eq!((status.spent, status.held), (0, 2 * FACE + CAP), "what it expected is replaced by what it holds");
    assert_eq!(refusal(client::release(&mut element, 3)), StatusWord::WRONG_STATE);
    assert_eq!(refusal(client::forget(&mut element, 3)), StatusWord::WRONG_STATE);
    assert_eq!(refusal(client::owner_tag(&mut element, 3, &[1; 32], 1)), StatusWord::WRONG_STATE);
    client::owner_tag(&mut element, 3, &[1; 32], CAP).unwrap();
    client::owner_tag(&mut element, 3, &[1; 32], 0).unwrap();
    assert_eq!(client::status(&mut element).unwrap().held, 2 * FACE + CAP);
}

#[test]
fn own_outputs_keep_to_the_cap_of_a_smaller_blank() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let nonces = client::nonces(&mut element, 0, 8).unwrap();
    let identity = keys_of(&mut element).identity;
    let issued = world.issue(&world.small, &identity, &nonces.commitments()[7], 77);
    let small = Coin { index: 7, class: world.small.clone(), issued };
    manifest.load_class(&mut element, SMALL).unwrap();
    small.register(&mut element).unwrap();
    let pay = |amount| coins[0].preimage(&[stranger(FACE - amount, 1), small.output(amount, 1)], 0);
    let over = coins[0].spend(&mut element, &pay(SMALL_CAP + 1), &[small.own(1, 1)]);
    assert_eq!(refusal(over), StatusWord::WRONG_DATA);
    coins[0].spend(&mut element, &pay(SMALL_CAP), &[small.own(1, 1)]).unwrap();
}

#[test]
fn eight_own_outputs_are_kept_at_once() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    coins[6].register(&mut element).unwrap();
    coins[7].register(&mut element).unwrap();
    let blanks = &coins[2..8];
    let mut outputs: Vec<_> = blanks.iter().map(|blank| blank.output(10, 1)).collect();
    outputs.extend([stranger(FACE - 60, 1), stranger(0, 2)]);
    let own: Vec<_> = blanks.iter().zip(0..).map(|(blank, output)| blank.own(output, 1)).collect();
    coins[0].spend(&mut element, &coins[0].preimage(&outputs, 0), &own).unwrap();
    let status = client::status(&mut restart(element)).unwrap();
    assert_eq!((status.spent, status.held), (FACE - 60, FACE + 60));
}

#[test]
fn a_note_whose_show_was_lost_in_the_flash_is_never_shown_again() {
    let world = World::new();
    let (element, _, coins) = world.registered();
    let before = element.into_flash();
    let mut element = power_up(before.clone());
    let pay = coins[0].preimage(&[stranger(FACE, 1)], 0);
    coins[0].spend(&mut element, &pay, &[]).unwrap();
    let mut after = element.into_flash();
    // The word that is zero now and was erased before is the mark; the other new words are the record of the show.
    let record =
        (0..after.bytes().len()).filter(|&at| before.bytes()[at] == 0xFF && !matches!(after.bytes()[at], 0 | 0xFF));
    let in_the_middle = record.collect::<Vec<_>>()[40];
    after.bytes_mut()[in_the_middle] ^= 0x10;
    let mut element = power_up(after);
    assert_eq!(refusal(coins[0].spend(&mut element, &pay, &[])), StatusWord::ALREADY_SPENT);
    let other = coins[0].preimage(&[stranger(FACE, 2)], 0);
    assert_eq!(refusal(coins[0].spend(&mut element, &other, &[])), StatusWord::ALREADY_SPENT);
}
