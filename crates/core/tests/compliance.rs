//! The verdict on every entry of `vectors/compliance.json` that is core's to judge, and that what holds is written as it was
//! read.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use specie_core::Timestamp;
use specie_core::attestation::{Claims, Token};
use specie_core::bytes::{NoteId, RevokedNote};
use specie_core::chain::{Deadline, End, Immediately, verify_chain};
use specie_core::class::Class;
use specie_core::disclosure::DisclosedTransfer;
use specie_core::encoding::{Decode, Encode};
use specie_core::enrolment::{Certificate, Enrolment};
use specie_core::group::{Generators, decode_point, decode_scalar, encode_point};
use specie_core::holding::Holding;
use specie_core::mandate::Mandate;
use specie_core::manifest::Manifest;
use specie_core::merkle;
use specie_core::note::owner_tag;
use specie_core::payment::Chain;
use specie_core::request::Request;
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody, RevocationPage};
use specie_core::signature::{PublicKey, SigningKey};

const COMPLIANCE: &str = include_str!("../../../vectors/compliance.json");

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a hex string")).expect("hex")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length")
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut buffer = vec![0; value.encoded_length()];
    value.encode(&mut buffer).unwrap();
    buffer
}

/// Calls `verdict` for every entry of a kind; gives those that are accepted.
fn judge(kind: &str, verdict: impl Fn(&Value) -> Option<()>) -> Vec<Value> {
    let file: Value = serde_json::from_str(COMPLIANCE).unwrap();
    let entries = file["vectors"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind);
    let (accepted, refused): (Vec<_>, Vec<_>) = entries.cloned().partition(|entry| entry["accept"] == true);
    assert!(!accepted.is_empty() && !refused.is_empty(), "{kind}");
    accepted.iter().for_each(|entry| assert!(verdict(entry).is_some(), "{kind} refused: {}", entry["why"]));
    refused.iter().for_each(|entry| assert!(verdict(entry).is_none(), "{kind} accepted: {}", entry["why"]));
    accepted
}

#[test]
fn disclosures() {
    let generators = Generators::new();
    let accepted = judge("disclosure", |entry| {
        let bytes = bytes(&entry["disclosed"]);
        let disclosed = DisclosedTransfer::decode(&bytes).ok()?;
        assert_eq!(encoded(&disclosed), bytes);
        disclosed.verify_vartime(&generators).ok()
    });
    for entry in accepted {
        let bytes = bytes(&entry["disclosed_extended"]);
        let disclosed = DisclosedTransfer::decode(&bytes).unwrap();
        assert_eq!(encoded(&disclosed), bytes);
        assert!(disclosed.verify_vartime(&generators).is_ok());
        assert_eq!(disclosed.key.0, array(&entry["S"]));
        let disclosure = disclosed.transfer.disclosure.unwrap();
        let [E1, E2] = [disclosure.E1, disclosure.E2].map(|point| decode_point(&point).unwrap());
        let s = decode_scalar(&array(&entry["s"])).unwrap();
        assert_eq!(encode_point(&(E2 - s * E1)), array(&entry["U"]));
    }
}

#[test]
fn revocation_pages() {
    let accepted = judge("revocation", |entry| {
        let bytes = bytes(&entry["page"]);
        RevocationPage::decode(&bytes).ok()?.verify(&PublicKey(array(&entry["ledger"]))).ok()
    });
    for entry in accepted {
        let bytes = bytes(&entry["page"]);
        let page = RevocationPage::decode(&bytes).unwrap();
        assert_eq!(page.id(), array(&entry["name"]));
        let RevocationPage { issuer, page: number, sequence, previous, oldest, issued_at, .. } = page;
        let notes: Vec<RevokedNote> = page.notes().collect();
        let body = RevocationBody { issuer, page: number, sequence, previous, oldest, issued_at, notes: &notes };
        let key = SigningKey::from_seed(&array(&entry["seed"]));
        assert_eq!(encoded(&body.sign(&key, &mut [0; PAGE_LENGTH_MAX]).unwrap()), bytes);
    }
}

#[test]
fn pairs_of_revocation_pages() {
    let accepted = judge("revocation-pair", |entry| {
        let (held, page) = (bytes(&entry["held"]), bytes(&entry["page"]));
        let (held, page) = (RevocationPage::decode(&held).unwrap(), RevocationPage::decode(&page).unwrap());
        assert_eq!(page.contradicts(&held), held.contradicts(&page), "{}", entry["why"]);
        (!page.contradicts(&held)).then_some(())
    });
    for entry in accepted {
        let (held, page) = (bytes(&entry["held"]), bytes(&entry["page"]));
        let (held, page) = (RevocationPage::decode(&held).unwrap(), RevocationPage::decode(&page).unwrap());
        assert_eq!(page.connects(&held), entry["follows"].as_bool().unwrap(), "{}", entry["why"]);
    }
}

#[test]
fn mandates() {
    let accepted = judge("mandate", |entry| Mandate::decode(&bytes(&entry["mandate"])).ok()?.verify().ok());
    for entry in accepted {
        let mandate = Mandate::decode(&bytes(&entry["mandate"])).unwrap();
        assert_eq!(mandate.body.id(), array(&entry["name"]));
        let owner = SigningKey::from_seed(&array(&entry["seed"]));
        assert_eq!(encoded(&Mandate::sign(mandate.body, mandate.terms, &owner)), bytes(&entry["mandate"]));
    }
}

