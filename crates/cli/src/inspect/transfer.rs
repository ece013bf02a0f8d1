//! Transfers, chains and payments: every value of every transfer, every rule of protocol §6 and §9.

use specie_core::bytes::OwnerTag;
use specie_core::chain::{ChainError, ChainSummary, Deadline, End, Immediately, verify_chain};
use specie_core::class::{Class, Classes, Kind};
use specie_core::disclosure::{Disclosure, SupervisoryKey};
use specie_core::encoding::Encode;
use specie_core::note::note_id;
use specie_core::payment::{Chain, ChainParts, Payment};
use specie_core::request::Request;
use specie_core::transfer::{Input, Preimage, Transfer};
use specie_core::{Amount, text::Currency};

use super::checks::Checks;
use super::kind::decode;
use super::known::Known;
use super::report::{Facts, Report, TransferReport};
use super::show::{check_equations, check_note, check_responses};
use crate::{moment, money};

/// Rules on a link, in the order in which they are applied; class and show are checked before them.
const RULES: [(&str, &str); 5] = [
    ("dates", "the bank still redeems this class"),
    ("end", "has outputs where it should, none where it redeems"),
    ("input", "spends what comes before it, and its blank owns that"),
    ("amounts", "outputs add up to what is spent"),
    ("hops", "same issuer and currency, no longer than allowed"),
];

/// A payment: its chains, and what they have in common.
pub(super) fn inspect_payment(known: &Known, source: &str, bytes: &[u8], payment: &Payment<'_>) -> Report {
    let mut report = Report::new(source, format!("payment, {} bytes", bytes.len()));
    let mut summaries = Vec::new();
    let chains: Vec<Chain<'_>> = payment.chains().collect();
    for (index, chain) in chains.iter().enumerate() {
        let place = format!("chain {} of {}, ", index + 1, chains.len());
        summaries.extend(inspect_links(known, chain, &place, End::Outputs, &mut report));
    }
    let last: Vec<Transfer> = chains.iter().map(Chain::last).collect();
    let context = last[0].preimage.context;
    let same = last.iter().all(|transfer| transfer.preimage.context == context);
    report.facts.add("pays request", context.to_string());
    report.checks.decide(
        "context",
        same,
        "every chain is paid for the same request",
        "wrong-context",
        "chains are paid for different requests",
    );
    match known.request(&context) {
        Some(request) => check_request(request, &summaries, summaries.len() == chains.len(), &mut report),
        None => report.checks.skip("request", "give the request that it answers too, to compare amount and owners"),
    }
    report
}

/// A chain by itself.
pub(super) fn inspect_chain(known: &Known, source: &str, bytes: &[u8], chain: &Chain<'_>) -> Report {
    let mut report = Report::new(source, format!("chain, {} bytes", bytes.len()));
    let end = if chain.last().preimage.outputs.is_redemption() { End::Redemption } else { End::Outputs };
    inspect_links(known, chain, "", end, &mut report);
    report
}

/// A transfer by itself: one that spends an issued note is a chain of one.
pub(super) fn inspect_transfer(known: &Known, source: &str, bytes: &[u8], transfer: &Transfer) -> Report {
    if transfer.preimage.input == Input::Issued {
        let encoded = ChainParts { before: None, last: Some(transfer) }.to_vec();
        if let Ok(chain) = decode::<Chain<'_>>(&encoded) {
            return Report {
                kind: format!("transfer, {} bytes", bytes.len()),
                ..inspect_chain(known, source, bytes, &chain)
            };
        }
    }
    let mut report = Report::new(source, format!("transfer, {} bytes", bytes.len()));
    let mut one = TransferReport { place: "transfer".to_owned(), ..TransferReport::default() };
    let class = known_class(known, transfer, &mut one);
    describe(known, transfer, class, &mut one);
    one.checks.skip("input", "spends an output of a transfer that is not given: inspect the whole chain");
    report.transfers.push(one);
    report
}

/// A transfer with a class that it brings along.
pub(super) fn transfer_of_class(known: &Known, transfer: &Transfer, class: &Class, place: &str) -> TransferReport {
    let mut report = TransferReport { place: place.to_owned(), ..TransferReport::default() };
    let same = transfer.preimage.class_id == class.id();
    report.checks.decide("class", same, class.id().to_string(), "other-class", "is of another class than stated");
    describe(known, transfer, same.then_some(class), &mut report);
    report
}

/// A preimage by itself.
pub(super) fn inspect_preimage(known: &Known, source: &str, preimage: &Preimage) -> Report {
    let mut report = Report::new(source, "preimage of a transfer");
    let mut checks = super::checks::Checks::default();
    let class = known.class(&preimage.class_id);
    describe_preimage(preimage, class, &mut report.facts);
    check_note(&preimage.note.0, &mut checks);
    report.checks = checks;
    report.checks.skip("show", "a preimage alone shows nothing");
    report
}

