//! An element lives through any commands, and its flash holds what it says.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_element::apdu::{CommandBuffer, Header, MAX_RESPONSE};
use specie_element::instruction::ALL;
use specie_fuzz::{check_power_cut, lives};

#[derive(Arbitrary, Debug)]
enum Command {
    /// One that the element has, with any data.
    Known { which: u8, p1: u8, data: Vec<u8>, expected: u16 },
    /// One of a whole life, as it was.
    Lived(u8),
    /// The same with one byte changed, or cut off there.
    Damaged { which: u8, at: u16, byte: u8, cut: bool },
    /// Anything.
    Bytes(Vec<u8>),
}

fuzz_target!(|input: (u8, Vec<Command>)| {
    let (moment, commands) = input;
    let mut element = lives().element(moment);
    let mut response = [0; MAX_RESPONSE];
    for command in &commands {
        let mut buffer = CommandBuffer::new();
        let damaged;
        let bytes = match command {
            Command::Known { which, p1, data, expected } => {
                let known = ALL[usize::from(*which) % ALL.len()];
                // Most have one value that is right.
                let p1 = if *p1 < 3 { *p1 } else { known.p1 };
                buffer.push(data);
                buffer.finish(Header { p1, ..known }, usize::from(*expected))
            }
            Command::Lived(which) => Some(lives().command(*which)),
            Command::Damaged { which, at, byte, cut } => {
                damaged = damage(lives().command(*which).to_vec(), usize::from(*at), *byte, *cut);
                Some(&damaged[..])
            }
            Command::Bytes(bytes) => Some(&bytes[..]),
        };
        let Some(bytes) = bytes else { continue };
        let length = element.process(bytes, &mut response);
        let word = &response[length.checked_sub(2).expect("a status word")..length];
        assert!(length == 2 || word == [0x90, 0], "a refusal answered something");
    }
    check_power_cut(element);
});

fn damage(mut command: Vec<u8>, at: usize, byte: u8, cut: bool) -> Vec<u8> {
    let at = at % command.len();
    if cut {
        command.truncate(at);
    } else {
        command[at] = byte;
    }
    command
}
