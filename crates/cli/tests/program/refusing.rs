//! What goes wrong is said with a stable code, and moves no money.

use std::fs;
use std::process::{Command, Stdio};

use crate::running::{Run, SPECIE, specie};
use crate::served::ServedChip;
use crate::world::World;

#[test]
fn the_help_of_every_command_works() {
    let run = specie(&["--help"]).exits(0);
    for command in ["demo", "device", "terminal", "bank", "psp", "maker", "inspect", "vectors", "completions"] {
        assert!(run.stdout.contains(command), "{command}");
        let help = specie(&[command, "--help"]).exits(0);
        assert!(help.stdout.contains("Usage"), "{help:?}");
    }
    assert!(
        !run.stdout.lines().any(|line| line.trim_start().starts_with("element ")),
        "the element is started by devices, not by people"
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(specie(&["completions", shell]).exits(0).stdout.contains("specie"));
    }
}

#[test]
fn what_makes_no_sense_exits_with_2() {
    for wrong in [
        &["device"][..],
        &["device", "pay", "alice"],
        &["device", "request", "alice"],
        &["device", "withdraw", "alice"],
        &["device", "new", "x", "--maker", "m", "--root", "zz", "--psp", "http://x"],
        &["device", "request", "alice", "1", "--notes", "9"],
        &["device", "receive", "alice", "--listen", "127.0.0.1:0"],
        &["bank", "init", "x", "--currency", "euro"],
        &["psp", "trust", "psp"],
        &["completions", "nosuchshell"],
        &["no-such-command"],
    ] {
        let run = specie(wrong).exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{wrong:?}");
        let run = specie(&[wrong, &["--json"]].concat()).exits(2);
        assert_eq!((&run.json()["error"]["code"], run.stderr.is_empty()), (&"usage".into(), false), "{run:?}");
    }
    let missing = specie(&["--json", "device", "pay", "--yes"]).exits(2).json();
    assert!(missing["error"]["what"].as_str().unwrap().ends_with("<DEVICE> <REQUEST>..."), "{missing}");
    assert!(specie(&["device", "--help", "--json"]).exits(0).stdout.contains("Usage"));
}

