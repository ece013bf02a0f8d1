//! Commands that nobody should send: they never panic, and a refused one changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::{self, Link};
use specie_element::instruction::ALL;
use specie_element::status::StatusWord;

use crate::sample::Sample;
use crate::support::*;

/// Carries commands to an element and keeps them.
struct Recorder<'a> {
    element: &'a mut TestElement,
    commands: Vec<Vec<u8>>,
}

impl Link for Recorder<'_> {
    type Error = std::convert::Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        self.commands.push(command.to_vec());
        self.element.transmit(command, response)
    }
}

fn send(element: &mut TestElement, command: &[u8]) -> StatusWord {
    let mut response = [0; MAX_RESPONSE];
    let length = element.process(command, &mut response);
    let word = response[..length].last_chunk().unwrap();
    let status = StatusWord::from_u16(u16::from_be_bytes(*word));
    assert!(status == StatusWord::DONE || length == 2, "a refusal answered something");
    status
}

/// Every command once, well-formed, as it travels.
fn every_command(element: &mut TestElement, manifest: &Published, coins: &[Coin]) -> Vec<Vec<u8>> {
    let mut link = Recorder { element, commands: Vec::new() };
    let path = manifest.path(BLANK);
    let proof = client::EntryProof { position: BLANK as u32, path: &path, entry: manifest.entry(BLANK) };
    let pay = coins[0].preimage(&[stranger(1, 1), coins[3].output(FACE - 1, 1)], 0).to_bytes();
    let gamma = coins[0].issued.secrets.gamma.to_bytes();
    let own = [coins[3].own(1, 1)];
    let spend = client::Spend { index: 0, gamma: &gamma, own: &own, preimage: pay.as_slice() };
    let register = client::Registration {
        index: 6,
        class_id: coins[6].class.id().0,
        gamma: &coins[6].issued.secrets.gamma.to_bytes(),
        zeta1: coins[6].issued.note.zeta1(),
        k0: &coins[6].issued.secrets.k0.to_bytes(),
        k1: &coins[6].issued.secrets.k1.to_bytes(),
    };
    let _ = client::select(&mut link);
    let _ = client::change_pin(&mut link, b"1111", b"1234");
    let _ = client::verify(&mut link, b"1234");
    let _ = client::unblock(&mut link, b"00000000", b"1234");
    let _ = client::generate(&mut link);
    let _ = client::personalise(&mut link, &[1; 32], &[1; 8], &[1; 200]);
    let _ = client::identity(&mut link);
    let _ = client::enrol(&mut link, &[1; 32], b"info");
    let _ = client::sign_request(&mut link, specie_element::instruction::Purpose::Payee, &[1; 32]);
    let _ = client::nonces(&mut link, 8, 3);
    let _ = client::manifest(&mut link, &manifest.header, &manifest.signature);
    let _ = client::class(&mut link, &proof);
    let _ = client::register(&mut link, &register);
    let _ = client::owner_tag(&mut link, 2, &[1; 32], 10);
    let _ = client::release(&mut link, 2);
    let _ = client::spend(&mut link, &spend);
    let _ = client::forget(&mut link, 4);
    let _ = client::limits(&mut link, &proof, &[1; 150]);
    let _ = client::spend_mandated(&mut link, &spend, 5);
    let _ = client::mandate(&mut link, &[1; 150], &[1; 64]);
    let _ = client::mandate_use(&mut link);
    let _ = client::status(&mut link);
    let _ = client::totals(&mut link, &[1; 32]);
    let _ = client::wipe(&mut link, client::Wipe::IfEmpty);
    link.commands
}

/// VERIFY, CHANGE PIN and UNBLOCK use up a try when they are refused.
fn uses_up_tries(command: &[u8]) -> bool {
    matches!(command, [0x00, 0x20 | 0x24 | 0x2C, ..])
}

#[test]
fn headers_are_checked_first() {
    let mut element = World::new().personalised();
    for (command, status) in [
        (&[0x80, 0x32, 0, 0, 0][..], StatusWord::DONE),
        (&[0x80, 0x32, 0, 0], StatusWord::DONE),
        (&[0x80, 0x32, 0, 0, 85], StatusWord::WRONG_LENGTH),
        (&[0x80, 0x32, 0, 0, 1, 0], StatusWord::WRONG_LENGTH),
        (&[0x80, 0x32, 1, 0, 0], StatusWord::WRONG_PARAMETERS),
        (&[0x80, 0x32, 0, 1, 0], StatusWord::WRONG_PARAMETERS),
        (&[0x80, 0x34, 2, 0], StatusWord::WRONG_PARAMETERS),
        (&[0x80, 0x33, 0, 0], StatusWord::UNKNOWN_INSTRUCTION),
        (&[0x80, 0xA4, 4, 0], StatusWord::UNKNOWN_INSTRUCTION),
        (&[0x00, 0x32, 0, 0], StatusWord::UNKNOWN_INSTRUCTION),
        (&[0x81, 0x32, 0, 0], StatusWord::UNKNOWN_CLASS_BYTE),
        (&[0x00, 0xA4, 4, 0, 1, 0xF0], StatusWord::UNKNOWN_INDEX),
        (&[0x00, 0xA4, 0, 0, 1, 0xF0], StatusWord::WRONG_PARAMETERS),
        (&[0x80], StatusWord::WRONG_LENGTH),
        (&[], StatusWord::WRONG_LENGTH),
    ] {
        assert_eq!(send(&mut element, command), status, "{command:02X?}");
    }
}

