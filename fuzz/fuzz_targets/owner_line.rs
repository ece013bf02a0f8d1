//! Whatever comes on the owner's line, with and without a wallet: no panic, and the money stays.
#![no_main]

#[path = "../../crates/wallet/tests/wallet/bank.rs"]
#[allow(dead_code, non_snake_case)]
mod bank;
#[path = "../../crates/embedded/tests/hostile/houses.rs"]
#[allow(dead_code, non_snake_case)]
mod houses;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_core::encoding::Writer;
use specie_embedded::frame::Frame;

use crate::houses::{VALUE, blank_image, images};

#[derive(Arbitrary, Debug)]
enum Deed {
    Bytes(Vec<u8>),
    Frame(u8, Vec<u8>),
    /// A command with fields of its own.
    Command(u8, Vec<Field>),
    Time(u16),
    Take,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Number(u64),
    Text(String),
    Bytes(Vec<u8>),
    Currency,
    Nothing,
}

fuzz_target!(|input: (bool, Vec<Deed>)| {
    let (wallet, deeds) = input;
    let mut house = if wallet { images()[0].open() } else { blank_image().open() };
    for deed in deeds.iter().take(64) {
        match deed {
            Deed::Bytes(bytes) => house.owner_bytes(bytes),
            Deed::Frame(kind, message) => {
                house.owner_bytes(&Frame::encode(*kind % 24, message).unwrap_or_default());
            }
            Deed::Command(number, fields) => {
                let command = command(*number % 16, fields);
                house.owner_bytes(&[&[0][..], &Frame::encode(16, &command).unwrap_or_default()].concat());
            }
            Deed::Time(ms) => house.pass(u64::from(*ms)),
            Deed::Take => drop((house.owner_frames(), house.peer_frames())),
        }
    }
    if wallet {
        assert_eq!(house.total(), VALUE);
        assert_eq!(house.image().open().total(), VALUE, "after a power cut");
    }
});

fn command(number: u8, fields: &[Field]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new());
    let _ = w.array(fields.len() + 1).and_then(|()| w.uint(number.into()));
    for field in fields {
        let _ = match field {
            Field::Number(number) => w.uint(*number),
            Field::Text(text) => w.text(text),
            Field::Bytes(bytes) => w.bytes(bytes),
            Field::Currency => w.text("XTS"),
            Field::Nothing => w.null(),
        };
    }
    w.into_inner()
}
