//! Enrolment over the wire: each refusal has its code.

use specie_api::hexadecimal::Hex;
use specie_api::psp::{self as api, EnrolmentRequest};
use specie_core::signature::SigningKey;

use crate::device::TestDevice;
use crate::world::World;

#[test]
fn each_refusal_has_its_code() {
    let world = World::new();
    let client = world.client("north");
    let device = TestDevice::new(1, "north", "alice", world.clock());
    let try_it = |request: &EnrolmentRequest| client.enrol(&world.key(), request);
    let refused = |request: &EnrolmentRequest, code| {
        let error = try_it(request).unwrap_err();
        assert!(error.is(code), "{} expected: {error}", code.name);
    };
    refused(&world.enrolment(&device, "unknown", "series"), &api::MAKER);
    refused(&world.enrolment(&device, "maker", "broken"), &api::SERIES);
    let stranger = SigningKey::from_seed(&[99; 32]);
    let mut request = world.enrolment(&device, "maker", "series");
    request.enrolment = Hex(device.enrolment(&stranger, "maker", "series", &[1; 32]));
    refused(&request, &api::MAKER);
    request.enrolment = Hex(device.enrolment(&world.maker, "maker", "series", &[1; 32]));
    refused(&request, &api::NONCE);
    let mut request = world.enrolment(&device, "maker", "series");
    *request.enrolment.0.last_mut().unwrap() ^= 1;
    refused(&request, &api::PROOF);
    let mut request = world.enrolment(&device, "maker", "series");
    request.claim_code = "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA".into();
    refused(&request, &api::CLAIM_CODE);
    request.claim_code = "no code".into();
    refused(&request, &api::CLAIM_CODE);
    let mut request = world.enrolment(&device, "maker", "series");
    request.customer = "bob".into();
    refused(&request, &api::CLAIM_CODE);
    request.enrolment.0.push(0);
    refused(&request, &specie_api::problem::MALFORMED);

    let good = world.enrolment(&device, "maker", "series");
    let key = world.key();
    let enrolled = client.enrol(&key, &good).unwrap();
    assert_eq!((enrolled.psp.as_str(), enrolled.account.as_str()), ("north", "alice-account"));
    assert_eq!(client.enrol(&key, &good).unwrap(), enrolled);
    // Nonce and claim code are used up.
    refused(&good, &api::CLAIM_CODE);
    let mut again = world.enrolment(&device, "maker", "series");
    again.enrolment = good.enrolment;
    refused(&again, &api::NONCE);
    // The element is known here, and at the bank.
    let bobs = TestDevice::new(1, "north", "bob", world.clock());
    refused(&world.enrolment(&bobs, "maker", "series"), &api::ALREADY_ENROLLED);
    let carols = TestDevice::new(1, "south", "carol", world.clock());
    let error = world.client("south").enrol(&world.key(), &world.enrolment(&carols, "maker", "series")).unwrap_err();
    assert!(error.is(&api::ALREADY_ENROLLED), "{error}");
    // Alice's tier has room for one device.
    let second = TestDevice::new(2, "north", "alice", world.clock());
    refused(&world.enrolment(&second, "maker", "series"), &api::TIER_LIMIT);
    world.check_at_rest();
}

#[test]
fn a_device_that_is_not_enrolled_is_told_so() {
    let world = World::new();
    let stranger = TestDevice::new(9, "north", "alice", world.clock());
    let error = world.client("north").account(&mut stranger.signer()).unwrap_err();
    assert!(error.is(&api::DEVICE_UNKNOWN), "{error}");
    // A device of one PSP is a stranger at another.
    let alice = world.enrolled("north", "alice", 1);
    let error = world.client("south").limits(&mut alice.signer(), &world.key(), None).unwrap_err();
    assert!(error.is(&api::DEVICE_UNKNOWN), "{error}");
}

#[test]
fn a_device_changes_hands_once_its_old_limits_have_run_out() {
    let world = World::new();
    let alices = world.enrolled("north", "alice", 1);
    let client = world.client("north");
    client.limits(&mut alices.signer(), &world.key(), None).unwrap();
    world.operator("north").psp.release_device(&alices.key.public(), world.now()).unwrap();
    let released = client.limits(&mut alices.signer(), &world.key(), None).unwrap_err();
    assert!(released.is(&api::RELEASED), "{released}");
    let bobs = TestDevice::new(1, "north", "bob", world.clock());
    let (mut request, key) = (world.enrolment(&bobs, "maker", "series"), world.key());
    let early = client.enrol(&key, &request).unwrap_err();
    assert!(early.is(&api::NOT_FREE), "{early}");
    world.pass(14 * 86_400 + 1);
    // The nonce ran out meanwhile; the claim code did too, after a week.
    request = world.enrolment(&bobs, "maker", "series");
    let enrolled = client.enrol(&world.key(), &request).unwrap();
    assert_eq!(enrolled.account, "bob-account");
    client.limits(&mut bobs.signer(), &world.key(), None).unwrap();
    world.check_at_rest();
}
