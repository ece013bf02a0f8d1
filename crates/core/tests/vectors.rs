//! Every value of `vectors/core.json` bit for bit, and the stated verdict on every entry of `vectors/reject.json`.
#![allow(non_snake_case, reason = "the letters of the specification")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use specie_core::class::Class;
use specie_core::enrolment::{Proof, challenge as enrolment_challenge};
use specie_core::evidence::Revealed;
use specie_core::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding, IssuerSession, IssuingKey};
use specie_core::note::{Note, owner_tag};
use specie_core::show::{Batch, Show, element_response, verify_compact_vartime, verify_extended_vartime};
use specie_core::signature::PublicKey;
use specie_core::transfer::{challenge, transfer_id};

const CORE: &str = include_str!("../../../vectors/core.json");
const REJECT: &str = include_str!("../../../vectors/reject.json");

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a hex string")).expect("hex")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length")
}

fn scalar(value: &Value) -> Scalar {
    decode_scalar(&array(value)).expect("canonical")
}

fn vectors(json: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(json).unwrap();
    let vectors = file["vectors"].as_array().unwrap().clone();
    assert!(!vectors.is_empty());
    vectors
}

#[test]
fn vector_generators() {
    let file: Value = serde_json::from_str(CORE).unwrap();
    let generators = Generators::new();
    assert_eq!(encode_point(&RistrettoPoint::mul_base(&Scalar::ONE)), array(&file["generators"]["G"]));
    assert_eq!(encode_point(&generators.H), array(&file["generators"]["H"]));
    assert_eq!(encode_point(&generators.K), array(&file["generators"]["K"]));
}

#[test]
fn vector_classes() {
    for vector in vectors(CORE) {
        let class = Class::decode(&array(&vector["Y"]), &bytes(&vector["info"])).unwrap();
        let key = IssuingKey::from_bytes(&array(&vector["x"])).unwrap();
        assert_eq!(encode_point(&key.public()), array(&vector["Y"]));
        assert_eq!(class.info_bytes(), bytes(&vector["info"]));
        assert_eq!(class.id().0, array(&vector["class_id"]));
        assert_eq!(encode_point(class.Z()), array(&vector["Z"]));
    }
}

#[test]
fn vector_enrolment() {
    let generators = Generators::new();
    for vector in vectors(CORE) {
        let enrol = &vector["enrol"];
        let (u, w) = (scalar(&enrol["u"]), scalar(&enrol["w"]));
        let (U, A, nonce) = (array(&enrol["U"]), PublicKey(array(&enrol["A"])), array(&enrol["nonce"]));
        let info = bytes(&enrol["device_info"]);
        assert_eq!(encode_point(&(u * generators.K)), U);
        let proof = Proof::prove(&generators, &u, &w, &A, &nonce, &info);
        assert_eq!(enrolment_challenge(&U, &proof.R, &A, &nonce, &info), scalar(&enrol["c"]));
        assert_eq!(proof, Proof { R: array(&enrol["R"]), s: array(&enrol["s"]) });
        assert_eq!(proof.verify_vartime(&generators, &U, &A, &nonce, &info), Ok(()));
        assert!(proof.verify_vartime(&generators, &U, &A, &[0; 32], &info).is_err());
        assert!(proof.verify_vartime(&generators, &[0; 32], &A, &nonce, &info).is_err());
    }
}

