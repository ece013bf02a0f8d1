//! Who customers are: credentials, documents, and names that a sanctions list may know. The list is made up.

use std::sync::Arc;

use serde_json::{Value, json};
use specie_aml::case::{CaseError, Step};
use specie_audit::Actor;
use specie_core::Timestamp;
use specie_identity::person::Pepper;
use specie_identity::refusal::Refusal;
use specie_identity::screening::{Birth, SanctionsList, Subject, THRESHOLD};
use specie_identity::testing::{Key, issue, present, trust_toml};
use specie_identity::trust::TrustList;
use specie_psp::aml::cases::CaseFailure;
use specie_psp::credential::Asked;
use specie_psp::customer::{Customer, CustomerError};
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::identification::{Identification, IdentificationError as Error, PepperError};
use specie_psp::identity_document::{DocumentKind, IdentityDocument};
use specie_psp::person::PersonKind;

use crate::faults::{Cut, Fuse};
use crate::world::{DAY, TestPsp, World, amount, at, name, seen};

const ISSUER: &str = "https://pid.example.org";
const TYPE: &str = "urn:eudi:pid:1";
const CLAIMS: &[&str] = &["given_name", "family_name", "birthdate", "number"];
pub const LIST: &str = r#"{"source": "made up", "published": "2026-11-01", "entries":
    [{"reference": "M-1", "kind": "person", "names": ["Balthasar Nimmerwahr"], "born": ["1961-04-01"]}]}"#;

/// A PSP that trusts one issuer, and screens names if `list` says so.
pub fn identifying(psp: TestPsp, list: Option<&str>) -> TestPsp {
    let trust = trust_toml(ISSUER, &Key::es256(1), &[TYPE], CLAIMS, "number");
    psp.identifying_with(Identification {
        pepper: Pepper::new([9; 32].into()),
        issuers: Some(TrustList::from_toml(&trust).unwrap()),
        sanctions: list.map(|list| SanctionsList::read(list.as_bytes()).unwrap()),
        threshold: THRESHOLD,
    })
}

/// A person with a wallet.
pub struct Holder {
    key: Key,
    claims: Vec<(&'static str, Value)>,
    expires: Timestamp,
}

impl Holder {
    fn new(given: &str, family: &str, number: &str) -> Self {
        let claims = [given, family, "1984-05-06", number];
        let claims = CLAIMS.iter().copied().zip(claims.map(|claim| json!(claim))).collect();
        Self { key: Key::ed25519(2), claims, expires: at(100 * DAY) }
    }

    pub fn iris() -> Self {
        Self::new("Iris", "Exempel", "840506-0000")
    }

    /// What the wallet answers a demand, showing what is asked for.
    fn answer(&self, asked: &Asked, now: Timestamp) -> String {
        let shown: Vec<_> = asked.acceptable[0].claims.iter().map(ToString::to_string).collect();
        let shown: Vec<_> = shown.iter().map(String::as_str).collect();
        let visible = json!({"iss": ISSUER, "vct": TYPE, "exp": self.expires.seconds()});
        let credential = issue(&Key::es256(1), &visible, &self.claims, &self.key);
        present(&credential, &shown, &self.key, &asked.demand.nonce, &asked.demand.audience, now.seconds())
    }

