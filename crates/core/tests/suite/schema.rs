//! Every structure has exactly one encoding (`docs/spec/specie.cddl`): each other way to write the same thing, and
//! each damaged or truncated form, is refused.

use specie_core::encoding::{Decode, DecodeError};
use specie_core::evidence::Evidence;
use specie_core::message::Message;
use specie_core::payment::{Chain, Payment};
use specie_core::request::Request;

use crate::fixture::World;
use crate::messages::{self, Example};

const ARRAY: u8 = 4;
const TEXT: u8 = 3;
const BYTES: u8 = 2;

/// One CBOR item within an encoding.
#[derive(Clone, Copy, Debug)]
struct Item {
    start: usize,
    /// Where the head ends and the content begins.
    content: usize,
    end: usize,
    major: u8,
    value: u64,
}

/// All items, outer ones before inner ones.
fn items(bytes: &[u8]) -> Vec<Item> {
    let mut all = Vec::new();
    let end = item(bytes, 0, &mut all);
    assert_eq!(end, bytes.len());
    all
}

fn item(bytes: &[u8], start: usize, all: &mut Vec<Item>) -> usize {
    let (major, low) = (bytes[start] >> 5, bytes[start] & 0x1f);
    let extra = if low < 24 { 0 } else { 1 << (low - 24) };
    let content = start + 1 + extra;
    let long = bytes[start + 1..content].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let value = if extra == 0 { u64::from(low) } else { long };
    let position = all.len();
    all.push(Item { start, content, end: 0, major, value });
    let end = match major {
        0 | 7 => content,
        BYTES | TEXT => content + usize::try_from(value).unwrap(),
        ARRAY => (0..value).fold(content, |at, _| item(bytes, at, all)),
        _ => panic!("major type {major} is in no schema of ours"),
    };
    all[position].end = end;
    end
}

/// The head of `major` and `value`, with `extra` bytes for the value.
fn head(major: u8, value: u64, extra: usize) -> Vec<u8> {
    let low = match extra {
        0 => u8::try_from(value).unwrap(),
        1 => 24,
        2 => 25,
        4 => 26,
        _ => 27,
    };
    let mut head = vec![major << 5 | low];
    head.extend_from_slice(&value.to_be_bytes()[8 - extra..]);
    head
}

/// `bytes` with `replacement` instead of `from..to`.
fn spliced(bytes: &[u8], from: usize, to: usize, replacement: &[u8]) -> Vec<u8> {
    [&bytes[..from], replacement, &bytes[to..]].concat()
}

fn refused(example: &Example, bytes: &[u8], what: &str) -> DecodeError {
    match (example.again)(bytes) {
        Err(error) => error,
        Ok(_) => panic!("{}: {what} is accepted", example.name),
    }
}

fn for_each_item(mut visit: impl FnMut(&Example, &Item)) {
    let world = World::new();
    for example in messages::all(&world) {
        items(&example.bytes).iter().for_each(|item| visit(&example, item));
    }
}

#[test]
fn accepts_what_is_encoded_and_encodes_it_again() {
    for example in messages::all(&World::new()) {
        assert_eq!((example.again)(&example.bytes).as_ref(), Ok(&example.bytes), "{}", example.name);
    }
}

#[test]
fn rejects_longer_heads_everywhere() {
    for_each_item(|example, item| {
        if item.major == 7 {
            return;
        }
        for extra in [1, 2, 4, 8].into_iter().filter(|extra| *extra > item.content - item.start - 1) {
            let longer = head(item.major, item.value, extra);
            let bytes = spliced(&example.bytes, item.start, item.content, &longer);
            let error = refused(example, &bytes, "a longer head");
            assert_eq!(error, DecodeError::NotCanonical, "{} at {}", example.name, item.start);
        }
    });
}

#[test]
fn rejects_indefinite_lengths_everywhere() {
    for_each_item(|example, item| {
        let content = &example.bytes[item.content..item.end];
        let indefinite = match item.major {
            ARRAY => [&[0x9f], content, &[0xff]].concat(),
            BYTES | TEXT => [&[item.major << 5 | 0x1f], &example.bytes[item.start..item.end], &[0xff][..]].concat(),
            _ => return,
        };
        let bytes = spliced(&example.bytes, item.start, item.end, &indefinite);
        let error = refused(example, &bytes, "an indefinite length");
        assert_eq!(error, DecodeError::NotCanonical, "{} at {}", example.name, item.start);
    });
}

