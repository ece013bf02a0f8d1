//! TOTALS: what an element says of what it holds and spent, to whom it says it, and what that tells.

use specie_core::group::{Scalar, decode_point, decode_scalar, encode_point};
use specie_core::signature::PublicKey;
use specie_core::{Amount, label};
use specie_element::client::{self, OpenTotal, Totals};
use specie_element::status::StatusWord;

use crate::support::*;

const NONCE: [u8; 32] = [7; 32];

fn ask(element: &mut TestElement, nonce: &[u8; 32]) -> Totals {
    client::totals(element, nonce).unwrap()
}

fn opens(world: &World, total: &OpenTotal) -> bool {
    let r = decode_scalar(&total.blinding).unwrap();
    let point = Scalar::from(total.total) * world.generators.H + specie_core::group::RistrettoPoint::mul_base(&r);
    r != Scalar::ZERO && encode_point(&point) == total.commitment
}

fn is_signed(totals: &Totals, key: &PublicKey, nonce: &[u8; 32]) -> bool {
    let sequence = totals.limits_sequence.to_be_bytes();
    let parts = [&nonce[..], &sequence, &totals.held.commitment, &totals.spent.commitment];
    key.verify(label::TOTALS, &parts, &totals.signature).is_ok()
}

#[test]
fn totals_are_those_of_the_status_opened_and_signed() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let key = PublicKey(keys_of(&mut element).authentication);
    client::owner_tag(&mut element, 2, &[1; 32], 300).unwrap();
    let change = [coins[3].own(1, 1)];
    let outputs = [stranger(400, 1), coins[3].output(FACE - 400, 1)];
    coins[0].spend(&mut element, &coins[0].preimage(&outputs, 0), &change).unwrap();
    let (status, totals) = (client::status(&mut element).unwrap(), ask(&mut element, &NONCE));
    assert_eq!((totals.held.total, totals.spent.total), (status.held, status.spent));
    assert_eq!((totals.spent.total, totals.limits_sequence), (400, 1));
    assert!(opens(&world, &totals.held) && opens(&world, &totals.spent));
    assert!(is_signed(&totals, &key, &NONCE) && !is_signed(&totals, &key, &[8; 32]));
    // The same again, also after a power cut.
    assert!(ask(&mut element, &NONCE) == totals);
    assert!(ask(&mut restart(element), &NONCE) == totals);
}

/// The difference of two commitments with one `r` would be a small multiple of `H`: a total that changed between two
/// questions with one nonce could be read off.
#[test]
fn what_hides_a_total_serves_no_other() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let mut seen = Vec::new();
    let mut note = |totals: &Totals| {
        assert!(opens(&world, &totals.held) && opens(&world, &totals.spent));
        for total in [&totals.held, &totals.spent] {
            assert!(!seen.contains(&total.blinding), "one r twice");
            seen.push(total.blinding);
            assert!(decode_point(&total.commitment).is_ok());
        }
    };
    note(&ask(&mut element, &NONCE));
    note(&ask(&mut element, &[8; 32]));
    client::owner_tag(&mut element, 2, &[1; 32], 300).unwrap();
    note(&ask(&mut element, &NONCE));
    coins[0].spend(&mut element, &coins[0].preimage(&[stranger(FACE, 1)], 0), &[]).unwrap();
    note(&ask(&mut element, &NONCE));
    let newer = specie_core::limits::LimitsBody {
        max_cumulative: Amount::new(901).unwrap(),
        ..world.limits(&keys_of(&mut element), 2)
    };
    world.set_limits(&mut element, &manifest, newer).unwrap();
    let totals = ask(&mut element, &NONCE);
    note(&totals);
    assert_eq!((totals.limits_sequence, totals.spent.total), (2, 0));
}

#[test]
fn without_limits_the_sequence_is_zero_and_before_personalisation_there_is_nothing_to_say() {
    let world = World::new();
    let mut element = power_up(flash());
    assert_eq!(
        client::totals(&mut element, &NONCE).err().and_then(|error| error.status()),
        Some(StatusWord::WRONG_STATE)
    );
    let mut element = world.personalised();
    let totals = ask(&mut element, &NONCE);
    assert_eq!((totals.limits_sequence, totals.held.total, totals.spent.total), (0, 0, 0));
    assert!(opens(&world, &totals.held) && opens(&world, &totals.spent));
}
