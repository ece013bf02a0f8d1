//! Limits documents and descriptors.

use specie_core::descriptor::Descriptor;
use specie_core::encoding::Decode;
use specie_core::limits::Limits;
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;

use crate::world::{DAY, TestDevice, World, amount, at, name};

#[test]
fn limits_follow_the_tier_and_count_up() {
    let world = World::new();
    let psp = world.psp();
    let first = psp.limits(&world.device.asks("limits-0000000001", 1), at(10)).unwrap();
    assert_eq!(psp.limits(&world.device.asks("limits-0000000001", 1), at(99)).unwrap(), first);
    let document = Limits::decode(&first).unwrap();
    assert!(document.verify(&psp.identity().key.public()).is_ok());
    let body = document.body;
    assert_eq!((body.psp, body.device, body.sequence), (name("north"), world.public(), 1));
    assert_eq!((body.max_payment, body.max_holding), (amount(5_000), amount(8_000)));
    assert_eq!((body.issued_at, body.valid_until), (at(10), at(10 + 14 * 86_400)));
    psp.set_tier(&name("alice"), &name("standard"), at(20)).unwrap();
    let second = psp.limits(&world.device.asks("limits-0000000002", 1), at(20)).unwrap();
    let body = Limits::decode(&second).unwrap().body;
    assert_eq!(
        (body.sequence, body.max_payment),
        (1, amount(50_000)),
        "its element does not say that it holds the first"
    );
    let conflict = psp.limits(&world.device.asks("limits-0000000002", 2), at(20));
    assert!(matches!(conflict, Err(DocumentError::Conflict(_))), "{conflict:?}");
    assert!(psp.set_tier(&name("alice"), &name("golden"), at(20)).is_err());
    // A later version of the tiers counts from its first moment on, without anybody doing anything.
    for (key, seconds, payment) in
        [("limits-0000000003", 365 * DAY - 1, 50_000), ("limits-0000000004", 365 * DAY, 25_000)]
    {
        let document = psp.limits(&world.device.asks(key, 1), at(seconds)).unwrap();
        assert_eq!(Limits::decode(&document).unwrap().body.max_payment, amount(payment), "{seconds}");
    }
}

#[test]
fn only_devices_in_good_standing_get_limits() {
    let world = World::new();
    let psp = world.psp();
    let stranger = psp.limits(&TestDevice::new(77).asks("limits-0000000001", 1), at(10));
    assert!(matches!(stranger, Err(DocumentError::Device(DeviceRefusal::Unknown))), "{stranger:?}");
    psp.set_blocked(&world.public(), true, at(1)).unwrap();
    let blocked = psp.limits(&world.device.asks("limits-0000000001", 1), at(10));
    assert!(matches!(blocked, Err(DocumentError::Device(DeviceRefusal::Blocked))), "{blocked:?}");
}

#[test]
fn merchants_get_descriptors_and_nobody_else() {
    let world = World::new();
    let psp = world.psp();
    let refused = psp.descriptor(&world.device.asks("descriptor-000001", 1), at(10));
    assert!(matches!(refused, Err(DocumentError::NotAMerchant)), "{refused:?}");
    let (device, code) = (TestDevice::new(60), [61; 32]);
    let code = psp.issue_claim_code(&name("bob"), &code, at(0)).unwrap();
    let nonce = psp.enrolment_nonce(&crate::world::anonymous("nonce-0000000060", 0), &[8; 32], at(0)).unwrap().nonce;
    let bytes = device.enrolment(&world.maker, "maker", "series", &nonce);
    let enrolment = specie_core::enrolment::Enrolment::decode(&bytes).unwrap();
    let request = crate::world::anonymous("enrol-0000000060", 1);
    psp.enrol(&request, &name("bob"), &code, &enrolment, at(0)).unwrap();
    let first = psp.descriptor(&device.asks("descriptor-000001", 1), at(10)).unwrap();
    assert_eq!(psp.descriptor(&device.asks("descriptor-000001", 1), at(20)).unwrap(), first);
    let descriptor = Descriptor::decode(&first).unwrap();
    assert!(descriptor.verify(&psp.identity().key.public()).is_ok());
    let body = descriptor.body;
    assert_eq!((body.payee, body.account, body.category), (name("Bob's Bakery"), name("bob-account"), 5462));
    assert_eq!((body.key, body.valid_until), (device.key.public(), at(10 + 365 * 86_400)));
}
