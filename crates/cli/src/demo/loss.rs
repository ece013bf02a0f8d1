//! Bob loses his device; what nobody redeems of it is his.

use serde_json::Value;

use super::narrator::Narrator;
use super::town::{Files, Town, decimal, show};
use crate::stage::{Mishap, text};

/// What Bob's device holds when he loses it, in minor units.
const HELD: u64 = 2_000;
/// What the finder pays with it.
const FOUND: u64 = 700;

/// Bob's device is lost, claimed for with his recovery code by another device of his, and used by its finder meanwhile.
pub(super) fn lose_a_device(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Bob loses his device, and claims what it held");
    let made = town.stage.run(&["device", "recovery-code", "bob"])?;
    let (code, lost) = (text(&made, "code")?, text(&made, "device")?);
    narrator.say(format!("Bob wrote down a recovery code: {}-…", &code[..5]));
    town.stage.run(&["device", "withdraw", "bob", &decimal(HELD)])?;
    let synchronised = town.synchronise("bob")?;
    narrator.check(
        "His device has left what it holds with the PSP, sealed under that code",
        synchronised["backed_up"] == true && town.holding("bob")?.total == HELD,
    );
    narrator.say(format!("He loses the device with {} on it, tells the PSP, and gets another one.", show(HELD)));
    town.stage.run(&["psp", "lost", "psp", &lost])?;
    enrol_spare(town)?;
    let refused = town.refusal(&["device", "withdraw", "bob", "1.00"])?;
    let told = refused.map_or_else(|| "nothing".to_owned(), |refusal| refusal.code);
    narrator.check(format!("Whoever has the old one gets no new money: {told}"), told == "device-lost");
    let claim = ["device", "claim", "spare", &lost];
    let claimed = town.stage.run_with(("SPECIE_RECOVERY_CODE", &code), &claim)?;
    narrator.check(
        format!("With the code his new device claims all {}, note by note", show(HELD)),
        sum(&claimed, "open") == HELD,
    );
    town.hand_over("bob", "carol", FOUND, &Files::of("13-finder-carol"))?;
    let (before, after) = (town.account("carol")?, town.synchronise("carol").and_then(|_| town.account("carol"))?);
    narrator.say(format!("The finder pays Carol {} with it, offline, and she redeems it.", show(FOUND)));
    narrator.check("Carol, who could not know, is paid", after == before + FOUND);
    let claims = town.stage.run(&["device", "claims", "spare", &lost])?;
    let (open, void) = (sum(&claims, "open"), sum(&claims, "void"));
    narrator.check(
        format!(
            "Of Bob's claims the notes that the finder spent are void ({}); he is credited the other {} after their last day",
            show(void),
            show(open)
        ),
        open + void == HELD && void >= FOUND && open > 0,
    );
    Ok(())
}

fn enrol_spare(town: &Town) -> Result<(), Mishap> {
    let code = text(&town.stage.run(&["psp", "customer", "claim", "psp", "bob"])?, "code")?;
    let new = ["device", "new", "spare", "--maker", "maker.toml", "--root", &town.root, "--psp", town.psp_address()];
    town.stage.run(&new)?;
    town.stage.run(&["device", "enrol", "spare", "--customer", "bob", "--code", &code])?;
    town.synchronise("spare").map(drop)
}

fn sum(claims: &Value, state: &str) -> u64 {
    let claims = claims["claims"].as_array().map_or(&[][..], Vec::as_slice).iter();
    claims.filter(|claim| claim["state"] == state).filter_map(|claim| claim["amount"].as_u64()).sum()
}
