//! The descriptions in the repository are those of the routes.
#![allow(clippy::unwrap_used)]

use serde_json::Value;

const BANK: &str = include_str!("../../../docs/openapi/bank.json");
const PSP: &str = include_str!("../../../docs/openapi/psp.json");

#[test]
fn the_descriptions_are_of_today() {
    for (kept, made) in [(BANK, specie_server::bank::description()), (PSP, specie_server::psp::description())] {
        assert!(kept == made, "write them anew with `cargo xtask openapi`, and look at what changed");
    }
}

/// Whatever changes something can be repeated after a lost answer, and is asked for by somebody who signs, but for the
/// enrolment of devices that nobody knows yet.
#[test]
fn what_changes_something_has_a_key_and_a_signature() {
    for (kept, unsigned) in [(BANK, &[][..]), (PSP, &["/v1/enrolments", "/v1/enrolments/nonce"])] {
        let document: Value = serde_json::from_str(kept).unwrap();
        let mut changing = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(post) = methods.get("post") else { continue };
            changing += 1;
            let parameters = post["parameters"].as_array().unwrap();
            assert!(parameters.iter().any(|one| one["name"] == "idempotency-key" && one["required"] == true), "{path}");
            assert!(post["requestBody"]["required"] == true, "{path}");
            assert_eq!(post.get("security").is_none(), unsigned.contains(&path.as_str()), "{path}");
        }
        assert!(changing > 10, "{changing}");
    }
}
