//! Either side loses its power at any byte, and comes back as one that knows nothing.

use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::Link;
use specie_element::t1::reader::{Chip, ChipError, Fault};

use super::wire::{HostOff, PowerCut, Way, Wire, answer_to, command};

fn script() -> [Vec<u8>; 3] {
    [command(3, 600), command(2, 8), command(0, 300)]
}

fn transmit(chip: &mut Chip<Wire>, command: &[u8]) -> Result<Vec<u8>, ChipError<HostOff>> {
    let mut response = [0; MAX_RESPONSE];
    let before = chip.line().times_done(command);
    let result = chip.transmit(command, &mut response);
    let times = chip.line().times_done(command);
    assert!(result.is_err() || times > before, "answered, and not done");
    Ok(response[..result?].to_vec())
}

/// Bytes that the script needs on a good line, to the chip and to the host.
fn length_of_script() -> (u64, u64) {
    let mut chip = Chip::new(Wire::new(0), 0);
    for command in script() {
        transmit(&mut chip, &command).unwrap();
    }
    (chip.line().sent[&Way::ToChip], chip.line().sent[&Way::ToHost])
}

#[test]
fn the_chip_may_lose_its_power_at_any_byte() {
    let (to_chip, to_host) = length_of_script();
    let cuts = (1..=to_chip).map(PowerCut::ChipAfterHearing);
    let cuts = cuts.chain((0..to_host).map(PowerCut::ChipAfterSending));
    let cuts = cuts.chain((1..=3).map(PowerCut::ChipAfterDoing));
    let mut failed = 0;
    for cut in cuts {
        let mut wire = Wire::new(0);
        wire.power_cut = Some(cut);
        let mut chip = Chip::new(wire, 0);
        let failed_before = failed;
        for command in script() {
            // Of a command that failed, nobody says that it was not done; and the next one works.
            let answer = transmit(&mut chip, &command).or_else(|error| {
                failed += 1;
                assert!(matches!(error, ChipError::OutcomeUnknown(_)), "{cut:?}: {error}");
                transmit(&mut chip, &command)
            });
            assert_eq!(answer.unwrap_or_else(|error| panic!("{cut:?}: {error}")), answer_to(&command), "{cut:?}");
        }
        let times: u32 = chip.line().done.values().sum();
        assert!(times <= 3 + u32::from(failed > failed_before), "{cut:?}: done {times} times");
        assert!(chip.line().power_cut.is_none(), "{cut:?} did not happen");
        assert!(chip.line().now < 60_000, "{cut:?}: took {} ms", chip.line().now);
    }
    assert!(failed > 1_000, "only {failed} commands failed");
}

#[test]
fn the_host_may_lose_its_power_at_any_byte() {
    let (to_chip, to_host) = length_of_script();
    let cuts = (0..=to_chip).map(PowerCut::HostAfterSending);
    for cut in cuts.chain((1..=to_host).map(PowerCut::HostAfterHearing)) {
        let mut wire = Wire::new(0);
        wire.power_cut = Some(cut);
        let mut chip = Chip::new(wire, 0);
        let mut lives = 1;
        for command in script() {
            let answer = transmit(&mut chip, &command).or_else(|error| {
                let line =
                    matches!(error, ChipError::OutcomeUnknown(Fault::Line(_)) | ChipError::NotReached(Fault::Line(_)));
                assert!(line, "{cut:?}: {error}");
                // What is on its way arrives at the next life, and half a block is still in the chip.
                let mut wire = std::mem::replace(&mut chip, Chip::new(Wire::new(0), 0)).into_line();
                wire.power_cut = None;
                chip = Chip::new(wire, lives);
                lives += 1;
                transmit(&mut chip, &command)
            });
            assert_eq!(answer.unwrap_or_else(|error| panic!("{cut:?}: {error}")), answer_to(&command), "{cut:?}");
        }
        assert_eq!(lives, 2, "{cut:?} did not happen");
        let times: u32 = chip.line().done.values().sum();
        assert!(times <= 4, "{cut:?}: done {times} times");
    }
}

#[test]
fn a_host_that_comes_back_to_a_busy_chip_waits_for_its_own_answer() {
    for seed in 0..200 {
        let mut wire = Wire::new(seed);
        wire.slowness_ms = 9_000;
        let mut chip = Chip::new(wire, 0);
        for life in 1..20 {
            // Cut while the answer of the command, or of the RESYNCH before it, is awaited or comes in.
            let sent = chip.line().sent.get(&Way::ToChip).copied().unwrap_or(0);
            let offset = chip.line_mut().random.below(40);
            chip.line_mut().power_cut = Some(PowerCut::HostAfterSending(sent + offset));
            let command = command(u64::from(life), 10);
            if let Ok(answer) = transmit(&mut chip, &command) {
                assert_eq!(answer, answer_to(&command), "seed {seed}, life {life}");
            }
            let mut wire = chip.into_line();
            wire.power_cut = None;
            chip = Chip::new(wire, life * 100);
        }
        let last = command(99, 10);
        let answer = (0..3).find_map(|_| transmit(&mut chip, &last).ok());
        assert_eq!(answer.unwrap(), answer_to(&last), "seed {seed}");
    }
}
