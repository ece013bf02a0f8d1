//! The chip itself: what no element in this process has to do with. Damaged flash at power-up, noise on the line, resets
//! at bad moments, a full or worn flash, a source of noise that is none.
//!
//! Only on a chip. A panic of the firmware would show: the chip would never answer again. So each test ends with an
//! answer.

use std::time::Duration;

use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::{self, ElementError, Link};
use specie_element::instruction::LifeCycle;
use specie_element::status::StatusWord;
use specie_element::t1::CHARACTER_WAITING_MS;
use specie_element::t1::block::{Control, Frame, Matter, Sequence};
use specie_emulation::{Board, Controller, ElementChip, ElementSetup, Geometry, Serial};

use crate::sample::Sample;
use crate::subject::board;
use crate::support::*;

/// A chip with the constants of the tests, and nothing in its flash.
fn start(board: Board) -> ElementChip {
    ElementSetup::conformance(board).unwrap().start().unwrap()
}

/// Status word that SELECT is answered with.
fn select(chip: &mut ElementChip) -> StatusWord {
    match client::select(chip) {
        Ok(_) => StatusWord::DONE,
        Err(ElementError::Refused(status)) => status,
        Err(error) => panic!("the chip gives no answer: {error:?}"),
    }
}

/// Flash with an element in it that has notes.
fn registered() -> Vec<u8> {
    World::new().registered().0.into_flash().bytes().to_vec()
}

/// Longer than the silence that ends a block.
const SILENCE: Duration = Duration::from_millis(CHARACTER_WAITING_MS as u64 + 100);

#[test]
fn a_chip_with_damaged_flash_answers() {
    let Some(board) = board() else { return };
    let mut chip = start(board);
    let mut sample = Sample::new();
    let sound = registered();
    let length = sound.len() as u64;
    for round in 0..40 {
        let mut flash = sound.clone();
        match round % 5 {
            0 => flash.fill_with(|| sample.below(256) as u8),
            1 => flash.fill(0),
            // A page of noise, then some bits, then bytes of noise in the beginning of pages.
            2 => flash[sample.below(8) as usize * PAGE..][..PAGE].fill_with(|| sample.below(256) as u8),
            3 => (0..=sample.below(20)).for_each(|_| flash[sample.below(length) as usize] ^= 1 << sample.below(8)),
            _ => (0..8).for_each(|page| flash[page * PAGE + sample.below(24) as usize] = sample.below(256) as u8),
        }
        chip.power_cycle_with(|file| file.write(0, &flash)).unwrap();
        let status = select(&mut chip);
        assert!(matches!(status, StatusWord::DONE | StatusWord::FLASH_FAILED), "round {round}: {status:?}");
        let _ = client::status(&mut chip);
        assert_eq!(select(&mut chip), status, "round {round}");
    }
    chip.power_cycle_with(|file| file.write(0, &sound)).unwrap();
    assert_eq!(client::status(&mut chip).unwrap().held, 2 * FACE);
}

#[test]
fn a_chip_survives_whatever_comes_over_the_line() {
    let Some(board) = board() else { return };
    let mut chip = start(board);
    let mut sample = Sample::new();
    for round in 0..16 {
        let length = 1 + sample.below(600);
        let mut bytes: Vec<u8> = (0..length).map(|_| sample.below(256) as u8).collect();
        if round % 3 == 0 {
            // The beginning of a block: the chip waits for the rest of it.
            bytes.splice(..bytes.len().min(3), [0, 0x40, 254]);
        }
        chip.port().send(&bytes).unwrap();
        if round % 2 == 0 {
            std::thread::sleep(SILENCE);
        }
        chip.reconnect();
        assert_eq!(select(&mut chip), StatusWord::DONE, "round {round}");
    }
}

