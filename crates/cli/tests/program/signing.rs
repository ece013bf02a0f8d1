//! The signer in a process of its own: killed, wrongly opened, shared by two servers, checked.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::world::World;

#[test]
fn a_signer_that_is_killed_at_any_moment_answers_no_session_twice() {
    let mut world = World::new();
    world.person("alice", "100");
    let signed = |world: &World| world.json(&["bank", "signer", "status", "bank/signer"])["signed"].as_u64().unwrap();
    let before = signed(&world);
    for pause in 0..12 {
        // It dies while it commits, while it answers, or between both; the server starts it again.
        let mut withdrawal = world.command(&["--json", "device", "withdraw", "alice", "5"]);
        let mut withdrawal =
            withdrawal.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause * 4));
        world.bank.as_ref().unwrap().kill_children();
        withdrawal.wait().unwrap();
    }
    world.json(&["device", "sync", "alice"]);
    world.json(&["device", "withdraw", "alice", "5"]);
    assert_eq!(world.account("alice") + world.total("alice"), 10_000);
    world.books_hold();
    assert!(signed(&world) > before);
    // What the bank issued is what was signed, and not one note more.
    let verified = world.json(&["bank", "signer", "verify", "bank/signer"]);
    assert_eq!(verified["signed"].as_u64(), Some(signed(&world)));
    let status = world.json(&["bank", "signer", "status", "bank/signer"]);
    assert_eq!(status["hash"], verified["hash"]);
    let values = status["classes"].as_array().unwrap().iter().filter(|class| class["kind"] == "note");
    let value: u64 = values.map(|class| class["notes"].as_u64().unwrap() * class["amount"].as_u64().unwrap()).sum();
    let books = world.json(&["bank", "status", "bank"]);
    let issued = books["conservation"]["classes"].as_array().unwrap().iter();
    assert_eq!(issued.map(|class| class["issued"].as_u64().unwrap()).sum::<u64>(), value);
    // It ends with the server that started it.
    let socket = world.path("bank/signer/socket");
    world.bank.take().unwrap().kill();
    let gone = || std::os::unix::net::UnixStream::connect(&socket).is_err();
    assert!(
        (0..500).any(|_| gone() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }),
        "it outlived its server"
    );
}

#[test]
fn two_servers_share_a_signer_that_opens_for_its_passphrase_only() {
    let mut world = World::new();
    world.person("alice", "100");
    world.bank = None;
    // The passphrase is brought; nothing in the folder opens the keys.
    fs::rename(world.path("bank/signer/passphrase"), world.path("passphrase")).unwrap();
    world.refused(&["bank", "signer", "serve", "bank/signer"], "signer-passphrase");
    world.refused(&["bank", "status", "bank"], "signer-passphrase");
    fs::write(world.path("other"), "another one\n").unwrap();
    set_private(&world.path("other"));
    world.refused(&["bank", "signer", "serve", "bank/signer", "--passphrase-file", "other"], "signer-keys");
    let signer = world.serve_signer("bank/signer", "passphrase");
    world.refused(&["bank", "signer", "serve", "bank/signer", "--passphrase-file", "passphrase"], "signer-served");
    world.start_bank();
    let beside = world.serve("bank", "bank", "127.0.0.1:0");
    world.json(&["device", "withdraw", "alice", "5"]);
    world.bank.take().unwrap().kill();
    drop(beside);
    // Its servers gone, it is still there; then it is not.
    world.start_bank();
    world.json(&["device", "sync", "alice"]);
    world.json(&["device", "withdraw", "alice", "5"]);
    drop(signer);
    world.refused_anyhow(&["device", "withdraw", "alice", "5"]);
    let _signer = world.serve_signer("bank/signer", "passphrase");
    world.json(&["device", "sync", "alice"]);
    world.json(&["device", "withdraw", "alice", "5"]);
    assert_eq!(world.account("alice") + world.total("alice"), 10_000);
    world.books_hold();
    world.json(&["bank", "rotate", "bank"]);
    let status = world.json(&["bank", "signer", "status", "bank/signer"]);
    assert!(status["classes"].as_array().unwrap().iter().any(|class| class["epoch"] == 2), "{status:#}");
    world.json(&["bank", "signer", "verify", "bank/signer"]);
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
