//! Paying and being paid, by every route, as people and machines do it.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::running::Run;
use crate::world::World;

fn two_people() -> World {
    let world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "50"]);
    world
}

#[test]
fn a_payment_goes_by_file_pipe_and_picture() {
    let world = two_people();
    world.json(&["device", "request", "bob", "1.50", "--out", "r", "--memo", "two coffees", "--svg", "r.svg"]);
    let paid = world.json(&["device", "pay", "alice", "r", "--yes", "--compact", "--out", "p", "--png", "p.png"]);
    assert_eq!(
        (paid["amount"].as_u64(), paid["mode"].as_str(), paid["repeated"].as_bool()),
        (Some(150), Some("offline"), Some(false))
    );
    assert_eq!(paid["compact_bytes"].as_u64().unwrap(), std::fs::metadata(world.path("p")).unwrap().len());
    assert!(std::fs::read_to_string(world.path("r.svg")).unwrap().starts_with("<"));
    let received = world.json(&["device", "receive", "bob", "p.png", "--receipt", "x"]);
    assert_eq!((received["amount"].as_u64(), received["repeated"].as_bool()), (Some(150), Some(false)));
    // The same payment again, by another route: the same receipt.
    assert_eq!(world.json(&["device", "receive", "bob", "p"])["receipt"], received["receipt"]);
    world.json(&["device", "receive", "alice", "x"]);
    assert_eq!((world.total("alice"), world.total("bob")), (4_850, 150));

    // request | pay | receive, nothing but pipes.
    let request = world.command(&["device", "request", "bob", "2"]).output().unwrap();
    let pay = piped(&world, &["device", "pay", "alice", "-", "--yes"], &request.stdout);
    let receive = piped(&world, &["device", "receive", "bob", "-", "--receipt", "-"], &pay);
    piped(&world, &["device", "receive", "alice", "-"], &receive);
    assert_eq!((world.total("alice"), world.total("bob")), (4_650, 350));
    let history = world.json(&["device", "history", "alice"]);
    let newest = &history["history"][0];
    assert_eq!(
        (newest["event"].as_str(), newest["progress"].as_str()),
        (Some("paid"), Some("complete")),
        "{history:#}"
    );
    assert!(world.run(&["device", "history", "alice"]).exits(0).stdout.contains("two coffees"));
}

