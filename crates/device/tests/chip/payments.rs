//! Money that moves by chips, over lines that lose bytes and cables that are pulled out.

use std::sync::atomic::Ordering;

use specie_device::Device;

use crate::served::ServedChip;
use crate::town::{Town, amount, currency, holding, terms};

/// A customer with money in the account, and an enrolled device of the same name with a chip.
fn enrol(town: &Town, who: &str, balance: u64) -> (Device, ServedChip) {
    let chip = ServedChip::start(&town.path(&format!("{who}.sock")));
    let customer = town.customer(who, balance, "standard");
    let mut device = town.device_with(who, &format!("http://{}", town.psp_address()), chip.address());
    device.enrol(who, &town.claim_code(&customer)).unwrap();
    (device, chip)
}

/// Does something again while the chip cannot be reached.
#[track_caller]
fn at_last<T>(mut operation: impl FnMut() -> Result<T, specie_device::Failure>) -> (T, u32) {
    for tries in 0..50 {
        match operation() {
            Ok(done) => return (done, tries),
            Err(failure) => assert_eq!(failure.code(), "element-unreachable", "{failure}"),
        }
    }
    panic!("not once in fifty times");
}

#[test]
fn chips_pay_each_other_over_lines_that_lose_bytes() {
    let town = Town::new();
    let (mut alice, alices) = enrol(&town, "alice", 20_000);
    let (mut bob, bobs) = enrol(&town, "bob", 0);
    for chip in [&alices, &bobs] {
        chip.whims.loses_one_in.store(1_500, Ordering::Relaxed);
    }
    alice.synchronise(&mut |_| {}).unwrap();
    bob.synchronise(&mut |_| {}).unwrap();
    alice.withdraw(currency(), amount(5_000), &mut |_| {}).unwrap();
    for _ in 0..3 {
        let asked = bob.request(&terms(700)).unwrap();
        let paid = alice.pay(&asked.message).unwrap();
        let received = bob.receive(&paid.message).unwrap();
        alice.take_receipt(&received.receipt).unwrap();
    }
    assert_eq!((holding(&alice), holding(&bob)), (2_900, 2_100));
    bob.synchronise(&mut |_| {}).unwrap();
    assert_eq!(town.balance(&bob) + holding(&bob), 2_100);
    assert_eq!(town.balance(&alice) + holding(&alice), 17_900);
    let lost = alices.whims.lost.load(Ordering::Relaxed) + bobs.whims.lost.load(Ordering::Relaxed);
    assert!(lost > 5, "{lost} bytes were lost");
    town.check_books();
}

#[test]
fn a_payer_whose_chip_is_pulled_out_pays_once() {
    let town = Town::new();
    let (mut alice, chip) = enrol(&town, "alice", 20_000);
    let (mut bob, _bobs) = enrol(&town, "bob", 0);
    alice.synchronise(&mut |_| {}).unwrap();
    bob.synchronise(&mut |_| {}).unwrap();
    alice.withdraw(currency(), amount(5_000), &mut |_| {}).unwrap();
    let mut failures = 0;
    for (number, after) in (1..).zip([3, 20, 90, 300, 420, 700, 950]) {
        let asked = bob.request(&terms(100)).unwrap();
        chip.whims.pulled_after.store(after, Ordering::Relaxed);
        let (paid, tries) = at_last(|| alice.pay(&asked.message));
        chip.whims.pulled_after.store(0, Ordering::Relaxed);
        failures += tries;
        let received = bob.receive(&paid.message).unwrap();
        alice.take_receipt(&received.receipt).unwrap();
        assert_eq!((holding(&alice), holding(&bob)), (5_000 - number * 100, number * 100), "pulled after {after}");
    }
    assert!(failures > 3, "only {failures} failures");
    alice.redeem_everything(&mut |_| {}).unwrap();
    assert_eq!(town.balance(&alice), 19_300);
    town.check_books();
}
