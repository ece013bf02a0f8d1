//! A lost device does nothing any more, and its owner's other device claims what it held.

use specie_audit::{Kind, Line};
use specie_core::text::Name;
use specie_psp::bank::{Redemption, RestitutionResult};
use specie_psp::claim::ClaimCode;
use specie_psp::customer::CustomerError;
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::enrolment::EnrolmentError;
use specie_psp::loss::{BACKUP_DAYS, BACKUP_LENGTH_MAX, LossError};
use specie_psp::redemption::RedemptionError;
use specie_psp::withdrawal::WithdrawalError;

use crate::faults::{Cut, Fuse};
use crate::world::{DEPOSIT, TestDevice, TestPsp, World, anonymous, at, name};

const DAY: u64 = 86_400;

/// Alice's first device is lost, with a backup at the PSP; she has another. Bob has one too.
struct Lost {
    world: World,
    psp: TestPsp,
    other: TestDevice,
    stranger: TestDevice,
}

fn enrol(world: &World, psp: &TestPsp, customer: Name, device: &TestDevice) {
    let nonce =
        psp.enrolment_nonce(&anonymous("nonce-of-another", device.identity()[0]), &device.identity(), at(0)).unwrap();
    let code: ClaimCode = psp.issue_claim_code(&customer, &device.identity(), at(0)).unwrap();
    let bytes = device.enrolment(&world.maker, "maker", "series", &nonce.nonce);
    let enrolment = specie_core::encoding::Decode::decode(&bytes).unwrap();
    let key = format!("enrol-{}-{}", customer, device.identity()[0]);
    psp.enrol(&anonymous(&key, 1), &customer, &code, &enrolment, at(0)).unwrap();
}

fn lost() -> Lost {
    let world = World::new();
    let psp = world.psp();
    let (other, stranger) = (TestDevice::new(51), TestDevice::new(52));
    world.enrol(&psp, &other, "enrol-0000000001").unwrap();
    enrol(&world, &psp, name("bob"), &stranger);
    psp.keep_backup(&world.device.asks("backup-000000001", 1), b"sealed", at(5)).unwrap();
    assert!(psp.report_lost(&world.public(), at(10)).unwrap());
    Lost { world, psp, other, stranger }
}

#[test]
fn nothing_that_a_lost_device_signs_is_obeyed() {
    let Lost { world, psp, .. } = lost();
    let device = &world.device;
    let withdrawal = psp.withdraw(&device.asks("withdrawal-000001", 1), &[(world.coin, 1)], at(11));
    assert!(matches!(withdrawal, Err(WithdrawalError::Device(DeviceRefusal::Lost))));
    let limits = psp.limits(&device.asks("limits-0000000001", 1), at(11));
    assert!(matches!(limits, Err(DocumentError::Device(DeviceRefusal::Lost))));
    let redemption = Redemption { psp: "south".into(), account: "finder".into(), chains: vec![vec![30, 1]] };
    let redeemed = psp.redeem(&device.asks("redemption-000001", 1), &redemption, at(11));
    assert!(matches!(redeemed, Err(RedemptionError::Device(DeviceRefusal::Lost))));
    let backup = psp.keep_backup(&device.asks("backup-000000002", 1), b"nothing", at(11));
    assert!(matches!(backup, Err(LossError::Device(DeviceRefusal::Lost))), "the finder overwrites no backup");
    assert!(psp.statement(&world.public(), at(11)).is_err(), "nor is the account shown");
    let own = psp.backups(&world.public(), &world.public());
    assert!(matches!(own, Err(LossError::Device(DeviceRefusal::Lost))));
}

