//! PIN and PUK.

use specie_element::client::{self, Wipe};
use specie_element::instruction::Purpose;
use specie_element::status::StatusWord;

use crate::support::*;

#[test]
fn the_pin_is_needed_after_each_power_up() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    assert_eq!(client::status(&mut element).unwrap().pin_tries_left, None);
    assert_eq!(refusal(client::verify(&mut element, b"1234")), StatusWord::WRONG_STATE);
    client::change_pin(&mut element, &[], b"1234").unwrap();
    client::sign_request(&mut element, Purpose::Payee, &[0; 32]).unwrap();
    let mut element = restart(element);
    let signed = client::sign_request(&mut element, Purpose::DeviceRequest, &[0; 32]);
    assert_eq!(refusal(signed), StatusWord::PIN_NEEDED);
    let preimage = coins[0].preimage(&[stranger(FACE, 1)], 0);
    assert_eq!(refusal(coins[0].spend(&mut element, &preimage, &[])), StatusWord::PIN_NEEDED);
    assert_eq!(refusal(client::wipe(&mut element, Wipe::EvenSo)), StatusWord::PIN_NEEDED);
    client::verify(&mut element, b"1234").unwrap();
    coins[0].spend(&mut element, &preimage, &[]).unwrap();
    // A wrong try ends what the right one allowed; SELECT does not.
    client::select(&mut element).unwrap();
    coins[0].spend(&mut element, &preimage, &[]).unwrap();
    assert_eq!(refusal(client::verify(&mut element, b"1235")), StatusWord::wrong_pin(2));
    assert_eq!(refusal(coins[0].spend(&mut element, &preimage, &[])), StatusWord::PIN_NEEDED);
    client::verify(&mut element, b"1234").unwrap();
    assert_eq!(refusal(client::unblock(&mut element, b"00000000", b"9999")), StatusWord::wrong_pin(9));
    assert_eq!(refusal(coins[0].spend(&mut element, &preimage, &[])), StatusWord::PIN_NEEDED);
}

#[test]
fn three_wrong_tries_block_whatever_the_power_does() {
    let world = World::new();
    let mut element = world.personalised();
    client::change_pin(&mut element, &[], b"123456789012").unwrap();
    for tries in [2, 1, 0] {
        element = restart(element);
        assert_eq!(refusal(client::verify(&mut element, b"12345678901")), StatusWord::wrong_pin(tries));
        assert_eq!(client::status(&mut element).unwrap().pin_tries_left, Some(tries));
    }
    element = restart(element);
    assert_eq!(refusal(client::verify(&mut element, b"123456789012")), StatusWord::PIN_BLOCKED);
    let changed = client::change_pin(&mut element, b"123456789012", b"9999");
    assert_eq!(refusal(changed), StatusWord::PIN_BLOCKED);

    assert_eq!(refusal(client::unblock(&mut element, b"00000000", b"9999")), StatusWord::wrong_pin(9));
    client::unblock(&mut element, &PUK, b"9999").unwrap();
    let mut element = restart(element);
    assert_eq!(refusal(client::verify(&mut element, b"123456789012")), StatusWord::wrong_pin(2));
    client::verify(&mut element, b"9999").unwrap();
    assert_eq!(client::status(&mut element).unwrap().pin_tries_left, Some(3));
}

#[test]
fn ten_wrong_puks_block_for_ever() {
    let world = World::new();
    let mut element = world.personalised();
    for tries in (0..10).rev() {
        assert_eq!(refusal(client::unblock(&mut element, b"00000000", b"9999")), StatusWord::wrong_pin(tries));
    }
    let mut element = restart(element);
    assert_eq!(refusal(client::unblock(&mut element, &PUK, b"9999")), StatusWord::PIN_BLOCKED);
}

#[test]
fn changing_the_pin_takes_the_old_one() {
    let world = World::new();
    let mut element = world.personalised();
    assert_eq!(refusal(client::change_pin(&mut element, b"1111", b"2222")), StatusWord::WRONG_STATE);
    client::change_pin(&mut element, &[], b"1111").unwrap();
    assert_eq!(refusal(client::change_pin(&mut element, &[], b"2222")), StatusWord::WRONG_STATE);
    assert_eq!(refusal(client::change_pin(&mut element, b"3333", b"2222")), StatusWord::wrong_pin(2));
    client::change_pin(&mut element, b"1111", b"2222").unwrap();
    client::verify(&mut element, b"2222").unwrap();
    assert_eq!(refusal(client::verify(&mut element, b"1111")), StatusWord::wrong_pin(2));
}

#[test]
fn pins_have_4_to_12_bytes() {
    let world = World::new();
    let mut element = world.personalised();
    for pin in [&b"123"[..], b"1234567890123", b""] {
        assert_eq!(refusal(client::change_pin(&mut element, &[], pin)), StatusWord::WRONG_LENGTH);
        assert_eq!(refusal(client::verify(&mut element, pin)), StatusWord::WRONG_LENGTH);
        assert_eq!(refusal(client::unblock(&mut element, &PUK, pin)), StatusWord::WRONG_LENGTH);
    }
    client::change_pin(&mut element, &[], b"1234").unwrap();
    assert_eq!(refusal(client::change_pin(&mut element, b"123", b"12345")), StatusWord::WRONG_LENGTH);
}