    /// Asks for a credential and answers.
    pub fn shows(&self, psp: &TestPsp, customer: &str, tier: &str, now: Timestamp) -> Result<usize, Error> {
        let asked = psp.ask(&name(customer), &name(tier), &[now.seconds() as u8; 32], now)?;
        Ok(psp.present(&name(customer), &self.answer(&asked, now), now)?.hits.len())
    }
}

pub fn customer(who: &str, tier: &str) -> Customer {
    Customer { name: name(who), account: name(who), tier: name(tier), merchant: None }
}

pub fn document(number: &str, holder: &str, born: &str) -> IdentityDocument {
    let holder = Subject { name: holder.into(), birth: Birth::parse(born) };
    IdentityDocument { kind: DocumentKind::Passport, country: *b"SE", number: number.into(), holder, valid_until: None }
}

/// Nothing is known of who this is.
fn unknown(psp: &TestPsp, who: &str) {
    assert!(psp.credentials(&name(who)).unwrap().is_empty());
    assert!(psp.hits(Some(&name(who))).unwrap().is_empty());
    assert_eq!(psp.screening(&name(who)).unwrap(), None);
    let refused = psp.add_customer(&customer(who, "online"), &[], at(0));
    assert!(matches!(refused, Err(CustomerError::Evidence { .. })), "{refused:?}");
}

#[test]
fn a_credential_opens_the_tiers_whose_claims_it_showed_until_it_runs_out() {
    let world = World::new();
    let psp = identifying(world.psp(), None);
    unknown(&psp, "iris");
    let iris = Holder::iris();
    assert_eq!(iris.shows(&psp, "iris", "online", at(0)).unwrap(), 0);
    let kept = psp.credentials(&name("iris")).unwrap();
    let claims: Value = serde_json::from_str(&kept[0].claims).unwrap();
    assert_eq!(claims, json!({"given_name": "Iris", "family_name": "Exempel"}), "no date of birth, no number");
    psp.add_customer(&customer("iris", "online"), &[], at(0)).unwrap();
    let person = psp.person(&name("iris")).unwrap().unwrap();
    assert_eq!(person.tag, kept[0].person, "limits are those of this person");
    // More was asked for in another tier.
    let more = psp.set_tier(&name("iris"), &name("verified"), at(0));
    assert!(matches!(more, Err(CustomerError::Evidence { .. })), "{more:?}");
    iris.shows(&psp, "iris", "verified", at(1)).unwrap();
    psp.set_tier(&name("iris"), &name("verified"), at(1)).unwrap();
    psp.set_tier(&name("iris"), &name("online"), iris.expires).unwrap();
    let late = psp.set_tier(&name("iris"), &name("verified"), Timestamp::new(iris.expires.seconds() + 1).unwrap());
    assert!(matches!(late, Err(CustomerError::Evidence { .. })), "{late:?}");
    // A record that says so is no credential.
    psp.add_customer(&customer("dora", "prepaid"), &[], at(0)).unwrap();
    assert_eq!(psp.person(&name("dora")).unwrap(), None);
    psp.record_evidence(&name("dora"), &seen(EvidenceKind::Credential)).unwrap();
    assert!(psp.set_tier(&name("dora"), &name("online"), at(0)).is_err());
}

#[test]
fn a_presentation_answers_one_demand_of_one_customer_in_time() {
    let world = World::new();
    let psp = identifying(world.psp(), None);
    let (iris, dora) = (name("iris"), name("dora"));
    let holder = Holder::iris();
    let refused = |result: Result<_, Error>| result.unwrap_err();
    assert!(matches!(refused(psp.present(&iris, "~", at(0))), Error::NoDemand(_)));
    assert!(matches!(psp.ask(&iris, &name("basic"), &[1; 32], at(0)).unwrap_err(), Error::NoCredentialAsked(_)));
    let asked = psp.ask(&iris, &name("online"), &[1; 32], at(0)).unwrap();
    let answer = holder.answer(&asked, at(0));
    // To another customer, after another demand, too late, forged: each refused, and nothing is there.
    assert!(matches!(refused(psp.present(&dora, &answer, at(0))), Error::NoDemand(_)));
    let to_dora = psp.ask(&dora, &name("online"), &[2; 32], at(0)).unwrap();
    assert!(matches!(refused(psp.present(&dora, &answer, at(0))), Error::Refused(Refusal::OtherDemand("nonce"))));
    assert!(matches!(refused(psp.present(&iris, &answer, at(601))), Error::NoDemand(_)));
    let forged = answer.replacen('A', "B", 1);
    assert!(matches!(refused(psp.present(&iris, &forged, at(0))), Error::Refused(_)));
    unknown(&psp, "iris");
    unknown(&psp, "dora");
    let accepted = psp.present(&iris, &answer, at(0)).unwrap();
    assert_eq!(psp.present(&iris, &format!("{answer}\n"), at(5)).unwrap(), accepted, "the same again changes nothing");
    assert!(matches!(refused(psp.present(&iris, &holder.answer(&asked, at(1)), at(1))), Error::Answered(_)));
    let again = psp.ask(&iris, &name("online"), &[3; 32], at(2)).unwrap();
    assert!(matches!(refused(psp.present(&iris, &answer, at(2))), Error::Refused(Refusal::OtherDemand("nonce"))));
    assert_ne!(again.demand.nonce, asked.demand.nonce);
    // The same person under another name, and another person under the same.
    assert!(
        matches!(refused(psp.present(&dora, &holder.answer(&to_dora, at(3)), at(3))), Error::SamePerson(who) if who == iris)
    );
    let other = Holder::new("Dora", "Beispiel", "900101-0000").answer(&again, at(3));
    assert!(matches!(refused(psp.present(&iris, &other, at(3))), Error::OtherPerson(_)));
    unknown(&psp, "dora");
    assert_eq!(psp.credentials(&iris).unwrap(), [accepted.credential]);
}

#[test]
fn survives_a_crash_at_each_step_of_a_presentation() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let world = World::new();
            let asked =
                identifying(world.psp(), Some(LIST)).ask(&name("iris"), &name("online"), &[1; 32], at(0)).unwrap();
            let answer = Holder::new("Balthasar", "Nimmerwahr", "1").answer(&asked, at(0));
            let fuse = Fuse::new(step, cut);
            let broken = identifying(world.psp_with(&Arc::clone(&fuse)), Some(LIST));
            drop(broken.present(&name("iris"), &answer, at(0)));
            let psp = identifying(world.psp(), Some(LIST));
            let accepted = psp.present(&name("iris"), &answer, at(0)).unwrap();
            assert_eq!(psp.credentials(&name("iris")).unwrap(), [accepted.credential], "step {step}, {cut:?}");
            assert_eq!(accepted.hits.len(), 1);
            if !fuse.is_broken() {
                break;
            }
        }
    }
}

