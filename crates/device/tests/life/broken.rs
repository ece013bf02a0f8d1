//! Lives in which everything breaks off everywhere.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use specie_device::{Device, Failure};
use specie_wallet::recovery::Pending;

use crate::town::{Town, amount, currency, holding, terms};
use crate::wire::{Loss, Wire};

const BALANCE: u64 = 50_000;

/// What is done online in one go. It may break off anywhere, and is done again as it is.
fn errands(alice: &mut Device) -> Result<(), Failure> {
    alice.synchronise(&mut |_| {})?;
    alice.withdraw(currency(), amount(40), &mut |_| {})?;
    Ok(())
}

/// In the account and in the device.
fn total(town: &Town, device: &Device) -> u64 {
    town.balance(device) + holding(device)
}

pub(crate) fn a_network_that_dies_within_any_exchange_costs_nothing() {
    let town = Town::new();
    let wire = Wire::to(town.psp_address());
    let mut alice = town.enrol_by("alice", BALANCE, "standard", &wire.address());
    let mut bob = town.enrol("bob", 0, "standard");
    errands(&mut alice).unwrap();
    bob.synchronise(&mut |_| {}).unwrap();
    let mut paid = 0;
    for loss in [Loss::Request, Loss::Answer] {
        for after in 0.. {
            // Change to be redeemed, and a payment to be uploaded.
            let asked = bob.request(&terms(1)).unwrap();
            alice.pay(&asked.message).unwrap();
            paid += 1;
            wire.cut_after(after, loss);
            let before = wire.exchanges();
            let first = errands(&mut alice);
            let whole = !wire.mend();
            // A withdrawal of which only the end is not acknowledged is done.
            assert!(first.is_ok() || !whole, "cut after {after}: {first:?}");
            if let Err(failure) = &first {
                assert!(failure.is_offline() && failure.money_moved() != Some(true), "cut after {after}: {failure}");
                // Never "nothing was sent" of a request that may have arrived.
                assert_eq!(failure.code(), "no-answer", "cut after {after}: {failure}");
                assert!(wire.exchanges() - before <= after + 1);
            }
            if !whole {
                errands(&mut alice).unwrap_or_else(|failure| panic!("cut after {after}, {loss:?}: {failure}"));
            }
            assert_eq!(total(&town, &alice), BALANCE - paid, "cut after {after}, {loss:?}");
            // The bank has them; only their receipts never came.
            let pending = alice.overview().pending;
            assert!(pending.iter().all(|one| matches!(one, Pending::Undelivered(_))), "cut after {after}: {pending:?}");
            bob.synchronise(&mut |_| {}).unwrap();
            assert_eq!(total(&town, &bob), paid, "cut after {after}, {loss:?}");
            if whole {
                break;
            }
        }
    }
    town.check_books();
}

/// The same again after a break gives what was asked for, and not twice.
pub(crate) fn a_withdrawal_that_breaks_off_anywhere_is_done_once() {
    let town = Town::new();
    let wire = Wire::to(town.psp_address());
    let mut alice = town.enrol_by("alice", BALANCE, "standard", &wire.address());
    alice.synchronise(&mut |_| {}).unwrap();
    let mut withdrawn = 0;
    for loss in [Loss::Request, Loss::Answer] {
        for after in 0.. {
            wire.cut_after(after, loss);
            let first = alice.withdraw(currency(), amount(40), &mut |_| {});
            let whole = !wire.mend();
            withdrawn += 40;
            if let Err(failure) = first {
                assert_eq!(
                    (failure.code(), failure.money_moved()),
                    ("no-answer", None),
                    "cut after {after}: {failure}"
                );
                assert_eq!(alice.withdraw(currency(), amount(40), &mut |_| {}).unwrap().amount, 40);
            }
            assert_eq!((town.balance(&alice), holding(&alice)), (BALANCE - withdrawn, withdrawn), "{after}, {loss:?}");
            if whole {
                break;
            }
        }
    }
    town.check_books();
}

