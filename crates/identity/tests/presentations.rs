//! Presentations, good and bad, as a PSP meets them: every check has a test that breaks it.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use specie_core::Timestamp;
use specie_identity::claim::ClaimPath;
use specie_identity::credential::Credential;
use specie_identity::demand::Demand;
use specie_identity::person::Pepper;
use specie_identity::refusal::Refusal;
use specie_identity::testing::{Key, bind, compact, digest_of, disclosure, issue, present, trust_toml};
use specie_identity::trust::TrustList;

const ISSUER: &str = "https://pid.example.org";
const TYPE: &str = "urn:eudi:pid:1";
const PSP: &str = "psp-one";
const NOW: u64 = 1_800_000_000;
const CLAIMS: &[&str] = &["family_name", "given_name", "birthdate", "address", "personal_number"];

/// An issuer, a holder with a credential, and a PSP that asks for two claims.
struct World {
    issuer: Key,
    holder: Key,
    trust: TrustList,
    demand: Demand,
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

fn hidden() -> Vec<(&'static str, Value)> {
    vec![
        ("family_name", json!("Exempel")),
        ("given_name", json!("Iris")),
        ("birthdate", json!("1984-05-06")),
        ("email", json!("iris@example.org")),
        ("personal_number", json!("840506-0000")),
    ]
}

fn visible() -> Value {
    json!({"iss": ISSUER, "vct": TYPE, "iat": NOW - 1000, "exp": NOW + 1000, "_sd_alg": "sha-256"})
}

/// What the holder is asked to show.
const SHOWN: &[&str] = &["family_name", "birthdate", "personal_number"];

impl World {
    fn new(issuer: Key, holder: Key) -> Self {
        let trust = TrustList::from_toml(&trust_toml(ISSUER, &issuer, &[TYPE], CLAIMS, "personal_number")).unwrap();
        let claims = vec![ClaimPath::top("family_name"), ClaimPath::top("birthdate")];
        let demand = Demand::new(&[7; 32], PSP, claims, time(NOW));
        Self { issuer, holder, trust, demand }
    }

    fn usual() -> Self {
        Self::new(Key::es256(1), Key::es256(2))
    }

    fn verify(&self, text: &str) -> Result<Credential, Refusal> {
        Credential::verify(text, &self.demand, &self.trust, time(NOW))
    }

    fn credential(&self, visible: &Value) -> String {
        issue(&self.issuer, visible, &hidden(), &self.holder)
    }

    fn present(&self, credential: &str, shown: &[&str]) -> String {
        present(credential, shown, &self.holder, &self.demand.nonce, PSP, NOW)
    }

