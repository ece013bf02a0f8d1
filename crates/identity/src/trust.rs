//! Whom to believe about what: the list of issuers, in TOML. Keys come from it alone, never from a credential.

use std::collections::HashSet;

use serde::Deserialize;
use specie_core::{hash, label};
use thiserror::Error;

use crate::claim::ClaimPath;
use crate::key::{KeyError, PublicKey};

/// Claims that every SD-JWT VC has for its own sake, and that are never asked for.
pub(crate) const RESERVED: &[&str] =
    &["iss", "nbf", "exp", "iat", "cnf", "vct", "vct#integrity", "status", "aud", "jti"];

/// Issuers and what each is believed about; checked when made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustList {
    /// `H32` of the file: names it in records.
    pub hash: [u8; 32],
    issuers: Vec<Issuer>,
}

/// An issuer that is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer {
    /// What its credentials have as `iss`.
    pub url: String,
    /// The types of credential (`vct`) that it is believed about.
    pub types: Vec<String>,
    /// The claims that it is believed about.
    pub claims: Vec<ClaimPath>,
    /// The claim by which it tells persons apart: one value for each person, always the same.
    pub person: ClaimPath,
    /// Whether its credentials are accepted although their revocation (`status`) is not checked.
    pub unchecked_status: bool,
    keys: Vec<(Option<String>, PublicKey)>,
}

/// A list that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It is no TOML of this form.
    #[error("the list of issuers cannot be read: {}", .0.to_string().trim_end())]
    Malformed(String),
    /// Nobody is believed.
    #[error("the list of issuers is empty: write an `[[issuer]]`")]
    Empty,
    /// One `iss` twice.
    #[error("issuer `{0}` is there twice: put its keys, types and claims in one `[[issuer]]`")]
    IssuerTwice(String),
    /// Something is missing.
    #[error("issuer `{issuer}`: `{what}` must not be empty")]
    Missing {
        /// Which issuer.
        issuer: String,
        /// What is missing.
        what: &'static str,
    },
    /// A claim that cannot be asked for.
    #[error("issuer `{issuer}`: `{claim}` is no claim that can be asked for")]
    Claim {
        /// Which issuer.
        issuer: String,
        /// Which claim.
        claim: ClaimPath,
    },
    /// The claim for persons is not among the claims.
    #[error("issuer `{issuer}`: `person` names `{claim}`, which is not among its `claims`")]
    Person {
        /// Which issuer.
        issuer: String,
        /// Which claim.
        claim: ClaimPath,
    },
    /// A key is none.
    #[error("issuer `{issuer}`, key {number}: {error}")]
    Key {
        /// Which issuer.
        issuer: String,
        /// Which of its keys, from 1.
        number: usize,
        /// What is wrong with it.
        error: KeyError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    issuer: Vec<IssuerEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    url: String,
    types: Vec<String>,
    claims: Vec<ClaimPath>,
    person: ClaimPath,
    #[serde(default)]
    unchecked_status: bool,
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    kid: Option<String>,
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
}

impl TrustList {
    /// Reads a list.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, TrustError> {
        let file: File = toml::from_str(text).map_err(|error| TrustError::Malformed(error.to_string()))?;
        if file.issuer.is_empty() {
            return Err(TrustError::Empty);
        }
        let issuers = file.issuer.into_iter().map(Issuer::new).collect::<Result<Vec<_>, _>>()?;
        let mut urls = HashSet::new();
        match issuers.iter().find(|issuer| !urls.insert(issuer.url.as_str())) {
            Some(issuer) => Err(TrustError::IssuerTwice(issuer.url.clone())),
            None => Ok(Self { hash: hash::h32(label::ISSUER_LIST, &[text.as_bytes()]), issuers }),
        }
    }

    /// The issuers, in the order of the list.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The issuer with that `iss`.
    pub fn issuer(&self, url: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.url == url)
    }
}

