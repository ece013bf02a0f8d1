//! One person's limits over several devices, and a device that changes hands.

use crate::world::World;

#[test]
fn limits_are_one_persons_and_split_as_it_wishes() {
    let world = World::new();
    world.person("alice", "100");
    // A second device of hers.
    let code = world.json(&["psp", "customer", "claim", "psp", "alice"])["code"].as_str().unwrap().to_owned();
    let psp = world.psp.as_ref().unwrap().address.clone();
    world.json(&["device", "new", "watch", "--maker", "maker.toml", "--root", &world.root, "--psp", &psp]);
    world.json(&["device", "enrol", "watch", "--customer", "alice", "--code", &code]);
    let synchronised = world.run(&["--json", "device", "sync", "watch"]);
    assert!(synchronised.stdout.contains("limits-shared-out"), "{synchronised:?}");
    let fleet = world.json(&["psp", "fleet", "show", "psp", "alice"]);
    let key = world.json(&["device", "status", "watch"])["key"].clone();
    let devices = fleet["devices"].as_array().unwrap();
    // Both were enrolled within a second, so either may come first.
    let (phone, watch) = if devices[1]["key"] == key { (&devices[0], &devices[1]) } else { (&devices[1], &devices[0]) };
    assert_eq!((&phone["max_holding"], &watch["max_holding"]), (&150_000.into(), &0.into()));
    assert!(phone["limits_until"].is_u64() && watch["limits_until"].is_null(), "{fleet}");
    let (phone, watch) = (phone["key"].as_str().unwrap(), watch["key"].as_str().unwrap());
    world.json(&["psp", "fleet", "label", "psp", watch, "Alice's watch"]);
    let shared = world.json(&["psp", "fleet", "share", "psp", "alice", &format!("{phone}=2"), &format!("{watch}=1")]);
    let of = |key: &str| shared["devices"].as_array().unwrap().iter().find(|device| device["key"] == key).unwrap();
    assert_eq!((&of(phone)["max_holding"], &of(watch)["label"]), (&200_000.into(), &"Alice's watch".into()));
    let nothing = format!("{watch}=0");
    let all = format!("{phone}=0");
    world.refused(&["psp", "fleet", "share", "psp", "alice", &all, &nothing], "bad-weight");
    world.run(&["psp", "fleet", "share", "psp", "alice", "nonsense"]).exits(2);
    // Another owner.
    world.person("bob", "0");
    let code = world.json(&["psp", "customer", "claim", "psp", "bob"])["code"].as_str().unwrap().to_owned();
    let enrol = ["device", "enrol", "alice", "--customer", "bob", "--code", &code, "--new-owner"];
    world.refused(&enrol, "already-enrolled");
    world.json(&["psp", "fleet", "release", "psp", phone]);
    world.refused(&enrol, "device-not-free");
    // The watch never had limits: it may go at once.
    world.json(&["psp", "fleet", "release", "psp", watch]);
    let moved = world.json(&["device", "enrol", "watch", "--customer", "bob", "--code", &code, "--new-owner"]);
    assert_eq!(moved["account"], "bob");
    assert_eq!(world.json(&["psp", "fleet", "show", "psp", "bob"])["devices"].as_array().unwrap().len(), 2);
}