#[test]
fn nobody_has_to_read_the_reason() {
    let mut command = Command::new(SPECIE);
    command.args(["--json", "inspect", "nowhere"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().unwrap()).exits(2);
    assert!(run.stderr.contains("nowhere") && !run.stderr.contains("panicked"), "{run:?}");
}

#[test]
fn operators_are_told_what_is_wrong() {
    let world = World::new();
    world.refused(&["bank", "init", "bank"], "bank-exists");
    world.refused(&["psp", "init", "psp", "--name", "p", "--bank", "http://b", "--root", &world.root], "psp-exists");
    world.refused(&["bank", "status", "nowhere"], "bank-configuration");
    world.refused(&["psp", "status", "nowhere"], "psp-configuration");
    world.refused(&["bank", "fund", "bank", "nobody", "1"], "not-booked");
    world.refused(&["bank", "register", "bank", "psp-one", "--key", &"11".repeat(32)], "psp-known");
    world.refused(&["psp", "customer", "claim", "psp", "nobody"], "unknown-customer");
    world.refused(&["psp", "customer", "add", "psp", "carl", "--tier", "golden"], "unknown-tier");
    world.refused(&["psp", "customer", "show", "psp", "nobody"], "unknown-customer");
    let key = world.json(&["psp", "status", "psp"])["public_key"].as_str().unwrap().to_owned();
    world.refused(&["bank", "register", "bank", "psp-two", "--key", &key], "key-known");
    let fund = ["bank", "fund", "bank", "psp-one", "1", "--reference", "transfer 17"];
    world.json(&fund);
    world.refused(&fund, "reference-used");
    world.run(&["bank", "fund", "bank", "psp-one", "1.234"]).exits(2);
    world.run(&["bank", "fund", "bank", "psp-one", "1,50"]).exits(2);
    world.run(&["bank", "fund", "bank", "psp-one", "0"]).exits(2);
    world.run(&["psp", "reserve", "psp", "0", "--reference", "2"]).exits(2);
    world.refused(&["psp", "init", "p", "--name", "p", "--bank", "ftp://b", "--root", &world.root], "bad-address");
    assert!(!world.path("p").exists());
    // What is refused leaves nothing behind, and what was cut short nothing that looks like all of it.
    world.refused(&["bank", "init", "late", "--spend-days", "10", "--redeem-days", "5"], "bad-terms");
    assert!(!world.path("late").exists());
    fs::create_dir(world.path("half")).unwrap();
    for file in ["root.key", "aml.toml"] {
        fs::write(world.path("half").join(file), "old").unwrap();
    }
    world.refused(&["bank", "init", "half"], "bank-unfinished");
    let made = ["psp", "init", "half", "--name", "p", "--bank", "http://b", "--root", &world.root];
    world.refused(&made, "psp-unfinished");
    assert_eq!(fs::read(world.path("half/aml.toml")).unwrap(), b"old");
    // A reference is booked once.
    world.refused(&["psp", "customer", "add", "psp", "carl"], "evidence-missing");
    let old = ["--document", "file 1", "--valid-until", "2020-01-01", "--by", "counter"];
    world.refused(&[&["psp", "customer", "add", "psp", "carl"], &old[..]].concat(), "evidence-expired");
    world.json(&["psp", "customer", "add", "psp", "carl", "--document", "file 1", "--by", "counter"]);
    for _ in 0..2 {
        world.json(&["psp", "customer", "credit", "psp", "carl", "5", "--reference", "counter 1"]);
    }
    assert_eq!(world.account("carl"), 500);
    world.refused(&["psp", "customer", "credit", "psp", "carl", "6", "--reference", "counter 1"], "reference-used");
    world.json(&["psp", "customer", "tier", "psp", "carl", "basic"]);
    assert_eq!(world.json(&["psp", "customer", "list", "psp"])["customers"][0]["tier"], "basic");
    let day = ["--phone", "+49301", "--valid-until", "2031-04-30", "--by", "counter"];
    let seen = world.json(&[&["psp", "customer", "evidence", "psp", "carl"], &day[..]].concat());
    assert_eq!(
        seen["evidence"][1]["valid_until"].as_u64().or(seen["evidence"][0]["valid_until"].as_u64()),
        Some(1_935_359_999)
    );
    // Nobody but the server is called so in the audit log.
    world.run(&["psp", "customer", "evidence", "psp", "carl", "--phone", "+49302", "--by", "service"]).exits(2);
    world.json(&["bank", "sweep", "bank"]);
    let before = world.json(&["bank", "status", "bank"])["status"]["manifest_sequence"].as_u64().unwrap();
    assert_eq!(world.json(&["bank", "rotate", "bank"])["manifest_sequence"].as_u64().unwrap(), before + 1);
    fs::remove_file(world.path("bank/root.key")).unwrap();
    world.refused(&["bank", "rotate", "bank"], "root-key");
    let taken = world.bank.as_ref().unwrap().address.trim_start_matches("http://").to_owned();
    world.refused(&["psp", "serve", "psp", "--listen", &taken], "not-listening");
}

#[test]
fn owners_are_told_what_is_wrong() {
    let mut world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    world.refused(&["device", "balance", "nowhere"], "no-device");
    let psp = world.psp.as_ref().unwrap().address.clone();
    world.refused(
        &["device", "new", "alice", "--maker", "maker.toml", "--root", &world.root, "--psp", &psp],
        "folder-exists",
    );
    world.refused(&["device", "enrol", "alice", "--customer", "alice", "--code", "x"], "enrolled-already");
    world.json(&["device", "new", "eve", "--maker", "maker.toml", "--root", &world.root, "--psp", &psp]);
    world.refused(&["device", "sync", "eve"], "not-enrolled");
    let status = world.run(&["device", "status", "eve"]).exits(0).stdout;
    assert!(status.contains("limits       none yet") && !status.contains("1970"), "{status}");
    world.refused(
        &["device", "enrol", "eve", "--customer", "alice", "--code", "00000-00000-00000-00000-00000"],
        "claim-code-invalid",
    );
    world.refused(&["device", "withdraw", "alice", "500"], "insufficient-balance");
    assert_eq!((world.account("alice"), world.total("alice")), (10_000, 0));
    world.json(&["device", "request", "bob", "20", "--out", "r"]);
    world.refused(&["device", "pay", "alice", "r", "--yes", "--out", "p"], "not-enough-money");
    world.run(&["device", "request", "bob", "1", "--valid", "0"]).exits(2);
    let open = &world.json(&["device", "status", "bob"])["requests"];
    assert_eq!((open.as_array().unwrap().len(), &open[0]["amount"]), (1, &2_000.into()));
    assert!(world.run(&["device", "status", "bob"]).exits(0).stdout.contains("asks for     20.00 XTS"));
    let id = world.json(&["device", "request", "bob", "3", "--out", "r3"])["id"].as_str().unwrap().to_owned();
    world.json(&["device", "cancel", "bob", &id]);
    world.refused(&["device", "cancel", "bob", &id], "unknown-request");
    let run = world.run(&["device", "request", "bob", "100000", "--out", "r4"]).exits(1);
    assert!(run.stderr.contains("100000.00 XTS") && run.stderr.contains("[no-blank]"), "{run:?}");
    world.json(&["device", "withdraw", "alice", "50"]);
    world.refused(&["device", "pay", "bob", "r", "--yes", "--out", "p"], "own-request");
    world.refused(&["device", "receive", "alice", "r"], "unexpected-message");
    fs::write(world.path("noise"), b"noise").unwrap();
    world.refused(&["device", "pay", "alice", "noise", "--yes", "--out", "p"], "malformed");
    world.refused(&["device", "pay", "alice", "gone", "--yes", "--out", "p"], "not-read");
    world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    // One bit of a payment, and it is not accepted; the good one still is.
    let good = fs::read(world.path("p")).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(world.path("bad"), bad).unwrap();
    let run = world.run(&["device", "receive", "bob", "bad"]).exits(1);
    assert!(run.stderr.contains("No money moved"), "{run:?}");
    world.json(&["device", "receive", "bob", "p"]);
    // A device is used by one process at a time.
    world.psp.take().unwrap().kill();
    world.refused(&["device", "sync", "alice"], "psp-unreachable");
    world.refused(&["device", "withdraw", "alice", "1"], "psp-unreachable");
    world.start_psp();
    let before = (world.account("alice"), world.total("alice"));
    world.json(&["device", "withdraw", "alice", "1"]);
    assert_eq!((world.account("alice"), world.total("alice")), (before.0 - 100, before.1 + 100), "once, not twice");
    world.json(&["device", "sync", "alice"]);
    world.json(&["device", "sync", "bob"]);
    assert_eq!((world.account("alice") + world.total("alice"), world.account("bob")), (8_000, 2_000));
    world.json(&["device", "sync", "alice", "--everything"]);
    assert_eq!((world.account("alice"), world.total("alice")), (8_000, 0));
    world.books_hold();
}

#[test]
fn makers_personalise_a_chip_once() {
    let world = World::new();
    let _chip = ServedChip::start(&world.path("chip.sock"));
    let command = ["maker", "personalise", "maker.toml", "--element", "socket:chip.sock", "--root", &world.root];
    let made = world.json(&command);
    assert_eq!(made["puk"].as_str().unwrap().len(), 8);
    assert_eq!(made["identity"].as_str().unwrap().len(), 64);
    world.refused(&command, "element-not-fresh");
    let nobody = ["maker", "personalise", "maker.toml", "--element", "socket:none.sock", "--root", &world.root];
    world.refused(&nobody, "element-unreachable");
}
