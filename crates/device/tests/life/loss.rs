//! A device is lost: its owner gets back what nobody redeems, once, and whoever redeems in time is paid.

use specie_api::psp::RestitutionState;
use specie_core::Timestamp;
use specie_device::Device;
use specie_device::device::SyncReport;
use specie_device::recovery::RecoveryCode;

use crate::town::{Town, amount, currency, name, terms};

/// Years: past every date of every class.
const LONG: u64 = 20 * 365 * 86_400;

fn synchronise(device: &mut Device) -> SyncReport {
    let report = device.synchronise(&mut |_| {}).unwrap();
    assert!(report.failures.is_empty() && report.coins_refused.is_empty(), "{report:?}");
    report
}

/// The owner's other device has all its limits, until they run out; for claims none are needed.
fn synchronise_without_limits(device: &mut Device) -> SyncReport {
    let report = device.synchronise(&mut |_| {}).unwrap();
    let codes: Vec<_> = report.failures.iter().map(|failure| failure.code()).collect();
    assert_eq!(codes, ["limits-shared-out"], "{report:?}");
    report
}

fn pay(payer: &mut Device, payee: &mut Device, minor: u64) {
    let asked = payee.request(&terms(minor)).unwrap();
    let paid = payer.pay(&asked.message).unwrap();
    let received = payee.receive(&paid.message).unwrap();
    payer.take_receipt(&received.receipt).unwrap();
}

fn states(claims: &[specie_api::psp::RestitutionClaim]) -> (u64, u64, u64) {
    let sum = |state| claims.iter().filter(|claim| claim.state == state).map(|claim| claim.amount).sum();
    (sum(RestitutionState::Open), sum(RestitutionState::Paid), sum(RestitutionState::Void))
}

pub(crate) fn an_owner_gets_back_what_nobody_redeems() {
    let town = Town::new();
    let (mut phone, mut bob) = (town.enrol("alice", 20_000, "standard"), town.enrol("bob", 5_000, "standard"));
    let address = format!("http://{}", town.psp_address());
    let mut tablet = town.device("alices-tablet", &address);
    tablet.enrol("alice", &town.claim_code(&name("alice"))).unwrap();
    for device in [&mut phone, &mut bob] {
        assert!(!synchronise(device).backed_up, "without a code nothing is left anywhere");
    }
    assert!(!synchronise_without_limits(&mut tablet).backed_up);
    let (old, code) = (phone.make_recovery_code().unwrap(), phone.make_recovery_code().unwrap());
    phone.withdraw(currency(), amount(8_000), &mut |_| {}).unwrap();
    bob.withdraw(currency(), amount(1_000), &mut |_| {}).unwrap();
    pay(&mut bob, &mut phone, 300);
    pay(&mut phone, &mut bob, 1_111);
    // The money received is redeemed at the synchronisation, change is too; notes stay, and are backed up.
    assert!(synchronise(&mut phone).backed_up);
    let before = town.balance(&phone);
    let kept = crate::town::holding(&phone);
    assert!(kept > 5_000 && before + kept == 20_000 + 300 - 1_111);

    // Lost. Nothing can be claimed before the PSP is told, and nothing with a wrong code.
    let (lost, now) = (phone.wallet().device(), town.provider.clock.now());
    assert_eq!(tablet.claim_lost(&lost, &code).unwrap_err().code(), "device-not-lost");
    town.provider.psp.report_lost(&lost, now).unwrap();
    for wrong in [&old, &RecoveryCode::from_seed(&[9; 32])] {
        assert_eq!(tablet.claim_lost(&lost, wrong).unwrap_err().code(), "wrong-recovery-code");
    }
    assert_eq!(bob.claim_lost(&lost, &code).unwrap_err().code(), "lost-device-unknown", "a thief of the code");
    let report = phone.synchronise(&mut |_| {}).unwrap();
    assert!(!report.failures.is_empty() && report.failures.iter().any(|failure| failure.code() == "device-lost"));
    let claimed = tablet.claim_lost(&lost, &code).unwrap();
    assert_eq!((claimed.refused.len(), states(&claimed.claims)), (0, (kept, 0, 0)));
    assert_eq!(tablet.claim_lost(&lost, &code).unwrap(), claimed, "the same again");

    // The finder pays Bob, who redeems in time.
    pay(&mut phone, &mut bob, 500);
    synchronise(&mut bob);
    let open = tablet.claims_on(&lost).unwrap();
    let (waiting, _, void) = states(&open);
    assert!(void >= 500 && waiting + void == kept, "{open:?}");

    // Nobody comes for the rest until all its dates are over: it is credited, once.
    let bank = &town.central.bank;
    assert_eq!(bank.sweep(now).unwrap().restitutions, amount(0));
    let late = Timestamp::new(now.seconds() + LONG).unwrap();
    assert_eq!(bank.sweep(late).unwrap().restitutions, amount(waiting));
    assert_eq!(bank.sweep(late).unwrap().restitutions, amount(0));
    for _ in 0..2 {
        town.provider.psp.reconcile(now).unwrap();
        assert_eq!(town.balance(&tablet), before + waiting);
    }
    assert_eq!(states(&tablet.claims_on(&lost).unwrap()), (0, waiting, void));
    assert_eq!(town.provider.psp.claims_on(&lost).unwrap().len(), open.len());
    town.check_books();
}

pub(crate) fn a_device_that_is_found_goes_on_and_its_claims_are_dropped() {
    let town = Town::new();
    let mut phone = town.enrol("alice", 20_000, "standard");
    let mut tablet = town.device("alices-tablet", &format!("http://{}", town.psp_address()));
    tablet.enrol("alice", &town.claim_code(&name("alice"))).unwrap();
    synchronise_without_limits(&mut tablet);
    let code = phone.make_recovery_code().unwrap();
    synchronise(&mut phone);
    // What is withdrawn is left with the PSP at once.
    phone.withdraw(currency(), amount(4_000), &mut |_| {}).unwrap();
    let (lost, now) = (phone.wallet().device(), town.provider.clock.now());
    town.provider.psp.report_lost(&lost, now).unwrap();
    let claimed = tablet.claim_lost(&lost, &code).unwrap();
    assert_eq!(states(&claimed.claims).0, 4_000);
    assert!(town.provider.psp.report_found(&lost, &[1; 16], now).unwrap());
    assert_eq!(tablet.claims_on(&lost).unwrap_err().code(), "device-not-lost");
    phone.redeem_everything(&mut |_| {}).unwrap();
    assert_eq!((crate::town::holding(&phone), town.balance(&phone)), (0, 20_000));
    let late = Timestamp::new(now.seconds() + LONG).unwrap();
    assert_eq!(town.central.bank.sweep(late).unwrap().restitutions, amount(0));
    town.check_books();
}