fn inspect_links(known: &Known, chain: &Chain<'_>, place: &str, end: End, report: &mut Report) -> Option<ChainSummary> {
    let first = report.transfers.len();
    let mut complete = true;
    for (index, transfer) in chain.transfers().enumerate() {
        let place = format!("{place}transfer {} of {}", index + 1, chain.length());
        let mut one = TransferReport { place, ..TransferReport::default() };
        let class = known_class(known, &transfer, &mut one);
        complete &= class.is_some();
        describe(known, &transfer, class, &mut one);
        report.transfers.push(one);
    }
    let links = &mut report.transfers[first..];
    if !complete {
        let needs = "needs the classes";
        links.iter_mut().for_each(|link| RULES.iter().for_each(|(rule, _)| link.checks.skip(rule, needs)));
        return None;
    }
    let mut held = 0;
    let result =
        verify_chain(known, chain, Deadline::Redeem(known.now), end, &mut Immediately(&known.generators), |_| {
            held += 1
        });
    for (index, link) in links.iter_mut().enumerate() {
        match &result {
            Err(error) if index == held => apply_rules(Some(*error), link),
            Err(_) if index > held => {
                RULES.iter().for_each(|(rule, _)| link.checks.skip(rule, "a transfer before this one is wrong"));
            }
            _ => apply_rules(None, link),
        }
    }
    result.ok()
}

/// Which rule an error breaks: those before it hold, those after it were not reached.
fn apply_rules(error: Option<ChainError>, link: &mut TransferReport) {
    let broken = error.map(|error| match error {
        ChainError::UnknownClass(_) | ChainError::Expired(_) => 0,
        ChainError::WrongEnd => 1,
        ChainError::WrongKind | ChainError::BrokenLink | ChainError::WrongOwner | ChainError::OverCap => 2,
        ChainError::WrongAmount => 3,
        _ => 4,
    });
    if let Some(ChainError::Forged(_)) = error {
        // The checks of the show itself have said so, with a better reason.
        RULES.iter().for_each(|(rule, _)| link.checks.skip(rule, "the show is not valid"));
        return;
    }
    for (index, (rule, detail)) in RULES.into_iter().enumerate() {
        match (broken, error) {
            (Some(broken), Some(error)) if index == broken => link.checks.fail(rule, error.code(), error.to_string()),
            (Some(broken), _) if index > broken => link.checks.skip(rule, "an earlier rule is broken"),
            _ => link.checks.hold(rule, detail),
        }
    }
}

fn known_class<'k>(known: &'k Known, transfer: &Transfer, report: &mut TransferReport) -> Option<&'k Class> {
    let id = transfer.preimage.class_id;
    match (known.class(&id), &known.published) {
        (Some(class), Some(published)) => {
            report.checks.hold("class", format!("{id} is in {}", published.name()));
            Some(class)
        }
        (_, Some(published)) => {
            report.checks.fail("class", "unknown-class", format!("{id} is not in {}", published.name()));
            None
        }
        (_, None) => {
            report.checks.skip("class", format!("{id}: no manifest is given to look it up in (--manifest FILE)"));
            None
        }
    }
}

/// What the transfer says, all its values, and whether it is shown rightly.
fn describe(known: &Known, transfer: &Transfer, class: Option<&Class>, report: &mut TransferReport) {
    let Transfer { preimage, show, disclosure, points } = transfer;
    report.facts.add("id", transfer.id().to_string());
    describe_preimage(preimage, class, &mut report.facts);
    report.facts.add("form", if points.is_some() { "extended" } else { "compact" });
    let encoded = preimage.to_bytes();
    let (d, id) = (transfer.d(), transfer.id());
    let z = [show.z0.to_bytes(), show.z1.to_bytes(), show.z3.to_bytes()];
    let note = check_note(&preimage.note.0, &mut report.checks);
    check_responses(z.each_ref().map(|z| &z[..]), &mut report.checks);
    let shown = match (class, note) {
        (Some(class), Some(note)) => {
            check_equations(&known.generators, class, &note, &d, show, points.as_ref(), &mut report.checks)
                .map(|points| note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1))
        }
        (None, Some(_)) => {
            report.checks.skip("show", "needs the class: its key and Z");
            None
        }
        _ => None,
    };
    if disclosure.is_some() {
        check_disclosure(known, transfer, &mut report.checks);
    }
    report.value("info", class.map(Class::info_bytes));
    report.value("Y", class.map(|class| &class.Y_bytes()[..]));
    report.value("note", Some(&preimage.note.0));
    report.value("preimage", Some(encoded.as_slice()));
    report.value("d", Some(d.as_bytes()));
    report.value("z0", Some(&z[0]));
    report.value("z1", Some(&z[1]));
    report.value("z3", Some(&z[2]));
    if let Some(Disclosure { E1, E2, z4 }) = disclosure {
        report.value("E1", Some(E1));
        report.value("E2", Some(E2));
        report.value("z4", Some(z4.as_bytes()));
    }
    report.value("transfer_id", Some(&id.0));
    report.value("note_id", shown.as_ref().map(|id| &id.0[..]));
    if let Some(points) = points {
        report.value("points", Some(&points.to_bytes()));
    }
}

