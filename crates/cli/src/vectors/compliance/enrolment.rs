//! An enrolment (§4): certificate, proof of identity, attestation.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::attestation::{Claims, Token};
use specie_core::encoding::{Decode, Encode};
use specie_core::enrolment::{Certificate, CertificateBody, Enrolment, Proof, challenge};
use specie_core::group::{Generators, encode_point};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Name;
use specie_core::{hash, label};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(generators: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (enrolment, maker) = (fields.bytes("enrolment")?, PublicKey(fields.array("maker")?));
    let nonce = fields.array("nonce")?;
    let enrolment = Enrolment::decode(&enrolment).map_err(|error| error.to_string());
    Some(
        enrolment.and_then(|enrolment| {
            enrolment.verify_vartime(generators, &maker, &nonce).map_err(|error| error.to_string())
        }),
    )
}

pub(super) fn values(generators: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let maker = SigningKey::from_seed(&fields.array("maker_seed")?);
    fields.compare("maker", &maker.public().0);
    let seed: [u8; 32] = fields.array("element_seed")?;
    let u = hash::hs(label::DEVICE_KEY, &[&seed]);
    fields.compare("u", u.as_bytes());
    let key = hash::h32(label::ELEMENT_AUTHENTICATION, &[&seed]);
    fields.compare("A_seed", &key);
    let key = SigningKey::from_seed(&key);
    let (maker_name, series) = (name(fields, "maker_name")?, name(fields, "series")?);
    let (U, A) = (encode_point(&(u * generators.K)), key.public());
    fields.compare("U", &U);
    fields.compare("A", &A.0);
    let body = CertificateBody { maker: maker_name, series, firmware: fields.array("firmware")?, U, A };
    let certificate = Certificate::sign(body, &maker);
    fields.compare("certificate", &certificate.to_vec());
    let (nonce, device_info) = (fields.array("nonce")?, fields.bytes("device_info")?);
    let w = hash::hs(label::ENROL_NONCE, &[&seed, &nonce, &device_info]);
    fields.compare("w", w.as_bytes());
    let proof = Proof::prove(generators, &u, &w, &A, &nonce, &device_info);
    fields.compare("R", &proof.R);
    fields.compare("c", challenge(&U, &proof.R, &A, &nonce, &device_info).as_bytes());
    fields.compare("s", &proof.s);
    let claims = Claims { element: &certificate.body, nonce: &nonce };
    fields.compare("claims", &claims.to_vec());
    let attestation = Token { claims, signature: claims.sign(&key) }.to_vec();
    fields.compare("attestation", &attestation);
    let made = Enrolment { certificate, nonce, device_info: &device_info, proof, attestation: &attestation };
    fields.compare("enrolment", &made.to_vec());
    Some(())
}

fn name(fields: &mut Fields<'_>, path: &str) -> Option<Name> {
    let name = Name::new(fields.text(path).unwrap_or_default());
    fields.good(path, name)
}
