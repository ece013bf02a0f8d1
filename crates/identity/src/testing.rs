//! Issuers and holders made up for tests: they issue and present credentials as real ones would, and worse.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "for tests only")]

use ed25519_dalek::Signer as _;
use serde_json::{Map, Value, json};

use crate::json::to_base64url;
use crate::sd_jwt::digest;

/// A key that signs; of a byte, so that tests repeat.
pub enum Key {
    Es256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Key {
    pub fn es256(byte: u8) -> Self {
        Self::Es256(p256::ecdsa::SigningKey::from_slice(&[byte; 32]).unwrap())
    }

    pub fn ed25519(byte: u8) -> Self {
        Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[byte; 32]))
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub fn jwk(&self) -> Value {
        match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": to_base64url(x), "y": to_base64url(y)})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": to_base64url(key.verifying_key().as_bytes())})
            }
        }
    }

    /// A compact JWS with exactly this header.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| to_base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(signed.as_bytes());
                signature.to_bytes().to_vec()
            }
            Self::Ed25519(key) => key.sign(signed.as_bytes()).to_bytes().to_vec(),
        };
        format!("{signed}.{}", to_base64url(&signature))
    }
}

/// A disclosure of a claim, encoded.
pub fn disclosure(name: &str, value: &Value) -> String {
    to_base64url(json!([format!("salt of {name}"), name, value]).to_string().as_bytes())
}

/// A disclosure of an array's element, encoded.
pub fn element_disclosure(value: &Value) -> String {
    to_base64url(json!([format!("salt of {value}"), value]).to_string().as_bytes())
}

/// The digest of a disclosure, as issuers write it.
pub fn digest_of(disclosure: &str) -> String {
    digest(disclosure)
}

/// A credential of `issuer`: `visible` for all to see, `hidden` one by one for the holder to disclose.
pub fn issue(issuer: &Key, visible: &Value, hidden: &[(&str, Value)], holder: &Key) -> String {
    let disclosures: Vec<_> = hidden.iter().map(|(name, value)| disclosure(name, value)).collect();
    let mut payload = visible.as_object().unwrap().clone();
    payload.insert("_sd".into(), disclosures.iter().map(|text| digest_of(text)).collect());
    payload.insert("cnf".into(), json!({"jwk": holder.jwk()}));
    let header = json!({"typ": "dc+sd-jwt", "alg": issuer.algorithm()});
    compact(&issuer.sign(&header, &payload.into()), &disclosures)
}

/// `<jwt>~<disclosure>~…~`.
pub fn compact(jwt: &str, disclosures: &[String]) -> String {
    disclosures.iter().fold(format!("{jwt}~"), |text, disclosure| text + disclosure + "~")
}

/// Presents a credential with the claims named in `shown`.
pub fn present(credential: &str, shown: &[&str], holder: &Key, nonce: &str, audience: &str, at: u64) -> String {
    let (jwt, disclosures) = credential.split_once('~').unwrap();
    let is_shown = |text: &&str| !text.is_empty() && shown.contains(&name_of(text).as_str());
    let kept: Vec<_> = disclosures.split('~').filter(is_shown).map(Into::into).collect();
    bind(&compact(jwt, &kept), holder, nonce, audience, at)
}

/// Adds a key binding to `<jwt>~…~`.
pub fn bind(bound: &str, holder: &Key, nonce: &str, audience: &str, at: u64) -> String {
    let payload = json!({"nonce": nonce, "aud": audience, "iat": at, "sd_hash": digest_of(bound)});
    let header = json!({"typ": "kb+jwt", "alg": holder.algorithm()});
    format!("{bound}{}", holder.sign(&header, &payload))
}

/// A trust list of one issuer, in TOML.
pub fn trust_toml(url: &str, key: &Key, types: &[&str], claims: &[&str], person: &str) -> String {
    let jwk: Map<String, Value> = key.jwk().as_object().unwrap().clone();
    let members: String = jwk.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    let list = |items: &[&str]| serde_json::to_string(items).unwrap();
    format!(
        "[[issuer]]\nurl = \"{url}\"\ntypes = {}\nclaims = {}\nperson = \"{person}\"\n\n[[issuer.key]]\n{members}",
        list(types),
        list(claims)
    )
}

/// The name in the disclosure of a claim.
fn name_of(disclosure: &str) -> String {
    let parts = crate::json::parse(&crate::json::from_base64url(disclosure).unwrap()).unwrap();
    parts[1].as_str().unwrap_or_default().to_owned()
}
