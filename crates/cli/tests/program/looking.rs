//! What a device and its owner know, and how news travels between devices.

use std::fs;

use serde_json::json;

use crate::world::World;

#[test]
fn a_device_tells_what_it_holds_and_what_is_unfinished() {
    let world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "50", "--blanks", "2", "--cap", "10"]);
    let account = world.json(&["device", "account", "alice"]);
    assert_eq!((account["balance"].as_u64(), account["currency"].as_str()), (Some(5_000), Some("XTS")));
    world.json(&["device", "request", "bob", "12.34", "--out", "r"]);
    world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    let balance = world.json(&["device", "balance", "alice"]);
    let holding = &balance["holdings"][0];
    assert_eq!((holding["undelivered"].as_u64(), holding["total"].as_u64()), (Some(1_234), Some(3_766)), "{balance:#}");
    let status = world.json(&["device", "status", "alice"]);
    assert!(status["pending"].as_array().unwrap().iter().any(|item| item["kind"] == "undelivered"), "{status:#}");
    assert_eq!(status["element"]["spent"], 1_234);
    // The payment can be had again from the wallet alone.
    let recovered = world.json(&["device", "recover", "alice", "--out", "again"]);
    let again = recovered["written"][0].as_str().unwrap().to_owned();
    assert_eq!(fs::read(world.path("p")).unwrap(), fs::read(world.path(&again)).unwrap());
    world.json(&["device", "receive", "bob", &again]);
    // What is withdrawn is not paid any more.
    let asked = world.json(&["device", "request", "bob", "1", "--out", "r2"]);
    world.json(&["device", "cancel", "bob", asked["id"].as_str().unwrap()]);
    world.json(&["device", "pay", "alice", "r2", "--yes", "--out", "p2"]);
    assert_eq!(world.run(&["device", "receive", "bob", "p2"]).status, 1);
    let chosen = ["--spend-change-offline", "true", "--renew-before-days", "9", "--revocations-age-max-hours", "24"];
    let settings = world.json(&[&["device", "settings", "alice"], &chosen[..]].concat());
    assert_eq!(settings, world.json(&["device", "settings", "alice"]));
    let expected = json!({ "spend_change_offline": true, "renew_before_days": 9, "revocations_age_max_hours": 24 });
    assert_eq!(settings, expected);
    let anew = world.json(&["device", "settings", "alice", "--revocations-age-max-hours", "any"]);
    assert_eq!(anew["revocations_age_max_hours"], serde_json::Value::Null);
    for command in ["balance", "history", "status", "account", "settings"] {
        let run = world.run(&["device", command, "alice"]).exits(0);
        assert!(!run.stdout.is_empty() && serde_json::from_str::<serde_json::Value>(&run.stdout).is_err(), "{run:?}");
    }
}

#[test]
fn news_of_the_bank_travels_with_payments() {
    let mut world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "20"]);
    let rotated = world.json(&["bank", "rotate", "bank"])["manifest_sequence"].as_u64().unwrap();
    // A PSP that starts looks for news of the bank at once, but not before it listens.
    world.psp.take().unwrap().kill();
    world.start_psp();
    let news = || world.json(&["device", "sync", "alice"])["manifest_sequence"].as_u64() == Some(rotated);
    assert!((0..100).any(|_| news()), "the PSP has not heard of the new manifest");
    world.json(&["device", "manifest", "bob", "--out", "old"]);
    world.json(&["device", "request", "bob", "5", "--out", "r"]);
    let paid = world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    // And perhaps a page of the revocation list, if the bank signed one since bob synchronised.
    let publications = paid["publications"].as_array().unwrap();
    assert!((1..=2).contains(&publications.len()), "{publications:?}");
    assert_eq!(world.json(&["device", "receive", "bob", "p.manifest"])["newer"], true);
    assert_eq!(world.json(&["device", "receive", "bob", "p.manifest"])["newer"], false);
    assert_eq!(world.json(&["device", "receive", "bob", "old"])["newer"], false);
    world.json(&["device", "receive", "bob", "p"]);
    world.json(&["bank", "manifest", "bank", "--out", "newest"]);
    assert_eq!(fs::read(world.path("newest")).unwrap(), fs::read(world.path("p.manifest")).unwrap());
    let report = world.json(&["inspect", "--root", &world.root, "--manifest", "newest", "p", "r", "newest"]);
    assert_eq!(report["verdict"], "good");
}

