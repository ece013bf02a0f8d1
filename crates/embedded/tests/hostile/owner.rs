//! The owner's line.

use proptest::prelude::*;
use specie_core::encoding::Writer;
use specie_embedded::frame::{Frame, MESSAGE_MAX};
use specie_embedded::owner::{Command, Reply, encode_answer, kind};

use crate::houses::{blank_image, images, root, terms};

/// The codes with which a device refuses bytes that are no command, one for each frame.
fn refused(message: &[u8]) -> (u8, String) {
    let mut house = images()[0].open();
    let before = house.stored();
    house.owner_bytes(&Frame::encode(kind::COMMAND, message).unwrap());
    let frames = house.owner_frames();
    assert_eq!(frames.len(), 1, "one reply to {message:02x?}");
    assert_eq!(frames[0].kind, kind::REPLY);
    assert_eq!(house.stored(), before);
    match Reply::decode(&frames[0].message).unwrap() {
        (number, Reply::Failed(told)) => (number, told.code),
        (number, other) => (number, format!("{other:?}")),
    }
}

#[test]
fn each_wrong_command_gets_its_reply() {
    let malformed = (0, "malformed".to_owned());
    // Nothing, no array, an empty one, commands that there are not, trailing bytes.
    for message in [&[][..], &[0x00], &[0x80], &[0x81, 0x00], &[0x81, 0x0D], &[0x81, 0x18, 0xFF], &[0x81, 0x01, 0x00]] {
        assert_eq!(refused(message), malformed);
    }
    // Every command with a field too many or too few.
    for number in 1..=12 {
        for length in 0..=7u8 {
            let mut message = vec![0x80 | length, number];
            message.resize(1 + usize::from(length.max(1)), 0x00);
            if Command::decode(&message).is_err() {
                assert_eq!(refused(&message), malformed, "{message:02x?}");
            }
        }
    }
    // Amounts, times and texts that cannot be.
    for message in [
        &[0x82, 0x07, 0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..],
        &[0x82, 0x02, 0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x82, 0x03, 0x41, 0x00],
        &[0x83, 0x04, 0x61, 0xFF, 0x60],
        &[0x84, 0x05, 0x00, 0x1A, 0x00, 0x01, 0x00, 0x00, 0xF6],
    ] {
        assert_eq!(refused(message), malformed, "{message:02x?}");
    }
    assert_eq!(refused(&vec![0x81; MESSAGE_MAX]), malformed);
}

#[test]
fn commands_that_make_no_sense_now_are_refused_with_their_number() {
    let mut house = blank_image().open();
    assert_eq!(house.refusal(&Command::Request(terms(5))), "no-wallet");
    assert_eq!(
        house.refusal(&Command::PayNext { currency: crate::bank::xts(), limit: specie_core::Amount::MAX }),
        "no-wallet"
    );
    assert_eq!(house.refusal(&Command::Pin(b"1234".to_vec())), "no-wallet");
    assert_eq!(house.tell(&Command::Stop), Reply::Done);
    assert_eq!(house.tell(&Command::Create(root())), Reply::Done);
    assert_eq!(house.refusal(&Command::Create(root())), "wallet-exists");
    assert_eq!(house.refusal(&Command::Request(terms(5))), "no-blank");
    // A PIN of any length is asked of the element, which refuses it.
    for length in [0, 3, 13, 255, 256, 4_000] {
        let code = house.refusal(&Command::Pin(vec![b'1'; length]));
        assert!(code.starts_with("element-") || code.starts_with("pin-") || code.contains("pin"), "{length}: {code}");
    }
}

#[test]
fn an_answer_that_was_not_asked_for_is_passed_over() {
    let mut house = images()[0].open();
    let before = house.stored();
    for number in [0, 1, u32::MAX] {
        house.owner_bytes(&Frame::encode(kind::ANSWER, &encode_answer(number, 200, b"{}")).unwrap());
    }
    assert_eq!(house.owner_frames(), []);
    assert_eq!(house.stored(), before);
}

#[test]
fn an_owner_who_takes_nothing_does_not_use_up_the_memory() {
    let mut house = images()[0].open();
    for _ in 0..2_000 {
        house.owner_bytes(&Frame::encode(kind::COMMAND, &Command::Status.encode()).unwrap());
        house.pass(1);
    }
    let waiting: usize = house.owner_frames().iter().map(|frame| frame.message.len()).sum();
    assert!((1..=12 * 1024).contains(&waiting), "{waiting} bytes");
    assert!(matches!(house.tell(&Command::Status), Reply::Status(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bytes_on_the_owners_line_change_nothing(
        pieces in prop::collection::vec((any::<Option<u8>>(), prop::collection::vec(any::<u8>(), 0..300)), 0..12),
    ) {
        let mut house = images()[0].open();
        let before = house.stored();
        for (kind, bytes) in &pieces {
            match kind {
                None => house.owner_bytes(bytes),
                Some(kind) if Command::decode(bytes).is_err() => {
                    house.owner_bytes(&[0]);
                    house.owner_bytes(&Frame::encode(*kind % 24, bytes).unwrap());
                }
                Some(_) => {}
            }
            house.pass(50);
        }
        house.owner_bytes(&[0]);
        prop_assert_eq!(house.total(), crate::houses::VALUE);
        prop_assert_eq!(house.stored(), before);
        prop_assert!(matches!(house.tell(&Command::Status), Reply::Status(_)));
    }

    /// The flags of a command: whatever its fields are, it is refused or done, and money stays.
    #[test]
    fn commands_with_any_fields_keep_the_money(length in 1u8..7, number in 1u8..13, fields in prop::collection::vec(any::<u64>(), 6)) {
        let mut w = Writer::new(vec![0x80 | length, number]);
        fields[..usize::from(length) - 1].iter().for_each(|field| w.uint(*field).unwrap());
        let message = w.into_inner();
        let mut house = images()[0].open();
        house.owner_bytes(&Frame::encode(kind::COMMAND, &message).unwrap());
        prop_assert_eq!(house.owner_frames().len(), 1);
        house.pass(10);
        prop_assert_eq!(house.total(), crate::houses::VALUE);
    }
}