#[test]
fn holdings() {
    let generators = Generators::new();
    let class = |Y: &Value, info: &Value| Class::decode(&array(Y), &bytes(info)).unwrap();
    let accepted = judge("holding", |entry| {
        let bytes = bytes(&entry["holding"]);
        let holding = Holding::decode(&bytes).ok()?;
        assert_eq!(encoded(&holding), bytes);
        let U = decode_point(&array(&entry["U"])).unwrap();
        let name = holding.verify_vartime(&generators, &class(&entry["Y"], &entry["info"]), &U).ok()?;
        assert!(entry["accept"] == false || name.0 == array(&entry["note_id"]));
        Some(())
    });
    for entry in accepted.iter().filter(|entry| entry["chain_Y"].is_string()) {
        let bytes = bytes(&entry["holding"]);
        let owned = Holding::decode(&bytes).unwrap().owned.unwrap();
        let classes = [class(&entry["chain_Y"], &entry["chain_info"])];
        let mut shows = Immediately(&generators);
        let summary = verify_chain(&classes[..], &owned.chain, Deadline::Never, End::Outputs, &mut shows, |_| ());
        let output = summary.unwrap().outputs.as_slice()[usize::from(owned.index)];
        assert_eq!(output.owner, owner_tag(&NoteId(array(&entry["note_id"])), &owned.blind));
        assert_eq!(output.amount.minor(), entry["amount"].as_u64().unwrap());
    }
}

#[test]
fn enrolments() {
    let generators = Generators::new();
    let accepted = judge("enrolment", |entry| {
        let (bytes, maker) = (bytes(&entry["enrolment"]), PublicKey(array(&entry["maker"])));
        let enrolment = Enrolment::decode(&bytes).ok()?;
        assert_eq!(encoded(&enrolment), bytes);
        enrolment.verify_vartime(&generators, &maker, &array(&entry["nonce"])).ok()
    });
    for entry in accepted {
        let certificate = Certificate::decode(&bytes(&entry["certificate"])).unwrap();
        let (maker, A) = (SigningKey::from_seed(&array(&entry["maker_seed"])), array(&entry["A_seed"]));
        assert_eq!(Certificate::sign(certificate.body, &maker), certificate);
        let claims = Claims { element: &certificate.body, nonce: &array(&entry["nonce"]) };
        assert_eq!(encoded(&claims), bytes(&entry["claims"]));
        let token = Token { claims, signature: claims.sign(&SigningKey::from_seed(&A)) };
        assert_eq!(encoded(&token), bytes(&entry["attestation"]));
    }
}

#[test]
fn manifests() {
    let accepted = judge("manifest", |entry| {
        let bytes = bytes(&entry["manifest"]);
        Manifest::decode(&bytes).ok()?.verify(&PublicKey(array(&entry["root"]))).ok()
    });
    for entry in accepted {
        let bytes = bytes(&entry["manifest"]);
        let manifest = Manifest::decode(&bytes).unwrap();
        assert_eq!(manifest.signed.header.id().0, array(&entry["name"]));
        assert_eq!(manifest.signed.header.sign(&SigningKey::from_seed(&array(&entry["seed"]))), manifest.signed);
        let paths = entry["paths"].as_array().unwrap();
        assert_eq!(paths.len(), manifest.entry_count());
        for (index, expected) in paths.iter().enumerate() {
            let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
            let length = manifest.entry_path(index, &mut path).unwrap();
            assert_eq!(hex::encode(path[..length].concat()), expected.as_str().unwrap());
            let (root, leaf) = (manifest.signed.header.entries_root, array(&entry["leaves"][index]));
            assert!(merkle::verify(&root, index, paths.len(), leaf, &path[..length]));
        }
    }
}

#[test]
fn requests() {
    judge("request", |entry| {
        let bytes = bytes(&entry["request"]);
        let request = Request::decode(&bytes).ok()?;
        assert_eq!(encoded(&request), bytes);
        if let Some(descriptor) = &request.body.descriptor {
            descriptor.verify(&PublicKey(array(&entry["psp"]))).ok()?;
        }
        request.verify_signature().ok()?;
        assert_eq!(request.body.digest(), array(&entry["digest"]));
        assert_eq!(request.context().0, array(&entry["context"]));
        Some(())
    });
}

#[test]
fn chains() {
    let generators = Generators::new();
    let code = |entry: &Value| {
        let bytes = bytes(&entry["chain"]);
        let Ok(chain) = Chain::decode(&bytes) else { return Err("malformed") };
        let transfers: Vec<Vec<u8>> = chain.transfers().map(|transfer| encoded(&transfer)).collect();
        assert!(bytes.ends_with(&transfers.concat()));
        let classes = entry["classes"].as_array().unwrap().iter();
        let classes = classes.map(|class| Class::decode(&array(&class["Y"]), &self::bytes(&class["info"])).unwrap());
        let classes: Vec<Class> = classes.collect();
        let now = Timestamp::new(entry["now"].as_u64().unwrap()).unwrap();
        let (deadline, end) = match entry["end"].as_str().unwrap() {
            "outputs" => (Deadline::Spend(now), End::Outputs),
            _ => (Deadline::Redeem(now), End::Redemption),
        };
        let mut shows = Immediately(&generators);
        verify_chain(&classes[..], &chain, deadline, end, &mut shows, |_| ()).map_err(|error| error.code())
    };
    judge("chain", |entry| match code(entry) {
        Ok(summary) => {
            assert_eq!((summary.root.0, summary.last.0), (array(&entry["root"]), array(&entry["last"])));
            assert_eq!(
                (summary.value.minor(), u64::from(summary.hops)),
                (number(entry, "value"), number(entry, "hops"))
            );
            assert_eq!(summary.redeem_until.seconds(), number(entry, "redeem_until"));
            Some(())
        }
        Err(code) => {
            assert_eq!(code, entry["code"], "{}", entry["why"]);
            None
        }
    });
}

fn number(entry: &Value, field: &str) -> u64 {
    entry[field].as_u64().unwrap()
}
