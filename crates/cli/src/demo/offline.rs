//! With both servers down, devices pay, and pay on what they were paid.

use serde_json::Value;

use super::narrator::Narrator;
use super::town::{Files, MANIFEST, Town, decimal, show};
use crate::stage::{Mishap, number, text};

/// An odd amount, in minor units.
pub(super) const ODD: u64 = 1_743;
/// Part of it that is paid on.
pub(super) const PART: u64 = 621;

/// Pulls the plug and says so.
pub(super) fn go_offline(town: &mut Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Both servers are stopped: from here on there is no network");
    town.stop_servers()?;
    narrator.check("Nobody answers at the PSP's address any more", !town.psp_answers());
    Ok(())
}

/// Alice pays Bob.
pub(super) fn pay(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter(&format!("Alice pays Bob {}, offline", show(ODD)));
    let (alice, bob) = (town.holding("alice")?, town.holding("bob")?);
    let files = Files::of("1-alice-bob");
    let request = town.request("bob", ODD, &files.request)?;
    narrator.say(format!("Bob's device asks: {} bytes.", request.len()));
    let status = town.stage.run(&["device", "status", "bob"])?;
    let traces = [b"bob".to_vec(), bytes(&status, "identity")?, bytes(&status, "key")?];
    let named = traces.iter().any(|trace| request.windows(trace.len()).any(|window| window == *trace));
    narrator.check("Neither Bob's name nor anything that names his device is in it", !named);
    let paid = town.pay("alice", &files.request, &files.payment)?;
    narrator.say(format!(
        "Alice's device pays: {} bytes, {} in the compact form for QR codes.",
        paid.bytes.len(),
        paid.compact
    ));
    let received = town.receive("bob", &paid.file, Some(&files.receipt))?;
    narrator.say(format!(
        "Bob's device checks every signature by itself and answers with a receipt: {} bytes.",
        town.bytes(&files.receipt)?.len()
    ));
    town.receive("alice", &files.receipt, None)?;
    narrator.check(format!("Bob received exactly {}", show(ODD)), received["amount"] == ODD);
    let (alice_after, bob_after) = (town.holding("alice")?, town.holding("bob")?);
    narrator.say(format!(
        "Alice holds {} (before: {}), Bob {} (before: {}).",
        show(alice_after.total),
        show(alice.total),
        show(bob_after.total),
        show(bob.total)
    ));
    narrator.check(
        "What Alice lost, Bob has",
        alice.total - alice_after.total == ODD && bob_after.total - bob.total == ODD,
    );
    let unknown = !town.notes_shown(&paid.file)?.iter().any(|note| town.bank_knows(note));
    narrator.check("The bank has this note written down nowhere: it signed it without seeing it", unknown);
    check_transfers(town, narrator, &paid.file)
}

/// Bob pays on to Carol.
pub(super) fn pay_on(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter(&format!("Bob pays Carol {} out of what he just got, still offline", show(PART)));
    let before = (town.holding("bob")?, town.holding("carol")?);
    let files = Files::of("2-bob-carol");
    let (asked, shown) = (format!("{}.png", files.request), format!("{}.png", files.payment));
    town.stage.run(&["device", "request", "carol", &decimal(PART), "--png", &asked])?;
    let pay = ["device", "pay", "bob", &asked, "--yes", "--png", &shown, "--out", &files.payment];
    let paid = town.stage.run(&pay)?;
    town.receive("carol", &shown, Some(&files.receipt))?;
    town.receive("bob", &files.receipt, None)?;
    let after = (town.holding("bob")?, town.holding("carol")?);
    narrator.say(format!(
        "Request and payment travel as QR codes. The payment is {} bytes: it carries the whole way of the money.",
        number(&paid, "compact_bytes")?
    ));
    narrator.check(
        "What Bob lost, Carol has",
        before.0.total - after.0.total == PART && after.1.total - before.1.total == PART,
    );
    check_transfers(town, narrator, &shown)
}

/// The bytes of a hex field.
fn bytes(document: &Value, name: &str) -> Result<Vec<u8>, Mishap> {
    let digits = text(document, name)?;
    hex::decode(&digits).map_err(|error| Mishap(format!("`{name}` is not hex: {error}")))
}

/// Has `inspect` check a payment, and counts its transfers.
pub(super) fn check_transfers(town: &Town, narrator: &mut Narrator, file: &str) -> Result<(), Mishap> {
    let report = town.stage.run(&["inspect", "--root", &town.root, "--manifest", MANIFEST, file])?;
    let input = &report["inputs"][0];
    let transfers = input["transfers"].as_array().map_or(0, Vec::len);
    let wrong = input["reason"].as_str();
    narrator.check(
        format!("`specie inspect {file}` finds {transfers} valid transfer(s)"),
        transfers > 0 && wrong.is_none(),
    );
    Ok(())
}
