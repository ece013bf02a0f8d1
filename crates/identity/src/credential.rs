//! Checking what a wallet presents (SD-JWT VC), and taking from it only what was asked for.

use core::fmt;
use std::collections::BTreeMap;

use serde_json::Value;
use specie_core::{Timestamp, hash, label};
use zeroize::Zeroizing;

use crate::claim::ClaimPath;
use crate::demand::Demand;
use crate::json::Object;
use crate::jws::{self, Jws};
use crate::key::PublicKey;
use crate::key_binding::{self, SKEW_SECONDS};
use crate::person::{Pepper, PersonTag};
use crate::refusal::Refusal;
use crate::sd_jwt::{Presentation, Resolved};
use crate::trust::{Issuer, RESERVED, TrustList};

/// What an issuer says of the customer, and that the customer holds it. Has the claims that were asked for and no other.
pub struct Credential {
    /// Who issued it.
    pub issuer: String,
    /// Its type.
    pub vct: String,
    /// `H32` of the issuer's JWT: names the credential in records without saying what is in it.
    pub hash: [u8; 32],
    /// Its last moment, if it has one.
    pub expires: Option<Timestamp>,
    /// The claims that were asked for.
    pub claims: BTreeMap<ClaimPath, Value>,
    person: Zeroizing<String>,
}

impl Credential {
    /// Checks a presentation: issuer, holder, demand, time; and that it says what was asked for, and not more.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Nothing of it is to be kept then.
    pub fn verify(text: &str, demand: &Demand, trust: &TrustList, now: Timestamp) -> Result<Self, Refusal> {
        let presentation = Presentation::parse(text.trim())?;
        let jws = Jws::parse(presentation.issuer_signed, "the credential")?;
        let issuer = signed_by(&jws, trust)?;
        let vct = shown(&jws.payload, "vct");
        if !issuer.types.contains(&vct) {
            return Err(Refusal::UntrustedType { issuer: issuer.url.clone(), vct });
        }
        let expires = check_times(&jws.payload, now)?;
        if jws.payload.contains_key("status") && !issuer.unchecked_status {
            return Err(Refusal::UncheckedStatus(issuer.url.clone()));
        }
        let holder = holder_key(&jws.payload)?;
        let resolved = presentation.resolve(jws.payload)?;
        if let Some(name) = resolved.disclosed.iter().map(ClaimPath::first).find(|name| is_never_hidden(name)) {
            return Err(Refusal::Disclosures(format!("claim `{name}` must not be selectively disclosed")));
        }
        key_binding::verify(&presentation, &holder, demand, now)?;
        let wanted = demand.wanted(&issuer.person);
        check_surplus(&resolved, &wanted)?;
        let claims = take_wanted(&resolved.claims, &wanted, issuer)?;
        let person = person_of(&resolved.claims, &issuer.person)?;
        Ok(Self {
            issuer: issuer.url.clone(),
            vct,
            hash: hash::h32(label::CREDENTIAL, &[presentation.issuer_signed.as_bytes()]),
            expires,
            claims: claims.into_iter().filter(|(claim, _)| demand.claims.contains(claim)).collect(),
            person,
        })
    }

    /// By what the person is known again.
    pub fn person(&self, pepper: &Pepper) -> PersonTag {
        pepper.person(&self.issuer, &self.person)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} of {}, ..)", self.vct, self.issuer)
    }
}

/// The issuer, if a key that is listed for it signed.
fn signed_by<'a>(jws: &Jws<'_>, trust: &'a TrustList) -> Result<&'a Issuer, Refusal> {
    // `vc+sd-jwt` is what drafts before November 2024 call it.
    if !matches!(jws.header("typ"), Some("dc+sd-jwt" | "vc+sd-jwt")) {
        return Err(Refusal::NoCredential);
    }
    let url = shown(&jws.payload, "iss");
    let Some(issuer) = trust.issuer(&url) else { return Err(Refusal::UnknownIssuer(url)) };
    let mut keys = issuer.keys(jws.header("kid"));
    if keys.any(|key| jws.verify(key) == Ok(())) { Ok(issuer) } else { Err(Refusal::Forged(url)) }
}

/// A claim that is text, fit to be shown.
fn shown(payload: &Object, name: &str) -> String {
    payload.get(name).and_then(Value::as_str).unwrap_or_default().escape_debug().to_string()
}

fn check_times(payload: &Object, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let time = |name| match jws::seconds(payload, name)? {
        None => Ok(None),
        Some(seconds) => Timestamp::new(seconds).map(Some).ok_or(Refusal::NoTime(name)),
    };
    let soon = now.saturating_add(SKEW_SECONDS);
    for begins in [time("nbf")?, time("iat")?].into_iter().flatten() {
        if begins > soon {
            return Err(Refusal::NotYetValid(begins));
        }
    }
    match time("exp")? {
        Some(expires) if expires <= now => Err(Refusal::Expired(expires)),
        expires => Ok(expires),
    }
}

fn holder_key(payload: &Object) -> Result<PublicKey, Refusal> {
    let jwk = payload.get("cnf").and_then(|cnf| cnf.get("jwk"));
    let jwk = jwk.ok_or_else(|| Refusal::NoHolderKey("there is no `jwk` in it".into()))?;
    PublicKey::from_jwk(jwk).map_err(|error| Refusal::NoHolderKey(error.to_string().escape_debug().to_string()))
}

/// Claims that the issuer must not leave to the holder to disclose (SD-JWT VC §3.2.2.2).
fn is_never_hidden(name: &str) -> bool {
    RESERVED.contains(&name) && !matches!(name, "iat" | "aud" | "jti")
}

/// Nothing was disclosed but what was asked for, down to each value.
fn check_surplus(resolved: &Resolved, wanted: &[ClaimPath]) -> Result<(), Refusal> {
    for path in resolved.disclosed.iter().filter(|path| !RESERVED.contains(&path.first())) {
        if let Some(value) = path.value(&resolved.claims) {
            check_leaves(value, path, wanted)?;
        }
    }
    Ok(())
}

fn check_leaves(value: &Value, path: &ClaimPath, wanted: &[ClaimPath]) -> Result<(), Refusal> {
    if wanted.iter().any(|claim| path.lies_in(claim)) {
        return Ok(());
    }
    match value {
        Value::Object(members) if wanted.iter().any(|claim| claim.lies_in(path)) => {
            members.iter().try_for_each(|(name, member)| check_leaves(member, &path.child(name), wanted))
        }
        _ => Err(Refusal::Surplus(path.clone())),
    }
}

fn take_wanted(claims: &Object, wanted: &[ClaimPath], issuer: &Issuer) -> Result<BTreeMap<ClaimPath, Value>, Refusal> {
    let take = |claim: &ClaimPath| {
        let value = claim.value(claims).ok_or_else(|| Refusal::Missing(claim.clone()))?;
        if !issuer.is_trusted_about(claim) {
            return Err(Refusal::UntrustedClaim { issuer: issuer.url.clone(), claim: claim.clone() });
        }
        Ok((claim.clone(), value.clone()))
    };
    wanted.iter().map(take).collect()
}

/// By what the issuer tells the person apart: text as it is, a whole number as it is written.
fn person_of(claims: &Object, path: &ClaimPath) -> Result<Zeroizing<String>, Refusal> {
    match path.value(claims) {
        Some(Value::String(text)) => Ok(Zeroizing::new(text.clone())),
        Some(Value::Number(number)) if number.is_u64() => Ok(Zeroizing::new(number.to_string())),
        _ => Err(Refusal::Missing(path.clone())),
    }
}
