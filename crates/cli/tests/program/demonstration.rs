//! `specie demo`: all of it must hold.

use std::fs;

use crate::running::specie;

#[test]
fn all_of_the_demonstration_holds() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let json = specie(&["--json", "demo", "--keep", kept.to_str().unwrap()]).exits(0).json();
    assert_eq!(json["held"], true);
    let checks: usize =
        json["chapters"].as_array().unwrap().iter().map(|chapter| chapter["checks"].as_array().unwrap().len()).sum();
    assert!(checks >= 30, "{checks} checks");
    for file in [
        "bank/bank.db",
        "psp/psp.db",
        "alice/wallet.redb",
        "messages/1-alice-bob.payment",
        "messages/2-bob-carol.payment.png",
        "evidence/1.evidence",
    ] {
        assert!(kept.join(file).exists(), "{file}");
    }
    // What it leaves is there to be looked at.
    let path = |name: &str| kept.join(name).to_str().unwrap().to_owned();
    let run =
        specie(&["inspect", &path("messages/1-alice-bob.payment"), &path("messages/1-alice-bob.request")]).exits(0);
    assert!(run.stdout.contains("pays the payee exactly 17.43 XTS"), "{}", run.stdout);
    // A folder that holds something is left alone.
    let before = fs::read_dir(&kept).unwrap().count();
    specie(&["demo", "--keep", kept.to_str().unwrap()]).exits(2);
    assert_eq!(fs::read_dir(&kept).unwrap().count(), before);
}
