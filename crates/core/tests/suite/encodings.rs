//! Every point and scalar that travels has one encoding: the same value in another is refused wherever it stands.

use specie_core::bytes::Context;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::group::{Scalar, decode_point};
use specie_core::note::Note;
use specie_core::show::{Batch, Points, Show, verify_compact_vartime, verify_extended_vartime};
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{Held, World, encoded, output, scalar, seed, stranger};

/// `2^255 − 19`, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// `l`, little-endian.
const L: [u8; 32] = {
    let mut l = [0; 32];
    let low = 0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes();
    let mut index = 0;
    while index < 16 {
        l[index] = low[index];
        index += 1;
    }
    l[31] = 0x10;
    l
};

/// `a + b` of 256 bits, little-endian; no overflow here.
fn sum(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    core::array::from_fn(|index| {
        let digit = u16::from(a[index]) + u16::from(b[index]) + carry;
        carry = digit >> 8;
        digit as u8
    })
}

/// `a − b` of 256 bits, little-endian; `a` is the larger one here.
fn difference(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut borrow = 0;
    core::array::from_fn(|index| {
        let digit = i16::from(a[index]) - i16::from(b[index]) - borrow;
        borrow = i16::from(digit < 0);
        digit as u8
    })
}

/// Encodings that a careless decoder takes for `point`: with the unused bit set, and with the other sign.
fn other_points(point: &[u8; 32]) -> [[u8; 32]; 2] {
    let mut high = *point;
    high[31] |= 0x80;
    [high, difference(&P, point)]
}

/// Encodings that a careless decoder takes for `scalar`: `l` more, and `2·l` more.
fn other_scalars(scalar: &[u8; 32]) -> [[u8; 32]; 2] {
    let once = sum(scalar, &L);
    [once, sum(&once, &L)]
}

fn replaced<const N: usize>(bytes: &[u8; N], index: usize, part: &[u8; 32]) -> [u8; N] {
    let mut bytes = *bytes;
    bytes[index * 32..][..32].copy_from_slice(part);
    bytes
}

fn part<const N: usize>(bytes: &[u8; N], index: usize) -> [u8; 32] {
    bytes[index * 32..][..32].try_into().unwrap()
}

fn accepted(world: &World, held: &Held, note: &Note, points: &Points) -> [bool; 3] {
    let d = scalar("d", 0);
    let show = held.show_at(&d);
    let (generators, class) = (&world.generators, &held.class);
    let mut batch = Batch::new(*generators, seed("batch", 0));
    [
        verify_compact_vartime(generators, class, note, &d, &show).is_ok(),
        verify_extended_vartime(generators, class, note, &d, &show, points).is_ok(),
        batch.push(class, note, &d, &show, points).is_ok() && batch.verify_vartime().is_ok(),
    ]
}

#[test]
fn rejects_another_encoding_in_every_place_of_a_note() {
    let world = World::new();
    let held = world.note(&world.alice, 0);
    let (note, points) = (&held.note.note, &held.note.points);
    assert_eq!(accepted(&world, &held, note, points), [true; 3]);
    for index in 0..8 {
        let good = part(&note.0, index);
        for other in if index < 2 { other_points(&good) } else { other_scalars(&good) } {
            let note = Note(replaced(&note.0, index, &other));
            assert_eq!(accepted(&world, &held, &note, points), [false; 3], "part {index}");
        }
    }
}

#[test]
fn rejects_another_value_in_every_place_of_a_note() {
    let world = World::new();
    let held = world.note(&world.alice, 0);
    let (note, points) = (&held.note.note, &held.note.points);
    for index in 0..8 {
        let other = if index < 2 {
            [points.alpha, points.eta][index]
        } else {
            let good: Scalar = Option::from(Scalar::from_canonical_bytes(part(&note.0, index))).unwrap();
            (good + Scalar::ONE).to_bytes()
        };
        let note = Note(replaced(&note.0, index, &other));
        assert_eq!(accepted(&world, &held, &note, points), [false; 3], "part {index}");
    }
}

#[test]
fn rejects_another_encoding_in_every_point_of_the_extended_form() {
    let world = World::new();
    let held = world.note(&world.alice, 0);
    let bytes = held.note.points.to_bytes();
    for index in 0..6 {
        for other in other_points(&part(&bytes, index)) {
            let points = Points::from_bytes(&replaced(&bytes, index, &other));
            assert_eq!(accepted(&world, &held, &held.note.note, &points), [true, false, false], "point {index}");
        }
    }
}

#[test]
fn rejects_another_encoding_in_every_scalar_of_a_show() {
    let world = World::new();
    let held = world.note(&world.alice, 0);
    let transfer = held.transfer(Input::Issued, &[output(500, stranger(0))], Context([1; 32]));
    let bytes = transfer.show.to_bytes();
    for index in 0..3 {
        for other in other_scalars(&part(&bytes, index)) {
            let other = replaced(&bytes, index, &other);
            assert_eq!(Show::from_bytes(&other), Err(DecodeError::BadScalar));
            let mut whole = encoded(&transfer);
            let at = whole.windows(96).position(|window| window == bytes).unwrap();
            whole[at..][..96].copy_from_slice(&other);
            assert_eq!(Transfer::decode(&whole), Err(DecodeError::BadScalar));
        }
    }
}

/// The variants above are what they claim to be: the same value to who reduces or ignores the bit.
#[test]
fn the_other_encodings_mean_the_same() {
    let value = scalar("value", 0);
    for other in other_scalars(&value.to_bytes()) {
        assert_eq!(Scalar::from_bytes_mod_order(other), value);
    }
    let point = World::new().alice.U;
    let good = specie_core::group::encode_point(&point);
    let [high, negative] = other_points(&good);
    assert_eq!(sum(&negative, &good), P);
    assert!(decode_point(&good).is_ok() && decode_point(&high).is_err() && decode_point(&negative).is_err());
}
