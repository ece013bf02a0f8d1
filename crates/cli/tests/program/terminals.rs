//! Microcontrollers, operated over their owners' lines.

use std::os::unix::net::UnixListener;
use std::process::Stdio;

use serde_json::Value;
use specie_device::element::ChipAddress;
use specie_device::gateway::{Command, Gateway, Keep, Reply};
use specie_device::line::OpenLine;

use crate::running::{Run, specie};
use crate::street::Street;
use crate::world::World;

const LINES: [&str; 2] = ["socket:0.sock", "socket:1.sock"];

/// The arguments of a command to a terminal.
fn to<'a>(terminal: usize, command: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&["terminal", command, "--line", LINES[terminal]], rest].concat()
}

/// Makes a customer with 100.00 in the account, a wallet, and enrols it.
fn enrol(world: &World, terminal: usize, customer: &str) {
    world.json(&["psp", "customer", "add", "psp", customer, "--document", "file 1", "--by", "counter"]);
    world.json(&["psp", "customer", "credit", "psp", customer, "100"]);
    let code = world.json(&["psp", "customer", "claim", "psp", customer])["code"].as_str().unwrap().to_owned();
    let made = world.json(&to(terminal, "new", &["--root", &world.root]));
    assert_eq!(made["wallet"], true);
    let psp = world.psp.as_ref().unwrap().address.clone();
    let enrolled = world.json(&to(terminal, "enrol", &["--psp", &psp, customer, &code]));
    assert_eq!((&enrolled["enrolled"], &enrolled["customer"]), (&Value::Bool(true), &Value::from(customer)));
}

fn sync(world: &World, terminal: usize, keep: &[&str]) -> Value {
    let psp = world.psp.as_ref().unwrap().address.clone();
    world.json(&to(terminal, "sync", &[&["--psp", &psp], keep].concat()))
}

fn status(world: &World, terminal: usize) -> Value {
    world.json(&to(terminal, "status", &[]))
}

/// Starts a command whose end is waited for later.
fn start(world: &World, arguments: &[&str]) -> std::process::Child {
    let mut command = world.command(&[&["--json"], arguments].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: std::process::Child) -> Value {
    Run::of(child.wait_with_output().unwrap()).exits(0).json()
}

#[test]
fn terminals_are_set_up_pay_each_other_and_settle() {
    let world = World::new();
    let _street = Street::new(&world);
    assert_eq!(status(&world, 0)["wallet"], false);
    let first = world.run(&to(0, "status", &[])).exits(0);
    assert!(first.stdout.contains("specie terminal new"), "{first:?}");
    enrol(&world, 0, "ann");
    enrol(&world, 1, "bob");
    let keep = ["--keep-value", "20.00", "--currency", "XTS", "--keep-blanks", "8"];
    let synchronised = sync(&world, 0, &keep);
    assert_eq!(synchronised["failures"], Value::Array(vec![]), "{synchronised:#}");
    sync(&world, 1, &keep);
    let before = status(&world, 0);
    assert_eq!((&before["spendable"], &before["enrolled"]), (&Value::from(2000), &Value::Bool(true)), "{before:#}");

    // Both wait, and each hears what the other is told.
    let payer = start(&world, &to(0, "pay", &["--currency", "XTS", "--at-most", "5.00", "--wait=60"]));
    let request = ["--currency", "XTS", "4.20", "--memo", "tea", "--wait=60"];
    let received = world.json(&to(1, "request", &request));
    assert_eq!((&received["received"], &received["amount"]), (&Value::Bool(true), &Value::from(420)), "{received:#}");
    let paid = end(payer);
    assert_eq!((&paid["paid"], &paid["delivered"], &paid["amount"]), (&true.into(), &true.into(), &420.into()));
    assert_eq!(paid["id"], received["request"]["id"], "the payment names the request");
    // The other way round, and nobody waits: what happened is told to whoever asks next.
    world.json(&to(0, "request", &["--currency", "XTS", "0.70"]));
    world.json(&to(1, "pay", &["--currency", "XTS", "--at-most", "0.70"]));
    let heard = world.run(&to(0, "listen", &["--count", "1", "--seconds", "60", "--currency", "XTS"])).exits(0);
    assert!(heard.stdout.contains("received 0.70 XTS"), "{heard:?}");
    let lines = world.run(&[vec!["--json"], to(1, "listen", &["--count", "2", "--seconds", "60"])].concat()).exits(0);
    let events: Vec<Value> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[0]["event"], &events[1]["event"]), (&"paid".into(), &"delivered".into()), "{lines:?}");
    assert_eq!(status(&world, 0)["total"], 2000 - 420 + 70);

    let settled = sync(&world, 1, &[]);
    assert_eq!(settled["failures"], Value::Array(vec![]), "{settled:#}");
    sync(&world, 0, &[]);
    let held: u64 = [0, 1].map(|terminal| status(&world, terminal)["total"].as_u64().unwrap()).iter().sum();
    assert_eq!(world.account("ann") + world.account("bob") + held, 20_000);
    world.books_hold();
}