pub(crate) fn an_enrolment_that_breaks_off_anywhere_is_done_once() {
    let town = Town::new();
    let mut number = 0;
    for loss in [Loss::Request, Loss::Answer] {
        for after in 0.. {
            number += 1;
            let (who, wire) = (format!("customer-{number}"), Wire::to(town.psp_address()));
            let customer = town.customer(&who, 0, "standard");
            let code = town.claim_code(&customer);
            let mut device = town.device(&who, &wire.address());
            wire.cut_after(after, loss);
            let first = device.enrol(&who, &code);
            drop(device);
            wire.mend();
            let mut device = Device::open(&town.path(&who)).unwrap();
            match &first {
                Ok(_) => assert_eq!(device.enrol(&who, &code).unwrap_err().code(), "enrolled-already"),
                Err(failure) => {
                    assert!(failure.is_offline(), "cut after {after}: {failure}");
                    let enrolled = device.enrol(&who, &code).unwrap_or_else(|failure| panic!("{after}: {failure}"));
                    assert_eq!(enrolled.account.account.as_str(), who);
                }
            }
            assert_eq!(town.provider.psp.devices(&customer).unwrap().len(), 1);
            device.synchronise(&mut |_| {}).unwrap();
            // What the device fetches after its enrolment may fail.
            if first.is_ok() {
                break;
            }
        }
    }
}

pub(crate) fn an_online_payment_of_unknown_outcome_is_made_once() {
    let town = Town::new();
    let wire = Wire::to(town.psp_address());
    let mut alice = town.enrol_by("alice", BALANCE, "standard", &wire.address());
    let mut shop = town.enrol("shop", 0, "merchant");
    shop.synchronise(&mut |_| {}).unwrap();
    let mut paid = 0;
    for loss in [Loss::Request, Loss::Answer] {
        for by_synchronising in [false, true] {
            let asked = shop.request(&terms(100)).unwrap();
            wire.cut_after(0, loss);
            let failure = alice.pay_online(&asked.message).unwrap_err();
            assert!(failure.is_offline() && failure.money_moved().is_none(), "{failure}");
            assert_eq!(alice.pay(&asked.message).unwrap_err().code(), "payment-under-way");
            drop(alice);
            wire.mend();
            alice = Device::open(&town.path("alice")).unwrap();
            if by_synchronising {
                assert_eq!(alice.synchronise(&mut |_| {}).unwrap().transfers, 1);
            }
            assert!(alice.pay_online(&asked.message).unwrap().transfer.is_some());
            paid += 100;
            assert_eq!((town.balance(&alice), town.balance(&shop)), (BALANCE - paid, paid), "{loss:?}");
        }
    }
    town.check_books();
}

/// A life that never ends by itself: started as a process that is killed.
pub(crate) fn live(folder: &Path) -> ! {
    let mut device = Device::open(&folder.join("alice")).unwrap();
    let mut payee = Device::open(&folder.join("bob")).unwrap();
    loop {
        errands(&mut device).unwrap();
        for minor in [3, 7] {
            let asked = payee.request(&terms(minor)).unwrap();
            let paid = device.pay(&asked.message).unwrap();
            let received = payee.receive(&paid.message).unwrap();
            device.take_receipt(&received.receipt).unwrap();
        }
        payee.synchronise(&mut |_| {}).unwrap();
    }
}

pub(crate) fn a_process_that_is_killed_at_any_moment_costs_nothing() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = seed;
    let town = Town::new();
    let mut alice = town.enrol("alice", BALANCE, "merchant");
    let mut bob = town.enrol("bob", 0, "merchant");
    for device in [&mut alice, &mut bob] {
        device.synchronise(&mut |_| {}).unwrap();
    }
    drop((alice, bob));
    for round in 0..12 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("live")
            .arg(town.folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros((random >> 33) % 1_000_000));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "round {round}: {said}");

        let mut alice = Device::open(&town.path("alice")).unwrap();
        let mut bob = Device::open(&town.path("bob")).unwrap();
        alice.resume().unwrap();
        bob.resume().unwrap();
        // Twice: what one uploads, the other claims.
        for _ in 0..2 {
            for device in [&mut alice, &mut bob] {
                let report = device.synchronise(&mut |_| {}).unwrap();
                assert!(report.failures.is_empty(), "round {round}: {:?}", report.failures);
            }
        }
        let (left, paid) = (total(&town, &alice), total(&town, &bob));
        assert_eq!(left + paid, BALANCE, "round {round}: {left} and {paid}");
        town.check_books();
    }
}
