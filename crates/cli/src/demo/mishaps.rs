//! A message is lost, another never arrives, and the power is cut in the middle of a payment.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::narrator::Narrator;
use super::offline::check_transfers;
use super::processes;
use super::town::{Files, Town, shorten, show};
use crate::stage::{Mishap, text};

/// Paid by Alice to Bob, lost on the way, and sent again.
pub(super) const LOST: u64 = 999;
/// Paid by Alice to Dave, and never delivered by her.
pub(super) const STRANDED: u64 = 250;
/// Paid by Bob to Dave while the power fails.
const CUT: u64 = 240;

/// How long a payment may take to reach the element.
const PATIENCE: Duration = Duration::from_secs(20);
/// The power is cut at most so often.
const CUTS_MAX: usize = 4;

/// A payment is lost, and so is a receipt.
pub(super) fn lose_a_message(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("A message is lost");
    let (alice, bob) = (town.holding("alice")?, town.holding("bob")?);
    let files = Files::of("3-alice-bob-lost");
    town.request("bob", LOST, &files.request)?;
    let first = town.pay("alice", &files.request, &files.payment)?;
    remove(&town.stage.path(&files.payment))?;
    narrator.say(format!("Alice pays Bob {}, and the payment is lost before he has it.", show(LOST)));
    let again = town.pay("alice", &files.request, &files.payment)?;
    narrator.check("Alice's device pays the same request again, with the very same bytes", first.bytes == again.bytes);
    town.receive("bob", &files.payment, Some(&files.receipt))?;
    let receipt = town.bytes(&files.receipt)?;
    remove(&town.stage.path(&files.receipt))?;
    narrator.say("Bob has it now, but his receipt is lost too: Alice sends once more.");
    town.receive("bob", &files.payment, Some(&files.receipt))?;
    narrator.check("Bob answers with the same receipt", receipt == town.bytes(&files.receipt)?);
    town.receive("alice", &files.receipt, None)?;
    let (alice_after, bob_after) = (town.holding("alice")?, town.holding("bob")?);
    narrator.check(
        format!("It was paid once: Alice has {} less, Bob {} more", show(LOST), show(LOST)),
        alice.total - alice_after.total == LOST && bob_after.total - bob.total == LOST,
    );
    let files = Files::of("4-alice-dave-stranded");
    town.request("dave", STRANDED, &files.request)?;
    town.pay("alice", &files.request, &files.payment)?;
    remove(&town.stage.path(&files.payment))?;
    narrator.say(format!("Alice also pays Dave {}; that message is lost for good (we will see).", show(STRANDED)));
    Ok(())
}

/// Bob's power is cut as soon as his element has journalled something of the payment. Gives what Bob paid to Dave in all.
pub(super) fn cut_the_power(town: &Town, narrator: &mut Narrator) -> Result<u64, Mishap> {
    narrator.chapter("Bob's power is cut in the middle of a payment");
    let (bob, dave) = (town.holding("bob")?, town.holding("dave")?);
    let mut paid = 0;
    let mut hit = false;
    for attempt in 1..=CUTS_MAX {
        let files = Files::of(&format!("5-bob-dave-cut-{attempt}"));
        town.request("dave", CUT, &files.request)?;
        hit = cut_once(town, narrator, &files)?;
        paid += CUT;
        if hit {
            tell_recovery(town, narrator)?;
        }
        finish(town, &files)?;
        check_transfers(town, narrator, &files.payment)?;
        if hit {
            break;
        }
        town.stage.run(&["device", "settings", "bob", "--spend-change-offline", "true"])?;
    }
    narrator.check("The cut hit a payment that the element had begun and Dave did not have yet", hit);
    let (bob_after, dave_after) = (town.holding("bob")?, town.holding("dave")?);
    narrator.check(
        format!("Nothing was lost and nothing paid twice: Bob has {} less, Dave {} more", show(paid), show(paid)),
        bob.total - bob_after.total == paid && dave_after.total - dave.total == paid,
    );
    Ok(paid)
}

/// What Bob's device says after the cut.
fn tell_recovery(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    let status = town.stage.run(&["device", "status", "bob"])?;
    narrator.say(format!("Power is back. Bob's device knows what is unfinished: {}.", unfinished(&status)));
    let recovered = town.stage.run(&["device", "recover", "bob"])?;
    narrator.say(format!("`specie device recover bob`: {}.", shorten(&text(&recovered, "summary")?)));
    Ok(())
}

/// Bob pays the same request again and hands the payment over.
fn finish(town: &Town, files: &Files) -> Result<(), Mishap> {
    town.pay("bob", &files.request, &files.payment)?;
    town.receive("dave", &files.payment, Some(&files.receipt))?;
    town.receive("bob", &files.receipt, None).map(drop)
}

/// Starts the payment and kills wallet and element at the element's first write; whether the payment was under way then.
fn cut_once(town: &Town, narrator: &mut Narrator, files: &Files) -> Result<bool, Mishap> {
    let flash = town.stage.path("bob/element/flash.bin");
    let read = || fs::read(&flash).map_err(|error| Mishap(format!("{}: {error}", flash.display())));
    let before = read()?;
    let mut wallet = town.stage.start(&["device", "pay", "bob", &files.request, "--yes", "--out", &files.payment])?;
    let begun = Instant::now();
    let mut elements = Vec::new();
    while read()? == before && begun.elapsed() < PATIENCE && running(&mut wallet) {
        if elements.is_empty() {
            elements = processes::children(wallet.id());
        }
    }
    let (process, under_way) = (wallet.id(), running(&mut wallet));
    let ended = wallet.kill().and_then(|()| wallet.wait());
    ended.map_err(|error| Mishap(format!("process {process} could not be killed: {error}")))?;
    elements.iter().for_each(|element| processes::kill(*element));
    let out = town.stage.path(&files.payment);
    let handed_over = out.exists();
    if handed_over {
        remove(&out)?;
    }
    let hit = under_way && read()? != before;
    let element = elements.first().map_or_else(String::new, |element| format!(" (process {element})"));
    narrator.say(match (hit, handed_over) {
        (true, false) => format!(
            "Killed Bob's wallet (process {process}) and element{element} just as the element had written to its journal; \
             the payment was not out yet."
        ),
        (true, true) => format!(
            "Killed Bob's wallet (process {process}) and element{element}; the payment was out already, and is lost with \
             the power."
        ),
        (false, _) => format!("Too late: process {process} was done with it. Once more."),
    });
    Ok(hit)
}

fn running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

fn unfinished(status: &Value) -> String {
    let items = status["pending"].as_array().map_or(&[][..], Vec::as_slice);
    let items: Vec<&str> = items.iter().filter_map(|item| item["what"].as_str()).collect();
    if items.is_empty() { "nothing".to_owned() } else { shorten(&items.join(", ")) }
}

fn remove(path: &Path) -> Result<(), Mishap> {
    fs::remove_file(path).map_err(|error| Mishap(format!("{}: {error}", path.display())))
}
