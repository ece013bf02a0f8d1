//! A bank whose root key is in a token: SoftHSM, with its tokens in the world's folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::world::World;

/// Where Debian and others put it.
const MODULES: [&str; 3] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"];

fn module() -> &'static str {
    let found = MODULES.into_iter().find(|module| Path::new(module).exists());
    found.expect("SoftHSM is missing: install it (Debian: softhsm2)")
}

/// Makes tokens `bank` and `other` with the PIN 4711, and files of right and wrong PINs.
fn make_tokens(folder: &Path) {
    fs::create_dir(folder.join("tokens")).unwrap();
    let tokens = folder.join("tokens");
    let configuration = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    fs::write(folder.join("softhsm2.conf"), configuration).unwrap();
    for label in ["bank", "other"] {
        let mut util = Command::new("softhsm2-util");
        util.env("SOFTHSM2_CONF", folder.join("softhsm2.conf"));
        util.args(["--init-token", "--free", "--label", label, "--pin", "4711", "--so-pin", "87654321"]);
        let made = util.output().expect("SoftHSM is missing: install it (Debian: softhsm2)");
        assert!(made.status.success(), "{made:?}");
    }
    for (file, pin, mode) in [("pin", "4711\n", 0o600), ("wrong-pin", "4712\n", 0o600), ("open-pin", "4711\n", 0o644)] {
        fs::write(folder.join(file), pin).unwrap();
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Options that name the key `key` in the token `token`.
fn options<'a>(module: &'a str, token: &'a str, key: &'a str, pin: &'a str) -> [&'a str; 8] {
    ["--token", module, "--token-label", token, "--key-label", key, "--pin-file", pin]
}

/// A bank under a key of its own in the token `bank`, and a PSP.
fn world() -> World {
    World::under(|world| {
        make_tokens(&world.path(""));
        let options = options(module(), "bank", "specie-root", "pin");
        world.json(&[&["bank", "root-key", "make"], &options[..]].concat());
        options.map(str::to_owned).to_vec()
    })
}

/// Whatever could change where a command is refused.
fn standing(world: &World) -> (String, String, u64) {
    let status = world.json(&["bank", "status", "bank"]);
    let signer = world.json(&["bank", "signer", "status", "bank/signer"]);
    (status["status"]["manifest_sequence"].to_string(), status["psps"].to_string(), signer["records"].as_u64().unwrap())
}

#[test]
fn a_bank_lives_under_a_root_key_that_never_leaves_its_token() {
    let world = world();
    assert!(!world.path("bank/root.key").exists(), "no secret of the root key lies in a file");
    let here = options(module(), "bank", "specie-root", "pin");
    let shown = world.json(&[&["bank", "root-key", "show"], &here[..]].concat());
    assert_eq!(shown["root_key"], world.root.as_str());
    // What the token signed, everybody accepts: PSP, wallets, elements, and whoever checks the log.
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "20"]);
    world.json(&["device", "request", "bob", "5", "--out", "r"]);
    world.json(&["device", "pay", "alice", "r", "--yes", "--out", "p"]);
    world.json(&["device", "receive", "bob", "p"]);
    world.json(&["device", "sync", "bob"]);
    assert_eq!(world.account("bob"), 500);
    let next = world.json(&[&["bank", "rotate", "bank"], &here[..]].concat());
    assert_eq!((next["epoch"].as_u64(), next["new"].as_bool()), (Some(2), Some(true)));
    world.json(&["bank", "manifest", "bank", "--out", "newest"]);
    let report = world.json(&["inspect", "--root", &world.root, "newest"]);
    assert_eq!(report["verdict"], "good");
    world.json(&["bank", "audit", "export", "bank", "--out", "log"]);
    world.json(&["audit", "verify", "log", "--root", &world.root]);
    world.books_hold();
}

