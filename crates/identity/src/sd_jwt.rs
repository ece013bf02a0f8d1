//! Selective disclosure (RFC 9901): taking a presentation apart, and putting disclosed claims where their digests stand.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::claim::ClaimPath;
use crate::json::{self, Object};
use crate::refusal::Refusal;

/// Bytes of a presentation, at most.
const LENGTH_MAX: usize = 64 * 1024;
/// Disclosures of a presentation, at most.
const DISCLOSURES_MAX: usize = 256;
/// How deep claims may lie in each other.
const DEPTH_MAX: usize = 16;

/// `<issuer's JWT>~<disclosure>~…~<key binding JWT>`.
pub(crate) struct Presentation<'a> {
    pub(crate) issuer_signed: &'a str,
    disclosures: Vec<&'a str>,
    /// Empty if there is none.
    pub(crate) key_binding: &'a str,
    /// What the key binding is for: all before it.
    bound: &'a str,
}

/// Claims with what was disclosed in its place, and where that is.
pub(crate) struct Resolved {
    pub(crate) claims: Object,
    pub(crate) disclosed: Vec<ClaimPath>,
}

impl<'a> Presentation<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let malformed = |why: &str| Err(Refusal::Malformed(why.into()));
        if text.len() > LENGTH_MAX {
            return malformed(&format!("it has more than {LENGTH_MAX} bytes"));
        }
        let Some((bound, key_binding)) = text.rsplit_once('~') else {
            return malformed("it has no `~`, so it is no SD-JWT");
        };
        let mut parts = bound.split('~');
        let issuer_signed = parts.next().unwrap_or_default();
        let disclosures: Vec<_> = parts.collect();
        if disclosures.len() > DISCLOSURES_MAX {
            return malformed(&format!("it has more than {DISCLOSURES_MAX} disclosures"));
        }
        Ok(Self { issuer_signed, disclosures, key_binding, bound: &text[..=bound.len()] })
    }

    /// What the key binding must have as `sd_hash`.
    pub(crate) fn sd_hash(&self) -> String {
        digest(self.bound)
    }

    /// Puts the disclosures into the issuer's payload (RFC 9901 §7.1, step 3 on).
    pub(crate) fn resolve(&self, mut payload: Object) -> Result<Resolved, Refusal> {
        match payload.remove("_sd_alg") {
            None => {}
            Some(Value::String(name)) if name == "sha-256" => {}
            Some(Value::String(name)) => return Err(Refusal::HashFunction(name.escape_debug().to_string())),
            Some(_) => return unfit("`_sd_alg` is no text"),
        }
        let mut resolver = Resolver { disclosures: HashMap::new(), seen: HashSet::new(), disclosed: Vec::new() };
        for text in &self.disclosures {
            if resolver.disclosures.insert(digest(text), Disclosure::parse(text)?).is_some() {
                return unfit("a disclosure is there twice");
            }
        }
        let claims = resolver.object(payload, &ClaimPath::root(), DEPTH_MAX)?;
        if resolver.disclosures.is_empty() {
            Ok(Resolved { claims, disclosed: resolver.disclosed })
        } else {
            unfit("a disclosure belongs to no digest that the issuer signed")
        }
    }
}

/// Base64url of the hash of a disclosure, or of what a key binding is for, as it is written.
pub(crate) fn digest(text: &str) -> String {
    json::to_base64url(&Sha256::digest(text.as_bytes()))
}

/// `[salt, name, value]`, or `[salt, value]` for an element of an array.
struct Disclosure {
    name: Option<String>,
    value: Value,
}

impl Disclosure {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let Some(bytes) = json::from_base64url(text) else { return unfit("a disclosure is no base64url") };
        let parsed =
            json::parse(&bytes).map_err(|error| Refusal::Disclosures(format!("a disclosure is no JSON: {error}")))?;
        let Value::Array(parts) = parsed else { return unfit("a disclosure is no array") };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => match name.as_str() {
                "_sd" | "..." => unfit(&format!("a disclosure is of a claim called `{name}`")),
                _ => Ok(Self { name: Some(name), value }),
            },
            (Some(Value::String(_)), Some(value), None, None) => Ok(Self { name: None, value }),
            _ => unfit("a disclosure is neither [salt, name, value] nor [salt, value]"),
        }
    }
}

struct Resolver {
    /// Those that no digest was found for yet, by digest.
    disclosures: HashMap<String, Disclosure>,
    /// Every digest that was met.
    seen: HashSet<String>,
    disclosed: Vec<ClaimPath>,
}

impl Resolver {
    fn value(&mut self, value: Value, path: &ClaimPath, depth: usize) -> Result<Value, Refusal> {
        let Some(depth) = depth.checked_sub(1) else { return unfit("claims lie too deep in each other") };
        match value {
            Value::Object(object) => Ok(Value::Object(self.object(object, path, depth)?)),
            Value::Array(items) => Ok(Value::Array(self.array(items, path, depth)?)),
            plain => Ok(plain),
        }
    }