#[test]
fn an_operator_sees_where_classes_stand_and_what_comes_next() {
    let world = World::new();
    let states = |arguments: &[&str]| -> Vec<(u64, String)> {
        let shown = world.json(arguments);
        let class =
            |class: &serde_json::Value| (class["epoch"].as_u64().unwrap(), class["state"].as_str().unwrap().to_owned());
        let mut states: Vec<_> = shown["classes"].as_array().unwrap().iter().map(class).collect();
        states.dedup();
        states
    };
    assert_eq!(states(&["bank", "classes", "bank"]), [(1, "issuing".to_owned())]);
    let status = world.json(&["bank", "status", "bank"]);
    let rotation = &status["rotation"];
    assert_eq!(rotation["issuing"]["epoch"], 1);
    assert!(rotation["next"].is_null() && rotation["warning"].is_null() && rotation["publish_by"].is_u64());
    let rotate = ["bank", "rotate", "bank", "--by", "anna"];
    let next = world.json(&rotate);
    assert_eq!((next["epoch"].as_u64(), next["new"].as_bool()), (Some(2), Some(true)));
    assert_eq!(world.json(&rotate)["new"], false);
    assert_eq!(states(&["bank", "classes", "bank"]), [(1, "issuing".to_owned()), (2, "pending".to_owned())]);
    let classes = world.json(&["bank", "classes", "bank"]);
    assert_eq!(classes["rotation"]["next"]["issue_from"], next["issue_from"]);
    assert_eq!(classes["classes"][0]["next"]["state"], "spend-only");
    assert_eq!(classes["classes"][0]["next"]["from"], next["issue_from"]);
    let text = world.run(&["bank", "classes", "bank"]).exits(0).stdout;
    assert!(text.contains("pending") && text.contains("issuing from"), "{text}");
    // A key is in other hands.
    world.refused(&["bank", "rotate", "bank", "--at-once", " "], "no-reason");
    world.run(&["bank", "rotate", "bank", "--ahead-days", "29"]).exits(2);
    world.run(&["bank", "rotate", "bank", "--ahead-days", "60", "--at-once", "x"]).exits(2);
    world.refused(
        &["bank", "rotate", "bank", "--at-once", "x", "--spend-days", "29", "--redeem-days", "50"],
        "bad-terms",
    );
    let now = world.json(&["bank", "rotate", "bank", "--at-once", "ticket 21"]);
    assert_eq!((now["epoch"].as_u64(), now["new"].as_bool()), (Some(3), Some(true)));
    assert_eq!(states(&["bank", "classes", "bank"])[0], (1, "spend-only".to_owned()));
    assert_eq!(states(&["bank", "classes", "bank"])[2], (3, "issuing".to_owned()));
    let swept = world.json(&["bank", "sweep", "bank"]);
    assert_eq!(swept["epochs_begun"], serde_json::json!([3]));
}

/// A new version of the tiers asks for uploads: the owner is told, nothing is uploaded, and then it is.
#[test]
fn an_owner_is_told_what_the_psp_is_shown_before_it_is() {
    let mut world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    let setting = |world: &World| world.json(&["device", "setting", "alice"])["setting"].as_str().unwrap().to_owned();
    assert_eq!(setting(&world), "offline-known");
    world.json(&["device", "withdraw", "alice", "50"]);
    world.json(&["device", "request", "bob", "12.34", "--out", "r"]);
    world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    world.json(&["device", "receive", "bob", "p"]);
    world.psp.take().unwrap().kill();
    let tiers = fs::read_to_string(world.path("psp/tiers/1.toml")).unwrap();
    let tiers = tiers.replace("version = 1", "version = 2").replace("= 2023-01-01", "= 2023-01-02");
    let tiers = tiers.replace("setting = \"offline-known\"", "setting = \"uploads\"");
    fs::write(world.path("psp/tiers/2.toml"), tiers).unwrap();
    world.start_psp();
    assert_eq!(setting(&world), "uploads");
    let run = world.run(&["--json", "device", "sync", "alice"]).exits(1);
    let failure = &run.json()["failures"][0];
    assert_eq!((&failure["code"], &failure["money_moved"]), (&json!("uploads-not-accepted"), &json!(false)), "{run:?}");
    let key = world.json(&["device", "status", "alice"])["key"].as_str().unwrap().to_owned();
    let shown = || world.json(&["psp", "shown", "psp", &key]);
    assert_eq!((shown()["setting"].as_str(), &shown()["payments"]), (Some("uploads"), &json!([])));
    world.json(&["device", "sync", "alice", "--accept-uploads"]);
    let shown = shown();
    assert_eq!((&shown["payments"][0]["amount"], shown["verdicts"].as_array().unwrap().len()), (&json!(1_234), 1));
    assert!(world.run(&["psp", "shown", "psp", &key]).exits(0).stdout.contains("12.34 XTS"));
    // The next time there is nothing to agree to, and nothing to tell twice.
    world.json(&["device", "sync", "alice"]);
    assert_eq!(world.json(&["psp", "shown", "psp", &key])["payments"].as_array().unwrap().len(), 1);
    world.refused(&["psp", "shown", "psp", &"0".repeat(64)], "device-unknown");
}