/// The owner of a microcontroller sets its PIN and gives it a mandate; it pays inside it, refuses one unit over it, and stops.
#[test]
fn a_terminal_pays_by_itself_inside_a_mandate() {
    let world = World::new();
    let _street = Street::new(&world);
    world.person("alice", "10");
    world.json(&["device", "mandate", "owner-key", "alice"]);
    enrol(&world, 0, "meter");
    enrol(&world, 1, "shop");
    for terminal in [0, 1] {
        sync(&world, terminal, &["--keep-value", "20.00", "--currency", "XTS", "--keep-blanks", "8"]);
    }
    let show = |machine: bool| {
        let arguments = to(0, "mandate", &[]);
        let line = ["terminal", "mandate", "show", "--line", arguments[3]];
        world.run(&[if machine { &["--json"][..] } else { &[] }, &line].concat()).exits(0)
    };
    let key = show(true).json()["key"].as_str().unwrap().to_owned();
    assert!(show(false).stdout.contains(&key));
    let make = |out: &str, amounts: [&str; 3], sequence: &str| {
        let [per_payment, per_period, in_all] = amounts;
        let make =
            ["device", "mandate", "make", "alice", "--for", &key, "--until", "2099-12-31", "--out", out, "--anyone"];
        let amounts = ["--per-payment", per_payment, "--per-period", per_period, "--in-all", in_all];
        let account = ["--redeem-psp", "psp", "--redeem-to", "meter", "--sequence", sequence];
        world.json(&[&make[..], &amounts, &account].concat());
    };
    make("first", ["4.20", "5", "20"], "1");
    make("end", ["0", "0", "0"], "2");
    let give = |file: &'static str| ["terminal", "mandate", "give", "--line", LINES[0], file];
    world.refused(&give("first"), "no-pin");
    let mut child =
        world.command(&to(0, "pin", &["--change"])).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"\n2468\n").unwrap();
    assert!(child.wait().unwrap().success());
    let mut command = world.command(&[&["--json"][..], &give("first")].concat());
    Run::of(command.env("SPECIE_PIN", "2468").output().unwrap()).exits(0);
    let request = |amount| to(1, "request", &["--currency", "XTS", amount, "--wait=60"]).to_vec();
    let received = world.json(&request("4.20"));
    assert_eq!((&received["received"], &received["amount"]), (&Value::Bool(true), &Value::from(420)), "{received:#}");
    world.refused(&request("4.21"), "payer-refused");
    world.refused(&request("0.81"), "payer-refused");
    let told = world.run(&to(0, "listen", &["--seconds", "1", "--currency", "XTS"])).exits(0).stdout;
    assert!(told.contains("[person-needed]") && told.contains("[mandate-per-period]"), "{told}");
    let shown = show(true).json();
    assert_eq!((&shown["mandate"]["used"]["in_all"], &shown["mandate"]["max_payment"]), (&420.into(), &420.into()));
    assert!(show(false).stdout.contains("4.20 XTS used"));
    world.json(&give("end"));
    world.refused(&give("first"), "element-holds-newer");
    world.refused(&request("0.01"), "payer-refused");
    for terminal in [0, 1] {
        let settled = sync(&world, terminal, &[]);
        assert_eq!(settled["failures"], Value::Array(vec![]), "{settled:#}");
    }
    world.books_hold();
}

