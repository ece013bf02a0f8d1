//! Sides that send whatever they like.

use proptest::prelude::*;
use specie_element::apdu::{MAX_COMMAND, MAX_RESPONSE};
use specie_element::client::Link;
use specie_element::t1::block::{BLOCK_MAX, Control, Decoder, Frame, INFORMATION_MAX, Matter, Sequence};
use specie_element::t1::card::{Card, Event};
use specie_element::t1::reader::{Chip, ChipError, DETOURS_MAX, Fault, Line, NOISE_MAX, REPEATS_MAX, WAITING_MAX_MS};
use specie_element::t1::{BLOCK_WAITING_MS, CHARACTER_WAITING_MS};

/// A chip that hears blocks and sends what `say` makes of each, and once more whenever the host waits for it.
struct Fiend<S> {
    decoder: Decoder,
    say: S,
    outgoing: std::collections::VecDeque<u8>,
    waited_ms: u64,
    received: u64,
}

impl<S: FnMut(Option<(Control, Vec<u8>)>) -> Vec<u8>> Fiend<S> {
    fn new(say: S) -> Self {
        Self { decoder: Decoder::new(), say, outgoing: Default::default(), waited_ms: 0, received: 0 }
    }
}

impl<S: FnMut(Option<(Control, Vec<u8>)>) -> Vec<u8>> Line for Fiend<S> {
    type Error = std::convert::Infallible;

