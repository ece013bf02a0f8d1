//! The verdict on all totals in `vectors/compliance.json`.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use specie_core::Amount;
use specie_core::signature::PublicKey;
use specie_totals::{Bounds, Opening, Statement};

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn amount(value: &Value) -> Amount {
    Amount::new(value.as_u64().unwrap()).unwrap()
}

#[test]
fn opened_totals() {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/compliance.json")).unwrap();
    let entries: Vec<&Value> =
        file["vectors"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "totals").collect();
    assert!(!entries.is_empty());
    for entry in entries {
        let statement = Statement {
            nonce: array(&entry["nonce"]),
            limits_sequence: entry["sequence"].as_u64().unwrap(),
            held: array(&entry["C_held"]),
            spent: array(&entry["C_spent"]),
            signature: array(&entry["signature"]),
        };
        let bounds =
            Bounds { max_holding: amount(&entry["max_holding"]), max_cumulative: amount(&entry["max_cumulative"]) };
        let [held, spent] = [("held", "r_held"), ("spent", "r_spent")]
            .map(|(total, r)| Opening { total: entry[total].as_u64().unwrap(), blinding: array(&entry[r]) });
        let verdict = statement.verify_opened(&PublicKey(array(&entry["A"])), &bounds, &held, &spent);
        assert_eq!(verdict.is_ok(), entry["accept"], "{}: {verdict:?}", entry["why"]);
    }
}
