//! A main wallet, its device, and what the device pays by itself.

use std::process::{Output, Stdio};

use serde_json::Value;

use crate::running::Run;
use crate::world::World;

const PIN: &str = "2468";

/// Alice's main wallet and her meter, which has a PIN; a bakery; and the mandate that `options` make of the usual one.
fn town(options: &[&str]) -> World {
    let world = World::new();
    world.person("alice", "100");
    world.person("meter", "0");
    world.merchant("bakery", "Bakery Lindt");
    world.json(&["device", "withdraw", "alice", "50"]);
    world.json(&["device", "mandate", "owner-key", "alice"]);
    pin(&world, "meter");
    mandate(&world, "first", options);
    with_pin(&world, &["device", "mandate", "give", "meter", "first"]).exits(0);
    world
}

fn pin(world: &World, device: &str) {
    let mut command = world.command(&["device", "pin", device]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{PIN}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn with_pin(world: &World, arguments: &[&str]) -> Run {
    let output: Output = world.command(&[&["--json"], arguments].concat()).env("SPECIE_PIN", PIN).output().unwrap();
    Run::of(output)
}

fn mandate(world: &World, out: &str, options: &[&str]) -> Value {
    let key = world.json(&["device", "status", "meter"])["key"].as_str().unwrap().to_owned();
    let make = ["device", "mandate", "make", "alice", "--for", &key, "--until", "2099-12-31", "--out", out];
    let usual = ["--per-payment", "5", "--per-period", "8", "--in-all", "20", "--redeem-to", "meter"];
    world.json(&[&make[..], &usual[..], options].concat())
}

/// Alice funds the meter with no network: an ordinary payment, the meter's own request.
fn fund(world: &World, amount: &str) {
    world.json(&["device", "request", "meter", amount, "--out", "fund"]);
    world.json(&["device", "pay", "alice", "fund", "--yes", "--out", "funds"]);
    world.json(&["device", "receive", "meter", "funds", "--receipt", "funded"]);
    world.json(&["device", "receive", "alice", "funded"]);
}

#[test]
fn a_device_pays_by_itself_inside_its_mandate_and_says_by_which_rule_it_does_not() {
    let world = town(&["--category", "5462", "--person-above", "4"]);
    fund(&world, "10");
    let ask = |payee: &str, amount: &str| {
        world.json(&["device", "request", payee, amount, "--notes", "1", "--out", &format!("{payee}{amount}")]);
    };
    ask("bakery", "4.01");
    ask("alice", "1");
    let pay = |request: &'static str| ["device", "pay", "meter", request, "--mandated", "--out", "p"];
    world.refused(&pay("bakery4.01"), "person-needed");
    world.refused(&pay("alice1"), "mandate-payee");
    world.refused(&["device", "pay", "meter", "alice1", "--yes", "--out", "p"], "pin-needed");
    ask("bakery", "4");
    let paid = world.json(&pay("bakery4"));
    assert_eq!((paid["amount"].as_u64(), world.json(&pay("bakery4"))["repeated"].as_bool()), (Some(400), Some(true)));
    world.json(&["device", "receive", "bakery", "p", "--receipt", "x"]);
    let shown = world.json(&["device", "mandate", "show", "meter"]);
    assert_eq!(
        (&shown["mandate"]["used"]["in_all"], &shown["mandate"]["owner"]),
        (&400.into(), &shown["mandate"]["owner"])
    );
    assert!(world.run(&["device", "mandate", "show", "meter"]).exits(0).stdout.contains("category 5462"));

    // The device goes on synchronising with nobody there, to its own account; from the account nobody is paid.
    world.json(&["device", "sync", "meter"]);
    assert_eq!(world.account("meter"), 600, "change comes back to where the mandate says");
    world.refused(&["device", "pay", "meter", "bakery4.01", "--online", "--yes"], "person-needed");
    assert_eq!(
        with_pin(&world, &["device", "pay", "meter", "bakery4.01", "--online", "--yes"]).exits(0).json()["amount"],
        401
    );
    world.books_hold();
}

#[test]
fn the_owner_ends_a_mandate_from_afar_and_nobody_else_makes_one() {
    let world = town(&["--anyone"]);
    fund(&world, "10");
    world.json(&["device", "request", "bakery", "1", "--out", "r"]);
    let pay = ["device", "pay", "meter", "r", "--mandated", "--out", "p"];
    // A thief has a wallet and a key of its own.
    world.person("thief", "0");
    world.json(&["device", "sync", "thief"]);
    world.json(&["device", "mandate", "owner-key", "thief"]);
    let key = world.json(&["device", "status", "meter"])["key"].as_str().unwrap().to_owned();
    let make = ["device", "mandate", "make", "thief", "--for", &key, "--until", "2099-12-31", "--out", "stolen"];
    world.json(&[&make[..], &["--per-payment", "500", "--per-period", "500", "--in-all", "500", "--anyone"]].concat());
    world.refused(&["device", "mandate", "give", "meter", "stolen"], "pin-needed");
    world.refused(&["device", "mandate", "give", "alice", "first"], "other-device");
    let make = ["device", "mandate", "make", "alice", "--for", &key, "--until", "2099-12-31", "--out", "end"];
    for wrong in [["9", "8", "20"], ["5", "21", "20"]] {
        let [payment, period, all] = wrong;
        let limits = ["--per-payment", payment, "--per-period", period, "--in-all", all, "--anyone"];
        let told = world.run(&[&make[..], &limits].concat()).exits(2).stderr;
        assert!(told.contains("may"), "{told}");
        assert!(!world.path("end").exists());
    }
    let none = ["--per-payment", "0", "--per-period", "0", "--in-all", "0", "--anyone", "--sequence", "9999999999"];
    world.json(&[&make[..], &none].concat());
    world.json(&["device", "mandate", "give", "meter", "end"]);
    world.refused(&["device", "mandate", "give", "meter", "first"], "element-holds-newer");
    world.refused(&pay, "person-needed");
    world.refused(&["device", "mandate", "owner-key", "alice"], "owner-key");
    world.refused(&["device", "pay", "alice", "r", "--mandated", "--out", "p"], "no-mandate");
}
