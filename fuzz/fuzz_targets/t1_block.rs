//! A block that is accepted is the one that encodes so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use specie_element::t1::block::{BLOCK_MAX, Decoder, Frame, INFORMATION_MAX};
use specie_fuzz::Deed;

fuzz_target!(|deeds: Vec<Deed>| {
    let mut decoder = Decoder::new();
    let mut frame = Frame::new();
    for deed in &deeds {
        if matches!(deed, Deed::Silence) {
            decoder.silence();
            continue;
        }
        let bytes = deed.bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let was_discarding = decoder.is_discarding();
            match decoder.push(byte) {
                Some(Ok(control)) => {
                    assert!(!was_discarding);
                    frame.set(control, decoder.information());
                    assert!(frame.bytes().len() <= BLOCK_MAX && decoder.information().len() <= INFORMATION_MAX);
                    // As much of it as came with this deed.
                    let length = frame.bytes().len().min(at + 1);
                    assert!(frame.bytes().ends_with(&bytes[at + 1 - length..=at]));
                }
                Some(Err(_)) => assert!(decoder.is_discarding() && decoder.information().is_empty()),
                None => assert!(decoder.information().is_empty()),
            }
        }
    }
});
