//! JSON web signatures in their compact form (RFC 7515), as far as SD-JWTs need them.

use serde_json::Value;

use crate::json::{self, Object};
use crate::key::{BadSignature, PublicKey};
use crate::refusal::Refusal;

/// A signed object, taken apart. Nothing in it is believed until [`Jws::verify`] has.
pub(crate) struct Jws<'a> {
    header: Object,
    pub(crate) payload: Object,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes `text` apart; `what` names it in refusals.
    pub(crate) fn parse(text: &'a str, what: &str) -> Result<Self, Refusal> {
        let malformed = |why: &str| Refusal::Malformed(format!("{what} {why}"));
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| malformed("has no signature"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| malformed("has no payload"))?;
        let object = |part: &str, name: &str| {
            let bytes =
                json::from_base64url(part).ok_or_else(|| malformed(&format!("has a {name} that is no base64url")))?;
            json::parse_object(&bytes).map_err(|error| malformed(&format!("has a bad {name}: {error}")))
        };
        let jws = Self {
            header: object(header, "header")?,
            payload: object(payload, "payload")?,
            signed,
            signature: json::from_base64url(signature)
                .ok_or_else(|| malformed("has a signature that is no base64url"))?,
        };
        // What must be understood (RFC 7515 §4.1.11) is not: there is no extension here.
        if jws.header.contains_key("crit") {
            return Err(malformed("needs extensions that are not known (header `crit`)"));
        }
        Ok(jws)
    }

    /// A member of the header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        let algorithm = self.header("alg").ok_or(BadSignature::Algorithm)?;
        key.verify(algorithm, self.signed.as_bytes(), &self.signature)
    }
}

/// A claim of seconds since 1970.
pub(crate) fn seconds(payload: &Object, name: &'static str) -> Result<Option<u64>, Refusal> {
    match payload.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(Refusal::NoTime(name)),
    }
}
