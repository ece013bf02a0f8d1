//! Alice's element is broken open and copied; the copy spends what the original spends.

use std::fs;
use std::path::Path;

use super::narrator::Narrator;
use super::opening::check_books;
use super::town::{Files, Town, show};
use crate::stage::{Mishap, number, text};

/// Spent twice, in minor units.
const TWICE: u64 = 500;

/// Copies Alice's device, secure element and all, and spends one note at two payees.
pub(super) fn spend_twice(town: &mut Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("A cheat: Alice breaks her secure element open, copies it, and pays two people with one note");
    town.stop_servers()?;
    copy_folder(&town.stage.path("alice"), &town.stage.path("clone"))?;
    narrator.say("The element's flash and the wallet's folder are copied: two devices now hold the same secret u.");
    let (honest, cloned) = (Files::of("6-alice-carol"), Files::of("7-clone-dave"));
    let first = town.hand_over("alice", "carol", TWICE, &honest)?;
    narrator.say(format!("Offline, Alice pays Carol {}: accepted, {} bytes.", show(TWICE), first.bytes.len()));
    let second = town.hand_over("clone", "dave", TWICE, &cloned)?;
    narrator.say(format!(
        "Offline, the clone pays Dave {}: accepted, {} bytes. Offline, nobody can know.",
        show(TWICE),
        second.bytes.len()
    ));
    let (one, other) = (town.notes_shown(&honest.payment)?, town.notes_shown(&cloned.payment)?);
    narrator.check("Both payments show the same note", !one.is_empty() && one == other);
    Ok(())
}

/// Both payees synchronise: both are paid, the culprit is named, the books hold.
pub(super) fn name_the_culprit(town: &mut Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("The payees synchronise, and the mathematics names the culprit");
    town.start_servers()?;
    for payee in ["dave", "carol"] {
        let before = town.account(payee)?;
        town.synchronise(payee)?;
        let after = town.account(payee)?;
        narrator.check(
            format!("{payee} is paid {} all the same: account {}", show(TWICE), show(after)),
            after == before + TWICE,
        );
    }
    let evidence = town.stage.run(&["bank", "evidence", "bank", "--out", "evidence"])?;
    let items = evidence["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    narrator.check("The bank found exactly one double spend", items.len() == 1);
    let found = items.first().ok_or_else(|| Mishap("there is no evidence".to_owned()))?;
    let file = text(found, "file")?;
    let report = town.stage.run(&["inspect", &file])?;
    let culprit = text(&report["inputs"][0]["facts"], "culprit_U")?;
    narrator.say(format!(
        "`specie inspect {file}`, which trusts nobody, computes from the two shows: U = {}…",
        &culprit[..16]
    ));
    let guilty = text(&town.stage.run(&["device", "status", "alice"])?, "identity")?;
    narrator
        .check("The evidence is valid and this U is Alice's device", report["verdict"] == "good" && culprit == guilty);
    for device in ["alice", "clone"] {
        let refusal = town.refusal(&["device", "withdraw", device, "1.00"])?;
        let what =
            refusal.as_ref().map_or("nothing".to_owned(), |refusal| format!("{} [{}]", refusal.what, refusal.code));
        narrator.check(format!("{device} asks for new money and is refused: {what}"), refusal.is_some());
    }
    let customer = town.stage.run(&["psp", "customer", "show", "psp", "alice"])?;
    let struck = customer["devices"].as_array().is_some_and(|devices| {
        devices.iter().any(|device| device["identity"].as_str() == Some(&guilty) && device["state"] == "struck-off")
    });
    narrator.check("The PSP, which knows whose device that is, has struck it off", struck);
    let books = check_books(town, narrator)?;
    let loss = number(&books, "fraud_loss")?;
    narrator.check(format!("The loss of {} is on the bank's books against the culprit", show(loss)), loss == TWICE);
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Mishap> {
    let copy = || -> std::io::Result<()> {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                copy_folder(&entry.path(), &target).map_err(|mishap| std::io::Error::other(mishap.0))?;
            } else {
                fs::copy(entry.path(), target)?;
            }
        }
        Ok(())
    };
    copy().map_err(|error| Mishap(format!("{} cannot be copied: {error}", from.display())))
}
