//! Against money laundering, as a PSP's people meet it: flows, an alert, a case that two decide, a freeze, a report, a statement.

use std::fs;

use uppsala::XsdValidator;

use crate::world::World;

/// Runs the operator's command.
fn psp(world: &World, words: &[&str]) -> serde_json::Value {
    world.json(&[&["psp"], words].concat())
}

/// A document that the program wrote, which its schema has nothing against.
fn valid(world: &World, file: &str, schema: &str) -> String {
    let text = fs::read_to_string(world.path(file)).unwrap();
    let schema = uppsala::parse(schema).unwrap();
    let errors = XsdValidator::from_schema(&schema).unwrap().validate(&uppsala::parse(&text).unwrap());
    assert!(errors.is_empty(), "{errors:?}: {text}");
    text
}

#[test]
fn an_alert_becomes_a_case_that_two_decide_and_a_freeze_holds_the_money() {
    let world = World::new();
    world.person("mallory", "0");
    for (number, amount) in ["900", "950", "999.99"].into_iter().enumerate() {
        let reference = format!("counter {number}");
        psp(&world, &["customer", "credit", "psp", "mallory", amount, "--reference", &reference]);
    }
    world.json(&["device", "withdraw", "mallory", "20"]);
    let alerts = psp(&world, &["alerts", "psp", "--open"])["alerts"].clone();
    assert_eq!((&alerts[0]["rule"], &alerts[0]["customer"]), (&"structuring".into(), &"mallory".into()), "{alerts:#}");
    assert_eq!(alerts.as_array().unwrap().len(), 1, "{alerts:#}");
    // The running service looks too; nothing is raised twice.
    assert_eq!(psp(&world, &["alerts", "psp"])["alerts"], alerts);

    let reason = ["--reason", "three deposits just below the threshold"];
    let case = psp(&world, &[&["case", "open", "psp", "mallory", "--by", "anna"], &reason[..]].concat());
    assert_eq!((&case["case"], &case["state"]), (&1.into(), &"open".into()));
    assert_eq!(psp(&world, &["alerts", "psp", "--open"])["alerts"].as_array().unwrap().len(), 0);
    psp(&world, &["case", "assign", "psp", "1", "--to", "ben", "--by", "anna"]);
    psp(&world, &["case", "note", "psp", "1", "--by", "ben", "--text", "no trade is known"]);
    let report = ["psp", "case", "report", "psp", "1", "--out", "report.xml"];
    world.refused(&report, "no-reporter");
    let propose = |by| ["psp", "case", "propose", "psp", "1", "report", "--by", by, "--reason", "no trade"];
    world.refused(&propose("anna"), "not-assignee");
    world.json(&propose("ben"));
    world.refused(&["psp", "case", "decide", "psp", "1", "agree", "--by", "ben", "--reason", "yes"], "same-person");
    let decided = psp(&world, &["case", "decide", "psp", "1", "agree", "--by", "anna", "--reason", "yes"]);
    assert_eq!(decided["state"], "reported");

    // The thresholds say now who reports: another file, another version.
    let aml = fs::read_to_string(world.path("psp/aml.toml")).unwrap();
    let reporter = "\n[report]\nentity = 4711\nofficer = \"Anna <MLRO>\"\ncountry = \"XX\"\n";
    fs::write(world.path("psp/aml.toml"), format!("{aml}{reporter}")).unwrap();
    world.refused(&["psp", "alerts", "psp"], "aml-settings");
    fs::write(world.path("psp/aml.toml"), format!("{}{reporter}", aml.replace("version = 1", "version = 2"))).unwrap();
    assert_eq!(psp(&world, &["alerts", "psp"])["alerts"].as_array().unwrap().len(), 1);

    let freeze = ["freeze", "psp", "mallory", "--case", "1", "--by", "anna", "--reason", "order 17"];
    assert_eq!(psp(&world, &freeze)["frozen"], true);
    assert_eq!(psp(&world, &["customer", "show", "psp", "mallory"])["frozen_by_case"], 1);
    let (account, held) = (world.account("mallory"), world.total("mallory"));
    world.refused(&["psp", "customer", "credit", "psp", "mallory", "1", "--reference", "later"], "customer-frozen");
    for words in [&["device", "withdraw", "mallory", "1"][..], &["device", "sync", "mallory"]] {
        let run = world.run(&[&["--json"], words].concat()).exits(1);
        assert!(run.stdout.contains("froze"), "{words:?}: {run:?}");
    }
    assert_eq!((world.account("mallory"), world.total("mallory")), (account, held));
    world.books_hold();

    world.json(&report);
    let xml = valid(&world, "report.xml", include_str!("../../../aml/schemas/goaml-report.xsd"));
    for part in ["<rentity_id>4711<", "Anna &lt;MLRO&gt;", "<amount_local>999.99<", "The customer is frozen."] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    world.refused(&report, "file");
    world.refused(
        &["psp", "release", "psp", "mallory", "--case", "1", "--by", "anna", "--reason", "lifted"],
        "same-person",
    );
    let release = ["release", "psp", "mallory", "--case", "1", "--by", "ben", "--reason", "lifted"];
    assert_eq!(psp(&world, &release)["frozen"], false);
    world.json(&["device", "withdraw", "mallory", "1"]);
    let steps = psp(&world, &["case", "show", "psp", "1"])["entries"].as_array().unwrap().len();
    assert_eq!(steps, 7);
    world.books_hold();

    let statement = ["psp", "statement", "psp", "mallory", "--from", "2020-01-01", "--to", "9000-01-01"];
    assert_eq!(world.json(&[&statement[..], &["--out", "statement.xml"]].concat())["over"], false);
    let xml = valid(&world, "statement.xml", include_str!("../../../aml/schemas/camt.053.xsd"));
    assert!(xml.contains("camt.053.001.08") && xml.contains("<Amt Ccy=\"XTS\">2828.99</Amt>"), "{xml}");
    world.refused(&["psp", "case", "show", "psp", "9"], "unknown-case");
    world.refused(&[&statement[..3], &["nobody"], &statement[4..], &["--out", "x.xml"]].concat(), "unknown-account");
    for (wrong, said) in [("version = 0\n", "`version` must be 1 or more"), ("nonsense = 1\n", "nonsense")] {
        fs::write(world.path("psp/aml.toml"), wrong).unwrap();
        let run = world.run(&["psp", "status", "psp"]).exits(1);
        assert!(run.stderr.contains("aml.toml") && run.stderr.contains(said), "{run:?}");
    }
}