#[test]
fn what_is_wrong_with_a_token_is_said_and_changes_nothing() {
    let world = world();
    let module = module();
    let make = |options: &[&str]| world.json(&[&["bank", "root-key", "make"], options].concat());
    make(&options(module, "bank", "another", "pin"));
    let before = standing(&world);
    let key = ["--key", &"5f".repeat(32)];
    let (rotate, register) = (["bank", "rotate", "bank"], ["bank", "register", "bank", "psp-two", key[0], key[1]]);
    let no_library = world.path("pin").display().to_string();
    for (options, code) in [
        (options(module, "bank", "specie-root", "wrong-pin"), "token-pin"),
        (options(module, "bank", "specie-root", "open-pin"), "token-pin"),
        (options(module, "bank", "specie-root", "no-pin"), "token-pin"),
        (options(module, "nowhere", "specie-root", "pin"), "no-token"),
        (options(module, "other", "specie-root", "pin"), "token-key"),
        (options(module, "bank", "nobody", "pin"), "token-key"),
        (options("/no/such/module.so", "bank", "specie-root", "pin"), "token-module"),
        (options(&no_library, "bank", "specie-root", "pin"), "token-module"),
        // A good key, and not this bank's.
        (options(module, "bank", "another", "pin"), "not-published"),
    ] {
        for command in [&rotate[..], &register] {
            world.refused(&[command, &options[..]].concat(), code);
        }
        if code != "not-published" {
            world.refused(&[&["bank", "root-key", "show"], &options[..]].concat(), code);
            world.refused(&[&["bank", "init", "second"], &options[..]].concat(), code);
        }
        assert_eq!(standing(&world), before, "{options:?}");
    }
    assert!(!world.path("second").exists());
    // Without naming the token there is no key, and half of it named is none.
    world.refused(&rotate, "root-key");
    world.run(&[&rotate[..], &["--token", module]].concat()).exits(2);
    world.run(&[&rotate[..], &["--pin-file", "pin"]].concat()).exits(2);
    world.run(&["bank", "root-key", "make"]).exits(2);
    // A key is never made over another.
    let there = options(module, "bank", "specie-root", "pin");
    world.refused(&[&["bank", "root-key", "make"], &there[..]].concat(), "key-exists");
    let shown = world.json(&[&["bank", "root-key", "show"], &there[..]].concat());
    assert_eq!(shown["root_key"], world.root.as_str());
    // Its token gone, and back again.
    fs::rename(world.path("tokens"), world.path("elsewhere")).unwrap();
    world.refused_anyhow(&[&rotate[..], &there].concat());
    assert_eq!(standing(&world), before);
    fs::rename(world.path("elsewhere"), world.path("tokens")).unwrap();
    world.json(&[&rotate[..], &there].concat());
}

/// The root key never comes to the bank's machine: a draft goes to it, and a manifest comes back.
#[test]
fn a_draft_is_signed_elsewhere_and_published_once() {
    let world = world();
    let there = options(module(), "bank", "specie-root", "pin");
    let sequence = || standing(&world).0;
    let before = sequence();
    let draft = ["bank", "rotate", "bank", "--ahead-days", "35", "--draft", "next.draft"];
    assert_eq!(world.json(&draft)["epoch"], 2);
    assert_eq!(sequence(), before, "nothing is published");
    world.run(&draft).exits(2);
    world.run(&[&draft[..], &there].concat()).exits(2);
    world.refused(&["bank", "publish", "bank", "next.draft"], "not-published");
    // Changed on its way: what is not the draft of a bank is not signed, what another key signed is not published.
    let sign = |from: &str, options: &[&str], out: &str| -> Vec<String> {
        let all = [&["bank", "root-key", "sign", from], options, &["--out", out]].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let run = |command: Vec<String>| world.json(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let mut changed = fs::read(world.path("next.draft")).unwrap();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(world.path("changed.draft"), changed).unwrap();
    fs::write(world.path("no.draft"), "nothing").unwrap();
    for file in ["changed.draft", "no.draft"] {
        let refused = sign(file, &there, "bad.manifest");
        world.refused(&refused.iter().map(String::as_str).collect::<Vec<_>>(), "no-draft");
        assert!(!world.path("bad.manifest").exists());
    }
    let another = options(module(), "bank", "another", "pin");
    world.json(&[&["bank", "root-key", "make"], &another[..]].concat());
    run(sign("next.draft", &another, "another.manifest"));
    world.refused(&["bank", "publish", "bank", "another.manifest"], "not-published");
    assert_eq!(sequence(), before);
    assert_eq!(run(sign("next.draft", &there, "next.manifest"))["root_key"], world.root.as_str());
    assert_eq!(world.json(&["inspect", "--root", &world.root, "next.manifest"])["verdict"], "good");
    for _ in 0..2 {
        world.json(&["bank", "publish", "bank", "next.manifest"]);
        assert_ne!(sequence(), before);
    }
    assert_eq!(world.json(&["bank", "status", "bank"])["rotation"]["next"]["epoch"], 2);
    // At once: the draft says when, who publishes it says why.
    world.json(&["bank", "rotate", "bank", "--at-once", "ticket 21", "--draft", "now.draft"]);
    run(sign("now.draft", &there, "now.manifest"));
    world.refused(&["bank", "publish", "bank", "now.manifest"], "bad-terms");
    world.refused(&["bank", "publish", "bank", "now.manifest", "--at-once", " "], "no-reason");
    world.json(&["bank", "publish", "bank", "now.manifest", "--at-once", "ticket 21"]);
    assert_eq!(world.json(&["bank", "status", "bank"])["rotation"]["issuing"]["epoch"], 3);
    world.books_hold();
}
