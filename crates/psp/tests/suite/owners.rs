//! Devices change hands, and whole series of them are withdrawn.

use specie_psp::customer::CustomerError;
use specie_psp::device::{DeviceError, DeviceRefusal};
use specie_psp::document::DocumentError;
use specie_psp::enrolment::EnrolmentError;
use specie_psp::withdrawal::WithdrawalError;

use crate::world::{DAY, TestDevice, World, amount, at, enrol_for, name};

const VALID: u64 = 14 * DAY;

#[test]
fn a_device_changes_hands_when_the_limits_of_its_old_owner_have_run_out() {
    let world = World::new();
    let psp = world.psp();
    let (bob, key) = (name("bob"), world.public());
    let (coins, blanks) = ([(world.coin, 3)], [(world.blank, 4)]);
    psp.limits(&world.device.asks("limits-0000000001", 1), at(5)).unwrap();
    psp.withdraw(&world.device.asks("withdraw-00000001", 1), &blanks, at(5)).unwrap();
    let stolen = enrol_for(&world, &psp, &bob, &world.device, "enrol-1111111111", at(6));
    assert!(matches!(stolen, Err(EnrolmentError::AlreadyEnrolled)), "{stolen:?}");
    // Nothing may be under way.
    let unfinished = psp.release_device(&key, at(7));
    assert!(matches!(unfinished, Err(CustomerError::Unfinished(_))), "{unfinished:?}");
    psp.challenge(
        &world.device.asks("challenge-0000001", 1),
        &world.operation("withdraw-00000001"),
        &[[1; 32]; 4],
        at(7),
    )
    .unwrap();
    psp.acknowledge(&world.device.asks("acknowledge-00001", 1), &world.operation("withdraw-00000001"), at(7)).unwrap();
    for _ in 0..2 {
        psp.release_device(&key, at(8)).unwrap();
    }
    // It gets nothing more for anybody, and does not show the account to whoever has it by now.
    let limits = psp.limits(&world.device.asks("limits-0000000002", 1), at(9));
    assert!(matches!(limits, Err(DocumentError::Device(DeviceRefusal::Released))), "{limits:?}");
    let more = psp.withdraw(&world.device.asks("withdraw-00000002", 1), &coins, at(9));
    assert!(matches!(more, Err(WithdrawalError::Device(DeviceRefusal::Released))), "{:?}", more.map(drop));
    let statement = psp.statement(&key, at(9));
    assert!(matches!(statement, Err(DeviceError::Refused(DeviceRefusal::Released))), "{statement:?}");
    let early = enrol_for(&world, &psp, &bob, &world.device, "enrol-2222222222", at(5 + VALID));
    assert!(matches!(early, Err(EnrolmentError::StillLimited(until)) if until == at(5 + VALID)), "{early:?}");
    let registered = world.bank.state().devices.len();
    let enrolled = enrol_for(&world, &psp, &bob, &world.device, "enrol-3333333333", at(6 + VALID)).unwrap();
    assert_eq!(enrolled.account, name("bob-account"));
    assert_eq!(world.bank.state().devices.len(), registered, "the bank has nothing to do with it");
    assert_eq!(enrol_for(&world, &psp, &bob, &world.device, "enrol-3333333333", at(6 + VALID)).unwrap(), enrolled);
    assert!(psp.devices(&name("alice")).unwrap().is_empty());
    assert!(psp.limits(&world.device.asks("limits-0000000003", 1), at(7 + VALID)).is_ok());
    // The blanks in it are of bob's ration now, and of alice's still: 4 of 10.
    assert_eq!(psp.statement(&key, at(7 + VALID)).unwrap().rations[0].blanks, 6);
    let other = TestDevice::new(51);
    world.enrol(&psp, &other, "enrol-4444444444").unwrap();
    let more = psp.withdraw(&other.asks("withdraw-00000003", 1), &[(world.blank, 7)], at(8 + VALID));
    assert!(matches!(more, Err(WithdrawalError::Ration { left: 6, .. })), "{:?}", more.map(drop));
}

#[test]
fn a_blocked_device_is_not_given_away() {
    let world = World::new();
    let psp = world.psp();
    psp.set_blocked(&world.public(), true, at(1)).unwrap();
    assert!(matches!(psp.release_device(&world.public(), at(1)), Err(CustomerError::Blocked(_))));
    psp.set_blocked(&world.public(), false, at(1)).unwrap();
    psp.release_device(&world.public(), at(1)).unwrap();
    psp.set_blocked(&world.public(), true, at(1)).unwrap();
    let taken = enrol_for(&world, &psp, &name("bob"), &world.device, "enrol-1111111111", at(2));
    assert!(matches!(taken, Err(EnrolmentError::AlreadyEnrolled)), "{taken:?}");
    let unknown = psp.release_device(&TestDevice::new(77).key.public(), at(1));
    assert!(matches!(unknown, Err(CustomerError::UnknownDevice(_))), "{unknown:?}");
}

#[test]
fn a_withdrawn_series_or_firmware_stops_devices_that_are_enrolled_already() {
    let mut world = World::new();
    for change in [0, 1] {
        if change == 0 {
            world.makers.withdrawn_series.push(name("series"));
        } else {
            world.makers.withdrawn_series.clear();
            world.makers.firmwares.push([6; 32]);
        }
        let psp = world.psp();
        let limits = psp.limits(&world.device.asks("limits-0000000001", 1), at(1));
        assert!(matches!(limits, Err(DocumentError::Device(DeviceRefusal::Withdrawn))), "{limits:?}");
        let more = psp.withdraw(&world.device.asks("withdraw-00000001", 1), &[(world.coin, 1)], at(1));
        assert!(matches!(more, Err(WithdrawalError::Device(DeviceRefusal::Withdrawn))), "{:?}", more.map(drop));
        let new = world.enrol(&psp, &TestDevice::new(51 + change), &format!("enrol-{change}222222222"));
        assert!(matches!(new, Err(EnrolmentError::WithdrawnSeries(_) | EnrolmentError::Firmware(_))), "{new:?}");
        // What it holds is its owner's.
        assert!(psp.statement(&world.public(), at(1)).is_ok());
    }
    world.makers.firmwares.push([5; 32]);
    let limits = world.psp().limits(&world.device.asks("limits-0000000001", 1), at(1));
    assert!(limits.is_ok(), "{limits:?}");
}

#[test]
fn a_fleet_has_names() {
    let world = World::new();
    let psp = world.psp();
    psp.set_label(&world.public(), Some(&name("till 3"))).unwrap();
    let fleet = psp.fleet(&name("alice"), at(1)).unwrap();
    assert_eq!(fleet[0].device.label, Some(name("till 3")));
    assert_eq!(fleet[0].grant.unwrap().max_holding, amount(8_000));
    psp.set_label(&world.public(), None).unwrap();
    assert_eq!(psp.fleet(&name("alice"), at(1)).unwrap()[0].device.label, None);
    assert!(psp.fleet(&name("nobody"), at(1)).is_err());
}
