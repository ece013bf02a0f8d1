//! Who is enrolled, and who is not.

use specie_core::encoding::Decode;
use specie_core::enrolment::{Enrolment, EnrolmentError as ProofError};
use specie_core::signature::SigningKey;
use specie_psp::claim::ClaimCode;
use specie_psp::device::DeviceState;
use specie_psp::enrolment::EnrolmentError;

use crate::world::{TestDevice, World, anonymous, at, name};

/// Tries to enrol `device` with what `change` makes of a good enrolment.
fn attempt(
    world: &World,
    device: &TestDevice,
    (maker, maker_name, series): (&SigningKey, &str, &str),
    change: impl FnOnce(&mut Enrolment<'_>),
) -> Result<(), EnrolmentError> {
    let psp = world.psp();
    let nonce = psp.enrolment_nonce(&anonymous("nonce-0000000000", 0), &[9; 32], at(0)).unwrap().nonce;
    let bytes = device.enrolment(maker, maker_name, series, &nonce);
    let mut enrolment = Enrolment::decode(&bytes).unwrap();
    change(&mut enrolment);
    psp.enrol(&anonymous("enrol-1111111111", 1), &name("alice"), &world.claim_code(), &enrolment, at(0)).map(drop)
}

#[test]
fn a_device_is_enrolled_once_however_often_it_asks() {
    let world = World::before_enrolment();
    let psp = world.psp();
    let enrolled = world.enrol(&psp, &world.device, "enrol-0000000000").unwrap();
    assert_eq!(enrolled.account, name("alice-account"));
    assert_eq!(world.bank.state().devices.len(), 1);
    // The answer was lost: the same request again.
    let request = anonymous("enrol-0000000000", 1);
    let bytes = world.device.enrolment(&world.maker, "maker", "series", &world.device.identity());
    let code = ClaimCode::from_seed(&world.public().0);
    let again = psp.enrol(&request, &name("alice"), &code, &Enrolment::decode(&bytes).unwrap(), at(0));
    assert_eq!(again.unwrap(), enrolled);
    assert_eq!(psp.devices(&name("alice")).unwrap().len(), 1);
}

#[test]
fn rejects_elements_that_nobody_vouches_for() {
    let world = World::before_enrolment();
    let good = (&world.maker, "maker", "series");
    let stranger = SigningKey::from_seed(&[99; 32]);
    let device = &world.device;
    let unknown = attempt(&world, device, (&world.maker, "unknown", "series"), |_| ());
    assert!(matches!(unknown, Err(EnrolmentError::UnknownMaker(_))));
    let forged = attempt(&world, device, (&stranger, "maker", "series"), |_| ());
    assert!(matches!(forged, Err(EnrolmentError::Proof(ProofError::Certificate))));
    let withdrawn = attempt(&world, device, (&world.maker, "maker", "broken"), |_| ());
    assert!(matches!(withdrawn, Err(EnrolmentError::WithdrawnSeries(_))));
    let unattested = attempt(&world, device, good, |enrolment| enrolment.attestation = &enrolment.attestation[1..]);
    assert!(matches!(unattested, Err(EnrolmentError::Proof(ProofError::Attestation))));
    let unproven = attempt(&world, device, good, |enrolment| enrolment.proof.s[0] ^= 1);
    assert!(matches!(unproven, Err(EnrolmentError::Proof(ProofError::Proof))));
    // The proof is over the nonce: another nonce is another statement.
    let other_nonce = attempt(&world, device, good, |enrolment| enrolment.nonce = [1; 32]);
    assert!(matches!(other_nonce, Err(EnrolmentError::Proof(_))));
    assert!(world.bank.state().devices.is_empty());
    assert!(attempt(&world, device, good, |_| ()).is_ok());
}

#[test]
fn rejects_a_nonce_that_is_unknown_used_or_too_old() {
    let world = World::before_enrolment();
    let psp = world.psp();
    let enrol = |device: &TestDevice, nonce: &[u8; 32], key: &str, now| {
        let bytes = device.enrolment(&world.maker, "maker", "series", nonce);
        let code = world.claim_code();
        let result = psp.enrol(&anonymous(key, 1), &name("alice"), &code, &Enrolment::decode(&bytes).unwrap(), now);
        result.map(drop)
    };
    let unknown = enrol(&world.device, &[77; 32], "enrol-1111111111", at(0));
    assert!(matches!(unknown, Err(EnrolmentError::Nonce)));
    let nonce = psp.enrolment_nonce(&anonymous("nonce-0000000000", 0), &[9; 32], at(0)).unwrap();
    let late = enrol(&world.device, &nonce.nonce, "enrol-2222222222", nonce.valid_until.saturating_add(1));
    assert!(matches!(late, Err(EnrolmentError::Nonce)));
    enrol(&world.device, &nonce.nonce, "enrol-3333333333", nonce.valid_until).unwrap();
    let replayed = enrol(&TestDevice::new(51), &nonce.nonce, "enrol-4444444444", at(0));
    assert!(matches!(replayed, Err(EnrolmentError::Nonce)));
}

#[test]
fn rejects_a_claim_code_that_is_wrong_used_or_too_old() {
    let world = World::before_enrolment();
    let psp = world.psp();
    let code = world.claim_code();
    let enrol = |seed: u8, customer: &str, code: &ClaimCode, now| {
        let key = format!("enrol-{seed:0>10}");
        let nonce = psp.enrolment_nonce(&anonymous(&format!("n{key}"), 0), &[seed; 32], now).unwrap().nonce;
        let bytes = TestDevice::new(seed).enrolment(&world.maker, "maker", "series", &nonce);
        psp.enrol(&anonymous(&key, 1), &name(customer), code, &Enrolment::decode(&bytes).unwrap(), now).map(drop)
    };
    let refused = |result| assert!(matches!(result, Err(EnrolmentError::ClaimCode)), "{result:?}");
    refused(enrol(61, "alice", &ClaimCode::from_seed(&[2; 32]), at(0)));
    refused(enrol(62, "bob", &code, at(0)));
    refused(enrol(63, "nobody", &code, at(0)));
    refused(enrol(64, "alice", &code, at(7 * 86_400 + 1)));
    enrol(65, "alice", &code, at(0)).unwrap();
    refused(enrol(66, "alice", &code, at(0)));
}

#[test]
fn an_identity_that_the_bank_knows_is_refused_and_the_claim_code_stays_good() {
    let world = World::before_enrolment();
    let psp = world.psp();
    world.bank.state().devices.insert(world.device.identity(), [1; 16]);
    let twice = world.enrol(&psp, &world.device, "enrol-1111111111");
    assert!(matches!(twice, Err(EnrolmentError::AlreadyEnrolled)), "{twice:?}");
    let other = TestDevice::new(51);
    let nonce = psp.enrolment_nonce(&anonymous("nonce-2222222222", 0), &[9; 32], at(0)).unwrap().nonce;
    let bytes = other.enrolment(&world.maker, "maker", "series", &nonce);
    let code = ClaimCode::from_seed(&world.public().0);
    let enrolment = Enrolment::decode(&bytes).unwrap();
    psp.enrol(&anonymous("enrol-2222222222", 1), &name("alice"), &code, &enrolment, at(0)).unwrap();
}

#[test]
fn an_element_is_enrolled_for_one_customer_only() {
    let world = World::new();
    let psp = world.psp();
    let code = world.claim_code();
    let others = [("enrol-2222222222", &world.device, [1; 32]), ("enrol-3333333333", &TestDevice::new(51), [2; 32])];
    for (key, device, seed) in others {
        // Another identity with the key of the enrolled one, or the enrolled one itself.
        let device = TestDevice { u: device.u, key: world.device.key.clone() };
        let nonce = psp.enrolment_nonce(&anonymous(&format!("n{key}"), 0), &seed, at(0)).unwrap().nonce;
        let bytes = device.enrolment(&world.maker, "maker", "series", &nonce);
        let twice = psp.enrol(&anonymous(key, 1), &name("alice"), &code, &Enrolment::decode(&bytes).unwrap(), at(0));
        assert!(matches!(twice, Err(EnrolmentError::AlreadyEnrolled)), "{twice:?}");
    }
}

#[test]
fn a_customer_has_no_more_devices_than_its_tier_allows() {
    let world = World::new();
    let psp = world.psp();
    world.enrol(&psp, &TestDevice::new(51), "enrol-2222222222").unwrap();
    let third = world.enrol(&psp, &TestDevice::new(52), "enrol-3333333333");
    assert!(matches!(third, Err(EnrolmentError::TooManyDevices(_))), "{third:?}");
    assert_eq!(world.bank.state().devices.len(), 2);
}

#[test]
fn a_key_is_for_one_request() {
    let world = World::new();
    let psp = world.psp();
    let bytes = world.device.enrolment(&world.maker, "maker", "series", &[0; 32]);
    let request = anonymous("enrol-0000000000", 2);
    let conflict = psp.enrol(&request, &name("alice"), &world.claim_code(), &Enrolment::decode(&bytes).unwrap(), at(0));
    assert!(matches!(conflict, Err(EnrolmentError::Conflict(_))), "{conflict:?}");
}

#[test]
fn a_late_answer_of_the_bank_does_not_undo_that_a_device_was_struck_off() {
    let world = World::before_enrolment();
    let (slow, quick) = (world.psp(), world.psp());
    let (bank, identity) = (std::sync::Arc::clone(&world.bank), world.device.identity());
    // While one waits for the bank's answer, another activates the device, and it spends twice.
    *world.bank.meanwhile.lock().unwrap() = Some(Box::new(move || {
        quick.reconcile(at(1)).unwrap();
        bank.state().struck_off.push(identity);
        quick.reconcile(at(2)).unwrap();
    }));
    world.enrol(&slow, &world.device, "enrol-0000000000").unwrap();
    let devices = slow.devices(&name("alice")).unwrap();
    assert_eq!(devices[0].state, DeviceState::StruckOff);
}
