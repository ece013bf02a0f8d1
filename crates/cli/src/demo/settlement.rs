//! The network is back: everybody synchronises, in an order that nobody planned, and is credited exactly.

use super::mishaps::{LOST, STRANDED};
use super::narrator::Narrator;
use super::offline::{ODD, PART};
use super::opening::{PEOPLE, check_books};
use super::town::{Files, Town, show};
use crate::stage::Mishap;

/// Both servers come back on the databases that they left.
pub(super) fn restart_servers(town: &mut Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("The servers come back, on the databases they were torn from");
    town.start_servers()?;
    narrator.check("The PSP answers again", town.psp_answers());
    Ok(())
}

/// Everybody synchronises, `cut` having been paid through power cuts; Dave twice, since he came before the one who paid him.
pub(super) fn synchronise(town: &Town, cut: u64, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Everybody synchronises, payees before payers");
    for device in ["dave", "bob", "alice", "carol"] {
        town.synchronise(device)?;
        narrator.say(tell(town, device)?);
    }
    narrator.say(format!("Alice's lost payment of {} reached the bank with her: Dave asks again.", show(STRANDED)));
    town.synchronise("dave")?;
    narrator.say(tell(town, "dave")?);
    for (device, expected) in expected(cut) {
        let (account, holding) = (town.account(device)?, town.holding(device)?);
        narrator.check(
            format!(
                "{device}: account {} + device {} is {}, to the cent",
                show(account),
                show(holding.total),
                show(expected)
            ),
            account + holding.total == expected,
        );
    }
    narrator.check("What Carol and Dave received is redeemed: their devices are empty", {
        town.holding("carol")?.total == 0 && town.holding("dave")?.total == 0
    });
    for device in ["carol", "alice", "bob", "dave"] {
        town.synchronise(device)?;
    }
    let again = expected(cut).into_iter().all(|(device, expected)| {
        matches!((town.account(device), town.holding(device)), (Ok(account), Ok(holding)) if account + holding.total == expected)
    });
    narrator.check("Synchronising once more, in another order, changes nothing", again);
    let filed = town.notes_shown(&Files::of("1-alice-bob").payment)?.iter().all(|note| town.bank_knows(note));
    narrator.check("The note that Alice paid Bob with is now filed at the bank as spent", filed);
    check_books(town, narrator).map(drop)
}

/// What everybody must have in the end.
fn expected(cut: u64) -> [(&'static str, u64); 4] {
    PEOPLE.map(|(name, before)| {
        let after = match name {
            "alice" => before - ODD - LOST - STRANDED,
            "bob" => before + ODD + LOST - PART - cut,
            "carol" => before + PART,
            _ => before + cut + STRANDED,
        };
        (name, after)
    })
}

fn tell(town: &Town, device: &str) -> Result<String, Mishap> {
    let (account, holding) = (town.account(device)?, town.holding(device)?);
    Ok(format!("{device:6} account {:>12}, device {:>12}", show(account), show(holding.total)))
}