#[test]
fn rejects_every_other_type_in_every_place() {
    let others: [&[u8]; 9] = [&[0x20], &[0x40], &[0x60], &[0x80], &[0xa0], &[0xf4], &[0xf7], &[0xf9, 0, 0], &[0xc0, 0]];
    for_each_item(|example, item| {
        let own = &example.bytes[item.start..item.end];
        for other in others.into_iter().filter(|other| *other != own) {
            let bytes = spliced(&example.bytes, item.start, item.end, other);
            // An empty list of revoked notes, of device words or of outputs is right in its place; nothing else is.
            if let Ok(again) = (example.again)(&bytes) {
                let empty = (other == [0x80] && item.major == ARRAY) || (other == [0x40] && item.major == BYTES);
                assert!(empty && again == bytes, "{}: {other:02x?} at {}", example.name, item.start);
            }
        }
        let tagged = [&[0xc0], own].concat();
        refused(example, &spliced(&example.bytes, item.start, item.end, &tagged), "a tag");
    });
}

#[test]
fn rejects_null_where_nothing_is_optional() {
    for_each_item(|example, item| {
        let bytes = spliced(&example.bytes, item.start, item.end, &[0xf6]);
        if bytes != example.bytes && (example.again)(&bytes).is_ok() {
            let memo = example.name == "request, signed" && item.major == TEXT;
            let supervisor = example.name == "request, signed" && example.bytes[item.content..item.end] == [6; 32];
            let owned = ["holding", "backup"].contains(&example.name) && item.major == ARRAY && item.value == 3;
            assert!(memo || supervisor || owned, "{} at {}", example.name, item.start);
        }
    });
}

#[test]
fn rejects_arrays_that_miscount_their_items() {
    for_each_item(|example, item| {
        if item.major != ARRAY {
            return;
        }
        for value in [item.value + 1, item.value.saturating_sub(1), 1 << 20, u64::MAX] {
            let extra = match value {
                0..=0x17 => 0,
                0x18..=0xff => 1,
                0x100..=0xffff => 2,
                0x1_0000..=0xffff_ffff => 4,
                _ => 8,
            };
            let bytes = spliced(&example.bytes, item.start, item.content, &head(ARRAY, value, extra));
            if value != item.value {
                refused(example, &bytes, "a miscounted array");
            }
        }
    });
}

#[test]
fn rejects_strings_that_lie_about_their_length() {
    for_each_item(|example, item| {
        if item.major == BYTES || item.major == TEXT {
            let huge = head(item.major, u64::MAX, 8);
            refused(example, &spliced(&example.bytes, item.start, item.content, &huge), "a huge string");
        }
    });
}

#[test]
fn rejects_truncation_at_every_byte() {
    for example in messages::all(&World::new()) {
        for length in 0..example.bytes.len() {
            refused(&example, &example.bytes[..length], "a part");
        }
    }
}

#[test]
fn rejects_trailing_bytes() {
    for example in messages::all(&World::new()) {
        for more in [&[0][..], &[0xf6], &[0x80], &example.bytes] {
            let bytes = [&example.bytes, more].concat();
            assert_eq!(refused(&example, &bytes, "more"), DecodeError::TrailingBytes, "{}", example.name);
        }
    }
}

#[test]
fn rejects_other_versions_and_other_messages() {
    for example in messages::all(&World::new()) {
        let Some(number) = example.number else {
            continue;
        };
        assert_eq!(&example.bytes[1..3], [1, number], "{}", example.name);
        assert_eq!(u64::from(number), Message::peek(&example.bytes).unwrap().number());
        for version in [0, 2, 23] {
            let bytes = spliced(&example.bytes, 1, 2, &[version]);
            assert_eq!(refused(&example, &bytes, "a version"), DecodeError::UnknownVersion, "{}", example.name);
            assert_eq!(Message::peek(&bytes), Err(DecodeError::UnknownVersion));
        }
        for other in (0..24).filter(|other| *other != number) {
            let bytes = spliced(&example.bytes, 2, 3, &[other]);
            assert_eq!(refused(&example, &bytes, "a message"), DecodeError::UnexpectedMessage, "{}", example.name);
        }
        assert_eq!(Message::peek(&spliced(&example.bytes, 2, 3, &[0])), Err(DecodeError::UnexpectedMessage));
    }
}

