//! A device is lost: the owner's other device claims what it held, by its recovery code.

use serde_json::Value;

use crate::running::Run;
use crate::world::World;

fn key(world: &World, device: &str) -> String {
    world.json(&["device", "recovery-code", device])["device"].as_str().unwrap().to_owned()
}

fn claim(world: &World, device: &str, lost: &str, code: &str) -> Run {
    let mut command = world.command(&["--json", "device", "claim", device, lost]);
    Run::of(command.env("SPECIE_RECOVERY_CODE", code).output().unwrap())
}

fn sum(claims: &Value, state: &str) -> u64 {
    let claims = claims["claims"].as_array().unwrap().iter();
    claims.filter(|claim| claim["state"] == state).map(|claim| claim["amount"].as_u64().unwrap()).sum()
}

#[test]
fn what_a_lost_device_held_is_claimed_by_another_of_its_owner() {
    let world = World::new();
    world.person("alice", "200");
    world.person("mallory", "0");
    let psp = world.psp.as_ref().unwrap().address.clone();
    let code = world.json(&["psp", "customer", "claim", "psp", "alice"])["code"].as_str().unwrap().to_owned();
    world.json(&["device", "new", "tablet", "--maker", "maker.toml", "--root", &world.root, "--psp", &psp]);
    world.json(&["device", "enrol", "tablet", "--customer", "alice", "--code", &code]);
    // The other device has all the limits of its owner, until they run out; for claims none are needed.
    let synchronised = world.run(&["--json", "device", "sync", "tablet"]).exits(1);
    assert!(synchronised.stdout.contains("limits-shared-out"), "{synchronised:?}");
    assert_eq!(world.json(&["device", "sync", "alice"])["backed_up"], false);
    let made = world.json(&["device", "recovery-code", "alice"]);
    let (lost, code) = (made["device"].as_str().unwrap(), made["code"].as_str().unwrap());
    world.json(&["device", "withdraw", "alice", "120"]);
    assert_eq!(world.json(&["device", "sync", "alice"])["backed_up"], true);

    // Everything in its order, and everybody in their place.
    let refused = claim(&world, "tablet", lost, code).exits(1).json();
    assert_eq!(refused["error"]["code"], "device-not-lost");
    assert_eq!(world.json(&["psp", "lost", "psp", lost])["new"], true);
    assert_eq!(world.json(&["psp", "lost", "psp", lost])["new"], false);
    for (device, code, refusal) in [
        ("mallory", code, "lost-device-unknown"),
        ("tablet", "00000-00000-00000-00000-00000-00000", "wrong-recovery-code"),
        ("alice", code, "device-lost"),
    ] {
        let refused = claim(&world, device, lost, code).exits(1).json();
        assert_eq!(
            (refused["error"]["code"].as_str(), &refused["error"]["money_moved"]),
            (Some(refusal), &false.into())
        );
    }
    assert_eq!(claim(&world, "tablet", lost, "A").status, 2, "a usage error");
    world.refused(&["psp", "lost", "psp", &"00".repeat(32)], "unknown-device");

    let claimed = claim(&world, "tablet", lost, code).exits(0).json();
    assert_eq!((sum(&claimed, "open"), claimed["refused"].as_array().unwrap().len()), (12_000, 0));
    let claims = world.json(&["device", "claims", "tablet", lost]);
    assert_eq!((sum(&claims, "open"), claims["claims"][0]["account"].as_str()), (12_000, Some("alice")));
    assert_eq!(world.json(&["psp", "claims", "psp", lost])["claims"], claims["claims"]);
    let customer = world.json(&["psp", "customer", "show", "psp", "alice"]);
    let states: Vec<_> = customer["devices"].as_array().unwrap().iter().map(|device| &device["state"]).collect();
    assert!(states.contains(&&"lost".into()) && states.contains(&&"active".into()), "{customer:#}");

    // Found again: nothing is claimed any more, and the device goes on.
    assert_eq!(world.json(&["psp", "found", "psp", lost])["new"], true);
    assert_eq!(world.json(&["psp", "found", "psp", lost])["new"], false);
    assert_eq!(sum(&world.json(&["psp", "claims", "psp", lost]), "open"), 0);
    world.json(&["device", "sync", "alice", "--everything"]);
    assert_eq!(world.account("alice"), 20_000);
    world.books_hold();
}

#[test]
fn a_new_recovery_code_takes_the_place_of_the_old_one() {
    let world = World::new();
    world.person("alice", "50");
    let (first, second) = (key(&world, "alice"), world.json(&["device", "recovery-code", "alice"]));
    assert_eq!(second["device"], first.as_str());
    let code = second["code"].as_str().unwrap();
    assert_eq!((code.len(), code.matches('-').count()), (35, 5));
    let human = world.run(&["device", "recovery-code", "alice"]).exits(0);
    assert!(human.stdout.contains("Write both down") && !human.stdout.contains(code), "{human:?}");
}