/// Every command of a pipeline is started at once, two of them for the same device: each waits for its message first.
#[test]
fn a_pipeline_started_at_once_pays() {
    let world = two_people();
    world.json(&["device", "request", "bob", "2", "--out", "r"]);
    let start = |arguments: &[&str], input: Stdio| {
        world.command(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut pay = start(&["device", "pay", "alice", "r", "--yes"], Stdio::null());
    let payment = pay.stdout.take().unwrap();
    let mut receive = start(&["device", "receive", "bob", "-", "--receipt", "-"], payment.into());
    let receipt = receive.stdout.take().unwrap();
    let file = start(&["device", "receive", "alice", "-"], receipt.into());
    for process in [pay, receive, file] {
        Run::of(process.wait_with_output().unwrap()).exits(0);
    }
    assert_eq!((world.total("alice"), world.total("bob")), (4_800, 200));
    assert_eq!(world.json(&["device", "history", "alice", "--last", "1"])["history"][0]["progress"], "complete");
}

/// What was paid or received stays so where the message cannot be written, and nobody is told otherwise.
#[test]
fn who_is_paid_is_told_so_even_without_a_receipt() {
    let world = two_people();
    world.json(&["device", "request", "bob", "2", "--out", "r"]);
    let moved = |arguments: &[&str], words: &str| {
        let run = world.run(&[&["--json"], arguments].concat()).exits(1);
        let error = &run.json()["error"];
        assert_eq!((&error["code"], &error["money_moved"]), (&"not-written".into(), &true.into()), "{run:?}");
        assert!(run.stderr.contains(words) && !run.stderr.contains("No money moved"), "{run:?}");
    };
    moved(&["device", "pay", "alice", "r", "--yes", "--out", "nowhere/p"], "2.00 XTS is paid, once");
    world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    moved(&["device", "receive", "bob", "p", "--receipt", "nowhere/x"], "2.00 XTS is received and yours");
    assert_eq!((world.total("alice"), world.total("bob")), (4_800, 200));
    assert_eq!(world.json(&["device", "receive", "bob", "p", "--receipt", "x"])["repeated"], true);
}

fn piped(world: &World, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child =
        world.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn nothing_is_paid_without_a_yes() {
    let world = two_people();
    world.json(&["device", "request", "bob", "3.21", "--out", "r"]);
    let answer = |text: &[u8]| {
        let mut command = world.command(&["device", "pay", "alice", "r", "--out", "p"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text).unwrap();
        Run::of(child.wait_with_output().unwrap())
    };
    for no in [&b"n\n"[..], b"\n", b"", b"maybe\n"] {
        let run = answer(no).exits(1);
        assert!(run.stderr.contains("not-confirmed"), "{run:?}");
        assert!(!world.path("p").exists() && world.total("alice") == 5_000);
    }
    world.run(&["--json", "device", "pay", "alice", "r", "--out", "p"]).exits(2);
    let run = answer(b"y\n").exits(0);
    // What is going to happen is shown before the question.
    let (shown, _) = run.stderr.split_once("Pay? [y/N]").unwrap();
    for part in ["3.21 XTS", "does not say who", "OFFLINE", "change"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(world.path("p").exists());
}

#[test]
fn a_payment_goes_over_tcp() {
    let world = two_people();
    let mut payee = world
        .command(&["--json", "device", "request", "bob", "4", "--listen", "127.0.0.1:0", "--wait", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(payee.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "the payee ended");
        if let Some(address) = line.trim().strip_prefix("waiting for the payer on ") {
            break address.to_owned();
        }
    };
    let paid = world.json(&["device", "pay", "alice", "--to", &address, "--yes"]);
    assert_eq!((paid["delivery"].as_str(), paid["amount"].as_u64()), (Some("confirmed"), Some(400)));
    let received = Run::of(payee.wait_with_output().unwrap()).exits(0).json();
    assert_eq!(received["amount"], 400);
    assert_eq!((world.total("alice"), world.total("bob")), (4_600, 400));
    world.refused(&["device", "pay", "alice", "--to", &address, "--yes"], "payee-unreachable");
}

#[test]
fn a_merchant_is_named_and_can_be_paid_online() {
    let world = two_people();
    world.merchant("bakery", "Bakery Lindt");
    world.json(&["device", "request", "bakery", "7.20", "--out", "r"]);
    let run = world.run(&["device", "pay", "alice", "r", "--yes", "--online"]).exits(0);
    for part in ["7.20 XTS", "Bakery Lindt (verified by psp-one", "ONLINE"] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
    assert_eq!((world.account("alice"), world.account("bakery")), (5_000 - 720, 720));
    // Paid online once, and not offline besides.
    world.json(&["device", "pay", "alice", "r", "--yes", "--online"]);
    assert_eq!(world.account("alice"), 5_000 - 720);
    world.refused(&["device", "pay", "alice", "r", "--yes", "--out", "p"], "paid-already");
    world.json(&["device", "request", "bakery", "1", "--out", "r2"]);
    let paid = world.json(&["device", "pay", "alice", "r2", "--yes", "--out", "p2"]);
    assert_eq!(paid["payee"]["name"], "Bakery Lindt");
    assert_eq!(paid["payee"]["verified"], true);
    world.json(&["device", "request", "bob", "1", "--out", "r3"]);
    world.refused(&["device", "pay", "alice", "r3", "--yes", "--online"], "no-account");
    world.books_hold();
}

#[test]
fn a_pin_guards_the_element() {
    let world = two_people();
    world.json(&["device", "request", "bob", "1", "--out", "r"]);
    piped(&world, &["device", "pin", "alice"], b"2468\n");
    world.refused(&["device", "pay", "alice", "r", "--yes", "--out", "p"], "pin-needed");
    let pay = |pin: &str| {
        let arguments = ["--json", "device", "pay", "alice", "r", "--yes", "--out", "p"];
        Run::of(world.command(&arguments).env("SPECIE_PIN", pin).output().unwrap())
    };
    assert!(world.run(&["device", "pay", "alice", "r", "--yes", "--out", "p"]).stderr.contains("SPECIE_PIN"));
    let run = pay("1111").exits(1);
    assert_eq!(run.json()["error"]["code"], "wrong-pin");
    assert!(run.stderr.contains("2 tries left"), "{run:?}");
    pay("2468").exits(0);
    // Looking uses up no try, and a device without a PIN does not mind one.
    for arguments in [["device", "balance", "alice"], ["device", "status", "alice"], ["device", "sync", "bob"]] {
        Run::of(world.command(&arguments).env("SPECIE_PIN", "1111").output().unwrap()).exits(0);
    }
    assert_eq!(world.json(&["device", "status", "alice"])["element"]["pin_tries_left"], 3);
    piped(&world, &["device", "pin", "alice"], b"2468\n1357\n");
    pay("2468").exits(1);
    pay("1357").exits(0);
}