#[test]
fn refusals_of_a_terminal_say_what_to_do() {
    let world = World::new();
    let _street = Street::new(&world);
    world.refused(&to(0, "sync", &["--psp", "http://127.0.0.1:9"]), "no-wallet");
    enrol(&world, 0, "ann");
    world.refused(&to(0, "new", &["--root", &world.root]), "wallet-exists");
    world.refused(&to(0, "request", &["--currency", "XTS", "1"]), "no-blank");
    sync(&world, 0, &["--keep-value", "5.00", "--currency", "XTS", "--keep-blanks", "4"]);
    world.refused(&to(0, "request", &["--currency", "XTS", "0.00"]), "no-amount");
    // Nobody asks: the device is not left paying.
    world.refused(&to(0, "pay", &["--currency", "XTS", "--at-most", "1", "--wait=1"]), "no-request");
    world.refused(&to(0, "request", &["--currency", "XTS", "1", "--wait=1"]), "not-paid");
    assert_eq!(world.json(&to(0, "stop", &[]))["stopped"], true);
    // Without the PSP a synchronisation ends and says so.
    let psp = ["--psp", "http://127.0.0.1:9"];
    let run = world.run(&[vec!["--json"], to(0, "sync", &psp)].concat()).exits(1);
    assert_eq!(run.json()["failures"][0]["code"], "psp-unreachable", "{run:?}");
    // Somebody else had it begun: whoever comes is told that it is busy.
    let mut other = Gateway::new(OpenLine::open(&ChipAddress::Socket(world.path("0.sock"))).unwrap());
    let keep = Keep { value: specie_core::Amount::ZERO, blanks: 0, blank_cap: None };
    assert_eq!(other.command(&Command::Synchronise(keep)).unwrap(), Reply::Done);
    drop(other);
    world.refused(&to(0, "sync", &psp), "busy");
    assert_eq!(status(&world, 0)["spendable"], 500, "it is used all the same");
    // A wrong PIN, and none where none is set.
    let mut command = world.command(&[vec!["--json"], to(0, "pin", &[])].concat());
    let run = Run::of(command.env("SPECIE_PIN", "9999").output().unwrap()).exits(1);
    assert_eq!(run.json()["error"]["money_moved"], false, "{run:?}");
}

#[test]
fn wrong_and_silent_lines_are_named() {
    let world = World::new();
    world.refused(&["terminal", "status", "--line", "socket:nobody.sock"], "line-not-opened");
    world.refused(&["terminal", "status", "--line", "serial:maker.toml"], "line-not-opened");
    for wrong in [
        &["terminal", "status"][..],
        &["terminal", "status", "--line", "usb:1"],
        &["terminal", "status", "--line", "maker.toml"],
        &["terminal", "pay", "--line", "socket:x", "--at-most", "1"],
        &["terminal", "pay", "--line", "socket:x", "--currency", "XTS", "--at-most", "1.234"],
        &["terminal", "request", "--line", "socket:x", "--currency", "XTS", "1", "--memo", ""],
        &["terminal", "sync", "--line", "socket:x", "--psp", "ftp://x"],
    ] {
        let run = specie(&[&["--json"], wrong].concat()).exits(2);
        assert_eq!(run.json()["error"]["code"], "usage", "{run:?}");
    }
    let silent = UnixListener::bind(world.path("silent.sock")).unwrap();
    let line = ["--line", "socket:silent.sock", "--patience", "1"];
    world.refused(&[&["terminal", "status"][..], &line].concat(), "device-silent");
    drop(silent);
    // Somebody who talks about something else, and somebody who hangs up.
    let other = UnixListener::bind(world.path("other.sock")).unwrap();
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        let (mut babbler, _) = other.accept().unwrap();
        babbler.write_all(&[0x55; 4096]).unwrap();
        let hung_up = other.accept().unwrap();
        drop((babbler, hung_up));
    });
    let line = ["--line", "socket:other.sock", "--patience", "1"];
    world.refused(&[&["terminal", "status"][..], &line].concat(), "device-silent");
    world.refused(&[&["terminal", "status"][..], &line].concat(), "line-failed");
    thread.join().unwrap();
}