    fn object(&mut self, mut object: Object, path: &ClaimPath, depth: usize) -> Result<Object, Refusal> {
        let digests = object.remove("_sd");
        let mut claims = Object::new();
        for (name, value) in object {
            if name == "..." {
                return unfit("a claim is called `...`");
            }
            let value = self.value(value, &path.child(&name), depth)?;
            claims.insert(name, value);
        }
        for digest in digests_of(digests)? {
            let Some(Disclosure { name, value }) = self.take(digest)? else { continue };
            let Some(name) = name else { return unfit("a disclosure of an array's element stands for a claim") };
            if claims.contains_key(&name) {
                return unfit(&format!("claim `{}` is there twice", name.escape_debug()));
            }
            let path = path.child(&name);
            let value = self.value(value, &path, depth)?;
            claims.insert(name, value);
            self.disclosed.push(path);
        }
        Ok(claims)
    }

    fn array(&mut self, items: Vec<Value>, path: &ClaimPath, depth: usize) -> Result<Vec<Value>, Refusal> {
        let mut disclosed = Vec::new();
        for item in items {
            match item {
                Value::Object(mut object) if object.contains_key("...") => {
                    let Some(Value::String(digest)) = object.remove("...") else {
                        return unfit("a digest is no text");
                    };
                    if !object.is_empty() {
                        return unfit("a digest of an array's element has company");
                    }
                    let Some(Disclosure { name, value }) = self.take(digest)? else { continue };
                    if name.is_some() {
                        return unfit("a disclosure of a claim stands for an array's element");
                    }
                    disclosed.push(self.value(value, path, depth)?);
                    self.disclosed.push(path.clone());
                }
                item => disclosed.push(self.value(item, path, depth)?),
            }
        }
        Ok(disclosed)
    }

    /// The disclosure of a digest, if it was given; a digest is met once.
    fn take(&mut self, digest: String) -> Result<Option<Disclosure>, Refusal> {
        let disclosure = self.disclosures.remove(&digest);
        if self.seen.insert(digest) { Ok(disclosure) } else { unfit("a digest is there twice") }
    }
}

fn digests_of(value: Option<Value>) -> Result<Vec<String>, Refusal> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return unfit("`_sd` is no array"),
    };
    let digest = |item| if let Value::String(digest) = item { Ok(digest) } else { unfit("a digest is no text") };
    items.into_iter().map(digest).collect()
}

