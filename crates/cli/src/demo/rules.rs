//! Inside rules: limits that the element keeps, and a large payment that names its payer to officers, and to nobody else.

use super::narrator::Narrator;
use super::opening;
use super::town::{Files, Town, decimal, show};
use crate::stage::{Mishap, text};

/// Payments above this name their payer to supervisors, in minor units.
const THRESHOLD: u64 = 2_500;
/// Paid by Erin to Bob: above the threshold.
const LARGE: u64 = 3_000;
/// What an account with the tier `prepaid` may hold on its device, in minor units.
const PREPAID: u64 = 15_000;

/// Three officers; any two of them can open a payment.
const OFFICERS: [&str; 3] = ["anna", "ben", "cid"];
const OUTCOME: &str = "officers/first.outcome";
const DISCLOSED: &str = "officers/payment.disclosed";
const CASE: &str = "order 7";
const OPENING: &str = "officers/order-7.opening";

/// Officers make a supervisory key together, and the bank publishes it with its threshold.
pub(super) fn appoint_officers(stage: &crate::stage::Stage, narrator: &mut Narrator) -> Result<(), Mishap> {
    let officer = |name: &str, what: &str| format!("officers/{name}.{what}");
    let all = |what: &str| OFFICERS.map(|name| officer(name, what));
    let invitation = "officers/first.invitation";
    std::fs::create_dir(stage.path("officers")).map_err(|error| Mishap(format!("officers: {error}")))?;
    let supervision = |words: &[&str], files: &[String]| {
        let words = ["supervision"].iter().chain(words).copied().chain(files.iter().map(String::as_str));
        stage.run(&words.collect::<Vec<_>>())
    };
    for name in OFFICERS {
        let (secret, card) = (officer(name, "secret"), officer(name, "card"));
        supervision(&["officer", name, "--secret", &secret, "--card", &card], &[])?;
    }
    supervision(&["invite", "first", "--threshold", "2", "--out", invitation], &all("card"))?;
    for name in OFFICERS {
        let (secret, dealing) = (officer(name, "secret"), officer(name, "dealing"));
        supervision(&["deal", "--secret", &secret, "--invitation", invitation, "--out", &dealing], &[])?;
    }
    for name in OFFICERS {
        let (secret, approval) = (officer(name, "secret"), officer(name, "approval"));
        let words = ["approve", "--secret", &secret, "--invitation", invitation, "--out", &approval];
        supervision(&words, &all("dealing"))?;
    }
    let [first, second, third] = all("dealing");
    let words = ["finish", "--invitation", invitation, "--out", OUTCOME, "--dealings", &first, &second, &third];
    let approvals: Vec<String> = ["--approvals".to_owned()].into_iter().chain(all("approval")).collect();
    let key = text(&supervision(&words, &approvals)?, "key")?;
    stage.run(&["bank", "supervise", "bank", "--above", &decimal(THRESHOLD), "--key", &key])?;
    narrator.say(format!(
        "Three officers made a supervisory key, {}…, of which nobody has the secret; two of them can open a payment above {}.",
        &key[..16],
        show(THRESHOLD)
    ));
    Ok(())
}

/// Erin, whom nobody knows, gets a prepaid device; it keeps its limits by itself.
pub(super) fn keep_limits(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter(&format!("Limits: Erin shows no papers, and so may hold {} at most", show(PREPAID)));
    town.stage.run(&["psp", "customer", "add", "psp", "erin", "--tier", "prepaid"])?;
    town.stage.run(&["psp", "customer", "credit", "psp", "erin", &decimal(2 * PREPAID)])?;
    opening::enrol(town, "erin")?;
    let refused = town.refusal(&["device", "withdraw", "erin", &decimal(PREPAID + 1)])?;
    let told = refused.as_ref().map_or("nothing", |refusal| &refusal.what);
    narrator.say(format!("She asks for {}: {told}.", show(PREPAID + 1)));
    narrator.check(
        "The PSP refuses one cent too much, and her account is as before",
        refused.is_some() && town.account("erin")? == 2 * PREPAID,
    );
    town.stage.run(&["device", "withdraw", "erin", &decimal(PREPAID)])?;
    town.synchronise("erin")?;
    let refused = town.refusal(&["device", "request", "erin", "0.01", "--out", "messages/8-erin.request"])?;
    let told = refused.as_ref().map_or("nothing", |refusal| &refusal.what);
    narrator.say(format!("With {} on her device, she asks a friend for 0.01: {told}.", show(PREPAID)));
    narrator.check(
        "Her element refuses by itself, with no network, and nothing moved",
        refused.is_some() && town.holding("erin")?.total == PREPAID,
    );
    Ok(())
}

