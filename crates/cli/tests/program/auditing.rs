//! The audit log through the program: written by every order, exported, checked with a key alone.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;

/// Exports to a file that is not there, and gives the key and the lines.
fn export(world: &World, of: &str, file: &str) -> (String, Vec<Value>) {
    let _ = fs::remove_file(world.path(file));
    let written = world.json(&[of, "audit", "export", of, "--out", file]);
    let text = fs::read_to_string(world.path(file)).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (written["key"].as_str().unwrap().to_owned(), lines)
}

fn kinds(lines: &[Value]) -> Vec<(&str, &str)> {
    let records = lines.iter().filter_map(|line| line.get("record"));
    records.map(|record| (record["kind"].as_str().unwrap(), record["by"].as_str().unwrap())).collect()
}

#[test]
fn orders_are_in_the_log_with_who_gave_them_and_the_log_is_checked_with_a_key_alone() {
    let world = World::new();
    world.person("alice", "100");
    world.json(&["psp", "customer", "tier", "psp", "alice", "basic", "--by", "anna"]);
    let device = world.json(&["psp", "customer", "show", "psp", "alice"])["devices"][0]["key"].clone();
    world.json(&["psp", "block", "psp", device.as_str().unwrap(), "--by", "ben"]);
    let head = world.json(&["psp", "audit", "head", "psp", "--out", "early.head"]);
    world.json(&["psp", "block", "psp", device.as_str().unwrap(), "--lift", "--by", "anna"]);
    world.json(&["psp", "lost", "psp", device.as_str().unwrap(), "--by", "anna"]);

    let (key, lines) = export(&world, "psp", "psp.audit");
    let found = kinds(&lines);
    for expected in [
        ("tier-changed", "anna"),
        ("device-blocked", "ben"),
        ("device-unblocked", "anna"),
        ("device-lost", "anna"),
        ("device-enrolled", "service"),
    ] {
        assert_eq!(found.iter().filter(|kind| **kind == expected).count(), 1, "{expected:?} in {found:?}");
    }
    for kind in ["policy-in-force", "tiers-published", "customer-added", "customer-credited", "claim-code-issued"] {
        assert!(found.iter().any(|found| found.0 == kind), "{kind} in {found:?}");
    }
    // No claim code, and no evidence but its kind, is in the log.
    let text = fs::read_to_string(world.path("psp.audit")).unwrap();
    assert!(!text.contains("file 1"));
    let verified = world.json(&["audit", "verify", "psp.audit", "--key", &key, "--since", "early.head"]);
    assert_eq!((&verified["holds"], &verified["log"]), (&json!(true), &json!("psp/psp-one")));
    assert_eq!((&verified["records"], &verified["since"]["sequence"]), (&json!(found.len()), &head["sequence"]));

    world.json(&["bank", "register", "bank", "psp-two", "--key", &"3b".repeat(32), "--by", "carla"]);
    let fund = ["bank", "fund", "bank", "psp-one", "1.00", "--by", "carla", "--reference"];
    world.json(&[&fund[..], &["in 1"]].concat());
    world.json(&[&fund[..], &["out 1", "--out"]].concat());
    let key_of_officers = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    for _ in 0..2 {
        world.json(&["bank", "supervise", "bank", "--above", "10.00", "--key", key_of_officers, "--by", "carla"]);
    }
    world.json(&["bank", "supervise", "bank", "--never", "--by", "carla"]);
    let toml = fs::read_to_string(world.path("bank/bank.toml")).unwrap();
    let lines = toml.lines().filter(|line| !line.starts_with("revocations_per_day"));
    let fewer: String = ["revocations_per_day = 7"].into_iter().chain(lines).map(|line| format!("{line}\n")).collect();
    fs::write(world.path("bank/bank.toml"), fewer).unwrap();
    world.json(&["bank", "status", "bank", "--by", "dora"]);
    let (ledger, lines) = export(&world, "bank", "bank.audit");
    let found = kinds(&lines);
    for (expected, count) in [
        (("psp-registered", "carla"), 1),
        (("reserve-paid-out", "carla"), 1),
        (("supervision-set", "carla"), 1),
        (("supervision-ended", "carla"), 1),
        (("bank-rules-in-force", "dora"), 1),
        (("device-registered", "service"), 1),
    ] {
        assert_eq!(found.iter().filter(|kind| **kind == expected).count(), count, "{expected:?} in {found:?}");
    }
    assert!(found.contains(&("reserve-paid-in", "carla")));
    assert_eq!(found[0].0, "bank-set-up");
    let verified = world.json(&["audit", "verify", "bank.audit", "--key", &ledger]);
    assert_eq!((&verified["log"], &verified["since"]), (&json!("bank/central-bank"), &Value::Null));

    let books = world.json(&["bank", "conservation", "bank"]);
    assert_eq!((&books["conservation"]["holds"], &books["alarm"]), (&json!(true), &Value::Null));
    world.refused(&["bank", "conservation", "bank", "--acknowledge", "ticket 17"], "no-alarm");

    // With nothing but the root key, the bank's log and the PSP's alike; and a witness who keeps heads alone.
    for file in ["bank.audit", "psp.audit"] {
        let verified = world.json(&["audit", "verify", file, "--root", &world.root]);
        assert_eq!(verified["holds"], true);
        world.refused(&["audit", "verify", file, "--root", &ledger], "audit-certificate");
    }
    world.json(&["bank", "audit", "head", "bank", "--out", "kept.head"]);
    world.json(&["bank", "register", "bank", "psp-three", "--key", &"4b".repeat(32), "--by", "carla"]);
    world.json(&["bank", "audit", "proof", "bank", "--since", "kept.head", "--out", "bank.proof"]);
    let compared = world.json(&["audit", "compare", "kept.head", "bank.proof", "--root", &world.root]);
    assert!(compared["sequence"].as_u64() > compared["since"]["sequence"].as_u64());
    assert!(!fs::read_to_string(world.path("bank.proof")).unwrap().contains("psp-three"));
    world.refused(&["audit", "compare", "early.head", "bank.proof", "--root", &world.root], "audit-other-log");
    world.refused(&["audit", "compare", "kept.head", "bank.audit", "--root", &world.root], "audit-proof");

    // The key is in the manifest, under the root key.
    world.json(&["bank", "manifest", "bank", "--out", "manifest.cbor"]);
    let shown = world.run(&["inspect", "--root", &world.root, "manifest.cbor"]).exits(0).stdout;
    assert!(shown.contains(&ledger) && shown.contains(&key));
}