/// To which supervisory key of the manifest the payer is disclosed.
fn check_disclosure(known: &Known, transfer: &Transfer, checks: &mut Checks) {
    let Some(published) = &known.published else {
        checks.skip("disclosure", "no manifest is given that names the supervisory keys (--manifest FILE)");
        return;
    };
    let names_payer_to = |key: &&SupervisoryKey| transfer.verify_disclosure_vartime(&known.generators, key).is_ok();
    match published.supervisors().iter().find(names_payer_to) {
        Some(key) => checks.hold("disclosure", format!("names its payer to supervisory key {}", hex::encode(key.0))),
        None => checks.fail(
            "disclosure",
            "disclosure-wrong",
            format!("names its payer to none of the supervisory keys in {}", published.name()),
        ),
    }
}

fn describe_preimage(preimage: &Preimage, class: Option<&Class>, facts: &mut Facts) {
    let info = class.map(Class::info);
    let amount = |amount: Amount| match info {
        Some(info) => money::show(amount, info.currency),
        None => format!("{amount} minor units"),
    };
    facts.add("class", class.map_or_else(|| preimage.class_id.to_string(), describe_class));
    facts.add(
        "spends",
        match preimage.input {
            Input::Issued => "a note as the bank issued it".to_owned(),
            Input::Received { previous, index, .. } => format!("output {index} of transfer {previous}"),
        },
    );
    let outputs = preimage.outputs.as_slice().iter();
    let outputs: Vec<String> =
        outputs.map(|output| format!("{} to owner {}", amount(output.amount), output.owner)).collect();
    if outputs.is_empty() {
        facts.add("outputs", "none: it redeems");
    } else {
        facts.add("outputs", outputs);
    }
    facts.add("context", preimage.context.to_string());
    if let Some(id) = preimage.disclosure {
        facts.add("disclosure", hex::encode(id.0));
    }
}

/// A class in a few words.
pub(super) fn describe_class(class: &Class) -> String {
    let info = class.info();
    let amount = money::show(info.amount, info.currency);
    let what = match info.kind {
        Kind::Value => format!("value note of {amount}, at most {} hops", info.max_hops),
        Kind::Blank => format!("blank for at most {amount}"),
    };
    format!(
        "{what}, {} epoch {}, issued from {}, spent until {}, redeemed until {}",
        info.issuer,
        info.epoch,
        moment::show(info.issue_from),
        moment::show(info.spend_until),
        moment::show(info.redeem_until)
    )
}

/// What a payee checks: its tags, each at most once, with exactly the amount asked for.
fn check_request(request: &Request, summaries: &[ChainSummary], complete: bool, report: &mut Report) {
    let body = &request.body;
    report.facts.add("asked for", money::show(body.amount, body.currency));
    if !complete {
        report.checks.skip("request", "the chains do not hold, or their classes are not known");
        return;
    }
    let outputs = summaries.iter().flat_map(|summary| summary.outputs.as_slice().to_vec());
    let paid: Vec<_> = outputs.filter(|output| body.owner_tags.as_slice().contains(&output.owner)).collect();
    let mut owners: Vec<OwnerTag> = paid.iter().map(|output| output.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let sum = Amount::checked_sum(paid.iter().map(|output| output.amount));
    let currency = summaries.iter().find(|summary| summary.currency != body.currency).map(|summary| summary.currency);
    match (sum, currency) {
        (_, Some(other)) => report.checks.fail("request", "wrong-currency", wrong_currency(body.currency, other)),
        _ if owners.len() != paid.len() => report.checks.fail("request", "tag-twice", "pays one owner tag twice"),
        (Some(sum), _) if sum == body.amount => {
            report.checks.hold("request", format!("pays the payee exactly {}", money::show(sum, body.currency)));
        }
        (sum, _) => {
            let sum = money::show(sum.unwrap_or(Amount::MAX), body.currency);
            let asked = money::show(body.amount, body.currency);
            report.checks.fail("request", "wrong-amount", format!("pays the payee {sum}, asked for was {asked}"));
        }
    }
}

fn wrong_currency(asked: Currency, paid: Currency) -> String {
    format!("asked for was {asked}, paid is {paid}")
}