#[test]
fn a_withdrawal_under_way_comes_back() {
    let world = World::new();
    let psp = world.psp();
    let (id, _) = psp.withdraw(&world.device.asks("withdrawal-000001", 1), &[(world.coin, 3)], at(1)).unwrap();
    psp.report_lost(&world.public(), at(2)).unwrap();
    let answer = psp.challenge(&world.device.asks("challenge-0000001", 1), &id, &[[1; 32]; 3], at(3));
    assert!(matches!(answer, Err(WithdrawalError::Device(DeviceRefusal::Lost))));
    psp.reconcile(at(3 + 4 * DAY)).unwrap();
    world.check_at_rest();
    assert_eq!(psp.balance(&name("alice")).unwrap().minor(), DEPOSIT);
}

/// What was answered before the loss is still to be had again: not by the finder.
#[test]
fn a_finder_gets_no_answers_again_and_acknowledges_none() {
    let world = World::new();
    let psp = world.psp();
    let device = &world.device;
    let (id, _) = psp.withdraw(&device.asks("withdrawal-000001", 1), &[(world.coin, 1)], at(1)).unwrap();
    let challenge = |key: &str, seconds| psp.challenge(&device.asks(key, 1), &id, &[[1; 32]], at(seconds));
    let answers = challenge("challenge-0000001", 2).unwrap();
    psp.report_lost(&world.public(), at(3)).unwrap();
    let is_lost = |result: Result<(), WithdrawalError>| {
        assert!(matches!(result, Err(WithdrawalError::Device(DeviceRefusal::Lost))), "{result:?}");
    };
    for key in ["challenge-0000001", "challenge-0000002"] {
        is_lost(challenge(key, 4).map(drop));
    }
    is_lost(psp.acknowledge(&device.asks("acknowledge-00001", 1), &id, at(4)));
    is_lost(psp.cancel(&device.asks("cancel-0000000001", 1), &id, at(4)));
    psp.report_found(&world.public(), &[9; 16], at(5)).unwrap();
    assert_eq!(challenge("challenge-0000001", 6).unwrap(), answers, "its owner has it again");
}

#[test]
fn whoever_may_have_one_device_claims_from_the_one_that_replaces_it() {
    let world = World::new();
    let psp = world.psp();
    psp.set_tier(&name("alice"), &name("prepaid"), at(0)).unwrap();
    let (lost, next, more) = (world.public(), TestDevice::new(51), TestDevice::new(52));
    let full = |result| assert!(matches!(result, Err(EnrolmentError::TooManyDevices(_))), "{result:?}");
    full(world.enrol(&psp, &next, "enrol-0000000001"));
    psp.limits(&world.device.asks("limits-0000000001", 1), at(1)).unwrap();
    psp.report_lost(&lost, at(10)).unwrap();
    world.enrol(&psp, &next, "enrol-0000000001").unwrap();
    full(world.enrol(&psp, &more, "enrol-0000000002"));
    psp.claim(&next.asks("claim-0000000001", 1), &lost, &[vec![30, 1]], at(11)).unwrap();
    // No limits are won by it: what the finder may pay with counts until it has run out.
    let limits = |seconds| psp.limits(&next.asks("limits-0000000001", 1), at(seconds));
    assert!(matches!(limits(11), Err(DocumentError::Shared { .. })));
    limits(2 + 14 * DAY).unwrap();
    // Found again there are two, which share the limits, and no third.
    psp.report_found(&lost, &[9; 16], at(12)).unwrap();
    full(world.enrol(&psp, &more, "enrol-0000000002"));
}

