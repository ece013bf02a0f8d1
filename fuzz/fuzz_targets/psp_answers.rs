//! Whatever a PSP, or who carries errands to it, answers: no panic, an end, and no money that was not there.
#![no_main]

#[path = "../../crates/wallet/tests/wallet/bank.rs"]
#[allow(dead_code, non_snake_case)]
mod bank;
#[path = "../../crates/embedded/tests/hostile/houses.rs"]
#[allow(dead_code, non_snake_case)]
mod houses;

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_core::Amount;
use specie_core::class::Kind;
use specie_embedded::frame::Frame;
use specie_embedded::owner::{CarriedErrand, Command, encode_answer, kind};
use specie_embedded::synchronisation::Keep;

use crate::houses::{VALUE, images};

#[derive(Arbitrary, Debug)]
enum Body {
    Bytes(Vec<u8>),
    Text(String),
    Time(u64),
    Account { balance: u64, withdrawable: u64, blanks: u64, cap_max: u64 },
    Document(Vec<u8>),
    Opened(Vec<u8>),
    Problem { code: u8, detail: String, retry: bool },
    Nothing,
}

const CODES: [&str; 6] =
    ["device-unknown", "payment-unknown", "withdrawal-void", "withdrawal-closed", "not-a-merchant", "nonce"];

fuzz_target!(|input: (u16, u16, Vec<(bool, Body)>)| {
    let (value, blanks, answers) = input;
    let mut house = images()[0].open();
    let keep = Keep { value: Amount::new(value.into()).expect("small"), blanks, blank_cap: None };
    house.tell(&Command::Synchronise(keep));
    let mut answers = answers.iter();
    for _ in 0..400 {
        house.pass(1);
        let frames = house.owner_frames();
        for frame in frames.iter().filter(|frame| frame.kind == kind::ERRAND) {
            let errand = CarriedErrand::decode(&frame.message).expect("an errand");
            let (status, body) = match answers.next() {
                Some((good, body)) => (if *good { 200 } else { 409 }, body.json()),
                None => (0, Vec::new()),
            };
            let answer = encode_answer(errand.number, status, &body);
            // What is too long is lost: it is given up in the end.
            house.owner_bytes(&Frame::encode(kind::ANSWER, &answer).unwrap_or_default());
        }
        if !house.terminal.is_working() {
            break;
        }
        if frames.is_empty() {
            house.pass(61_000);
        }
    }
    assert!(!house.terminal.is_working(), "it does not come to an end");
    let total = house.total();
    assert!(total <= VALUE, "{total}");
    assert_eq!(house.image().open().total(), total, "after a power cut");
});

impl Body {
    fn json(&self) -> Vec<u8> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Time(seconds) => format!("{{\"seconds\":{seconds}}}").into_bytes(),
            Self::Account { balance, withdrawable, blanks, cap_max } => format!(
                "{{\"balance\":{balance},\"withdrawable\":{withdrawable},\"currency\":\"XTS\",\
                 \"rations\":[{{\"blanks\":{blanks},\"cap_max\":{cap_max}}}]}}"
            )
            .into_bytes(),
            Self::Document(bytes) => {
                let hex = hex(bytes);
                format!("{{\"list\":\"{hex}\",\"headers\":[],\"manifest\":\"{hex}\"}}").into_bytes()
            }
            Self::Opened(bytes) => {
                let (class, commitment) = (hex(blank_class()), hex(&[bytes.as_slice(), &[0; 128]].concat()[..128]));
                let id = "00".repeat(16);
                let session = format!("{{\"class_id\":\"{class}\",\"commitment\":\"{commitment}\"}}");
                format!("{{\"withdrawal_id\":\"{id}\",\"sessions\":[{session}]}}").into_bytes()
            }
            Self::Problem { code, detail, retry } => {
                let code = CODES[usize::from(*code) % CODES.len()];
                let detail: String = detail.chars().filter(|letter| letter.is_alphanumeric()).collect();
                format!("{{\"code\":\"{code}\",\"detail\":\"{detail}\",\"money_moved\":false,\"retry\":{retry}}}")
                    .into_bytes()
            }
            Self::Nothing => b"{}".to_vec(),
        }
    }
}

/// The class of a blank.
fn blank_class() -> &'static [u8; 16] {
    static CLASS: OnceLock<[u8; 16]> = OnceLock::new();
    CLASS.get_or_init(|| bank::Bank::new().class_of(Kind::Blank, bank::CAP).id().0)
}
