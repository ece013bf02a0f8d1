//! A host comes to an end, whatever a chip sends.
#![no_main]

use std::collections::VecDeque;
use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use specie_element::apdu::{MAX_COMMAND, MAX_RESPONSE};
use specie_element::client::Link;
use specie_element::t1::block::{Control, Decoder, Frame, Matter};
use specie_element::t1::reader::{Chip, Line};
use specie_fuzz::Deed;

/// Resynchronises well, as no fuzzer guesses a token, and says the next deed whenever it is heard or waited for.
struct Script {
    deeds: std::vec::IntoIter<Deed>,
    decoder: Decoder,
    outgoing: VecDeque<u8>,
    received: u32,
}

impl Line for Script {
    type Error = Infallible;

    fn send(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        for &byte in bytes {
            let heard = self.decoder.push(byte);
            if heard == Some(Ok(Control::Supervision { matter: Matter::Resynch, response: false })) {
                let mut frame = Frame::new();
                let response = Control::Supervision { matter: Matter::Resynch, response: true };
                frame.set(response, self.decoder.information());
                self.outgoing.extend(frame.bytes());
            }
        }
        Ok(())
    }

    fn receive(&mut self, _: u32) -> Result<Option<u8>, Infallible> {
        self.received += 1;
        assert!(self.received < 200_000, "listens for ever");
        if self.outgoing.is_empty()
            && let Some(deed) = self.deeds.next()
        {
            self.outgoing.extend(deed.bytes());
        }
        Ok(self.outgoing.pop_front())
    }
}

fuzz_target!(|input: (Vec<u16>, Vec<Deed>)| {
    let (commands, deeds) = input;
    let script = Script { deeds: deeds.into_iter(), decoder: Decoder::new(), outgoing: VecDeque::new(), received: 0 };
    let mut chip = Chip::new(script, 0);
    for length in commands.iter().take(4) {
        let command = vec![0x80; usize::from(*length) % (MAX_COMMAND + 2)];
        let mut response = [0; MAX_RESPONSE];
        match chip.transmit(&command, &mut response) {
            Ok(length) => assert!(length <= MAX_RESPONSE),
            Err(_) => assert_eq!(response, [0; MAX_RESPONSE]),
        }
        chip.line_mut().received = 0;
    }
});
