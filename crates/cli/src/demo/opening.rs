//! A central bank and a PSP open; four people get devices and money.

use serde_json::Value;

use super::narrator::Narrator;
use super::rules;
use super::town::{MANIFEST, Town, decimal, show};
use crate::stage::{Mishap, Stage, number, text};

/// People, their devices (folders of the same name), tier, and what is put into their accounts, in minor units.
pub(super) const PEOPLE: [(&str, u64); 4] = [("alice", 20_000), ("bob", 10_000), ("carol", 0), ("dave", 0)];

/// What Alice withdraws.
pub(super) const WITHDRAWN: u64 = 8_000;

/// What the PSP keeps in reserve at the bank.
const RESERVE: u64 = 1_000_000;

/// Starts bank and PSP on loopback.
pub(super) fn open_bank_and_psp(stage: Stage, narrator: &mut Narrator) -> Result<Town, Mishap> {
    narrator.chapter("A central bank and a payment service provider (PSP) open");
    let bank = stage.run(&["bank", "init", "bank", "--issuer", "central-bank", "--currency", "XTS"])?;
    let root = text(&bank, "root_key")?;
    narrator.say(format!(
        "The bank's root key is {}…; everybody knows it, and believes nothing that it did not sign.",
        &root[..16]
    ));
    let server = stage.serve(&["bank", "serve", "bank", "--listen", "127.0.0.1:0"])?;
    narrator.say(format!("The bank listens on {}, process {}, database on disk.", server.address, server.process()));
    stage.run(&["maker", "init", "maker.toml", "--name", "chipmaker"])?;
    let psp = stage.run(&["psp", "init", "psp", "--name", "psp-one", "--bank", &server.address, "--root", &root])?;
    let key = text(&psp, "public_key")?;
    stage.run(&["psp", "trust", "psp", "--maker", "maker.toml"])?;
    stage.run(&["bank", "register", "bank", "psp-one", "--key", &key])?;
    stage.run(&["bank", "fund", "bank", "psp-one", &decimal(RESERVE)])?;
    stage.run(&["psp", "reserve", "psp", &decimal(RESERVE), "--reference", "first"])?;
    rules::appoint_officers(&stage, narrator)?;
    stage.run(&["bank", "manifest", "bank", "--out", MANIFEST])?;
    let reserves = number(&stage.run(&["bank", "status", "bank"])?["conservation"], "reserves")?;
    narrator.check(format!("The PSP has {} in reserve at the bank", show(RESERVE)), reserves == RESERVE);
    let psp = stage.serve(&["psp", "serve", "psp", "--listen", "127.0.0.1:0"])?;
    narrator.say(format!("The PSP listens on {}, process {}, database on disk.", psp.address, psp.process()));
    Ok(Town::new(stage, root, server, psp))
}

/// Makes and enrols everybody's device.
pub(super) fn enrol_devices(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Four people get devices, each with a secure element in a process of its own");
    let mut identities = Vec::new();
    for (name, balance) in PEOPLE {
        let add = ["psp", "customer", "add", "psp", name, "--document", "passport, file 1", "--by", "counter"];
        town.stage.run(&add)?;
        if balance > 0 {
            town.stage.run(&["psp", "customer", "credit", "psp", name, &decimal(balance)])?;
        }
        let identity = enrol(town, name)?;
        narrator.say(format!(
            "{name:6} enrolled: {} in the account, device identity U = {}…",
            show(balance),
            &identity[..16]
        ));
        identities.push(identity);
    }
    identities.sort();
    identities.dedup();
    narrator.check("Every element drew an identity of its own", identities.len() == PEOPLE.len());
    let status = town.stage.run(&["bank", "status", "bank"])?;
    narrator.check(
        "The bank knows these four identities and no names; the PSP knows the names",
        number(&status["status"], "devices")? == PEOPLE.len() as u64,
    );
    Ok(())
}

/// Makes and enrols the device of a customer of the same name; gives its identity.
pub(super) fn enrol(town: &Town, name: &str) -> Result<String, Mishap> {
    let code = text(&town.stage.run(&["psp", "customer", "claim", "psp", name])?, "code")?;
    let new = ["device", "new", name, "--maker", "maker.toml", "--root", &town.root, "--psp", town.psp_address()];
    let made = town.stage.run(&new)?;
    town.stage.run(&["device", "enrol", name, "--customer", name, "--code", &code])?;
    text(&made, "identity")
}

/// Money moves from an account to a device; everybody gets blanks.
pub(super) fn withdraw(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter("Alice withdraws digital cash; everybody gets blanks to be paid into");
    let before = town.account("alice")?;
    let withdrawn = town.stage.run(&["device", "withdraw", "alice", &decimal(WITHDRAWN)])?;
    let (after, holding) = (town.account("alice")?, town.holding("alice")?);
    narrator.say(format!(
        "Alice's account {} → {}, her device {} in {} notes",
        show(before),
        show(after),
        show(holding.spendable),
        number(&withdrawn, "notes")?
    ));
    let moved = before == after + WITHDRAWN && holding.spendable == WITHDRAWN;
    narrator.check("What left Alice's account is in Alice's device", moved);
    for (name, _) in PEOPLE {
        town.synchronise(name)?;
    }
    narrator.say("The bank signed every note blindly: it knows that Alice's device got them, and not which they are.");
    check_books(town, narrator).map(drop)
}

/// Compares what the bank issued with what it redeemed and what is outstanding, class by class.
pub(super) fn check_books(town: &Town, narrator: &mut Narrator) -> Result<Value, Mishap> {
    let books = town.books()?;
    let sum = |name: &str| -> u64 {
        let classes = books["classes"].as_array().map_or(&[][..], Vec::as_slice);
        classes.iter().filter_map(|class| class[name].as_u64()).sum()
    };
    let (issued, redeemed, expired) = (sum("issued"), sum("redeemed"), sum("expired"));
    let outstanding = sum("outstanding");
    let holds = books["holds"] == Value::Bool(true) && issued == redeemed + expired + outstanding;
    narrator.check(
        format!(
            "The bank's books balance: issued {} − redeemed {} − expired {} = outstanding {}",
            show(issued),
            show(redeemed),
            show(expired),
            show(outstanding)
        ),
        holds,
    );
    Ok(books)
}
