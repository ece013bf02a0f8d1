//! Bytes that are lost, repeated, changed, cut off and delayed.

use specie_element::apdu::{MAX_COMMAND, MAX_RESPONSE};
use specie_element::client::Link;
use specie_element::t1::reader::{Chip, ChipError, Fault};

use super::wire::{HARMS, HostOff, Random, Way, Wire, answer_to, command};

/// Transmits a command and checks what must hold whatever the line does: it is done at most once, exactly once where it is
/// answered, never where it was not sent, and the answer is its own.
#[track_caller]
fn transmit(chip: &mut Chip<Wire>, command: &[u8], context: &str) -> Result<(), ChipError<HostOff>> {
    let before = chip.line().times_done(command);
    let mut response = [0; MAX_RESPONSE];
    let result = chip.transmit(command, &mut response);
    let times = chip.line().times_done(command) - before;
    match result {
        Ok(length) => {
            assert_eq!(times, 1, "{context}: done {times} times");
            assert!(response[..length] == answer_to(command), "{context}: the answer of another command");
            Ok(())
        }
        Err(error) => {
            assert!(times <= 1, "{context}: done {times} times");
            assert!(
                !matches!(error, ChipError::NotReached(_)) || times == 0,
                "{context}: done, and said not to be sent"
            );
            assert_eq!(response, [0; MAX_RESPONSE], "{context}: half an answer is left");
            Err(error)
        }
    }
}

#[test]
fn commands_and_answers_of_every_length_pass() {
    let mut chip = Chip::new(Wire::new(0), 0);
    let lengths = [8, 9, 253, 254, 255, 507, 508, 509, 1_000, MAX_COMMAND - 1, MAX_COMMAND];
    for (number, length) in (0..4 * lengths.len()).map(|number| (number, lengths[number / 4])) {
        transmit(&mut chip, &command(number as u64, length), &format!("{length} bytes")).unwrap();
    }
    assert!(matches!(transmit(&mut chip, &[1; MAX_COMMAND + 1], "too long"), Err(ChipError::CommandTooLong)));
    transmit(&mut chip, &[], "empty").unwrap();
}

#[test]
fn one_harmed_byte_anywhere_is_made_good() {
    // Three commands: a chain each way, a long answer, and one behind it that must not be mistaken.
    let script = [command(3, 600), command(2, 8), command(1, 300)];
    let mut whole = Chip::new(Wire::new(0), 0);
    for command in &script {
        transmit(&mut whole, command, "undisturbed").unwrap();
    }
    for (&way, &bytes) in &whole.line().sent {
        for (at, harm) in (0..bytes).flat_map(|at| HARMS.map(|harm| (at, harm))) {
            let context = format!("{harm:?} byte {at} {way:?}");
            let mut chip = Chip::new(Wire::new(at), 0);
            chip.line_mut().planned.insert((way, at), harm);
            for command in &script {
                transmit(&mut chip, command, &context).unwrap_or_else(|error| panic!("{context}: {error}"));
            }
            // One block was waited for in vain at most.
            assert!(chip.line().now < 12_000, "{context}: took {} ms", chip.line().now);
        }
    }
}

#[test]
fn no_command_is_done_twice_and_no_answer_mistaken_on_any_line() {
    let mut random = Random(0x71);
    let (mut answered, mut unknown, mut unreached) = (0, 0, 0);
    for round in 0..600 {
        let seed = random.next();
        let mut wire = Wire::new(seed);
        wire.harm_one_in = [0, 2_000, 500, 150, 50][round % 5];
        // Longer than the host waits for a block, and longer than it waits for a RESYNCH.
        wire.slowness_ms = [0, 3_000, 25_000, 90_000][round / 5 % 4];
        wire.asks_for_time = [0, 0, 1, 3][round / 20 % 4];
        let mut chip = Chip::new(wire, seed as u32);
        for number in 0..20 {
            let length = 8 + random.below(700) as usize;
            let context = format!("seed {seed:#x}, round {round}, command {number}");
            match transmit(&mut chip, &command(number, length), &context) {
                Ok(()) => answered += 1,
                Err(ChipError::OutcomeUnknown(_)) => unknown += 1,
                Err(ChipError::NotReached(_)) => unreached += 1,
                Err(error) => panic!("{context}: {error}"),
            }
        }
    }
    // Every outcome was seen, or the line was not as bad as it is meant to be.
    assert!(answered > 5_000 && unknown > 200 && unreached > 20, "{answered} {unknown} {unreached}");
}

#[test]
fn the_same_command_sent_again_comes_through() {
    for seed in 0..40 {
        let mut wire = Wire::new(seed);
        wire.harm_one_in = 400;
        wire.slowness_ms = 12_000;
        let mut chip = Chip::new(wire, 0);
        for number in 0..5 {
            let command = command(number, 400);
            let context = format!("seed {seed}, command {number}");
            let answered = (0..20).any(|_| transmit(&mut chip, &command, &context).is_ok());
            assert!(answered, "{context}: not once in twenty times");
        }
    }
}

#[test]
fn a_slow_chip_that_asks_for_time_is_waited_for() {
    let mut wire = Wire::new(5);
    wire.slowness_ms = 60_000;
    wire.asks_for_time = 6;
    let mut chip = Chip::new(wire, 0);
    for number in 0..20 {
        transmit(&mut chip, &command(number, 100), "slow").unwrap();
    }
    chip.line_mut().asks_for_time = 13;
    let result = transmit(&mut chip, &command(20, 100), "too slow");
    assert!(matches!(result, Err(ChipError::OutcomeUnknown(Fault::TooSlow))), "{result:?}");
}

#[test]
fn harm_to_one_way_is_not_the_harm_of_the_other() {
    // Everything that the chip says is lost: the command is done once, and the host does not know.
    let mut chip = Chip::new(Wire::new(0), 0);
    transmit(&mut chip, &command(0, 8), "before").unwrap();
    let heard = chip.line().sent[&Way::ToHost];
    for at in 0..10_000 {
        chip.line_mut().planned.insert((Way::ToHost, heard + at), HARMS[3]);
    }
    let lost = command(1, 8);
    let result = transmit(&mut chip, &lost, "deaf");
    assert!(matches!(result, Err(ChipError::OutcomeUnknown(Fault::Silent))), "{result:?}");
    assert_eq!(chip.line().times_done(&lost), 1);
    let result = transmit(&mut chip, &command(2, 8), "still deaf");
    assert!(matches!(result, Err(ChipError::NotReached(Fault::Silent))), "{result:?}");
}
