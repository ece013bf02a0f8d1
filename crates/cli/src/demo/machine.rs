//! A machine pays by itself, inside a mandate that its owner signed.

use super::narrator::Narrator;
use super::opening;
use super::town::{Files, Town, decimal, show};
use crate::stage::{Mishap, text};

/// What Dave's car may pay by itself at once, and within a day, in minor units.
const AT_ONCE: u64 = 300;
const A_DAY: u64 = 500;
/// What Dave withdraws, and what he hands over to the car.
const WITHDRAWN: u64 = 5_000;
const FUNDS: u64 = 1_000;
/// Charging of electric vehicles (ISO 18245).
const CHARGING: &str = "5552";
const MANDATE: &str = "messages/car.mandate";
const PIN: (&str, &str) = ("SPECIE_PIN", "2468");

/// Dave's car pays for its charging; nobody is there.
pub(super) fn pay_by_itself(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Dave's car pays for its charging by itself, and no more than he signed");
    let merchant = ["--tier", "merchant", "--payee", "Charging Station", "--category", CHARGING];
    for (machine, what) in [("car", &[][..]), ("charger", &merchant)] {
        let add = ["psp", "customer", "add", "psp", machine, "--document", "register, file 3", "--by", "counter"];
        town.stage.run(&[&add, what].concat())?;
        opening::enrol(town, machine)?;
        town.synchronise(machine)?;
    }
    town.stage.run(&["psp", "customer", "credit", "psp", "dave", &decimal(WITHDRAWN)])?;
    town.stage.run(&["device", "withdraw", "dave", &decimal(WITHDRAWN)])?;
    town.stage.run(&["device", "settings", "car", "--spend-change-offline", "true"])?;
    mandate(town)?;
    narrator.say(format!(
        "Dave signs a mandate: the car may pay {} at once and {} a day, for charging (category {CHARGING}).",
        show(AT_ONCE),
        show(A_DAY)
    ));
    town.hand_over("dave", "car", FUNDS, &Files::of("10-dave-car"))?;
    narrator.check(
        format!("He funds it offline with {}: an ordinary payment", show(FUNDS)),
        town.holding("car")?.total == FUNDS,
    );
    let files = Files::of("11-car-charger");
    town.request("charger", AT_ONCE, &files.request)?;
    town.stage.run(&pay(&files))?;
    town.receive("charger", &files.payment, Some(&files.receipt))?;
    narrator.check(
        format!("The car pays {} with nobody there", show(AT_ONCE)),
        town.holding("charger")?.total == AT_ONCE && town.holding("car")?.total == FUNDS - AT_ONCE,
    );
    for (payee, minor, rule) in [
        ("charger", AT_ONCE + 1, "mandate-per-payment"),
        ("charger", A_DAY - AT_ONCE + 1, "mandate-per-period"),
        ("alice", 100, "mandate-payee"),
    ] {
        let files = Files::of(&format!("12-car-{payee}-{minor}"));
        town.request(payee, minor, &files.request)?;
        let refused = town.refusal(&pay(&files))?;
        let told = refused.as_ref().map_or("nothing", |refusal| &refusal.what);
        let by = refused.as_ref().map_or("", |refusal| &refusal.code);
        narrator.check(format!("It does not pay {payee} {}: {told} [{by}]", show(minor)), by == rule);
    }
    narrator.check("Nothing moved with these", town.holding("car")?.total == FUNDS - AT_ONCE);
    Ok(())
}

/// The car gets a PIN, and the mandate of its owner.
fn mandate(town: &Town) -> Result<(), Mishap> {
    town.stage.run_told(&format!("{}\n", PIN.1), &["device", "pin", "car"])?;
    town.stage.run(&["device", "mandate", "owner-key", "dave"])?;
    let key = text(&town.stage.run(&["device", "status", "car"])?, "key")?;
    let (at_once, a_day, in_all) = (decimal(AT_ONCE), decimal(A_DAY), decimal(FUNDS));
    let make = ["device", "mandate", "make", "dave", "--for", &key, "--until", "2099-12-31", "--category", CHARGING];
    let most = ["--per-payment", &at_once, "--per-period", &a_day, "--in-all", &in_all, "--person-above", &a_day];
    town.stage.run(&[&make[..], &most, &["--out", MANDATE]].concat())?;
    town.stage.run_with(PIN, &["device", "mandate", "give", "car", MANDATE]).map(drop)
}

fn pay(files: &Files) -> [&str; 7] {
    ["device", "pay", "car", &files.request, "--mandated", "--out", &files.payment]
}
