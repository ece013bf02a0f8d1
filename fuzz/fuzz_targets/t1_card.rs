//! A chip with an element lives through whatever a host sends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use specie_element::apdu::{MAX_COMMAND, MAX_RESPONSE};
use specie_element::t1::block::BLOCK_MAX;
use specie_element::t1::card::{Card, Event};
use specie_fuzz::{Deed, check_power_cut, lives};

fuzz_target!(|input: (u8, Vec<Deed>)| {
    let (moment, deeds) = input;
    let mut element = lives().element(moment);
    let mut card = Card::new();
    let mut response = [0; MAX_RESPONSE];
    let mut synchronised = false;
    let mut react = |card: &mut Card, event| match event {
        Event::Nothing => {}
        Event::Send => {
            assert!((1..=BLOCK_MAX).contains(&card.outgoing().len()));
            synchronised |= card.outgoing()[1] == 0xE0;
        }
        Event::Command => {
            assert!(synchronised, "a command before a RESYNCH");
            assert!(card.command().len() <= MAX_COMMAND);
            let length = element.process(card.command(), &mut response);
            card.answer(&response[..length]);
            assert!((1..=BLOCK_MAX).contains(&card.outgoing().len()));
        }
    };
    for deed in &deeds {
        for byte in deed.bytes() {
            let event = card.receive(byte);
            react(&mut card, event);
        }
        if matches!(deed, Deed::Silence | Deed::Damaged { .. }) {
            let event = card.silence();
            react(&mut card, event);
        }
    }
    check_power_cut(element);
});