/// Blocks as they should be, in an order that makes no sense.
#[test]
fn a_chip_survives_blocks_out_of_order() {
    let Some(board) = board() else { return };
    let mut chip = start(board);
    let mut sample = Sample::new();
    for round in 0..30 {
        for _ in 0..=sample.below(8) {
            let sequence = if sample.below(2) == 0 { Sequence::FIRST } else { Sequence::FIRST.next() };
            let response = sample.below(2) == 0;
            let (control, information) = match sample.below(6) {
                0 => (Control::Ready { expected: sequence, fault: None }, 0),
                1 => (Control::Supervision { matter: Matter::Abort, response }, 0),
                2 => (Control::Supervision { matter: Matter::InformationSize, response }, 1),
                3 => (Control::Supervision { matter: Matter::Resynch, response }, sample.below(5)),
                _ => (Control::Information { sequence, more: response }, sample.below(255)),
            };
            let bytes: Vec<u8> = (0..information).map(|_| sample.below(256) as u8).collect();
            let mut frame = Frame::new();
            frame.set(control, &bytes);
            chip.port().send(frame.bytes()).unwrap();
        }
        chip.reconnect();
        assert_eq!(select(&mut chip), StatusWord::DONE, "round {round}");
    }
}

#[test]
fn a_host_that_stalls_in_a_block_stops_nothing() {
    let Some(board) = board() else { return };
    let mut chip = start(board);
    select(&mut chip);
    for length in [1, 2, 3, 4, 10] {
        let mut frame = Frame::new();
        frame.set(Control::Information { sequence: Sequence::FIRST.next(), more: false }, &[0x80, 0x32, 0, 0, 0]);
        chip.port().send(&frame.bytes()[..frame.bytes().len().min(length)]).unwrap();
        std::thread::sleep(SILENCE);
        chip.reconnect();
        assert_eq!(select(&mut chip), StatusWord::DONE, "after {length} bytes");
    }
}

#[test]
fn a_reset_in_the_middle_of_anything_is_survived() {
    let Some(board) = board() else { return };
    let sound = registered();
    let mut chip = start(board);
    chip.power_cycle_with(|file| file.write(0, &sound)).unwrap();
    let before = client::status(&mut chip).unwrap();
    let mut sample = Sample::new();
    for round in 0..20 {
        let mut frame = Frame::new();
        frame.set(Control::Supervision { matter: Matter::Resynch, response: false }, &[]);
        chip.port().send(frame.bytes()).unwrap();
        // NONCES again: a short command, whose answer goes in several blocks, of which none is asked for.
        let nonces = [0x80, 0x20, 0, 0, 5, 0, 0, 0, 0, 8, 0];
        frame.set(Control::Information { sequence: Sequence::FIRST, more: sample.below(2) == 0 }, &nonces);
        let sent = sample.below(1 + frame.bytes().len() as u64) as usize;
        chip.port().send(&frame.bytes()[..sent]).unwrap();
        std::thread::sleep(Duration::from_micros(500 * sample.below(60)));
        chip.power_cycle().unwrap();
        assert_eq!(client::status(&mut chip).unwrap(), before, "round {round}, after {sent} bytes");
    }
}

/// The delivered chip with all its records in use, while the journal turns over.
#[test]
fn a_full_chip_refuses_and_goes_on() {
    let Some(board) = board() else { return };
    let world = World::new();
    let mut chip = ElementSetup::delivered(board).unwrap().start().unwrap();
    let firmware = client::select(&mut chip).unwrap().firmware;
    let keys = client::generate(&mut chip).unwrap();
    let body = specie_core::enrolment::CertificateBody { firmware, ..world.certificate(&keys) };
    client::personalise(&mut chip, &world.root.public().0, &PUK, &world.certify(body)).unwrap();
    let mut next = 0;
    while client::status(&mut chip).unwrap().records_free > 0 {
        client::nonces(&mut chip, next, 32).unwrap();
        next += 32;
    }
    assert_eq!(next, 256);
    for round in 0..60 {
        assert_eq!(refusal(client::nonces(&mut chip, next, 1)), StatusWord::NO_ROOM);
        client::forget(&mut chip, round).unwrap();
        client::nonces(&mut chip, next, 1).unwrap();
        next += 1;
    }
    chip.power_cycle().unwrap();
    let status = client::status(&mut chip).unwrap();
    assert_eq!((status.records_used, status.records_free, status.next_index), (256, 0, next));
}

