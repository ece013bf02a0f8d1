//! The verdict on every ceremony and opening in `vectors/compliance.json`.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use specie_core::disclosure::DisclosedTransfer;
use specie_core::encoding::{Decode, Encode};
use specie_supervision::opening::Opening;
use specie_supervision::outcome::Outcome;

fn entries(kind: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/compliance.json")).unwrap();
    let entries: Vec<Value> =
        file["vectors"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).cloned().collect();
    assert!(!entries.is_empty());
    entries
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn ceremonies() {
    for entry in entries("ceremony") {
        let outcome = Outcome::decode(&bytes(&entry["outcome"]));
        assert_eq!(outcome.is_ok(), entry["accept"], "{}", entry["why"]);
        if let Ok(outcome) = outcome {
            assert_eq!(outcome.to_vec(), bytes(&entry["outcome"]));
            assert_eq!(outcome.transcript().hash().to_vec(), bytes(&entry["transcript"]));
            assert_eq!(outcome.transcript().invitation().id().to_vec(), bytes(&entry["ceremony"]));
            assert_eq!(outcome.transcript().key().0.to_vec(), bytes(&entry["S"]));
        }
    }
}

#[test]
fn openings() {
    for entry in entries("opening") {
        let outcome = Outcome::decode(&bytes(&entry["outcome"])).unwrap();
        let disclosed = DisclosedTransfer::decode(&bytes(&entry["disclosed"])).unwrap();
        let opening = Opening::decode(&bytes(&entry["opening"]));
        let payer = opening.as_ref().ok().and_then(|opening| opening.verify(&outcome, &disclosed).ok());
        assert_eq!(payer.is_some(), entry["accept"], "{}", entry["why"]);
        if let Some(payer) = payer {
            assert_eq!(payer.U.to_vec(), bytes(&entry["U"]));
            assert_eq!(opening.unwrap().to_vec(), bytes(&entry["opening"]));
        }
    }
}
