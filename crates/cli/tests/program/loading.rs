//! `specie load`: it measures what was really done, and says whether the books hold.

use std::fs;

use crate::running::specie;

#[test]
fn a_load_counts_what_the_wallets_did_and_looks_at_the_books() {
    let json = specie(&["--json", "load", "--pairs", "2", "--payments", "3"]).exits(0).json();
    assert_eq!(json["books_hold"], true);
    assert_eq!(json["payments"], 6);
    let phases = json["phases"].as_array().unwrap();
    let items = |phase: &str| phases.iter().find(|found| found["phase"] == phase).unwrap()["items"].as_u64().unwrap();
    assert!(items("withdraw notes") >= 6, "{json:#}");
    assert_eq!(items("withdraw blanks"), 12);
    // Every payment was redeemed, and what change was left.
    assert!((6..=12).contains(&items("redeem")), "{json:#}");
}

#[test]
fn a_load_stays_small_and_leaves_alone_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let run = specie(&["--json", "load", "--keep", folder.path().to_str().unwrap()]).exits(2);
    assert!(run.stderr.contains("is not empty"), "{}", run.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    specie(&["load", "--pairs", "65"]).exits(2);
    specie(&["load", "--payments", "0"]).exits(2);
    let run = specie(&["load", "--bank-database", "postgres://nobody@127.0.0.1:1/none"]).exits(1);
    assert!(run.stderr.contains("127.0.0.1"), "{}", run.stderr);
}