#[test]
fn a_document_is_one_customers_and_its_number_is_not_kept() {
    let world = World::new();
    let psp = identifying(world.psp(), None);
    let (iris, dora) = (name("iris"), name("dora"));
    psp.check_document(&iris, &document("AB 123456", "Iris Exempel", "1984"), at(0)).unwrap();
    psp.add_customer(&customer("iris", "standard"), &[], at(0)).unwrap();
    let [record] = psp.evidence(&iris).unwrap().try_into().unwrap();
    assert!(record.reference.starts_with("passport SE ") && !record.reference.contains("123456"), "{record:?}");
    psp.check_document(&iris, &document("ab-123456", "Iris Exempel", "1984"), at(5)).unwrap();
    assert_eq!(psp.evidence(&iris).unwrap(), [record], "the same document again");
    let same = psp.check_document(&dora, &document("AB123456", "Dora Beispiel", "1990"), at(0));
    assert!(matches!(same, Err(Error::SameDocument(who)) if who == iris));
    for number in ["", "AB-1", &"1".repeat(65)] {
        let none = psp.check_document(&dora, &document(number, "Dora Beispiel", ""), at(0));
        assert!(matches!(none, Err(Error::DocumentNumber)), "{number}");
    }
    unknown(&psp, "dora");
    let plain = world.psp().check_document(&dora, &document("AB123457", "Dora Beispiel", ""), at(0));
    assert!(matches!(plain, Err(Error::NotConfigured)));
}

#[test]
fn a_likeness_to_the_list_stops_a_customer_until_a_person_decided() {
    let world = World::new();
    let psp = identifying(world.psp(), Some(LIST));
    let alice = name("alice");
    let limits = |key: &str| psp.limits(&world.device.asks(key, 1), at(0));
    let stopped = |result| assert!(matches!(result, Err(DocumentError::Device(DeviceRefusal::Evidence))), "{result:?}");
    // Alice was taken on before there was a list: her name has to be compared first.
    stopped(limits("limits-0000000001"));
    let not_screened = psp.set_tier(&alice, &name("standard"), at(0));
    assert!(matches!(not_screened, Err(CustomerError::NotScreened { .. })), "{not_screened:?}");
    let as_named = |text: &str, born: &str| Subject { name: text.into(), birth: Birth::parse(born) };
    assert_eq!(psp.screen_all(at(0)).unwrap().unnamed, [alice, name("bob")], "names of documents are not kept");
    assert!(matches!(psp.screen(&alice, &as_named("???", ""), at(0)), Err(Error::NoName(_))));
    stopped(limits("limits-0000000001"));
    assert_eq!(psp.screen(&alice, &as_named("Alice Exempel", ""), at(0)).unwrap(), []);
    limits("limits-0000000001").unwrap();
    // A likeness.
    let hits = psp.screen(&alice, &as_named("Baltazar Nimmervar", "1999"), at(1));
    assert_eq!(hits.unwrap(), [], "somebody born at another time is a lesser likeness");
    let hits = psp.screen(&alice, &as_named("Baltazar Nimmervar", ""), at(2)).unwrap();
    assert_eq!((hits.len(), hits[0].reference.as_str(), &hits[0].ruling), (1, "M-1", &None));
    stopped(limits("limits-0000000002"));
    for tier in ["prepaid", "standard"] {
        assert!(matches!(psp.set_tier(&alice, &name(tier), at(2)), Err(CustomerError::Suspected(_))));
    }
    assert!(psp.statement(&world.public(), at(2)).is_ok(), "the account is still the customer's");
    assert!(matches!(psp.erase_identity(&alice, at(2)), Err(Error::UnderSuspicion(_))));
    for reason in ["", " ", &"x".repeat(1001)] {
        assert!(matches!(psp.decide_hit(&alice, "M-1", false, reason, at(3)), Err(Error::Reason)));
    }
    assert!(matches!(psp.decide_hit(&alice, "M-2", false, "why", at(3)), Err(Error::UnknownHit { .. })));
    let decided = psp.decide_hit(&alice, "M-1", false, "taller", at(3)).unwrap();
    assert_eq!(psp.decide_hit(&alice, "M-1", false, "taller", at(4)).unwrap(), decided, "decided once");
    limits("limits-0000000002").unwrap();
    assert_eq!(
        psp.screen(&alice, &as_named("Baltazar Nimmervar", ""), at(5)).unwrap(),
        [decided],
        "the decision stands"
    );
    // A nearer likeness was not decided about.
    let nearer = psp.screen(&alice, &as_named("Balthasar Nimmerwahr", "1961-04-01"), at(6)).unwrap();
    assert_eq!((nearer[0].ruling.as_ref(), nearer[0].score), (None, 1000));
    stopped(limits("limits-0000000003"));
    psp.decide_hit(&alice, "M-1", true, "same passport", at(7)).unwrap();
    let frozen = limits("limits-0000000003");
    assert!(matches!(frozen, Err(DocumentError::Device(DeviceRefusal::Frozen))), "{frozen:?}");
}