/// Pages wear out one after the other, and say so or not: what was journalled stays, and the chip says what it cannot do.
#[test]
fn a_worn_flash_is_a_status_word() {
    let Some(board) = board() else { return };
    let sound = registered();
    let mut chip = start(board);
    let mut sample = Sample::new();
    for round in 0..12 {
        let worn = if round == 0 { 0xFF } else { sample.below(256) as u32 };
        let faults = Controller { worn, worn_silently: round % 2 == 1, ..Controller::default() };
        chip.power_cycle_with(|file| {
            file.write(0, &sound)?;
            file.set_controller(&faults)
        })
        .unwrap();
        // Expects one amount, then another, until a page would have to be opened, and beyond.
        let mut expected = 0;
        for step in 0..40 {
            let amount = 1 + step % 2;
            match client::owner_tag(&mut chip, 2, &[1; 32], amount) {
                Ok(_) => expected = amount,
                Err(ElementError::Refused(StatusWord::FLASH_FAILED)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(matches!(select(&mut chip), StatusWord::DONE | StatusWord::FLASH_FAILED));
        chip.power_cycle_with(|file| file.set_controller(&Controller::default())).unwrap();
        let held = client::status(&mut chip).unwrap().held;
        // The last one that failed may be there all the same.
        assert!(held == 2 * FACE + expected || (held > 2 * FACE && held <= 2 * FACE + 2), "round {round}: {held}");
        client::owner_tag(&mut chip, 2, &[1; 32], 700).unwrap();
        assert_eq!(client::status(&mut chip).unwrap().held, 2 * FACE + 700, "round {round}");
    }
}

#[test]
fn reads_that_fail_are_a_status_word() {
    let Some(board) = board() else { return };
    let sound = registered();
    let mut chip = start(board);
    chip.power_cycle_with(|file| {
        file.write(0, &sound)?;
        file.set_controller(&Controller { reads_fail: true, ..Controller::default() })
    })
    .unwrap();
    for _ in 0..3 {
        assert_eq!(select(&mut chip), StatusWord::FLASH_FAILED);
        assert_eq!(refusal(client::generate(&mut chip)), StatusWord::FLASH_FAILED);
    }
    chip.power_cycle_with(|file| file.set_controller(&Controller::default())).unwrap();
    assert_eq!(client::status(&mut chip).unwrap().held, 2 * FACE);
}

/// No keys are made of noise that is none; another chip, with the same flash and noise that is, makes them.
#[test]
fn a_chip_without_noise_makes_no_keys() {
    let Some(board) = board() else { return };
    let directory = tempfile::tempdir().unwrap();
    let memory = directory.path().join("flash");
    // Always the same, none at all, and one that stops being noise after the test at the start.
    let tiring = directory.path().join("tiring");
    let noise = (0..1_100u32).map(|at| if at < 1_050 { (at.wrapping_mul(2_654_435_761) >> 16) as u8 } else { 7 });
    std::fs::write(&tiring, noise.chain([7; 600]).collect::<Vec<_>>()).unwrap();
    for noise in [Serial::Source("/dev/zero".into()), Serial::Nothing, Serial::Source(tiring)] {
        let setup = ElementSetup::delivered(board).unwrap().memory(&memory);
        let mut chip = setup.noise(noise).start().unwrap();
        for _ in 0..2 {
            assert_eq!(refusal(client::generate(&mut chip)), StatusWord::ENTROPY_FAILED);
        }
        assert_eq!(client::select(&mut chip).unwrap().life_cycle, LifeCycle::Factory);
    }
    let mut chip = ElementSetup::delivered(board).unwrap().memory(&memory).start().unwrap();
    let keys = client::generate(&mut chip).unwrap();
    let mut other = ElementSetup::delivered(board).unwrap().start().unwrap();
    assert_ne!(client::generate(&mut other).unwrap(), keys);
    chip.power_cycle().unwrap();
    assert_eq!(client::generate(&mut chip).unwrap(), keys);
}

/// Nothing is written behind the flash and the registers of its controller.
#[test]
fn a_chip_uses_its_flash_and_nothing_behind_it() {
    let Some(board) = board() else { return };
    let mut chip = start(board);
    client::generate(&mut chip).unwrap();
    let mut response = [0; MAX_RESPONSE];
    chip.transmit(&[0x80, 0x32, 0, 0], &mut response).unwrap();
    let memory = std::fs::read(chip.memory()).unwrap();
    let behind = &memory[Geometry::CONFORMANCE.bytes() as usize + 0x40..];
    assert!(behind.iter().all(|&byte| byte == 0));
    assert_eq!(select(&mut chip), StatusWord::DONE);
}