#[test]
fn vector_issuance_and_shows() {
    let generators = Generators::new();
    for vector in vectors(CORE) {
        let issue = &vector["issue"];
        let class = Class::decode(&array(&vector["Y"]), &bytes(&vector["info"])).unwrap();
        let key = IssuingKey::from_bytes(&array(&vector["x"])).unwrap();
        let u = scalar(&vector["enrol"]["u"]);
        let U = u * generators.K;

        let secrets = ["kappa", "s1", "s2", "delta"].map(|name| array::<32>(&issue[name])).concat();
        let session = IssuerSession::from_bytes(&secrets.try_into().unwrap()).unwrap();
        let commitment = session.commit_with(&generators, &class, &U, &scalar(&issue["rnd"])).unwrap();
        assert_eq!(commitment.a, array(&issue["a"]));
        assert_eq!(commitment.b1, array(&issue["b1"]));
        assert_eq!(commitment.b2, array(&issue["b2"]));

        let k3 = scalar(&issue["k3"]);
        let K3 = k3 * generators.K;
        assert_eq!(encode_point(&K3), array(&issue["K3"]));
        let t: Vec<Scalar> = issue["t"].as_array().unwrap().iter().map(scalar).collect();
        let blinding = Blinding {
            gamma: scalar(&issue["gamma"]),
            tau: scalar(&issue["tau"]),
            t: t.try_into().unwrap(),
            k0: scalar(&issue["k0"]),
            k1: scalar(&issue["k1"]),
        };
        let blinded = Blinded::blind(&generators, &class, &U, &K3, &blinding, &commitment).unwrap();
        assert_eq!(blinded.points().N0, array(&issue["N0"]));
        assert_eq!(blinded.points().N1, array(&issue["N1"]));
        assert_eq!(*blinded.e(), scalar(&issue["e"]));
        let epsilon = blinded.e() + blinding.t[1] + blinding.t[3];
        assert_eq!(epsilon, scalar(&issue["epsilon"]));

        let response = session.answer(&key, blinded.e());
        assert_eq!(response.r, scalar(&issue["r"]));
        let issued = blinded.unblind(&generators, &class, &U, &blinding, &commitment, &response).unwrap();
        assert_eq!(issued.note.0.to_vec(), bytes(&vector["note"]));
        assert_eq!(issued.id.0, array(&vector["note_id"]));
        assert_eq!(owner_tag(&issued.id, &array(&vector["owner"]["blind"])).0, array(&vector["owner"]["tag"]));

        let shows = vector["shows"].as_array().unwrap();
        let mut seen = Vec::new();
        for show in shows {
            let preimage = bytes(&show["preimage"]);
            let d = challenge(&preimage);
            assert_eq!(d, scalar(&show["d"]));
            assert_eq!(transfer_id(&preimage).0, array(&show["transfer_id"]));
            let z3 = element_response(&k3, &d, &issued.secrets.gamma, &u);
            let made = Show::new(&issued.secrets, &d, z3);
            assert_eq!(made, Show { z0: scalar(&show["z0"]), z1: scalar(&show["z1"]), z3: scalar(&show["z3"]) });
            let points = verify_compact_vartime(&generators, &class, &issued.note, &d, &made).unwrap();
            assert_eq!(points, issued.points);
            assert_eq!(verify_extended_vartime(&generators, &class, &issued.note, &d, &made, &points), Ok(()));
            seen.push((d, made));
        }
        let [(d1, first), (d2, second)] = seen.try_into().unwrap();
        let differences = (d1 - d2, first.z0 - second.z0, first.z1 - second.z1, first.z3 - second.z3);
        let revealed =
            Revealed::from_differences(&differences.0, &differences.1, &differences.2, &differences.3).unwrap();
        assert_eq!(revealed.u, u);
        assert_eq!(revealed.gamma, blinding.gamma);
        assert_eq!(revealed.rnd, scalar(&issue["rnd"]));
    }
}

#[test]
fn vector_rejections() {
    let generators = Generators::new();
    for vector in vectors(REJECT) {
        let why = vector["why"].as_str().unwrap();
        let d = challenge(&bytes(&vector["preimage"]));
        let verdict = || {
            let class = Class::decode(&array(&vector["Y"]), &bytes(&vector["info"])).ok()?;
            let show = ["z0", "z1", "z3"].map(|name| array::<32>(&vector[name])).concat();
            let show = Show::from_bytes(&show.try_into().unwrap()).ok()?;
            let note = Note(array(&vector["note"]));
            let points = verify_compact_vartime(&generators, &class, &note, &d, &show).ok()?;
            verify_extended_vartime(&generators, &class, &note, &d, &show, &points).ok()?;
            let mut batch = Batch::new(generators, [7; 32]);
            batch.push(&class, &note, &d, &show, &points).ok()?;
            batch.verify_vartime().ok()
        };
        assert_eq!(verdict().is_some(), vector["accept"].as_bool().unwrap(), "{why}");
    }
}

#[test]
fn points_decode_strictly_in_vectors() {
    for vector in vectors(CORE) {
        let mut point: [u8; 32] = array(&vector["Y"]);
        assert!(decode_point(&point).is_ok());
        point[31] |= 0x80;
        assert!(decode_point(&point).is_err());
    }
}
