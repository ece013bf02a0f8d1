//! One person at two PSPs has one ration, and moves from the one to the other.

use crate::world::World;

const PERSON: [&str; 4] = ["--issuer", "https://register.example", "--number", "840506-0000"];

#[test]
fn a_person_has_limits_from_one_psp_and_moves_to_another() {
    let world = World::new();
    let south = world.second_psp();
    let pepper = world.json(&["psp", "status", "psp"])["pepper"].as_str().unwrap().to_owned();
    assert_eq!(world.json(&["psp", "status", "south"])["pepper"], pepper.as_str());
    world.json(&["bank", "registry", "keep", "bank", "--pepper", &pepper]);
    let other = "00".repeat(32);
    world.refused(&["bank", "registry", "keep", "bank", "--pepper", &other], "other-pepper");

    // Nothing by which another PSP would know her: no claim, and so no limits.
    world.json(&["psp", "customer", "add", "psp", "alice", "--document", "file 1", "--by", "counter"]);
    world.refused(&["psp", "person", "claim", "psp", "alice"], "person-unknown");
    world.json(&[&["psp", "customer", "person", "psp", "alice"][..], &PERSON].concat());
    let claimed = world.json(&["psp", "person", "claim", "psp", "alice"]);
    assert_eq!(claimed["persons"][0]["state"], "claimed");
    world.person("alice", "100");
    world.json(&["device", "withdraw", "alice", "10"]);

    // The same person comes to the second one.
    world.json(&["psp", "customer", "add", "south", "carol", "--document", "file 7", "--by", "counter"]);
    world.json(&[&["psp", "customer", "person", "south", "carol"][..], &PERSON].concat());
    world.json(&["psp", "customer", "credit", "south", "carol", "100"]);
    world.refused(&["psp", "person", "claim", "south", "carol"], "person-elsewhere");
    let code = world.json(&["psp", "customer", "claim", "south", "carol"])["code"].as_str().unwrap().to_owned();
    let new = ["device", "new", "carol", "--maker", "maker.toml", "--root", &world.root, "--psp", &south.address];
    world.json(&new);
    world.json(&["device", "enrol", "carol", "--customer", "carol", "--code", &code]);
    let synchronised = world.run(&["--json", "device", "sync", "carol"]);
    assert!(synchronised.stdout.contains("owner-elsewhere"), "{synchronised:?}");
    world.refused(&["device", "withdraw", "carol", "0.01"], "owner-elsewhere");
    assert_eq!(world.json(&["psp", "customer", "show", "south", "carol"])["balance"], 10_000);

    // She is released, and what she got counts for another month.
    world.refused(&["psp", "person", "release", "south", "carol"], "person-not-claimed");
    let until = world.json(&["psp", "person", "release", "psp", "alice"])["until"].clone();
    assert_eq!(world.json(&["psp", "person", "release", "psp", "alice"])["until"], until);
    world.refused(&["device", "withdraw", "alice", "0.01"], "owner-elsewhere");
    world.refused(&["psp", "person", "claim", "south", "carol"], "person-elsewhere");
    let pseudonym = claimed["persons"][0]["pseudonym"].as_str().unwrap();
    assert_eq!(world.json(&["bank", "registry", "show", "bank", pseudonym])["until"], until);
    let synchronised = world.run(&["--json", "device", "sync", "alice"]);
    assert!(synchronised.stdout.contains("owner-elsewhere"), "{synchronised:?}");
    assert_eq!(world.json(&["psp", "person", "show", "psp", "alice"])["persons"][0]["state"], "released");

    // An officer of the bank answers for it that what the first gave does not count any more.
    let free = |reason: &str| {
        let free = ["bank", "registry", "free", "bank", pseudonym, "--until", "2020-01-31", "--by", "anna", "--reason"];
        free.iter().map(ToString::to_string).chain([reason.to_owned()]).collect::<Vec<_>>()
    };
    let refused = free(" ");
    world.refused(&refused.iter().map(String::as_str).collect::<Vec<_>>(), "reason");
    let freed = free("psp-one was wound up");
    world.json(&freed.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(world.json(&["psp", "person", "claim", "south", "carol"])["persons"][0]["state"], "claimed");
    world.json(&["device", "sync", "carol"]);
    world.json(&["device", "withdraw", "carol", "10"]);
    world.refused(&["psp", "person", "claim", "psp", "alice"], "person-elsewhere");
    let shown = world.json(&["bank", "registry", "show", "bank"]);
    assert_eq!((&shown["persons"][0]["psp"], &shown["persons"][0]["pseudonyms"]), (&"psp-two".into(), &1.into()));
    world.books_hold();
}
