//! `specie supervision`: three officers make a key, two of them open a payment; every step refuses what does not belong to it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use specie_core::disclosure::SupervisoryKey;
use specie_core::{Context, OwnerTag};

use crate::coins::{self, Bank, VALUE};
use crate::running::{Run, specie};
use crate::world::World;

const NAMES: [&str; 3] = ["anna", "ben", "cid"];

/// A table with the officers' files on it.
struct Table(tempfile::TempDir);

impl Table {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `specie --json supervision` with these words; a word with a dot in it is a file on the table.
    fn run(&self, words: &str) -> Run {
        let word = |word: &str| match word.split_once('.') {
            Some(_) => self.path(word).to_str().unwrap().to_owned(),
            None => word.to_owned(),
        };
        let words: Vec<String> =
            ["--json", "supervision"].map(str::to_owned).into_iter().chain(words.split(' ').map(word)).collect();
        specie(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn done(&self, words: &str) -> Value {
        self.run(words).exits(0).json()
    }

    #[track_caller]
    fn refused(&self, words: &str) -> String {
        self.run(words).exits(1).json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// A key that any two of three officers hold.
fn ceremony() -> (Table, SupervisoryKey) {
    let table = Table(tempfile::tempdir().unwrap());
    let officers = NAMES.map(|name| {
        let card = table.done(&format!("officer {name} --secret {name}.secret --card {name}.card"));
        json!({ "name": name, "signing_key": card["signing_key"] })
    });
    table.done("invite first --threshold 2 anna.card ben.card cid.card --out first.invitation");
    for name in NAMES {
        let dealt =
            table.done(&format!("deal --secret {name}.secret --invitation first.invitation --out {name}.dealing"));
        // What each officer compares with what was read out.
        assert_eq!(dealt["officers"], json!(officers));
    }
    for name in NAMES {
        table.done(&format!(
            "approve --secret {name}.secret --invitation first.invitation anna.dealing ben.dealing cid.dealing --out {name}.approval"
        ));
    }
    let outcome = table.done(
        "finish --invitation first.invitation --dealings cid.dealing anna.dealing ben.dealing \
         --approvals ben.approval anna.approval cid.approval --out first.outcome",
    );
    assert_eq!(outcome["officers"], json!(NAMES));
    assert_eq!(table.done("show first.outcome")["key"], outcome["key"]);
    let key = hex::decode(outcome["key"].as_str().unwrap()).unwrap();
    (table, SupervisoryKey(key.try_into().unwrap()))
}

#[test]
fn two_of_three_officers_open_one_payment() {
    let (table, key) = ceremony();
    let coin = Bank::new().note(1, 1);
    let payment = coin.disclose(key, &[(VALUE, OwnerTag([4; 32]))], Context([7; 32]));
    fs::write(table.path("payment.disclosed"), &payment).unwrap();
    let shown = specie(&["--json", "inspect", table.path("payment.disclosed").to_str().unwrap()]).exits(0).json();
    assert_ne!(shown["verdict"], json!("bad"));
    for name in ["cid", "anna"] {
        table.done(&format!(
            "partial --secret {name}.secret --outcome first.outcome --case order-7 payment.disclosed --out {name}.partial"
        ));
    }
    let one = "open --outcome first.outcome --disclosed payment.disclosed anna.partial --out one.opening";
    assert_eq!(table.refused(one), "quorum");
    assert!(!table.path("one.opening").exists());
    let opened = table
        .done("open --outcome first.outcome --disclosed payment.disclosed cid.partial anna.partial --out 7.opening");
    assert_eq!(opened["U"], json!(hex::encode(coins::identity(1))));
    let verified = table.done("verify --outcome first.outcome --disclosed payment.disclosed 7.opening");
    assert_eq!((&verified["U"], &verified["case"]), (&opened["U"], &json!("order-7")));
    // The parts serve no other payment.
    let other = Bank::new().note(2, 1).disclose(key, &[(VALUE, OwnerTag([4; 32]))], Context([7; 32]));
    fs::write(table.path("other.disclosed"), other).unwrap();
    let moved = "open --outcome first.outcome --disclosed other.disclosed cid.partial anna.partial --out 8.opening";
    assert_eq!(table.refused(moved), "partial");
}

#[test]
fn an_officer_sees_before_it_deals_whom_the_administrator_invited() {
    let table = Table(tempfile::tempdir().unwrap());
    for name in ["anna", "ben", "shadow"] {
        table.done(&format!("officer {name} --secret {name}.secret --card {name}.card"));
    }
    table.done("invite first --threshold 2 anna.card ben.card shadow.card --out first.invitation");
    let deal = "deal --secret anna.secret --invitation first.invitation --out";
    let dealt = table.done(&format!("{deal} anna.dealing"));
    assert_eq!(dealt["threshold"], 2);
    let names: Vec<_> = dealt["officers"].as_array().unwrap().iter().map(|officer| &officer["name"]).collect();
    assert_eq!(names, ["anna", "ben", "shadow"]);
    // People are told the same.
    let files = ["anna.secret", "first.invitation", "again.dealing"].map(|file| table.path(file));
    let [secret, invitation, out] = files.each_ref().map(|file| file.to_str().unwrap());
    let deal = ["supervision", "deal", "--secret", secret, "--invitation", invitation, "--out", out];
    let said = specie(&deal).exits(0).stdout;
    let shadow = dealt["officers"][2]["signing_key"].as_str().unwrap();
    assert!(said.contains(&format!("officer 3  shadow, signing key {shadow}")), "{said}");
}

#[test]
fn every_step_refuses_what_does_not_belong_to_it() {
    let (table, _) = ceremony();
    let partial = "partial --secret anna.secret --outcome first.outcome --case order-7";
    let foreign = Bank::new().note(1, 1).disclose(
        SupervisoryKey(coins::identity(9)),
        &[(VALUE, OwnerTag([4; 32]))],
        Context([7; 32]),
    );
    fs::write(table.path("foreign.disclosed"), foreign).unwrap();
    assert_eq!(table.refused(&format!("{partial} foreign.disclosed --out x.partial")), "other-key");
    assert_eq!(table.refused(&format!("{partial} anna.card --out x.partial")), "malformed");
    table.done("officer dora --secret dora.secret --card dora.card");
    let deal = "deal --secret dora.secret --invitation first.invitation --out dora.dealing";
    assert_eq!(table.refused(deal), "not-invited");
    assert_eq!(table.refused("invite second --threshold 1 anna.card ben.card --out second.invitation"), "invitation");
    let finish = "finish --invitation first.invitation --dealings anna.dealing ben.dealing cid.dealing";
    assert_eq!(table.refused(&format!("{finish} --approvals anna.approval ben.approval --out x.outcome")), "approval");
    let complain = "complain --secret ben.secret --invitation first.invitation anna.dealing --out ben.complaint";
    assert_eq!(table.refused(complain), "no-complaint");
    // Nothing is ever written over, nor half of an officer left behind.
    let again = "officer anna --secret anna.secret --card again.card";
    assert_eq!(table.refused(again), "officer-secret");
    let again = "officer anna --secret again.secret --card anna.card";
    assert_eq!(table.refused(again), "file");
    for written in
        ["x.partial", "dora.dealing", "second.invitation", "x.outcome", "ben.complaint", "again.card", "again.secret"]
    {
        assert!(!table.path(written).exists(), "{written}");
    }
}

/// The whole way: the bank publishes the key, a device pays above the threshold and says so, its payee redeems, the bank hands the
/// transfer out, and the officers read which device it was; also after the bank has done away with the key.
#[test]
fn a_large_payment_is_read_by_the_officers_and_a_small_one_by_nobody() {
    let (table, key) = ceremony();
    let key = hex::encode(key.0);
    let world = World::new();
    let published = || {
        world.json(&["bank", "manifest", "bank", "--out", "manifest.cbor"]);
        world.run(&["inspect", "--root", &world.root, "manifest.cbor"]).exits(0).stdout.contains(&key)
    };
    fs::write(world.path("wrong.key"), format!("{}\n", "5".repeat(64))).unwrap();
    #[cfg(unix)]
    fs::set_permissions(world.path("wrong.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let wrong = ["bank", "supervise", "bank", "--above", "10", "--key", &key, "--root-key", "wrong.key"];
    world.refused(&wrong, "not-published");
    // Nor does whoever publishes next publish it.
    world.json(&["bank", "register", "bank", "psp-two", "--key", &"3b".repeat(32)]);
    assert!(!published());
    let supervised = world.json(&["bank", "supervise", "bank", "--above", "10", "--key", &key]);
    assert!(published());
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "50"]);
    // The PSP looks for a new manifest every ten seconds.
    let knows = |device: &str| {
        world.json(&["device", "sync", device]);
        world.json(&["device", "status", device])["manifest_sequence"] == supervised["manifest_sequence"]
    };
    for device in ["alice", "bob"] {
        let mut tries = 0;
        while !knows(device) {
            tries += 1;
            assert!(tries < 60, "{device} never heard of the key");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    let pay = |amount: &str, file: &str| {
        world.json(&["device", "request", "bob", amount, "--out", "r"]);
        let paid = world.json(&["device", "pay", "alice", "r", "--yes", "--out", file]);
        world.json(&["device", "receive", "bob", file, "--receipt", "x"]);
        world.json(&["device", "receive", "alice", "x"]);
        paid["disclosed"].as_bool().unwrap()
    };
    assert_eq!((pay("10", "small"), pay("10.01", "large")), (false, true));
    world.json(&["device", "sync", "bob"]);
    let transfer = |file: &str| {
        let report = world.json(&["inspect", "--manifest", "manifest.cbor", file]);
        let transfers = report["inputs"][0]["transfers"].as_array().unwrap().clone();
        transfers[0]["transfer_id"].as_str().unwrap().to_owned()
    };
    let (small, large) = (transfer("small"), transfer("large"));
    world.refused(
        &["bank", "disclosed", "bank", &small, "--key", &key, "--case", "order-9", "--out", "no"],
        "not-disclosed",
    );
    world.refused(
        &["bank", "disclosed", "bank", &"0".repeat(64), "--key", &key, "--case", "order-9", "--out", "no"],
        "unknown-transfer",
    );
    world.json(&["bank", "supervise", "bank", "--never"]);
    let file = table.path("large.disclosed");
    world.json(&[
        "bank",
        "disclosed",
        "bank",
        &large,
        "--key",
        &key,
        "--case",
        "order-9",
        "--out",
        file.to_str().unwrap(),
    ]);
    let again = ["bank", "disclosed", "bank", &large, "--key", &key, "--case", "order-10", "--out"];
    world.refused(&[&again[..], &[file.to_str().unwrap()]].concat(), "exists");
    for name in ["ben", "cid"] {
        table.done(&format!(
            "partial --secret {name}.secret --outcome first.outcome --case order-8 large.disclosed --out {name}.other"
        ));
        table.done(&format!(
            "partial --secret {name}.secret --outcome first.outcome --case order-9 large.disclosed --out {name}.partial"
        ));
    }
    table.done("open --outcome first.outcome --disclosed large.disclosed ben.other cid.other --out 8.opening");
    let opened =
        table.done("open --outcome first.outcome --disclosed large.disclosed ben.partial cid.partial --out 9.opening");
    assert_eq!(opened["U"], world.json(&["device", "status", "alice"])["identity"]);
    // The bank files what was opened, if it was, once; its log says by whom and for what, and not who paid.
    let path = |name: &str| table.path(name).to_str().unwrap().to_owned();
    let [opening, outcome, disclosed] = ["9.opening", "first.outcome", "large.disclosed"].map(path);
    let (others, _) = ceremony();
    let foreign = others.path("first.outcome").to_str().unwrap().to_owned();
    let file = ["bank", "opened", "bank", &opening, "--disclosed", &disclosed, "--outcome"];
    world.refused(&[&file[..], &[&foreign]].concat(), "other-key");
    let other = path("8.opening");
    let other = ["bank", "opened", "bank", &other, "--disclosed", &disclosed, "--outcome", &outcome];
    world.refused(&other, "other-case");
    for _ in 0..2 {
        world.json(&[&file[..], &[&outcome]].concat());
    }
    world.json(&["bank", "audit", "export", "bank", "--out", "bank.audit"]);
    let log = fs::read_to_string(world.path("bank.audit")).unwrap();
    assert_eq!(log.matches("disclosure-handed-out").count(), 1);
    let filed: Vec<&str> = log.lines().filter(|line| line.contains("disclosure-opened")).collect();
    assert!(filed.len() == 1 && filed[0].contains("order-9") && filed[0].contains(&large), "{filed:?}");
    world.books_hold();
}