/// Versions stand in `info` and in every preimage too.
#[test]
fn rejects_other_versions_inside() {
    for example in messages::all(&World::new()) {
        if example.name.starts_with("info") || example.name.starts_with("preimage") {
            let bytes = spliced(&example.bytes, 1, 2, &[2]);
            assert_eq!(refused(&example, &bytes, "a version"), DecodeError::UnknownVersion, "{}", example.name);
        }
    }
}

/// `info` travels as a byte string: what is in it has one encoding all the same.
#[test]
fn rejects_an_info_within_that_is_not_canonical() {
    let world = World::new();
    let info = world.value.class.info_bytes();
    let longer = [&info[..1], &[0x18], &info[1..]].concat();
    for example in messages::all(&world).iter().filter(|example| ["class entry", "evidence"].contains(&example.name)) {
        let item =
            items(&example.bytes).into_iter().find(|item| &example.bytes[item.content..item.end] == info).unwrap();
        let string = [head(BYTES, longer.len() as u64, 1), longer.clone()].concat();
        let bytes = spliced(&example.bytes, item.start, item.end, &string);
        assert_eq!(refused(example, &bytes, "a longer head within"), DecodeError::NotCanonical);
    }
}

#[test]
fn rejects_numbers_out_of_range() {
    for_each_item(|example, item| {
        if item.major == 0 {
            let bytes = spliced(&example.bytes, item.start, item.content, &head(0, u64::MAX, 8));
            // Sequence numbers may be any.
            if let Ok(again) = (example.again)(&bytes) {
                let counted = ["manifest", "request", "revocation", "limits", "mandate"];
                assert!(counted.iter().any(|kind| example.name.starts_with(kind)), "{}", example.name);
                assert_eq!(again, bytes);
            }
        }
    });
}

#[test]
fn rejects_empty_chains_payments_and_too_many_chains() {
    assert_eq!(Chain::decode(&[0x80]).err(), Some(DecodeError::WrongLength));
    assert_eq!(Payment::decode(&[0x83, 1, 2, 0x80]).err(), Some(DecodeError::WrongLength));
    let world = World::new();
    let chain = messages::all(&world).into_iter().find(|example| example.name == "chain").unwrap().bytes;
    let payment = |count: usize| crate::fixture::payment(&vec![chain.as_slice(); count]);
    assert!(Payment::decode(&payment(8)).is_ok());
    assert_eq!(Payment::decode(&payment(9)).err(), Some(DecodeError::WrongLength));
}

/// 255 hops and the redemption after them; a chain with more is of no class.
#[test]
fn rejects_chains_longer_than_any_class_allows() {
    let world = World::new();
    let transfer = crate::fixture::encoded(&messages::two_links(&world)[0].compact());
    let chain = |count: u64| [head(ARRAY, count, 2), transfer.repeat(count.try_into().unwrap())].concat();
    assert_eq!(Chain::decode(&chain(256)).map(|chain| chain.length()), Ok(256));
    assert_eq!(Chain::decode(&chain(257)).err(), Some(DecodeError::WrongLength));
}

/// A descriptor without its signature, or a signature without a descriptor, says nothing certain.
#[test]
fn rejects_a_request_that_is_signed_by_halves() {
    let (signed, plain) = (messages::request(Some(messages::descriptor()), None), messages::request(None, None));
    for half in [Request { signature: None, ..signed }, Request { signature: signed.signature, ..plain }] {
        let bytes = crate::fixture::encoded(&half);
        assert_eq!(Request::decode(&bytes).err(), Some(DecodeError::OutOfRange));
        assert!(half.verify_signature().is_err());
    }
    assert!(signed.verify_signature().is_ok() && plain.verify_signature().is_ok());
}

/// Evidence that is cut together from parts of one that is right still has to decode whole.
#[test]
fn evidence_names_its_class_in_full() {
    let world = World::new();
    let example = messages::all(&world).into_iter().find(|example| example.name == "evidence").unwrap();
    let evidence = Evidence::decode(&example.bytes).unwrap();
    assert_eq!(evidence.class.id(), world.value.class.id());
    assert!(evidence.verify_vartime(&world.generators).is_ok());
}