#[test]
fn another_device_of_the_owner_claims_and_nobody_elses() {
    let Lost { world, psp, other, stranger } = lost();
    let (asking, device) = (other.key.public(), world.public());
    let backups = psp.backups(&asking, &device).unwrap();
    assert_eq!((backups.len(), backups[0].content.as_slice(), backups[0].kept_at), (1, &b"sealed"[..], at(5)));
    let holdings = [vec![30, 1], vec![40, 2]];
    let claimed = psp.claim(&other.asks("claim-0000000001", 1), &device, &holdings, at(11)).unwrap();
    let RestitutionResult::Claimed(first) = &claimed[0] else { panic!("{claimed:?}") };
    assert_eq!((first.amount.minor(), first.account.as_str()), (30, "alice-account"));
    // A repeat, with the same key or another, is the same claim.
    assert_eq!(psp.claim(&other.asks("claim-0000000001", 1), &device, &holdings, at(12)).unwrap(), claimed);
    assert_eq!(psp.claim(&other.asks("claim-0000000002", 1), &device, &holdings, at(12)).unwrap(), claimed);
    let conflict = psp.claim(&other.asks("claim-0000000001", 2), &device, &holdings[..1], at(12));
    assert!(matches!(conflict, Err(LossError::Conflict(_))));
    assert_eq!(psp.claims(&asking, &device).unwrap().len(), 2);
    assert_eq!(psp.claims_on(&device).unwrap().len(), 2);
    // Whoever has the recovery code, and is another customer, gets as far as this.
    let thief = stranger.key.public();
    assert!(matches!(psp.backups(&thief, &device), Err(LossError::Unknown(_))));
    let stolen = psp.claim(&stranger.asks("claim-0000000001", 1), &device, &holdings, at(11));
    assert!(matches!(stolen, Err(LossError::Unknown(_))));
    assert!(matches!(psp.claims(&thief, &device), Err(LossError::Unknown(_))));
    let nobody = TestDevice::new(99);
    let unknown = psp.claim(&nobody.asks("claim-0000000001", 1), &device, &holdings, at(11));
    assert!(matches!(unknown, Err(LossError::Device(DeviceRefusal::Unknown))));
    // A device that is with its owner is not claimed for, nor is one that the PSP blocked a claimant.
    assert!(matches!(psp.backups(&asking, &asking), Err(LossError::NotLost(_))));
    psp.set_blocked(&asking, true, at(9)).unwrap();
    let blocked = psp.claim(&other.asks("claim-0000000003", 1), &device, &holdings, at(11));
    assert!(matches!(blocked, Err(LossError::Device(DeviceRefusal::Blocked))));
}

#[test]
fn a_device_that_is_found_is_what_it_was_and_claims_are_given_up() {
    let Lost { world, psp, other, .. } = lost();
    let device = world.public();
    assert!(!psp.report_lost(&device, at(12)).unwrap(), "the first report counts");
    assert_eq!(psp.devices(&name("alice")).unwrap().iter().find_map(|device| device.lost_at), Some(at(10)));
    psp.claim(&other.asks("claim-0000000001", 1), &device, &[vec![30, 1]], at(11)).unwrap();
    // Cut at every step: it is lost and claimed, or lost and not claimed, or found; never found and claimed.
    for cut in [Cut::Before, Cut::After] {
        for step in 0..3 {
            drop(world.psp_with(&Fuse::new(step, cut)).report_found(&device, &[step as u8; 16], at(99)));
            let lost = psp.backups(&other.key.public(), &device).is_ok();
            assert!(lost || psp.claims_on(&device).unwrap().is_empty(), "{cut:?} {step}");
        }
    }
    psp.report_found(&device, &[9; 16], at(99)).unwrap();
    assert!(!psp.report_found(&device, &[10; 16], at(99)).unwrap());
    assert!(psp.claims_on(&device).unwrap().is_empty());
    assert!(psp.limits(&world.device.asks("limits-0000000001", 1), at(13)).is_ok());
    // A block outlives loss and return; what nobody knows cannot be lost.
    psp.set_blocked(&device, true, at(9)).unwrap();
    psp.report_lost(&device, at(14)).unwrap();
    psp.report_found(&device, &[11; 16], at(99)).unwrap();
    let limits = psp.limits(&world.device.asks("limits-0000000002", 1), at(15));
    assert!(matches!(limits, Err(DocumentError::Device(DeviceRefusal::Blocked))));
    let nobody = TestDevice::new(99).key.public();
    assert!(matches!(psp.report_lost(&nobody, at(1)), Err(CustomerError::UnknownDevice(_))));
    assert!(matches!(psp.report_found(&nobody, &[1; 16], at(99)), Err(LossError::Unknown(_))));
}

