//! Frames are found in the bytes of a serial line, and are the ones that were sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use specie_embedded::frame::{Frame, Inbox, MESSAGE_MAX};

fuzz_target!(|input: (Vec<u8>, u8, Vec<u8>)| {
    let (bytes, kind, message) = input;
    let mut inbox = Inbox::default();
    for byte in bytes.iter().chain(&[0]) {
        if let Some(frame) = inbox.receive(*byte) {
            assert!(frame.message.len() <= MESSAGE_MAX);
            let again = Frame::encode(frame.kind, &frame.message).expect("it was in a frame");
            let mut other = Inbox::default();
            let found = again.iter().filter_map(|byte| other.receive(*byte)).collect::<Vec<_>>();
            assert_eq!(found, [frame]);
        }
    }
    // Whatever came before, the next frame arrives.
    if let Some(frame) = Frame::encode(kind, &message) {
        let found = frame.iter().filter_map(|byte| inbox.receive(*byte)).collect::<Vec<_>>();
        assert_eq!(found, [Frame { kind, message }]);
    }
});