fn unfit<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::Disclosures(why.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use specie_core::Timestamp;

    use super::*;
    use crate::demand::Demand;
    use crate::jws::Jws;
    use crate::key::PublicKey;
    use crate::key_binding;
    use crate::testing::{compact, digest_of, disclosure, element_disclosure};

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../tests/data/rfc9901.json")).unwrap()
    }

    /// The claims of an example, after its signature was checked.
    fn open(text: &str, vectors: &Value) -> Resolved {
        let presentation = Presentation::parse(text).unwrap();
        let jws = Jws::parse(presentation.issuer_signed, "it").unwrap();
        jws.verify(&PublicKey::from_jwk(&vectors["issuer"]).unwrap()).unwrap();
        presentation.resolve(jws.payload).unwrap()
    }

    fn assembled(example: &Value) -> String {
        let disclosures =
            example["disclosures"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
        compact(example["jwt"].as_str().unwrap(), &disclosures.collect::<Vec<_>>())
    }

    #[test]
    fn vector_presentation_with_key_binding() {
        let vectors = vectors();
        let bound = &vectors["bound"];
        let text = bound["presentation"].as_str().unwrap();
        let Resolved { claims, disclosed } = open(text, &vectors);
        assert_eq!(claims["family_name"], "Doe");
        assert_eq!(claims["address"]["locality"], "Anytown");
        assert_eq!(claims["nationalities"], json!(["US"]), "what is not disclosed is not there");
        assert!(!claims.contains_key("_sd") && !claims.contains_key("_sd_alg") && !claims.contains_key("birthdate"));
        assert_eq!(disclosed.len(), 4);
        let time = |seconds| Timestamp::new(seconds).unwrap();
        let made = bound["made"].as_u64().unwrap();
        let demand = Demand {
            nonce: bound["nonce"].as_str().unwrap().into(),
            audience: bound["audience"].as_str().unwrap().into(),
            asked_at: time(made),
            claims: Vec::new(),
        };
        let holder = PublicKey::from_jwk(&claims["cnf"]["jwk"]).unwrap();
        let presentation = Presentation::parse(text).unwrap();
        key_binding::verify(&presentation, &holder, &demand, time(made)).unwrap();
        // One disclosure less than the holder signed for.
        let without = text.split('~').enumerate().filter(|(index, _)| *index != 1).map(|(_, part)| part);
        let without = without.collect::<Vec<_>>().join("~");
        let fewer = Presentation::parse(&without).unwrap();
        assert_eq!(key_binding::verify(&fewer, &holder, &demand, time(made)), Err(Refusal::OtherDisclosures));
    }

    #[test]
    fn vector_structured_claims() {
        let vectors = vectors();
        let Resolved { claims, disclosed } = open(&assembled(&vectors["structured"]), &vectors);
        assert_eq!(claims["family_name"], "山田");
        let address = json!({"street_address": "東京都港区芝公園４丁目２−８", "locality": "東京都", "region": "港区", "country": "JP"});
        assert_eq!(claims["address"], address);
        assert!(disclosed.contains(&ClaimPath::new(["address", "country"])));
    }

    #[test]
    fn vector_disclosures_within_disclosures_of_array_elements() {
        let vectors = vectors();
        let example = &vectors["nested"];
        let Resolved { claims, .. } = open(&assembled(example), &vectors);
        let verification = &claims["verified_claims"]["verification"];
        assert_eq!(verification["evidence"][0]["document"]["issuer"]["name"], "Stadt Augsburg");
        assert_eq!(claims["verified_claims"]["claims"]["place_of_birth"]["country"], "IS");
        // The evidence's own claims without the element that has their digests.
        let mut orphans = example.clone();
        orphans["disclosures"].as_array_mut().unwrap().remove(6);
        let text = assembled(&orphans);
        let presentation = Presentation::parse(&text).unwrap();
        let payload = Jws::parse(presentation.issuer_signed, "it").unwrap().payload;
        assert!(matches!(presentation.resolve(payload), Err(Refusal::Disclosures(why)) if why.contains("no digest")));
    }

    fn resolve(payload: &Value, disclosures: &[String]) -> Result<Object, String> {
        let text = compact("", disclosures);
        let presentation = Presentation::parse(&text).map_err(|error| error.to_string())?;
        let resolved = presentation.resolve(payload.as_object().unwrap().clone());
        resolved.map(|resolved| resolved.claims).map_err(|error| error.to_string())
    }

    #[test]
    fn rejects_what_the_rfc_says_to_reject() {
        let a = disclosure("a", &json!(1));
        let element = element_disclosure(&json!(1));
        let (digest, element_digest) = (digest_of(&a), digest_of(&element));
        let raw = |text: &str| json::to_base64url(text.as_bytes());
        let named = |name: &str| raw(&format!("[\"salt\",\"{name}\",1]"));
        let (sd, dots) = (named("_sd"), named("..."));
        let inner = disclosure("b", &json!({"_sd": [digest]}));
        let deep = (0..20).fold(json!({"_sd": [digest]}), |value, _| json!({ "x": value }));
        let cases: &[(&str, Value, Vec<String>)] = &[
            ("digest is there twice", json!({"_sd": [digest, digest]}), vec![a.clone()]),
            ("digest is there twice", json!({"_sd": [digest], "b": {"_sd": [digest]}}), vec![]),
            ("digest is there twice", json!({"_sd": [digest, digest_of(&inner)]}), vec![a.clone(), inner]),
            ("disclosure is there twice", json!({"_sd": [digest]}), vec![a.clone(), a.clone()]),
            ("belongs to no digest", json!({"_sd": [element_digest]}), vec![a.clone()]),
            ("claim `a` is there twice", json!({"_sd": [digest], "a": 2}), vec![a.clone()]),
            ("claim called `_sd`", json!({"_sd": [digest_of(&sd)]}), vec![sd]),
            ("claim called `...`", json!({"_sd": [digest_of(&dots)]}), vec![dots]),
            ("a claim is called `...`", json!({"b": {"...": "x"}}), vec![]),
            ("stands for a claim", json!({"_sd": [element_digest]}), vec![element.clone()]),
            ("stands for an array's element", json!({"b": [{"...": digest}]}), vec![a.clone()]),
            ("has company", json!({"b": [{"...": element_digest, "c": 1}]}), vec![element]),
            ("digest is no text", json!({"b": [{"...": 1}]}), vec![]),
            ("digest is no text", json!({"_sd": [1]}), vec![]),
            ("`_sd` is no array", json!({"_sd": "x"}), vec![]),
            ("hashed by `sha-512`", json!({"_sd_alg": "sha-512"}), vec![]),
            ("`_sd_alg` is no text", json!({"_sd_alg": 256}), vec![]),
            ("neither", json!({}), vec![raw(r#"["salt"]"#)]),
            ("neither", json!({}), vec![raw(r#"["salt","b",1,2]"#)]),
            ("neither", json!({}), vec![raw(r#"[1,"b",1]"#)]),
            ("is no array", json!({}), vec![raw("{}")]),
            ("is no JSON", json!({}), vec![raw("[")]),
            ("twice", json!({}), vec![raw(r#"["salt","b",{"c":1,"c":2}]"#)]),
            ("is no base64url", json!({}), vec!["a=".into()]),
            ("is no JSON", json!({}), vec![String::new()]),
            ("too deep", deep, vec![a.clone()]),
            ("more than 256", json!({}), vec![a.clone(); 257]),
        ];
        for (why, payload, disclosures) in cases {
            let refusal = resolve(payload, disclosures).unwrap_err();
            assert!(refusal.contains(why), "{why}: {refusal}");
        }
        assert_eq!(resolve(&json!({"_sd": [digest]}), &[a]).unwrap()["a"], 1, "and the digest itself is good");
        assert!(Presentation::parse("a.b.c").is_err());
        assert!(Presentation::parse(&"~".repeat(LENGTH_MAX + 1)).is_err());
    }
}
