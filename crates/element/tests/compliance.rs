//! The element says, bit for bit, what `vectors/compliance.json` has an element say that drew the same seed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::convert::Infallible;

use serde_json::Value;
use specie_element::client::{self, Link};
use specie_element::entropy::EntropyFailure;
use specie_element::sim::SimFlash;
use specie_element::{Element, Platform};

const PAGE: usize = 2048;

/// Draws one seed, and runs one firmware.
struct Seeded {
    seed: [u8; 32],
    firmware: [u8; 32],
}

struct InProcess(Element<SimFlash<4, PAGE>, Seeded, 16>);

impl Platform for Seeded {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = self.seed;
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        self.firmware
    }
}

impl Link for InProcess {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.0.process(command, response))
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn accepted(kind: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/compliance.json")).unwrap();
    let entries = file["vectors"].as_array().unwrap().iter();
    entries.filter(|entry| entry["kind"] == kind && entry["accept"] == true).cloned().collect()
}

fn generated(seed: [u8; 32], firmware: [u8; 32]) -> InProcess {
    let mut element = InProcess(Element::new(SimFlash::new(8, 1), Seeded { seed, firmware }).unwrap());
    client::generate(&mut element).unwrap();
    element
}

#[test]
fn enrolments() {
    for entry in accepted("enrolment") {
        let mut element = generated(array(&entry["element_seed"]), array(&entry["firmware"]));
        let keys = client::generate(&mut element).unwrap();
        assert_eq!((keys.identity, keys.authentication), (array(&entry["U"]), array(&entry["A"])));
        client::personalise(&mut element, &[2; 32], b"87654321", &bytes(&entry["certificate"])).unwrap();
        let answer = client::enrol(&mut element, &array(&entry["nonce"]), &bytes(&entry["device_info"])).unwrap();
        assert_eq!((answer.commitment, answer.response), (array(&entry["R"]), array(&entry["s"])));
        assert!(bytes(&entry["attestation"]).ends_with(&answer.attestation), "{}", entry["why"]);
    }
}

/// Of an element that was never used: others are tested by what they sign and how it opens.
#[test]
fn totals() {
    let unused = accepted("totals").into_iter().filter(|entry| entry["held"] == 0 && entry["spent"] == 0);
    let unused: Vec<Value> = unused.collect();
    assert!(!unused.is_empty());
    for entry in unused {
        let seed = array(&entry["element_seed"]);
        let firmware = [0xF1; 32];
        let mut element = generated(seed, firmware);
        personalise(&mut element, firmware);
        let totals = client::totals(&mut element, &array(&entry["nonce"])).unwrap();
        assert_eq!(totals.limits_sequence, entry["sequence"].as_u64().unwrap());
        assert_eq!((totals.held.blinding, totals.held.commitment), (array(&entry["r_held"]), array(&entry["C_held"])));
        let spent = (totals.spent.blinding, totals.spent.commitment);
        assert_eq!(spent, (array(&entry["r_spent"]), array(&entry["C_spent"])));
        assert_eq!(totals.signature, array(&entry["signature"]));
    }
}

fn personalise(element: &mut InProcess, firmware: [u8; 32]) {
    use specie_core::encoding::Encode;
    use specie_core::enrolment::{CERTIFICATE_LENGTH_MAX, Certificate, CertificateBody};
    use specie_core::signature::{PublicKey, SigningKey};
    use specie_core::text::Name;

    let keys = client::generate(element).unwrap();
    let (maker, series) = (Name::new("maker").unwrap(), Name::new("series").unwrap());
    let body = CertificateBody { maker, series, firmware, U: keys.identity, A: PublicKey(keys.authentication) };
    let mut buffer = [0; CERTIFICATE_LENGTH_MAX];
    let certificate = Certificate::sign(body, &SigningKey::from_seed(&[3; 32]));
    client::personalise(element, &[2; 32], b"87654321", certificate.encode(&mut buffer).unwrap()).unwrap();
}
