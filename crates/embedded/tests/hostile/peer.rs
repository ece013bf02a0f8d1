//! The line to the other device.

use proptest::prelude::*;
use specie_embedded::frame::{Frame, MESSAGE_MAX};
use specie_embedded::owner::{Command, Event, Reply};
use specie_embedded::peer::{REPEAT_MS, kind};

use crate::houses::{VALUE, images};

/// What a peer may do.
#[derive(Clone, Debug)]
enum Deed {
    Bytes(Vec<u8>),
    Frame(u8, Vec<u8>),
    /// A message of the other's with one byte changed: a request, a payment or a receipt.
    Changed(usize, prop::sample::Index, u8),
    /// Half of a frame.
    Cut(usize, prop::sample::Index),
    Time(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        bytes().prop_map(Deed::Bytes),
        (0u8..6, bytes()).prop_map(|(kind, bytes)| Deed::Frame(kind, bytes)),
        (0usize..3, any::<prop::sample::Index>(), 1u8..).prop_map(|(which, at, xor)| Deed::Changed(which, at, xor)),
        (0usize..3, any::<prop::sample::Index>()).prop_map(|(which, at)| Deed::Cut(which, at)),
        (1u64..2_000).prop_map(Deed::Time),
    ]
}

/// A request, a payment of another one, and the receipt of that, all genuine.
fn genuine() -> [Vec<u8>; 3] {
    let [mut payer, mut payee] = images().each_ref().map(|image| image.open());
    let request = payee.request(5);
    payer.pay_next(5);
    payer.peer_frame(kind::MESSAGE, &request);
    let payment = payer.peer_frames().pop().unwrap().message;
    payee.peer_frame(kind::MESSAGE, &payment);
    let receipt = payee.peer_frames().pop().unwrap().message;
    [request, payment, receipt]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_no_valid_message_moves_no_money(armed in any::<bool>(), deeds in prop::collection::vec(deed(), 0..10)) {
        let messages = genuine();
        let mut house = images()[1].open();
        // It waits for the very payment, or is ready to pay: everything, so that a changed request is not too much.
        if armed { house.pay_next(VALUE) } else { drop(house.request(5)) }
        let before = house.stored();
        for deed in deeds {
            match deed {
                Deed::Bytes(bytes) => house.peer_bytes(&bytes),
                Deed::Frame(kind, bytes) => house.peer_frame(kind, &bytes),
                Deed::Changed(which, at, xor) => {
                    // A request without a descriptor is signed by nobody: changed, it is another request.
                    if which == 0 && armed { continue }
                    let mut message = messages[which].clone();
                    let at = at.index(message.len());
                    message[at] ^= xor;
                    house.peer_frame(kind::MESSAGE, &message);
                }
                Deed::Cut(which, at) => {
                    let frame = Frame::encode(kind::MESSAGE, &messages[which]).unwrap();
                    house.peer_bytes(&frame[..at.index(frame.len() - 1)]);
                    house.peer_bytes(&[0]);
                }
                Deed::Time(ms) => house.pass(ms),
            }
        }
        prop_assert_eq!(house.total(), VALUE);
        prop_assert_eq!(house.stored(), before);
        prop_assert!(matches!(house.tell(&Command::Status), Reply::Status(_)));
    }
}

/// A payer that is ready to pay gets a request again and again, and takes nothing of what it is answered.
#[test]
fn a_peer_that_takes_nothing_leaves_memory_bounded_and_the_owner_served() {
    let [mut payer, mut payee] = images().each_ref().map(|image| image.open());
    let request = payee.request(5);
    payer.pay_next(5);
    for round in 0..500 {
        payer.peer_frame(kind::MESSAGE, &request);
        // Answered with a refusal each.
        payer.peer_frame(kind::MESSAGE, &[0x83, 0x01, 0x18, 0x63]);
        payer.pass(REPEAT_MS / 10);
        if round % 50 == 0 {
            assert!(matches!(payer.tell(&Command::Status), Reply::Status(status) if status.undelivered == 1));
        }
    }
    let waiting: usize = payer.peer_frames().iter().map(|frame| frame.message.len()).sum();
    assert!((1..=12 * 1024).contains(&waiting), "{waiting} bytes");
    assert_eq!(payer.total(), VALUE - 5, "it paid once");
    // A peer that stops within a frame, and for ever.
    payee.peer_bytes(&[1; 100]);
    payee.pass(600_000);
    assert!(matches!(payee.tell(&Command::Status), Reply::Status(_)));
}

/// The owner may look away for long: what is kept for it is short, whatever the other device sends.
#[test]
fn what_the_other_device_says_is_kept_short() {
    let mut house = images()[0].open();
    for _ in 0..20 {
        house.peer_frame(kind::REFUSAL, &[b'x'; MESSAGE_MAX]);
    }
    let events = house.events();
    assert_eq!(events.len(), 8);
    assert!(events.iter().all(|event| matches!(event, Event::Refused(code) if code.len() == 64)), "{events:?}");
}

/// The longest messages, with heads that promise still more.
#[test]
fn maximal_garbage_is_refused() {
    let mut house = images()[0].open();
    let request = house.request(5);
    let before = house.stored();
    let long = |head: &[u8], filler: u8| {
        let mut message = head.to_vec();
        message.resize(MESSAGE_MAX, filler);
        message
    };
    for kind_of_message in 1..=9u8 {
        for (head, filler) in [
            (&[0x83, 0x01, kind_of_message, 0x9B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF][..], 0x80),
            (&[0x83, 0x01, kind_of_message, 0x88][..], 0x81),
            (&[0x83, 0x01, kind_of_message, 0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], 0),
            (&[0x84, 0x01, kind_of_message, 0x99, 0x1F, 0xF0][..], 0),
            (&[0x84, 0x01, kind_of_message, 0x86][..], 0x9F),
            (&[0x85, 0x01, kind_of_message][..], 0xF6),
        ] {
            house.peer_frame(kind::MESSAGE, &long(head, filler));
            let answers = house.peer_frames();
            let expected = |frame: &Frame| frame.kind == kind::REFUSAL || frame.message == request;
            assert!(answers.iter().all(expected), "{answers:?}");
            house.events();
        }
    }
    // Longer than any frame.
    house.peer_bytes(&vec![0x7F; 4 * MESSAGE_MAX]);
    house.peer_bytes(&[0]);
    assert_eq!(house.peer_frames(), []);
    assert_eq!((house.total(), house.stored()), (VALUE, before));
}