impl Issuer {
    fn new(entry: IssuerEntry) -> Result<Self, TrustError> {
        let IssuerEntry { url, types, claims, person, unchecked_status, key } = entry;
        let missing = |what| Err(TrustError::Missing { issuer: url.clone(), what });
        if url.trim().is_empty() {
            return missing("url");
        }
        if types.is_empty() || types.iter().any(|name| name.trim().is_empty()) {
            return missing("types");
        }
        if claims.is_empty() {
            return missing("claims");
        }
        if key.is_empty() {
            return missing("key");
        }
        if let Some(claim) = claims.iter().find(|claim| !claim.is_good() || RESERVED.contains(&claim.first())) {
            return Err(TrustError::Claim { issuer: url, claim: claim.clone() });
        }
        if !person.is_good() || !claims.iter().any(|claim| person.lies_in(claim)) {
            return Err(TrustError::Person { issuer: url, claim: person });
        }
        let read = |(index, entry): (usize, KeyEntry)| {
            let key = PublicKey::new(&entry.kty, &entry.crv, &entry.x, entry.y.as_deref());
            let key = key.map_err(|error| TrustError::Key { issuer: url.clone(), number: index + 1, error })?;
            Ok((entry.kid, key))
        };
        let keys = key.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { url, types, claims, person, unchecked_status, keys })
    }

    /// Whether it is believed about a claim, or about one that it lies in.
    pub fn is_trusted_about(&self, claim: &ClaimPath) -> bool {
        self.claims.iter().any(|trusted| claim.lies_in(trusted))
    }

    /// The keys that may have signed under `kid`.
    pub(crate) fn keys(&self, kid: Option<&str>) -> impl Iterator<Item = &PublicKey> {
        let fits = move |own: &Option<String>| kid.is_none() || own.is_none() || own.as_deref() == kid;
        self.keys.iter().filter(move |(own, _)| fits(own)).map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD: &str = r#"
[[issuer]]
url = "https://pid.example.org"
types = ["urn:eudi:pid:1"]
claims = ["family_name", ["address", "country"], "personal_administrative_number"]
person = "personal_administrative_number"

[[issuer.key]]
kid = "2026-1"
kty = "EC"
crv = "P-256"
x = "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ"
y = "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"
"#;

    #[test]
    fn reads_who_is_believed_about_what() {
        let list = TrustList::from_toml(GOOD).unwrap();
        let issuer = list.issuer("https://pid.example.org").unwrap();
        assert!(issuer.is_trusted_about(&ClaimPath::new(["address", "country"])));
        assert!(!issuer.is_trusted_about(&ClaimPath::top("address")));
        assert!(!issuer.unchecked_status);
        for (kid, keys) in [(None, 1), (Some("2026-1"), 1), (Some("2025-1"), 0)] {
            assert_eq!(issuer.keys(kid).count(), keys);
        }
        assert!(list.issuer("https://pid.example.org/").is_none());
    }

    #[test]
    fn rejects_each_mistake() {
        let with = |from: &str, to: &str| TrustList::from_toml(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(TrustList::from_toml(""), Err(TrustError::Empty));
        assert!(matches!(with("types", "type"), TrustError::Malformed(_)));
        assert!(matches!(with("kid =", "key_id ="), TrustError::Malformed(_)));
        let issuer = "https://pid.example.org".to_owned();
        assert_eq!(with("[\"urn:eudi:pid:1\"]", "[]"), TrustError::Missing { issuer: issuer.clone(), what: "types" });
        let no_key = TrustList::from_toml(GOOD.split("[[issuer.key]]").next().unwrap());
        assert_eq!(no_key, Err(TrustError::Missing { issuer: issuer.clone(), what: "key" }));
        assert_eq!(TrustList::from_toml(&GOOD.repeat(2)), Err(TrustError::IssuerTwice(issuer)));
        assert!(matches!(with("\"family_name\"", "\"cnf\""), TrustError::Claim { .. }));
        assert!(matches!(with("\"family_name\"", "[]"), TrustError::Claim { .. }));
        assert!(matches!(with("\"family_name\"", "\"_sd\""), TrustError::Claim { .. }));
        assert!(matches!(with("person = \"p", "person = \"q"), TrustError::Person { .. }));
        assert!(matches!(
            with("P-256", "P-384"),
            TrustError::Key { number: 1, error: KeyError::UnknownType { .. }, .. }
        ));
        assert!(matches!(with("Xv5z", "Xv5y"), TrustError::Key { error: KeyError::NoPoint, .. }));
    }
}
