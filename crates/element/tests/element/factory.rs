//! Life cycle: factory, personalisation, identity, wiping.

use specie_core::attestation::{Claims, TOKEN_LENGTH_MAX, Token};
use specie_core::encoding::{Decode, Encode};
use specie_core::enrolment::{Certificate, Proof};
use specie_core::label;
use specie_core::signature::PublicKey;
use specie_element::client::{self, Wipe};
use specie_element::instruction::{LifeCycle, Purpose};
use specie_element::sim::Cut;
use specie_element::status::StatusWord;

use crate::sample::Sample;
use crate::support::*;

#[test]
fn an_element_goes_through_its_life() {
    let world = World::new();
    let mut element = power_up(flash());
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
    assert_eq!(client::status(&mut element).unwrap().records_free, RECORDS as u32);
    let keys = client::generate(&mut element).unwrap();
    let mut element = restart(element);
    assert_eq!(client::generate(&mut element).unwrap(), keys, "a repeat draws nothing new");
    let selected = client::select(&mut element).unwrap();
    assert_eq!((selected.version, selected.life_cycle, selected.firmware), (1, LifeCycle::Generated, FIRMWARE));

    let certificate = world.certify(world.certificate(&keys));
    client::personalise(&mut element, &world.root.public().0, &PUK, &certificate).unwrap();
    let mut element = restart(element);
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Personalised);
    assert_eq!(client::identity(&mut element).unwrap().as_bytes(), certificate);
    assert_eq!(refusal(client::generate(&mut element)), StatusWord::WRONG_STATE);
    let again = client::personalise(&mut element, &world.root.public().0, &PUK, &certificate);
    assert_eq!(refusal(again), StatusWord::WRONG_STATE);

    client::wipe(&mut element, Wipe::IfEmpty).unwrap();
    let mut element = restart(element);
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Wiped);
    client::wipe(&mut element, Wipe::IfEmpty).unwrap();
    assert_eq!(client::status(&mut element).unwrap().life_cycle, LifeCycle::Wiped);
    assert_eq!(refusal(client::generate(&mut element)), StatusWord::WRONG_STATE);
    assert_eq!(refusal(client::identity(&mut element)), StatusWord::WRONG_STATE);
}

#[test]
fn nothing_works_before_personalisation() {
    let mut element = power_up(flash());
    for generated in [false, true] {
        if generated {
            client::generate(&mut element).unwrap();
        }
        assert_eq!(refusal(client::identity(&mut element)), StatusWord::WRONG_STATE);
        assert_eq!(refusal(client::nonces(&mut element, 0, 1)), StatusWord::WRONG_STATE);
        assert_eq!(refusal(client::enrol(&mut element, &[0; 32], &[])), StatusWord::WRONG_STATE);
        assert_eq!(refusal(client::change_pin(&mut element, &[], b"1234")), StatusWord::WRONG_STATE);
        assert_eq!(refusal(client::wipe(&mut element, Wipe::EvenSo)), StatusWord::WRONG_STATE);
        let refused = client::sign_request(&mut element, Purpose::Payee, &[0; 32]);
        assert_eq!(refusal(refused), StatusWord::WRONG_STATE);
    }
}

#[test]
fn a_certificate_must_name_this_element() {
    let world = World::new();
    let mut element = power_up(flash());
    let keys = client::generate(&mut element).unwrap();
    let good = world.certificate(&keys);
    let mut wrong = [good; 3];
    wrong[0].U[0] ^= 1;
    wrong[1].A = world.psp.public();
    wrong[2].firmware[0] ^= 1;
    let root = world.root.public().0;
    for body in wrong {
        let refused = client::personalise(&mut element, &root, &PUK, &world.certify(body));
        assert_eq!(refusal(refused), StatusWord::WRONG_DATA);
    }
    let mut trailing = world.certify(good);
    trailing.push(0);
    assert_eq!(refusal(client::personalise(&mut element, &root, &PUK, &trailing)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::personalise(&mut element, &root, &PUK, &[0; 257])), StatusWord::WRONG_LENGTH);
    client::personalise(&mut element, &root, &PUK, &world.certify(good)).unwrap();
}

#[test]
fn enrolment_proves_what_a_psp_checks() {
    let world = World::new();
    let mut element = world.personalised();
    let keys = keys_of(&mut element);
    let answer = client::enrol(&mut element, &[5; 32], b"phone").unwrap();
    let key = PublicKey(keys.authentication);
    let proof = Proof { R: answer.commitment, s: answer.response };
    proof.verify_vartime(&world.generators, &keys.identity, &key, &[5; 32], b"phone").unwrap();
    let certificate = client::identity(&mut element).unwrap();
    let certificate = Certificate::decode(certificate.as_bytes()).unwrap();
    let claims = Claims { element: &certificate.body, nonce: &[5; 32] };
    let mut buffer = [0; TOKEN_LENGTH_MAX];
    claims.verify(Token { claims, signature: answer.attestation }.encode(&mut buffer).unwrap()).unwrap();
    assert_eq!(client::enrol(&mut element, &[5; 32], b"phone").unwrap(), answer);
    let other = client::enrol(&mut element, &[5; 32], b"phonf").unwrap();
    assert_ne!(other.commitment, answer.commitment, "one w under two challenges gives u away");
    assert_eq!(refusal(client::enrol(&mut element, &[5; 32], &[0; 65])), StatusWord::WRONG_LENGTH);
}

