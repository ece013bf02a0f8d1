//! Backups of served databases, and the way back: a drill with real processes, and backups that are refused.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::world::World;

/// Everything in a folder but its shared memory, to see that nothing was changed.
fn files(world: &World, folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(world.path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn change_manifest(world: &World, file: &str, change: impl Fn(&mut Value)) {
    let path = world.path(&format!("{file}.manifest"));
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

fn copy_backup(world: &World, from: &str, to: &str) {
    for suffix in ["", ".manifest"] {
        fs::copy(world.path(&format!("{from}{suffix}")), world.path(&format!("{to}{suffix}"))).unwrap();
    }
}

fn lose(world: &World, of: &str) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(world.path(&format!("{of}/{of}.db{suffix}")));
    }
}

#[test]
fn a_bank_and_a_psp_come_back_from_backups_that_were_made_while_they_worked() {
    let mut world = World::new();
    world.person("alice", "100");
    world.person("bob", "0");
    world.json(&["device", "withdraw", "alice", "30"]);
    let stop = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut booked = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                booked += 1;
                world.json(&["bank", "fund", "bank", "psp-one", "1", "--reference", &format!("load {booked}")]);
                world.json(&["psp", "customer", "credit", "psp", "alice", "1"]);
            }
            booked
        });
        let psp = world.json(&["psp", "backup", "psp", "--out", "psp.backup"]);
        let bank = world.json(&["bank", "backup", "bank", "--out", "bank.backup"]);
        stop.store(true, Ordering::Relaxed);
        assert!(load.join().unwrap() > 0);
        [psp, bank]
    });
    for (made, service) in made.iter().zip(["psp/psp-one", "bank/central-bank"]) {
        assert_eq!(made["manifest"]["service"], service, "{made:#}");
        assert!(made["manifest"]["audit_sequence"].as_u64().unwrap() > 0);
    }
    world.refused(&["bank", "backup", "bank", "--out", "bank.backup"], "backup-exists");
    world.refused(&["bank", "restore", "bank", "--from", "bank.backup"], "backup-exists");

    // After the backup: a payment without a network, and an order that is lost with the database.
    world.json(&["device", "request", "bob", "12.34", "--out", "request"]);
    world.json(&["device", "pay", "alice", "request", "--yes", "--out", "payment"]);
    world.json(&["device", "receive", "bob", "payment", "--receipt", "receipt"]);
    world.json(&["device", "receive", "alice", "receipt"]);
    world.json(&["psp", "customer", "credit", "psp", "bob", "7"]);

    for server in [world.bank.take().unwrap(), world.psp.take().unwrap()] {
        // With the signer, as a power cut would: while it ends by itself, it is there and does not answer.
        server.kill_children();
        server.kill();
    }
    fs::remove_file(world.path("bank/bank.db")).unwrap();
    if world.path("bank/bank.db-wal").exists() {
        // It would be read as that of the database which is restored.
        world.refused(&["bank", "restore", "bank", "--from", "bank.backup"], "backup-exists");
    }
    for of in ["bank", "psp"] {
        lose(&world, of);
        let restored = world.json(&[of, "restore", of, "--from", &format!("{of}.backup")]);
        assert_eq!(restored["manifest"]["specie_backup"], 1);
    }
    world.start_bank();
    world.start_psp();
    world.books_hold();
    assert_eq!(world.account("bob"), 0, "what was booked after the backup is not in it");
    let account = world.account("alice");
    for device in ["bob", "alice"] {
        world.json(&["device", "sync", device]);
    }
    // Change may be redeemed: what each has is on the device or in the account.
    let gained = world.total("alice") + world.account("alice") - account;
    assert_eq!((gained, world.total("bob") + world.account("bob")), (30_00 - 12_34, 12_34));
    world.books_hold();
}

#[test]
fn a_damaged_foreign_or_newer_backup_is_refused_and_changes_nothing() {
    let mut world = World::new();
    for of in ["bank", "psp"] {
        world.json(&[of, "backup", of, "--out", &format!("{of}.backup")]);
    }
    for server in [world.bank.take().unwrap(), world.psp.take().unwrap()] {
        // With the signer, as a power cut would: while it ends by itself, it is there and does not answer.
        server.kill_children();
        server.kill();
    }
    world.json(&["bank", "init", "other"]);
    world.json(&["bank", "backup", "other", "--out", "other.backup"]);
    for of in ["bank", "psp"] {
        lose(&world, of);
    }

    copy_backup(&world, "bank.backup", "flipped");
    let mut bytes = fs::read(world.path("flipped")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(world.path("flipped"), &bytes).unwrap();
    copy_backup(&world, "bank.backup", "cut");
    let cut = bytes.len() - 4096;
    fs::write(world.path("cut"), &fs::read(world.path("bank.backup")).unwrap()[..cut]).unwrap();
    copy_backup(&world, "bank.backup", "headless");
    change_manifest(&world, "headless", |manifest| manifest["audit_sequence"] = 1.into());
    copy_backup(&world, "bank.backup", "later");
    change_manifest(&world, "later", |manifest| manifest["specie_backup"] = 2.into());
    copy_backup(&world, "bank.backup", "disguised");
    change_manifest(&world, "disguised", |manifest| manifest["service"] = "psp/psp-one".into());
    copy_backup(&world, "bank.backup", "renamed");
    change_manifest(&world, "renamed", |manifest| manifest["service"] = "bank/another".into());
    fs::copy(world.path("bank.backup"), world.path("bare")).unwrap();

    let before = files(&world, "bank");
    for (backup, code) in [
        ("flipped", "backup-altered"),
        ("cut", "backup-altered"),
        ("headless", "backup-damaged"),
        ("later", "backup-manifest"),
        ("bare", "backup-file"),
        ("disguised", "backup-foreign"),
        ("renamed", "backup-foreign"),
        ("psp.backup", "backup-foreign"),
        ("other.backup", "backup-foreign"),
    ] {
        world.refused(&["bank", "restore", "bank", "--from", backup], code);
        assert!(files(&world, "bank") == before, "{backup} changed something");
    }
    world.refused(&["psp", "restore", "psp", "--from", "bank.backup"], "backup-foreign");
    world.json(&["bank", "restore", "bank", "--from", "bank.backup"]);
    world.json(&["psp", "restore", "psp", "--from", "psp.backup"]);
    world.start_bank();
    world.start_psp();
    world.books_hold();
}
