//! Settings by file and environment.

use std::process::Command;

use crate::running::{Run, SPECIE, specie};

fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = Command::new(SPECIE);
    Run::of(command.args(arguments).envs(variables.iter().copied()).output().unwrap())
}

#[test]
fn the_environment_is_over_the_file_and_nothing_unknown_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank");
    let bank = bank.to_str().unwrap();
    specie(&["bank", "init", bank, "--issuer", "central-bank", "--currency", "XTS"]).exits(0);
    let settings = |variables: &[(&str, &str)]| {
        with(variables, &["--json", "bank", "config", bank]).exits(0).json()["settings"].clone()
    };
    let before = settings(&[]);
    assert_eq!(before["listen"]["from"], "file");
    let after = settings(&[("SPECIE_BANK_SWEEP_SECONDS", "7")]);
    assert_eq!(after["sweep_seconds"]["value"], "7");
    assert_eq!(after["sweep_seconds"]["from"], "SPECIE_BANK_SWEEP_SECONDS");
    assert_eq!(after["database"], before["database"]);
    // Misspelt, it stops what would otherwise run with another setting than was meant.
    for arguments in [&["--json", "bank", "config", bank][..], &["--json", "bank", "serve", bank]] {
        let run = with(&[("SPECIE_BANK_SWEEP_SECOND", "7")], arguments).exits(1);
        assert!(run.stderr.contains("SPECIE_BANK_SWEEP_SECOND"), "{}", run.stderr);
        assert!(run.stderr.contains("sweep_seconds"), "{}", run.stderr);
    }
    // It is said and not written.
    assert_eq!(settings(&[]), before);
}