#[test]
fn whoever_is_on_the_list_is_frozen_and_one_person_alone_does_not_undo_it() {
    let world = World::new();
    let by = |who: &str| identifying(world.psp(), Some(LIST)).acting_for(Actor::operator(who).unwrap());
    let (anna, ben, alice) = (by("anna"), by("ben"), name("alice"));
    let subject = Subject { name: "Balthasar Nimmerwahr".into(), birth: None };
    for who in ["alice", "zoe"] {
        anna.screen(&name(who), &subject, at(0)).unwrap();
    }
    assert!(matches!(anna.decide_hit(&alice, "M-1", true, "\u{7}", at(1)), Err(Error::Case(_))), "no such reason");
    assert_eq!(anna.hits(Some(&alice)).unwrap()[0].ruling, None);
    // Cut at every step: decided and frozen, or neither.
    for cut in [Cut::Before, Cut::After] {
        let fuse = Fuse::new(0, cut);
        let broken = identifying(world.psp_with(&fuse), Some(LIST)).acting_for(Actor::operator("anna").unwrap());
        drop(broken.decide_hit(&alice, "M-1", true, "same passport", at(1)));
        let decided = ben.hits(Some(&alice)).unwrap()[0].ruling.is_some();
        assert_eq!(ben.frozen_by(&alice).unwrap().is_some(), decided, "{cut:?}");
    }
    for _ in 0..2 {
        anna.decide_hit(&alice, "M-1", true, "same passport", at(1)).unwrap();
    }
    assert_eq!((anna.frozen_by(&alice).unwrap(), anna.cases().unwrap().len()), (Some(1), 1));
    let deposit = anna.deposit(&alice, amount(5), "slip 7", at(2));
    assert!(matches!(deposit, Err(CustomerError::Frozen { .. })), "{deposit:?}");
    // Who froze does not release, and nobody does as long as it is the same person.
    let release = |psp: &TestPsp| psp.take_step(1, &Step::Release("because".into()), at(3));
    assert!(matches!(release(&anna), Err(CaseFailure::Case(CaseError::SameReleaser { .. }))));
    assert!(matches!(release(&ben), Err(CaseFailure::OnTheList(who)) if who == alice));
    anna.decide_hit(&alice, "M-1", false, "on second thoughts", at(4)).unwrap();
    assert_eq!(anna.frozen_by(&alice).unwrap(), Some(1), "still frozen");
    assert!(matches!(release(&anna), Err(CaseFailure::Case(CaseError::SameReleaser { .. }))));
    release(&ben).unwrap();
    assert_eq!(anna.frozen_by(&alice).unwrap(), None);
    // Who is no customer has nothing to freeze, and does not become one.
    anna.decide_hit(&name("zoe"), "M-1", true, "same passport", at(5)).unwrap();
    let refused = anna.add_customer(&customer("zoe", "prepaid"), &[], at(5));
    assert!(matches!(refused, Err(CustomerError::Suspected(_))), "{refused:?}");
}

