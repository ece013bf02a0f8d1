//! The attestation as others see it: `coset` reads what we write and writes what we read (§4.1).

use coset::cbor::{Value, de, ser};
use coset::iana::Algorithm;
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable};
use ed25519_dalek::Verifier;
use specie_core::attestation::{Claims, PROFILE, TOKEN_LENGTH_MAX, Token, oem_id};
use specie_core::enrolment::{CertificateBody, EnrolmentError};
use specie_core::text::Name;

use crate::fixture::{World, encoded};
use crate::messages::{certificate, key};

const NONCE: [u8; 32] = [8; 32];

fn token(body: &CertificateBody) -> Vec<u8> {
    let claims = Claims { element: body, nonce: &NONCE };
    encoded(&Token { claims, signature: claims.sign(&key(3)) })
}

/// The claims, by their numbers in the registry of CWT claims; the last one for private use.
fn expected(body: &CertificateBody) -> Value {
    let claims = [
        (10, Value::Bytes(NONCE.to_vec())),
        (256, Value::Bytes([&[1][..], &body.U].concat())),
        (258, Value::Bytes(oem_id(&body.maker).to_vec())),
        (259, Value::Bytes(body.series.as_str().as_bytes().to_vec())),
        (265, Value::Text(PROFILE.to_owned())),
        (-65_537, Value::Bytes(body.firmware.to_vec())),
    ];
    Value::Map(claims.into_iter().map(|(key, value)| (Value::Integer(key.into()), value)).collect())
}

#[test]
fn another_implementation_reads_and_verifies_it() {
    let body = certificate(&World::new()).body;
    let read = CoseSign1::from_tagged_slice(&token(&body)).unwrap();
    assert_eq!(read.protected.header.alg, Some(coset::Algorithm::Assigned(Algorithm::EdDSA)));
    assert!(read.unprotected.is_empty());
    let verifying = ed25519_dalek::VerifyingKey::from_bytes(&body.A.0).unwrap();
    let verify = |signature: &[u8], data: &[u8]| {
        verifying.verify(data, &ed25519_dalek::Signature::from_slice(signature).unwrap())
    };
    read.verify_signature(b"", verify).unwrap();
    assert!(read.verify_signature(b"x", verify).is_err());
    let claims: Value = de::from_reader(&read.payload.as_ref().unwrap()[..]).unwrap();
    assert_eq!(claims, expected(&body));
}

#[test]
fn what_another_implementation_writes_is_the_same() {
    use ed25519_dalek::Signer;
    let body = certificate(&World::new()).body;
    let signing = ed25519_dalek::SigningKey::from_bytes(&key(3).expose_secret_seed());
    let mut claims = Vec::new();
    ser::into_writer(&expected(&body), &mut claims).unwrap();
    let written = CoseSign1Builder::new()
        .protected(HeaderBuilder::new().algorithm(Algorithm::EdDSA).build())
        .payload(claims)
        .create_signature(b"", |data| signing.sign(data).to_bytes().to_vec())
        .build();
    let written = written.to_tagged_vec().unwrap();
    assert_eq!(written, token(&body));
    assert_eq!(Claims { element: &body, nonce: &NONCE }.verify(&written), Ok(()));
}

#[test]
fn nothing_but_the_very_token_is_believed() {
    let body = certificate(&World::new()).body;
    let good = token(&body);
    let refused = |element: &CertificateBody, nonce: &[u8; 32], token: &[u8]| {
        assert_eq!(Claims { element, nonce }.verify(token), Err(EnrolmentError::Attestation));
    };
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        refused(&body, &NONCE, &changed);
    }
    (0..good.len()).for_each(|length| refused(&body, &NONCE, &good[..length]));
    refused(&body, &NONCE, &[&good[..], &[0]].concat());
    // Without its tag it is the same to others, not here.
    refused(&body, &NONCE, &good[1..]);
    refused(&body, &[9; 32], &good);
    let other = Name::new("other").unwrap();
    let changes: [fn(&mut CertificateBody, Name); 5] = [
        |body, other| body.maker = other,
        |body, other| body.series = other,
        |body, _| body.firmware[0] ^= 1,
        |body, _| body.U[0] ^= 1,
        |body, _| body.A = key(4).public(),
    ];
    for change in changes {
        let mut element = body;
        change(&mut element, other);
        refused(&element, &NONCE, &good);
    }
}

#[test]
fn the_longest_token_fits() {
    let long = Name::new(&"x".repeat(32)).unwrap();
    let body = CertificateBody { maker: long, series: long, ..certificate(&World::new()).body };
    assert!(token(&body).len() <= TOKEN_LENGTH_MAX);
    assert_eq!(Claims { element: &body, nonce: &NONCE }.verify(&token(&body)), Ok(()));
}