#[test]
fn an_export_that_somebody_touched_is_refused() {
    let world = World::new();
    world.json(&["psp", "customer", "add", "psp", "alice", "--tier", "prepaid"]);
    let (key, _) = export(&world, "psp", "early.audit");
    world.json(&["psp", "customer", "add", "psp", "bob", "--tier", "prepaid"]);
    export(&world, "psp", "psp.audit");
    let verify = |file: &str, code: &str| world.refused(&["audit", "verify", file, "--key", &key], code);
    world.refused(&["audit", "verify", "psp.audit", "--key", &"3b".repeat(32)], "audit-key");
    world.refused(&["psp", "audit", "export", "psp", "--out", "psp.audit"], "file");
    let text = fs::read_to_string(world.path("psp.audit")).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let touched = |file: &str, text: String| fs::write(world.path(file), text).unwrap();
    touched("changed", text.replacen("\"alice\"", "\"alicf\"", 1));
    verify("changed", "audit-altered");
    touched("spaced", text.replacen(':', ": ", 1));
    verify("spaced", "audit-altered");
    touched("shorter", [&lines[..3], &lines[4..]].concat().concat());
    verify("shorter", "audit-altered");
    touched("moved", [&lines[..3], &[lines[4], lines[3]], &lines[5..]].concat().concat());
    verify("moved", "audit-altered");
    touched("unsigned", lines[..lines.len() - 1].concat());
    verify("unsigned", "audit-cut");
    // Cut off up to an earlier head: only whoever kept a later one sees it.
    world.json(&["audit", "verify", "early.audit", "--key", &key]);
    let since = ["audit", "verify", "early.audit", "--key", &key, "--since", "psp.audit"];
    world.refused(&since, "audit-rewritten");
    world.json(&["audit", "verify", "psp.audit", "--key", &key, "--since", "early.audit"]);
    // The log of the bank is another one, whoever signs.
    export(&world, "bank", "bank.audit");
    verify("bank.audit", "audit-key");
}

/// What a killed order decided and what the log says of it are there together or not at all.
#[test]
fn a_killed_order_is_done_and_in_the_log_or_neither() {
    let world = World::new();
    world.json(&["psp", "customer", "add", "psp", "alice", "--tier", "prepaid"]);
    let (mut done, mut undone) = (0, 0);
    for round in 0..40 {
        let tier = |world: &World| world.json(&["psp", "customer", "list", "psp"])["customers"][0]["tier"].clone();
        let before = tier(&world);
        let to = if before == "prepaid" { "basic" } else { "prepaid" };
        world.json(&["psp", "customer", "evidence", "psp", "alice", "--phone", "+49301", "--by", "anna"]);
        world.cut(&["psp", "customer", "tier", "psp", "alice", to], Duration::from_micros(500 * round));
        let after = tier(&world);
        let (key, lines) = export(&world, "psp", "psp.audit");
        world.json(&["audit", "verify", "psp.audit", "--key", &key]);
        let changed =
            lines.iter().filter_map(|line| line.get("record")).rfind(|record| record["kind"] == "tier-changed");
        let said = changed.map_or(json!("prepaid"), |record| record["details"]["to"].clone());
        assert_eq!(said, after, "round {round}");
        *(if after == before { &mut undone } else { &mut done }) += 1;
    }
    eprintln!("done {done}, undone {undone}");
}