    /// What becomes of the usual presentation of a credential with another visible part.
    fn with(&self, changes: &Value) -> Refusal {
        let mut changed = visible();
        for (name, value) in changes.as_object().unwrap() {
            changed[name] = value.clone();
        }
        self.verify(&self.present(&self.credential(&changed), SHOWN)).unwrap_err()
    }
}

#[test]
fn keeps_what_was_asked_for_and_no_more() {
    for (issuer, holder) in
        [(Key::es256(1), Key::es256(2)), (Key::ed25519(1), Key::ed25519(2)), (Key::ed25519(1), Key::es256(2))]
    {
        let world = World::new(issuer, holder);
        let credential = world.verify(&world.present(&world.credential(&visible()), SHOWN)).unwrap();
        assert_eq!((credential.issuer.as_str(), credential.vct.as_str()), (ISSUER, TYPE));
        assert_eq!(credential.expires, Some(time(NOW + 1000)));
        let kept: Vec<_> = credential.claims.iter().map(|(claim, value)| (claim.to_string(), value.clone())).collect();
        assert_eq!(kept, [("birthdate".into(), json!("1984-05-06")), ("family_name".into(), json!("Exempel"))]);
        assert!(!format!("{credential:?}").contains("Exempel"));
        let pepper = Pepper::new([9; 32].into());
        assert_eq!(credential.person(&pepper), pepper.person(ISSUER, "840506-0000"));
    }
}

#[test]
fn tells_a_wallet_what_will_do() {
    let mut world = World::usual();
    let acceptable = world.demand.acceptable(&world.trust);
    let told = serde_json::to_value(&acceptable).unwrap();
    assert_eq!(
        told,
        json!([{"issuer": ISSUER, "types": [TYPE], "claims": ["family_name", "birthdate", "personal_number"]}])
    );
    world.demand.claims.push(ClaimPath::top("income"));
    assert_eq!(world.demand.acceptable(&world.trust), [], "nobody is believed about that");
}

#[test]
fn rejects_what_the_issuer_did_not_sign() {
    let world = World::usual();
    let thief = World::new(Key::es256(3), Key::es256(2));
    let forged = world.verify(&world.present(&thief.credential(&visible()), SHOWN)).unwrap_err();
    assert_eq!(forged, Refusal::Forged(ISSUER.into()));
    // The header's own key, no algorithm, and the key's bytes as a shared secret.
    let good = world.credential(&visible());
    let (_, rest) = good.split_once('.').unwrap();
    for header in [
        json!({"typ": "dc+sd-jwt", "alg": "none"}),
        json!({"typ": "dc+sd-jwt", "alg": "HS256"}),
        json!({"typ": "dc+sd-jwt", "alg": "ES256", "jwk": Key::es256(3).jwk()}),
        json!({"typ": "dc+sd-jwt"}),
    ] {
        let own = Key::es256(3).sign(&header, &json!({}));
        let (header, _) = own.split_once('.').unwrap();
        let text = world.present(&format!("{header}.{rest}"), SHOWN);
        assert_eq!(world.verify(&text).unwrap_err(), Refusal::Forged(ISSUER.into()));
    }
    assert_eq!(world.with(&json!({"iss": "https://elsewhere"})), Refusal::UnknownIssuer("https://elsewhere".into()));
    let other = Refusal::UntrustedType { issuer: ISSUER.into(), vct: "urn:library-card".into() };
    assert_eq!(world.with(&json!({"vct": "urn:library-card"})), other);
    // A token of the issuer that is no credential.
    let payload = json!({"iss": ISSUER, "vct": TYPE, "cnf": {"jwk": world.holder.jwk()}});
    for header in
        [json!({"typ": "JWT", "alg": "ES256"}), json!({"alg": "ES256"}), json!({"typ": "kb+jwt", "alg": "ES256"})]
    {
        let text = world.present(&compact(&world.issuer.sign(&header, &payload), &[]), &[]);
        assert_eq!(world.verify(&text).unwrap_err(), Refusal::NoCredential);
    }
    let header = json!({"typ": "dc+sd-jwt", "alg": "ES256", "crit": ["x"], "x": 1});
    let text = world.present(&compact(&world.issuer.sign(&header, &payload), &[]), &[]);
    assert!(matches!(world.verify(&text).unwrap_err(), Refusal::Malformed(why) if why.contains("crit")));
}

#[test]
fn rejects_what_is_not_valid_now() {
    let world = World::usual();
    assert_eq!(world.with(&json!({"exp": NOW})), Refusal::Expired(time(NOW)));
    assert_eq!(world.with(&json!({"nbf": NOW + 61})), Refusal::NotYetValid(time(NOW + 61)));
    assert_eq!(world.with(&json!({"iat": NOW + 61})), Refusal::NotYetValid(time(NOW + 61)));
    assert_eq!(world.with(&json!({"exp": "tomorrow"})), Refusal::NoTime("exp"));
    assert_eq!(world.with(&json!({"exp": u64::MAX})), Refusal::NoTime("exp"));
    assert_eq!(world.with(&json!({"nbf": -1})), Refusal::NoTime("nbf"));
    assert_eq!(world.with(&json!({"status": {"status_list": {"idx": 1}}})), Refusal::UncheckedStatus(ISSUER.into()));
}

#[test]
fn rejects_who_does_not_hold_it() {
    let world = World::usual();
    let credential = world.credential(&visible());
    let nonce = world.demand.nonce.as_str();
    let thief = Key::es256(4);
    let stolen = present(&credential, SHOWN, &thief, nonce, PSP, NOW);
    assert_eq!(world.verify(&stolen).unwrap_err(), Refusal::WrongHolder);
    let good = world.present(&credential, SHOWN);
    let (bound, _) = good.rsplit_once('~').unwrap();
    assert_eq!(world.verify(&format!("{bound}~")).unwrap_err(), Refusal::NoKeyBinding);
    let at = |holder: &Key, nonce: &str, audience: &str, at| {
        world.verify(&present(&credential, SHOWN, holder, nonce, audience, at)).unwrap_err()
    };
    assert_eq!(at(&world.holder, "another", PSP, NOW), Refusal::OtherDemand("nonce"));
    assert_eq!(at(&world.holder, nonce, "psp-two", NOW), Refusal::OtherDemand("aud"));
    assert_eq!(at(&world.holder, nonce, PSP, NOW - 61), Refusal::NotFresh { made: NOW - 61 });
    assert_eq!(at(&world.holder, nonce, PSP, NOW + 61), Refusal::NotFresh { made: NOW + 61 });
    // The binding of another presentation, and a credential in place of a binding.
    let (_, other) = world
        .present(&credential, &["family_name"])
        .rsplit_once('~')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(world.verify(&format!("{bound}~{other}")).unwrap_err(), Refusal::OtherDisclosures);
    let unbound = json!({"typ": "JWT", "alg": "ES256"});
    let text = format!("{bound}~{}", world.holder.sign(&unbound, &json!({"nonce": nonce, "aud": PSP, "iat": NOW})));
    assert!(matches!(world.verify(&text).unwrap_err(), Refusal::Malformed(_)));
    // Nobody is named, and a key that anybody can sign for.
    let nobody = issue(&world.issuer, &visible(), &hidden(), &world.holder);
    let header = json!({"typ": "dc+sd-jwt", "alg": "ES256"});
    let jwt = world.issuer.sign(&header, &visible());
    let text = bind(&compact(&jwt, &[]), &world.holder, nonce, PSP, NOW);
    assert!(matches!(world.verify(&text).unwrap_err(), Refusal::NoHolderKey(_)));
    assert!(world.verify(&world.present(&nobody, SHOWN)).is_ok());
}

#[test]
fn rejects_more_and_less_than_was_asked_for() {
    let world = World::usual();
    let credential = world.credential(&visible());
    let missing = |claim| Refusal::Missing(ClaimPath::top(claim));
    let refusal = |shown: &[&str]| world.verify(&world.present(&credential, shown)).unwrap_err();
    assert_eq!(refusal(&["family_name", "personal_number"]), missing("birthdate"));
    assert_eq!(refusal(&["family_name", "birthdate"]), missing("personal_number"));
    let surplus = refusal(&["family_name", "birthdate", "personal_number", "email"]);
    assert_eq!(surplus, Refusal::Surplus(ClaimPath::top("email")));
    assert!(surplus.to_string().contains("more than was asked for") && !surplus.to_string().contains("iris@"));
    // What the issuer shows to everybody is not the holder's fault; it is not kept either.
    let mut open = visible();
    open["email"] = json!("iris@example.org");
    let kept = world.verify(&world.present(&world.credential(&open), SHOWN)).unwrap();
    assert!(!kept.claims.contains_key(&ClaimPath::top("email")));
    // A claim that says nothing was not disclosed.
    for nothing in [json!(""), json!(" "), json!(null), json!([]), json!({})] {
        let mut claims = hidden();
        claims[0].1 = nothing;
        let credential = issue(&world.issuer, &visible(), &claims, &world.holder);
        assert_eq!(world.verify(&world.present(&credential, SHOWN)).unwrap_err(), missing("family_name"));
    }
}

#[test]
fn asks_for_a_part_of_a_claim() {
    let mut world = World::usual();
    world.demand.claims = vec![ClaimPath::new(["address", "country"])];
    let nonce = world.demand.nonce.clone();
    let number = disclosure("personal_number", &json!("1"));
    let (country, street) = (disclosure("country", &json!("SE")), disclosure("street", &json!("Gatan 1")));
    let digests = json!([digest_of(&country), digest_of(&street)]);
    let verify = |address: Value, shown: &[&String]| {
        let address = disclosure("address", &address);
        let mut payload = visible();
        payload["_sd"] = json!([digest_of(&address), digest_of(&number)]);
        payload["cnf"] = json!({"jwk": world.holder.jwk()});
        let jwt = world.issuer.sign(&json!({"typ": "dc+sd-jwt", "alg": "ES256"}), &payload);
        let shown: Vec<_> = [&address, &number].into_iter().chain(shown.iter().copied()).cloned().collect();
        world.verify(&bind(&compact(&jwt, &shown), &world.holder, &nonce, PSP, NOW))
    };
    let kept = verify(json!({"_sd": digests}), &[&country]).unwrap();
    assert_eq!(kept.claims[&ClaimPath::new(["address", "country"])], "SE");
    let street_too = Refusal::Surplus(ClaimPath::new(["address", "street"]));
    assert_eq!(verify(json!({"_sd": digests}), &[&country, &street]).unwrap_err(), street_too);
    assert_eq!(verify(json!({"country": "SE", "street": "Gatan 1"}), &[]).unwrap_err(), street_too);
    assert_eq!(
        verify(json!({"_sd": digests}), &[]).unwrap_err(),
        Refusal::Missing(ClaimPath::new(["address", "country"]))
    );
}

#[test]
fn rejects_claims_that_the_issuer_may_not_hide_or_say() {
    let mut world = World::usual();
    let mut claims = hidden();
    for name in ["exp", "cnf", "status", "vct", "iss", "nbf"] {
        claims.truncate(5);
        claims.push((name, json!(1)));
        let mut open = visible();
        open.as_object_mut().unwrap().remove("exp");
        let credential = issue(&world.issuer, &open, &claims, &world.holder);
        let shown: Vec<_> = SHOWN.iter().copied().chain([name]).collect();
        assert!(
            matches!(world.verify(&world.present(&credential, &shown)).unwrap_err(), Refusal::Disclosures(_)),
            "{name}"
        );
    }
    world.demand.claims = vec![ClaimPath::top("email")];
    let text = world.present(&world.credential(&visible()), &["email", "personal_number"]);
    let untrusted = Refusal::UntrustedClaim { issuer: ISSUER.into(), claim: ClaimPath::top("email") };
    assert_eq!(world.verify(&text).unwrap_err(), untrusted);
}

#[test]
fn nothing_panics_on_bytes_that_are_changed_or_cut() {
    let world = World::usual();
    let good = world.present(&world.credential(&visible()), SHOWN);
    for at in 0..good.len() {
        assert!(world.verify(&good[..at]).is_err());
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(world.verify(&String::from_utf8(changed).unwrap()).is_err(), "byte {at}");
    }
    for text in ["", "~", "~~", "..~", "a.b.c~", "é~", "{}", "eyJhIjoxLCJhIjoyfQ.e30.AA~"] {
        assert!(world.verify(text).is_err());
    }
}