#[test]
fn the_newest_backup_of_each_of_the_last_days_is_kept() {
    let world = World::new();
    let psp = world.psp();
    let other = TestDevice::new(51);
    world.enrol(&psp, &other, "enrol-0000000001").unwrap();
    let keep =
        |key: &str, content: &[u8], seconds| psp.keep_backup(&world.device.asks(key, content[0]), content, at(seconds));
    for day in 0..10 {
        for hour in [1, 2] {
            let key = format!("backup-{day:05}-{hour:05}");
            keep(&key, &[day as u8, hour], day * DAY + u64::from(hour) * 100).unwrap();
        }
    }
    // A request that was held up comes again: it has had its effect.
    keep("backup-00009-00001", &[9, 1], 9 * DAY + 300).unwrap();
    assert!(matches!(keep("backup-00009-00001", &[8, 1], 9 * DAY + 300), Err(LossError::Conflict(_))));
    for wrong in [vec![], vec![0; BACKUP_LENGTH_MAX + 1]] {
        let refused = psp.keep_backup(&world.device.asks("backup-of-no-size", 1), &wrong, at(9));
        assert!(matches!(refused, Err(LossError::BackupLength)));
    }
    psp.report_lost(&world.public(), at(10 * DAY)).unwrap();
    let kept = psp.backups(&other.key.public(), &world.public()).unwrap();
    let kept: Vec<_> = kept.into_iter().map(|backup| (backup.content[0], backup.content[1])).collect();
    let expected: Vec<_> = (0..BACKUP_DAYS as u8).map(|back| (9 - back, 2)).collect();
    assert_eq!(kept, expected);
}

#[test]
fn the_log_says_what_is_claimed_when_it_is_more_than_before() {
    let Lost { world, psp, other, .. } = lost();
    let device = world.public();
    let logged = || {
        let lines = psp.audit_page(0, u64::MAX).unwrap();
        let claims = lines.iter().filter_map(|line| match line {
            Line::Record(record) if record.decision.kind == Kind::RestitutionClaimed => {
                Some(record.decision.details.get("holdings").unwrap().clone())
            }
            _ => None,
        });
        claims.collect::<Vec<_>>()
    };
    let claim = |psp: &TestPsp, number: u64, holdings: &[Vec<u8>]| {
        psp.claim(&other.asks(&format!("claim-{number:012}"), 1), &device, holdings, at(11)).map(drop)
    };
    // What the bank refuses, and what it does not hear, is claimed by nobody.
    claim(&psp, 1, &[vec![0, 9]]).unwrap();
    claim(&world.psp_with(&Fuse::new(1, Cut::Before)), 2, &[vec![30, 1]]).unwrap_err();
    assert_eq!(logged(), [""; 0]);
    for number in 3..40 {
        claim(&psp, number, &[vec![30, 1]]).unwrap();
    }
    assert_eq!(logged(), ["1"]);
    // The bank has it, and the PSP broke before it wrote it down: the same again writes it.
    claim(&world.psp_with(&Fuse::new(2, Cut::Before)), 40, &[vec![30, 1], vec![40, 2]]).unwrap_err();
    assert_eq!(logged(), ["1"]);
    claim(&psp, 40, &[vec![30, 1], vec![40, 2]]).unwrap();
    claim(&psp, 41, &[vec![40, 2]]).unwrap();
    assert_eq!(logged(), ["1", "2"]);
    // Another loss is another story.
    psp.report_found(&device, &[9; 16], at(12)).unwrap();
    psp.report_lost(&device, at(13)).unwrap();
    claim(&psp, 42, &[vec![40, 2]]).unwrap();
    assert_eq!(logged(), ["1", "2", "1"]);
}
