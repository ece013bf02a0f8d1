//! The verdict on every export in `vectors/compliance.json`, and the bytes that are hashed and signed.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use specie_audit::{Line, SignedHead, Verified, Verifier, VerifyError};
use specie_core::encoding::Encode;
use specie_core::signature::{PublicKey, SigningKey};

fn array(value: &Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().unwrap().iter().map(|line| line.as_str().unwrap())
}

fn verify(entry: &Value) -> Result<Verified, VerifyError> {
    let mut verifier = Verifier::new(PublicKey(array(&entry["key"])));
    if let Some(since) = entry["since"].as_str() {
        let Ok(Line::Head(head)) = Line::parse(since) else { panic!("{since} is no head") };
        verifier = verifier.since(head)?;
    }
    texts(&entry["export"]).try_for_each(|line| verifier.line(line))?;
    verifier.finish()
}

#[test]
fn exports() {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/compliance.json")).unwrap();
    let entries: Vec<&Value> =
        file["vectors"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "audit").collect();
    assert!(!entries.is_empty());
    for entry in entries {
        let verdict = verify(entry);
        assert_eq!(verdict.is_ok(), entry["accept"], "{}: {verdict:?}", entry["why"]);
        if verdict.is_ok() {
            is_written_so(entry);
        }
    }
}

fn is_written_so(entry: &Value) {
    let key = SigningKey::from_seed(&array(&entry["seed"]));
    let [mut records, mut hashes, mut heads] = ["records", "hashes", "heads"].map(|field| texts(&entry[field]));
    for text in texts(&entry["export"]) {
        let line = Line::parse(text).unwrap();
        assert_eq!(line.to_text(), text);
        match line {
            Line::Log(_) | Line::Key(_) | Line::Consistency(_) => {}
            Line::Record(record) => {
                assert_eq!(records.next().unwrap(), hex::encode(record.to_vec()));
                assert_eq!(hashes.next().unwrap(), hex::encode(record.hash()));
            }
            Line::Head(SignedHead { head, signature }) => {
                assert_eq!(heads.next().unwrap(), hex::encode(head.to_vec()));
                assert_eq!(head.sign(&key).signature, signature);
            }
        }
    }
    assert!(records.next().is_none() && hashes.next().is_none() && heads.next().is_none());
}