/// Only in this process: over T=1 there is always room for an answer.
#[test]
fn answers_need_room() {
    let mut element = ElementInProcess::new(SimulatedFlash::new(PAGES, 1), TestPlatform).unwrap();
    assert_eq!(element.process(&[0x80, 0x32, 0, 0], &mut []), 0);
    let mut short = [0; 20];
    assert_eq!(element.process(&[0x80, 0x32, 0, 0], &mut short), 2);
    assert_eq!(short[..2], StatusWord::WRONG_LENGTH.to_bytes());
}

#[test]
fn commands_of_every_wrong_length_are_refused() {
    let world = World::new();
    let (mut element, manifest, coins) = world.registered();
    let mut copy = power_up(element.into_flash().clone());
    world.load_classes(&mut copy, &manifest);
    let commands = every_command(&mut copy, &manifest, &coins);
    let known: BTreeSet<_> = commands.iter().map(|command| [command[0], command[1]]).collect();
    assert_eq!(known.len(), ALL.len());
    element = World::new().registered().0;
    let mut sample = Sample::new();
    for command in &commands {
        for length in sample.of(0..command.len().min(300), 12) {
            // Without the length of the answer a command is whole.
            let status = send(&mut element, &command[..length]);
            let whole = length + 2 >= command.len() || length == 4;
            assert!(whole || status != StatusWord::DONE, "{length} bytes of {command:02X?}");
        }
    }
}

#[test]
fn answers_that_are_not_wanted_are_not_worked_for() {
    let world = World::new();
    let mut element = world.personalised();
    let before = client::status(&mut element).unwrap();
    // NONCES with room for one byte too few.
    let status = send(&mut element, &[0x80, 0x20, 0, 0, 5, 0, 0, 0, 0, 1, 35]);
    assert_eq!(status, StatusWord::WRONG_LENGTH);
    assert_eq!(client::status(&mut element).unwrap(), before);
    assert_eq!(send(&mut element, &[0x80, 0x14, 0, 0, 20]), StatusWord::WRONG_LENGTH);
}

/// How many cases are tried: in this process, or on a chip.
fn tried(here: u32, on_chip: u32) -> u32 {
    if board().is_none() { here } else { on_chip }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tried(12, 2), ..ProptestConfig::default() })]

    #[test]
    fn mutated_commands_never_panic_and_refused_ones_change_nothing(seed in any::<u64>()) {
        let mut random = seed;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize
        };
        let world = World::new();
        let (element, manifest, coins) = world.registered();
        let flash = element.into_flash();
        let mut element = power_up(flash.clone());
        world.load_classes(&mut element, &manifest);
        let commands = every_command(&mut element, &manifest, &coins);
        let mut element = power_up(flash);
        for _ in 0..tried(600, 60) {
            let mut command = commands[next() % commands.len()].clone();
            for _ in 0..next() % 4 {
                match next() % 4 {
                    0 => { let at = next() % command.len(); command[at] ^= 1 << (next() % 8); }
                    1 => { let at = next() % command.len(); command[at] = next() as u8; }
                    2 => { let at = next() % command.len(); command.insert(at, next() as u8); }
                    _ => { let length = 4.max(next() % command.len()); command.truncate(length); }
                }
            }
            let before = element.into_flash();
            element = power_up(before.clone());
            let status = send(&mut element, &command);
            let after = element.into_flash();
            if status != StatusWord::DONE && !uses_up_tries(&command) {
                prop_assert!(before.bytes() == after.bytes(), "{status:?} after {command:02X?}");
            }
            element = power_up(after);
        }
    }

    #[test]
    fn random_commands_never_panic(command in proptest::collection::vec(any::<u8>(), 0..600), ours in 0..ALL.len()) {
        let mut element = World::new().personalised();
        send(&mut element, &command);
        let header = ALL[ours];
        let mut command = command;
        command.splice(..command.len().min(4), [header.cla, header.ins, header.p1, header.p2]);
        let before = element.into_flash();
        let mut element = power_up(before.clone());
        let status = send(&mut element, &command);
        if status != StatusWord::DONE && !uses_up_tries(&command) {
            let after = element.into_flash();
            prop_assert_eq!(before.bytes(), after.bytes());
        }
    }
}
