//! A customer is taken on with a credential, and another is stopped by a list that is made up.

use serde_json::{Value, json};
use specie_identity::testing::{Key, issue, present, trust_toml};

use crate::world::World;

const ISSUER: &str = "https://pid.example.org";
const TYPE: &str = "urn:eudi:pid:1";
const CLAIMS: [&str; 4] = ["given_name", "family_name", "birthdate", "number"];

const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-11-01T00:00:00.000Z"><INDIVIDUALS><INDIVIDUAL>
<FIRST_NAME>BALTHASAR</FIRST_NAME><SECOND_NAME>NIMMERWAHR</SECOND_NAME><REFERENCE_NUMBER>M-1</REFERENCE_NUMBER>
</INDIVIDUAL></INDIVIDUALS></CONSOLIDATED_LIST>"#;

/// Adds files to what the PSP identifies customers with.
fn configure(world: &World, lines: &str) {
    let path = world.path("psp/psp.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let section = "[identification]\n";
    assert!(text.contains(section));
    std::fs::write(path, text.replacen(section, &format!("{section}{lines}\n"), 1)).unwrap();
}

/// What a wallet makes of a demand, in a file.
fn answer(world: &World, demand: &Value, person: [&str; 4], file: &str) {
    let at = demand["asked_at"].as_u64().unwrap();
    let claims: Vec<_> = CLAIMS.iter().copied().zip(person.map(|claim| json!(claim))).collect();
    let visible = json!({"iss": ISSUER, "vct": TYPE, "exp": at + 1_000_000});
    let holder = Key::es256(2);
    let credential = issue(&Key::es256(1), &visible, &claims, &holder);
    let shown: Vec<_> =
        demand["credentials"][0]["claims"].as_array().unwrap().iter().map(|claim| claim.as_str().unwrap()).collect();
    let (nonce, audience) = (demand["nonce"].as_str().unwrap(), demand["aud"].as_str().unwrap());
    std::fs::write(world.path(file), present(&credential, &shown, &holder, nonce, audience, at)).unwrap();
}

#[test]
fn a_customer_comes_with_a_credential_and_one_is_stopped_by_the_list() {
    let world = World::new();
    let identity = |command: &'static str, rest: &[&'static str]| [&["psp", "identity", command, "psp"], rest].concat();
    let ask = |who: &'static str| world.json(&identity("ask", &[who, "--tier", "standard"]));
    world.refused(&identity("ask", &["iris", "--tier", "standard"]), "identification");
    let trust = trust_toml(ISSUER, &Key::es256(1), &[TYPE], &CLAIMS, "number");
    std::fs::write(world.path("psp/issuers.toml"), &trust).unwrap();
    std::fs::write(world.path("psp/list.xml"), LIST).unwrap();
    configure(&world, "issuers = \"issuers.toml\"\nsanctions = \"list.xml\"");

    let demand = ask("iris");
    answer(&world, &demand, ["Iris", "Exempel", "1984-05-06", "7"], "iris.txt");
    world.refused(&["psp", "customer", "add", "psp", "iris"], "evidence-missing");
    world.refused(&identity("present", &["bob", "iris.txt"]), "no-demand");
    let accepted = world.json(&identity("present", &["iris", "iris.txt"]));
    assert_eq!(accepted["credential"]["claims"]["family_name"], "Exempel");
    assert_eq!(accepted["credential"]["claims"]["number"], Value::Null, "what tells persons apart is not kept");
    assert_eq!(world.json(&identity("present", &["iris", "iris.txt"])), accepted);
    world.json(&["psp", "customer", "add", "psp", "iris"]);
    // Presented again for somebody else, and a demand that has its answer.
    ask("ivan");
    world.refused(&identity("present", &["ivan", "iris.txt"]), "credential-refused");
    let demand = ask("ivan");
    answer(&world, &demand, ["Iris", "Exempel", "1984-05-06", "7"], "again.txt");
    world.refused(&identity("present", &["ivan", "again.txt"]), "same-person");

    // The list knows a name like this one.
    let document =
        ["balt", "--kind", "passport", "--country", "se", "--number", "AB 123456", "--holder", "Nimmerwahr Baltasar"];
    let hits = world.json(&identity("document", &document))["hits"].clone();
    assert_eq!((hits[0]["entry"].as_str(), hits[0]["decision"].clone()), (Some("M-1"), Value::Null));
    world.refused(&["psp", "customer", "add", "psp", "balt"], "under-suspicion");
    world.run(&identity("decide", &["balt", "--entry", "M-1", "--reason", "why"])).exits(2);
    let decided = identity("decide", &["balt", "--entry", "M-1", "--another-person", "--reason", "two heads taller"]);
    assert_eq!(world.json(&decided)["decision"]["same_person"], false);
    world.json(&["psp", "customer", "add", "psp", "balt"]);
    let other = ["bert", "--kind", "passport", "--country", "SE", "--number", "ab123456", "--holder", "Bert Beispiel"];
    world.refused(&identity("document", &other), "same-person");
    let all = world.json(&identity("screen-all", &[]));
    assert_eq!((all["compared"].clone(), all["unnamed"].clone()), (json!(1), json!(["balt"])));

    let kept = world.json(&identity("show", &["iris"]));
    assert_eq!(kept["screening"]["published"], "2026-11-01T00:00:00.000Z");
    world.json(&identity("erase", &["iris"]));
    assert_eq!(world.json(&identity("show", &["iris"]))["credentials"], json!([]));

    // Lists that are cut or forged are not used at all, and the PSP says so.
    for (file, bad) in
        [("list.xml", &LIST[..250]), ("list.xml", ""), ("issuers.toml", &trust.replace("P-256", "P-257"))]
    {
        let good = std::fs::read(world.path(&format!("psp/{file}"))).unwrap();
        std::fs::write(world.path(&format!("psp/{file}")), bad).unwrap();
        world.refused(&identity("hits", &[]), "psp-identification");
        std::fs::write(world.path(&format!("psp/{file}")), good).unwrap();
    }
    assert_eq!(world.json(&identity("hits", &[]))["hits"].as_array().unwrap().len(), 1);
}
