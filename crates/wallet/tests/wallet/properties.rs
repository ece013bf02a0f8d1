//! Random purses, random payments: value is conserved, hops are respected, and everything is credited once.

use proptest::prelude::*;
use specie_wallet::request::Terms;
use specie_wallet::settings::Settings;

use crate::bank::{Bank, FACES, MAX_HOPS, NOW};
use crate::device::{Device, Halt};
use crate::payments::holding;

/// One attempt: who pays whom how much, in how many notes at most, and whether the message arrives.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    payer: usize,
    payee: usize,
    amount: u64,
    notes_max: u8,
    arrives: bool,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (0..3usize, 1..3usize, 1..180u64, 1..=4u8, prop::bool::weighted(0.85)).prop_map(
        |(payer, step, amount, notes_max, arrives)| Attempt {
            payer,
            payee: (payer + step) % 3,
            amount,
            notes_max,
            arrives,
        },
    )
}

fn pair(devices: &mut [Device], payer: usize, payee: usize) -> (&mut Device, &mut Device) {
    let [a, b] = devices.get_disjoint_mut([payer, payee]).unwrap();
    (a, b)
}

fn total(devices: &[Device]) -> u64 {
    devices.iter().map(|device| device.total() + device.balance().undelivered.minor()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn value_is_conserved_whoever_pays_whom(
        purses in prop::array::uniform3(prop::collection::vec(prop::sample::select(&FACES[..8]), 0..6)),
        spend_change: bool,
        attempts in prop::collection::vec(attempt(), 1..9),
    ) {
        let mut bank = Bank::new();
        let mut devices: Vec<Device> = Vec::new();
        for (number, faces) in purses.iter().enumerate() {
            let mut device = holding(&mut bank, &format!("device {number}"), faces, 24);
            let settings = Settings { spend_change_offline: spend_change, ..device.wallet.settings() };
            let step = device.wallet.change_settings(settings);
            device.commit(step).unwrap();
            devices.push(device);
        }
        let issued = total(&devices);
        prop_assert_eq!(issued, bank.issued);
        let mut lost = Vec::new();
        for Attempt { payer, payee, amount, notes_max, arrives } in attempts {
            let (a, b) = pair(&mut devices, payer, payee);
            let terms = Terms { notes_max, ..Device::terms(amount) };
            let (id, request) = match b.request_on(&terms) {
                Ok(request) => request,
                Err(halt) => { prop_assert_eq!(halt, Halt::Refused("no-blank")); continue }
            };
            let spendable = a.spendable();
            match a.pay(&request) {
                Err(Halt::Refused(code)) => {
                    let known = ["not-enough-money", "change-kept", "redeem-only", "too-many-notes", "no-blank"];
                    prop_assert!(known.contains(&code), "{}", code);
                    prop_assert_eq!(spendable >= amount, ["too-many-notes", "no-blank"].contains(&code), "{}", code);
                    let step = b.wallet.cancel_request(&id).unwrap();
                    b.commit(step).unwrap();
                }
                Err(Halt::Crash) => unreachable!(),
                Ok(payment) => {
                    prop_assert!(spendable >= amount);
                    if arrives {
                        let receipt = b.receive(&payment).unwrap().receipt;
                        a.settle(&receipt).unwrap();
                    } else {
                        lost.push((payer, payee, payment));
                    }
                }
            }
            devices.iter_mut().for_each(|device| device.resume(NOW).unwrap());
            // Memory and store say the same.
            let before: Vec<_> = devices.iter().map(Device::balance).collect();
            devices.iter_mut().for_each(Device::reload);
            prop_assert_eq!(before, devices.iter().map(Device::balance).collect::<Vec<_>>());
            prop_assert_eq!(total(&devices), issued);
        }
        for (payer, payee, payment) in lost {
            let (a, b) = pair(&mut devices, payer, payee);
            let receipt = b.receive(&payment).unwrap().receipt;
            a.settle(&receipt).unwrap();
        }
        // Scrambled, and some of it twice.
        for number in [2, 0, 1, 0] {
            devices[number].redeem_everything(&mut bank, NOW).unwrap();
        }
        prop_assert_eq!((total(&devices), bank.credited_in_all()), (0, issued));
        for device in &mut devices {
            device.resume(NOW).unwrap();
            prop_assert_eq!(device.held_by_element(), 0);
        }
    }

    #[test]
    fn hops_end_where_the_class_says(length in 1..=6u8, face in prop::sample::select(&FACES[3..])) {
        let mut bank = Bank::new();
        let mut payer = holding(&mut bank, "payer", &[face], 4);
        for hop in 1..=length {
            let mut payee = holding(&mut bank, &format!("payee {hop}"), &[], 4);
            let outcome = crate::payments::hand_over(&mut payer, &mut payee, face);
            if hop > MAX_HOPS {
                prop_assert_eq!(outcome.unwrap_err(), Halt::Refused("redeem-only"));
                break;
            }
            outcome.unwrap();
            payer = payee;
        }
        payer.redeem(&mut bank, NOW).unwrap();
        prop_assert_eq!(bank.credited_in_all(), face);
    }
}