#[test]
fn signatures_serve_their_purpose_only() {
    let world = World::new();
    let mut element = world.personalised();
    let key = PublicKey(keys_of(&mut element).authentication);
    let device = client::sign_request(&mut element, Purpose::DeviceRequest, &[6; 32]).unwrap();
    let payee = client::sign_request(&mut element, Purpose::Payee, &[6; 32]).unwrap();
    key.verify(label::DEVICE_REQUEST, &[&[6; 32]], &device).unwrap();
    key.verify(label::PAYEE, &[&[6; 32]], &payee).unwrap();
    assert!(key.verify(label::PAYEE, &[&[6; 32]], &device).is_err());
}

#[test]
fn wiping_asks_whether_money_is_held_and_leaves_no_secret() {
    let world = World::new();
    let (mut element, ..) = world.registered();
    assert_eq!(refusal(client::wipe(&mut element, Wipe::IfEmpty)), StatusWord::WRONG_STATE);
    client::wipe(&mut element, Wipe::EvenSo).unwrap();
    assert_eq!(client::status(&mut element).unwrap().held, 0);
    let flash = element.into_flash();
    assert!(!flash.bytes().windows(16).any(|window| window == [7; 16]), "the seed is still in the flash");
    assert!(flash.bytes().iter().filter(|&&byte| byte != 0xFF).count() < 100, "more than the wiped record is left");
}

#[test]
fn an_element_fits_in_16_kilobytes_of_memory() {
    type Board<'a> = specie_element::Element<&'a mut SimulatedFlash, TestPlatform, 256>;
    assert!(size_of::<Board<'_>>() < 8 * 1024, "{}", size_of::<Board<'_>>());
}

/// Nobody is told that an element is wiped while its seed can still be read from the flash.
#[test]
fn wiping_is_not_done_before_everything_is_erased() {
    let world = World::new();
    let holds_seed = |flash: &Flash| flash.bytes().windows(32).any(|bytes| bytes == [7; 32]);
    let registered = world.registered().0.into_flash();
    assert!(holds_seed(&registered));
    let mut element = power_up(registered.clone());
    client::wipe(&mut element, Wipe::EvenSo).unwrap();
    let operations = element.into_flash().operations() - registered.operations();
    assert!(operations > 3);
    for n in Sample::new().of(0..operations, 8) {
        let mut flash = registered.clone();
        flash.fail_after(n, Cut::Clean, true);
        let mut element = power_up(flash);
        let answer = client::wipe(&mut element, Wipe::EvenSo);
        let mut flash = element.into_flash();
        assert!(flash.failures() > 0);
        assert!(answer.is_err() || !holds_seed(&flash), "failing from operation {n}");
        flash.power_up();
        let mut element = power_up(flash);
        client::wipe(&mut element, Wipe::EvenSo).unwrap();
        assert!(!holds_seed(&element.into_flash()), "failing from operation {n}");
    }
}

/// Only in this process: it has a noise source of its own. The chip's is tested in `chip`.
#[test]
fn a_noise_source_that_failed_leaves_the_element_as_it_was() {
    use specie_element::entropy::{Entropy, EntropyFailure, NoiseSource};
    use specie_element::{Element, Platform};

    /// Works from its second power-up on.
    struct Noise(bool, u64);
    impl NoiseSource for Noise {
        fn sample(&mut self) -> Option<u8> {
            self.1 = self.1.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Some(if self.0 { (self.1 >> 56) as u8 } else { 0 })
        }
    }
    struct Chip(Entropy<Noise>);
    impl Platform for Chip {
        fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
            self.0.draw(out)
        }
        fn firmware(&self) -> [u8; 32] {
            FIRMWARE
        }
    }
    fn power_up(flash: SimulatedFlash, works: bool) -> Element<SimulatedFlash, Chip, RECORDS> {
        Element::new(flash, Chip(Entropy::new(Noise(works, 1)))).unwrap()
    }

    let mut element = power_up(SimulatedFlash::new(PAGES, 1), false);
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
    let flash = element.into_flash();
    let before = flash.bytes().to_vec();
    let mut element = power_up(flash, false);
    for _ in 0..2 {
        assert_eq!(refusal(client::generate(&mut element)), StatusWord::ENTROPY_FAILED);
        assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
    }
    let flash = element.into_flash();
    assert_eq!(flash.bytes(), before);
    let mut element = power_up(flash, true);
    let keys = client::generate(&mut element).unwrap();
    // What is drawn already needs no noise any more.
    let mut element = power_up(element.into_flash(), false);
    assert_eq!(client::generate(&mut element).unwrap(), keys);
}