    fn send(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        assert!(bytes.len() <= BLOCK_MAX);
        for &byte in bytes {
            if let Some(Ok(control)) = self.decoder.push(byte) {
                let heard = (control, self.decoder.information().to_vec());
                let said = (self.say)(Some(heard));
                self.outgoing.extend(said);
            }
        }
        Ok(())
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, Self::Error> {
        if self.outgoing.is_empty() {
            // As late as can be.
            self.waited_ms += u64::from(patience_ms);
            let said = (self.say)(None);
            self.outgoing.extend(said);
        }
        self.received += 1;
        Ok(self.outgoing.pop_front())
    }
}

fn block(control: Control, information: &[u8]) -> Vec<u8> {
    let mut frame = Frame::new();
    frame.set(control, information);
    frame.bytes().to_vec()
}

const fn asks(matter: Matter) -> Control {
    Control::Supervision { matter, response: false }
}

const fn replies(matter: Matter) -> Control {
    Control::Supervision { matter, response: true }
}

/// Transmits to a chip that resynchronises well and then says this, whenever it is asked and whenever it is waited for.
/// Gives why that failed.
fn fault_of(name: &str, mut say: impl FnMut(Option<Control>) -> Vec<u8>) -> Fault<std::convert::Infallible> {
    let mut fiend = Fiend::new(|heard: Option<(Control, Vec<u8>)>| match heard {
        Some((Control::Supervision { matter: Matter::Resynch, response: false }, token)) => {
            block(replies(Matter::Resynch), &token)
        }
        heard => say(heard.map(|(control, _)| control)),
    });
    let mut response = [0; MAX_RESPONSE];
    let result = Chip::new(&mut fiend, 7).transmit(&[1; 600], &mut response);
    // Every block may be late by the block waiting time, and all time that is asked for is spent.
    let blocks = u64::from(DETOURS_MAX + REPEATS_MAX + 8);
    let waiting = blocks * u64::from(BLOCK_WAITING_MS) + u64::from(WAITING_MAX_MS);
    let noise = u64::from(NOISE_MAX) * u64::from(CHARACTER_WAITING_MS);
    assert!(fiend.waited_ms <= waiting + noise, "{name}: waited for {} ms", fiend.waited_ms);
    assert!(fiend.received <= 10_000, "{name}: listened {} times", fiend.received);
    assert_eq!(response, [0; MAX_RESPONSE], "{name}: half an answer is left");
    match result {
        Err(ChipError::OutcomeUnknown(fault)) => fault,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_host_comes_to_an_end_with_any_chip() {
    const FIRST: Sequence = Sequence::FIRST;
    const SECOND: Sequence = Sequence::FIRST.next();
    let piece = |sequence, more| Control::Information { sequence, more };
    let ready = |expected| Control::Ready { expected, fault: None };

    assert!(matches!(fault_of("mute", |_| vec![]), Fault::Silent));
    assert!(matches!(fault_of("noise", |_| vec![0xFF; 50]), Fault::Babbling));
    assert!(matches!(fault_of("one byte of noise", |_| vec![0]), Fault::Babbling | Fault::Garbled));
    for expected in [FIRST, SECOND] {
        let fault = fault_of("the same R-block", |_| block(ready(expected), &[]));
        assert!(matches!(fault, Fault::Garbled | Fault::Babbling), "{fault:?}");
        let fault = fault_of("the same piece", |_| block(piece(expected, true), &[1]));
        assert!(matches!(fault, Fault::Babbling | Fault::Garbled), "{fault:?}");
    }
    for (multiplier, name) in [(0, "no time"), (1, "time without end"), (255, "too much time at once")] {
        assert!(matches!(fault_of(name, |_| block(asks(Matter::MoreTime), &[multiplier])), Fault::TooSlow), "{name}");
    }
    assert!(matches!(fault_of("other sizes", |_| block(asks(Matter::InformationSize), &[254])), Fault::Babbling));
    assert!(matches!(fault_of("no size", |_| block(asks(Matter::InformationSize), &[0])), Fault::Babbling));
    assert!(matches!(fault_of("resynch", |_| block(asks(Matter::Resynch), &[])), Fault::Babbling));
    assert!(matches!(fault_of("abort", |_| block(asks(Matter::Abort), &[])), Fault::Aborted));
    for matter in [Matter::Resynch, Matter::Abort] {
        assert!(matches!(fault_of("responses", |_| block(replies(matter), &[])), Fault::Babbling));
    }
}

/// Acknowledges every piece of a command, and answers with pieces of `information` and no end.
fn endless(information: &'static [u8]) -> impl FnMut(Option<Control>) -> Vec<u8> {
    let mut sequence = Sequence::FIRST;
    move |heard| match heard {
        Some(Control::Information { sequence, more: true }) => {
            block(Control::Ready { expected: sequence.next(), fault: None }, &[])
        }
        Some(Control::Information { .. } | Control::Ready { .. }) => {
            let said = block(Control::Information { sequence, more: true }, information);
            sequence = sequence.next();
            said
        }
        _ => vec![],
    }
}

#[test]
fn an_answer_without_end_is_not_taken() {
    assert!(matches!(fault_of("long", endless(&[1; INFORMATION_MAX])), Fault::AnswerTooLong));
    assert!(matches!(fault_of("short", endless(&[1])), Fault::AnswerTooLong));
    assert!(matches!(fault_of("empty", endless(&[])), Fault::Garbled));
}

#[test]
fn a_chip_that_takes_small_pieces_gets_small_pieces() {
    let mut asked = false;
    let mut heard = Vec::new();
    let mut fiend = Fiend::new(|said: Option<(Control, Vec<u8>)>| match said {
        Some((Control::Supervision { matter: Matter::Resynch, response: false }, token)) => {
            block(replies(Matter::Resynch), &token)
        }
        Some((Control::Information { sequence, more }, information)) => {
            heard.extend_from_slice(&information);
            if more {
                if heard.len() > INFORMATION_MAX {
                    assert_eq!(information.len(), 5);
                }
                let ready = block(Control::Ready { expected: sequence.next(), fault: None }, &[]);
                if asked {
                    return ready;
                }
                asked = true;
                [block(asks(Matter::InformationSize), &[5]), ready].concat()
            } else {
                block(Control::Information { sequence: Sequence::FIRST, more: false }, &[0x90, 0])
            }
        }
        _ => vec![],
    });
    let command: Vec<u8> = (0..1_000).map(|at| at as u8).collect();
    let mut response = [0; MAX_RESPONSE];
    assert_eq!(Chip::new(&mut fiend, 0).transmit(&command, &mut response).unwrap(), 2);
    assert_eq!(heard, command);
}

#[test]
fn a_chip_that_never_resynchronises_is_not_reached() {
    for wrong in [block(replies(Matter::Resynch), &[]), block(replies(Matter::Resynch), &[9; 4]), vec![], vec![7; 9]] {
        let mut fiend = Fiend::new(|_: Option<(Control, Vec<u8>)>| wrong.clone());
        let result = Chip::new(&mut fiend, 7).transmit(&[1; 600], &mut [0; MAX_RESPONSE]);
        assert!(matches!(result, Err(ChipError::NotReached(_))), "{result:?}");
        assert!(fiend.received <= 10_000, "listened {} times", fiend.received);
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Bytes(Vec<u8>),
    Block(u8, Vec<u8>),
    Silence,
    Answer(usize),
    AskForTime(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Deed::Bytes),
        1 => Just(Deed::Block(0xC0, vec![])),
        6 => (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..255)).prop_map(|(byte, bytes)| Deed::Block(byte, bytes)),
        3 => (0u8..8, proptest::collection::vec(any::<u8>(), 200..255)).prop_map(|(at, bytes)| Deed::Block(at << 4, bytes)),
        2 => Just(Deed::Silence),
        2 => (0..MAX_RESPONSE + 2).prop_map(Deed::Answer),
        1 => any::<u8>().prop_map(Deed::AskForTime),
    ]
}

proptest! {
    #[test]
    fn a_card_lives_through_anything(deeds in proptest::collection::vec(deed(), 0..60)) {
        let mut card = Card::new();
        let mut events = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Bytes(bytes) => events.extend(bytes.iter().map(|&byte| card.receive(byte))),
                Deed::Block(byte, bytes) => {
                    let Some(control) = Control::from_byte(byte) else { continue };
                    let length = match control {
                        Control::Information { .. } => bytes.len(),
                        Control::Ready { .. } | Control::Supervision { matter: Matter::Abort, .. } => 0,
                        Control::Supervision { matter: Matter::Resynch, .. } => bytes.len().min(4),
                        Control::Supervision { .. } => 1,
                    };
                    if bytes.len() < length {
                        continue;
                    }
                    events.extend(block(control, &bytes[..length]).iter().map(|&byte| card.receive(byte)));
                }
                Deed::Silence => events.push(card.silence()),
                Deed::Answer(length) => card.answer(&vec![1; length]),
                Deed::AskForTime(multiplier) => events.push(card.ask_for_time(multiplier)),
            }
            prop_assert!(card.outgoing().len() <= BLOCK_MAX);
            prop_assert!(card.command().len() <= MAX_COMMAND);
            prop_assert!(events.last() != Some(&Event::Send) || !card.outgoing().is_empty() || card.command().is_empty());
        }
    }

    #[test]
    fn a_host_lives_through_anything(
        script in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..300)), 0..40),
    ) {
        let mut script = script.into_iter();
        let mut fiend = Fiend::new(|heard: Option<(Control, Vec<u8>)>| match (heard, script.next()) {
            (Some((Control::Supervision { matter: Matter::Resynch, response: false }, token)), _) => {
                block(replies(Matter::Resynch), &token)
            }
            (_, None) => vec![],
            (_, Some((byte, bytes))) => match Control::from_byte(byte) {
                Some(control @ Control::Information { .. }) => block(control, &bytes[..bytes.len().min(INFORMATION_MAX)]),
                Some(control @ Control::Ready { .. }) => block(control, &[]),
                Some(control @ Control::Supervision { matter: Matter::MoreTime, .. }) => block(control, &[byte & 3]),
                _ => bytes,
            },
        });
        let mut chip = Chip::new(&mut fiend, 0);
        for length in [0, 10, 300, MAX_COMMAND] {
            let mut response = [0; MAX_RESPONSE];
            if let Ok(length) = chip.transmit(&vec![1; length], &mut response) {
                prop_assert!(length <= MAX_RESPONSE);
            }
        }
        prop_assert!(fiend.received < 100_000);
    }
}