#[test]
fn the_names_that_are_kept_are_compared_with_a_new_list() {
    let world = World::new();
    let psp = identifying(world.psp(), Some(&LIST.replace("Balthasar Nimmerwahr", "Undine Wasserfern")));
    let suspect = Holder::new("Balthasar", "Nimmerwahr", "1");
    assert_eq!(suspect.shows(&psp, "iris", "online", at(0)).unwrap(), 0);
    psp.add_customer(&customer("iris", "online"), &[], at(0)).unwrap();
    let before = psp.screening(&name("iris")).unwrap().unwrap();
    let psp = identifying(world.psp(), Some(LIST));
    let result = psp.screen_all(at(10)).unwrap();
    assert_eq!((result.compared, result.undecided), (1, vec![name("iris")]));
    let after = psp.screening(&name("iris")).unwrap().unwrap();
    assert_ne!(after.list, before.list);
    // The same again says the same and writes nothing.
    assert_eq!(psp.screen_all(at(20)).unwrap().undecided, [name("iris")]);
    assert_eq!(psp.screening(&name("iris")).unwrap().unwrap(), after);
    let none = identifying(world.psp(), None).screen_all(at(20));
    assert!(matches!(none, Err(Error::NoList)));
}

#[test]
fn what_is_erased_is_gone_and_the_person_may_come_back() {
    let world = World::new();
    let psp = identifying(world.psp(), Some(LIST));
    let iris = Holder::iris();
    iris.shows(&psp, "iris", "online", at(0)).unwrap();
    let document = EvidenceRecord { reference: "file 2".into(), ..seen(EvidenceKind::Document) };
    psp.add_customer(&customer("iris", "online"), &[document], at(0)).unwrap();
    psp.erase_identity(&name("iris"), at(1)).unwrap();
    psp.erase_identity(&name("iris"), at(1)).unwrap();
    assert!(psp.evidence(&name("iris")).unwrap().is_empty());
    assert!(psp.credentials(&name("iris")).unwrap().is_empty());
    assert_eq!(psp.screening(&name("iris")).unwrap(), None);
    let lost = psp.set_tier(&name("iris"), &name("online"), at(1));
    assert!(matches!(lost, Err(CustomerError::Evidence { .. })), "{lost:?}");
    iris.shows(&psp, "ina", "online", at(2)).unwrap();
    psp.add_customer(&customer("ina", "online"), &[], at(2)).unwrap();
    // What is erased of two does not make them one.
    let nora = Holder::new("Nora", "Muster", "850607-0000");
    nora.shows(&psp, "nora", "online", at(3)).unwrap();
    psp.add_customer(&customer("nora", "online"), &[], at(3)).unwrap();
    psp.erase_identity(&name("nora"), at(4)).unwrap();
    let swapped = nora.shows(&psp, "iris", "online", at(5));
    assert!(matches!(swapped, Err(Error::OtherPerson(_))), "{swapped:?}");
    nora.shows(&psp, "nora", "online", at(6)).unwrap();
}

#[test]
fn another_pepper_is_refused_once_somebody_is_known() {
    let world = World::new();
    let with = |byte: u8| {
        let pepper = Pepper::new([byte; 32].into());
        let identification = Identification { pepper, issuers: None, sanctions: None, threshold: THRESHOLD };
        world.psp().identifying_with(identification)
    };
    let number = |psp: &TestPsp, customer: &str| {
        psp.set_person_by_number(&name(customer), PersonKind::Natural, ("https://register", "1"), at(1)).unwrap();
    };
    // Nobody is known by the first one yet.
    for byte in [1, 1, 2] {
        with(byte).adopt_pepper().unwrap();
    }
    number(&with(2), "alice");
    for _ in 0..2 {
        let refused = with(1).adopt_pepper().unwrap_err();
        let known = Pepper::new([2; 32].into()).name();
        assert!(matches!(refused, PepperError::Other { known: by, .. } if by == known), "{refused}");
        assert!(refused.to_string().contains("Restore the file"), "{refused}");
        with(2).adopt_pepper().unwrap();
    }
    world.psp().adopt_pepper().unwrap();
    // What it would be for: the same person under two names, with limits for each.
    number(&with(1), "bob");
    assert_ne!(with(2).person(&name("alice")).unwrap(), with(2).person(&name("bob")).unwrap());
}