/// Erin pays Bob a large amount: her device encrypts its identity to the officers, and two of them read it.
pub(super) fn disclose(town: &Town, narrator: &mut Narrator) -> Result<(), Mishap> {
    narrator.chapter(&format!("A payment above {} can be read by two officers, and by nobody else", show(THRESHOLD)));
    let files = Files::of("9-erin-bob-large");
    let paid = town.hand_over("erin", "bob", LARGE, &files)?;
    let identity = text(&town.stage.run(&["device", "status", "erin"])?, "identity")?;
    let digits = hex::decode(&identity).map_err(|error| Mishap(format!("U: {error}")))?;
    let open = paid.bytes.windows(digits.len()).any(|window| window == digits);
    narrator.say(format!("Erin pays Bob {} offline: {} bytes.", show(LARGE), paid.bytes.len()));
    narrator.check("Her identity U is not to be read in it", !open);
    town.synchronise("bob")?;
    let large = transfer(town, &files.payment)?;
    let small = transfer(town, &Files::of("1-alice-bob").payment)?;
    let key = text(&town.stage.run(&["supervision", "show", OUTCOME])?, "key")?;
    let refused = town.refusal(&["bank", "disclosed", "bank", &small, "--key", &key, "--case", CASE, "--out", "no"])?;
    narrator.check("Of a small payment there is nothing for officers to open", refused.is_some());
    town.stage.run(&["bank", "disclosed", "bank", &large, "--key", &key, "--case", CASE, "--out", DISCLOSED])?;
    let partial = |name: &str| -> Result<String, Mishap> {
        let (secret, out) = (format!("officers/{name}.secret"), format!("officers/{name}.partial"));
        let words = ["supervision", "partial", "--secret", &secret, "--outcome", OUTCOME, "--case", CASE];
        town.stage.run(&[&words[..], &[DISCLOSED, "--out", &out]].concat())?;
        Ok(out)
    };
    let (anna, cid) = (partial("anna")?, partial("cid")?);
    let open = ["supervision", "open", "--outcome", OUTCOME, "--disclosed", DISCLOSED, "--out", OPENING];
    let alone = town.refusal(&[&open[..], &[&anna]].concat())?;
    narrator.check("One officer alone reads nothing", alone.is_some());
    let opened = town.stage.run(&[&open[..], &[&anna, &cid]].concat())?;
    narrator.say(format!("Two officers, for the case `{CASE}`, read this one payment: U = {}…", &identity[..16]));
    narrator.check("It is Erin's device, and anybody can check that they read it rightly", {
        let words = ["supervision", "verify", "--outcome", OUTCOME, "--disclosed", DISCLOSED, OPENING];
        text(&opened, "U")? == identity && text(&town.stage.run(&words)?, "U")? == identity
    });
    town.stage.run(&["bank", "opened", "bank", OPENING, "--outcome", OUTCOME, "--disclosed", DISCLOSED])?;
    let exported = town.stage.run(&["bank", "audit", "export", "bank", "--out", "bank.audit"])?;
    let key = text(&exported, "key")?;
    let verified = town.stage.run(&["audit", "verify", "bank.audit", "--key", &key])?;
    narrator.check(
        format!("The bank's audit log says so in {} records, and holds with its key alone", verified["records"]),
        verified["holds"] == true,
    );
    Ok(())
}

/// The name of the last transfer of a payment.
fn transfer(town: &Town, payment: &str) -> Result<String, Mishap> {
    let report = town.stage.run(&["inspect", "--root", &town.root, "--manifest", super::town::MANIFEST, payment])?;
    let transfers = report["inputs"][0]["transfers"].as_array().map_or(&[][..], Vec::as_slice);
    let last = transfers.last().ok_or_else(|| Mishap(format!("{payment} has no transfer")))?;
    text(last, "transfer_id")
}
