//! Signed documents and small messages: what they say, and whether whoever should have signed them did.

use specie_core::attestation::{Claims, PROFILE, oem_id};
use specie_core::class::{Class, Info};
use specie_core::descriptor::Descriptor;
use specie_core::disclosure::{DisclosedTransfer, Supervision};
use specie_core::enrolment::{Certificate, Enrolment};
use specie_core::evidence::Evidence;
use specie_core::limits::Limits;
use specie_core::mandate::{Mandate, PayeeRule};
use specie_core::manifest::{Entry, Manifest, ManifestHeader};
use specie_core::merkle;
use specie_core::receipt::{Receipt, receipt_hash};
use specie_core::request::Request;
use specie_core::revocation::RevocationPage;
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use super::checks::Checks;
use super::known::{Known, encoded};
use super::report::Report;
use super::transfer::{describe_class, transfer_of_class};
use crate::{moment, money};

/// A manifest: signature, tree, entries.
pub(super) fn inspect_manifest(known: &Known, source: &str, bytes: &[u8], manifest: &Manifest<'_>) -> Report {
    let mut report = Report::new(source, format!("manifest, {} bytes", bytes.len()));
    let header = &manifest.signed.header;
    describe_header(header, &mut report);
    let entries: Vec<(Entry, &[u8])> = manifest.entries().collect();
    let lines: Vec<String> = entries.iter().map(|(entry, _)| describe_entry(entry)).collect();
    report.facts.add("entries", lines);
    let counted = usize::try_from(header.entry_count) == Ok(entries.len());
    let root = merkle::root(entries.len(), &|index| merkle::leaf(entries[index].1));
    report.checks.decide(
        "entries",
        counted && root == header.entries_root,
        "are those whose root the header states",
        "wrong-entries",
        "are not those whose number and root the header states",
    );
    match known.root {
        Some(key) => {
            let good = manifest.signed.verify(&key).is_ok();
            signature(&mut report.checks, good, "the root key given");
        }
        None => report.checks.skip("signature", "give the central bank's root key (--root KEY)"),
    }
    report
}

/// A header without its signature.
pub(super) fn inspect_header(source: &str, header: &ManifestHeader) -> Report {
    let mut report = Report::new(source, "header of a manifest");
    describe_header(header, &mut report);
    report.checks.skip("signature", "a header alone carries none");
    report
}

fn describe_header(header: &ManifestHeader, report: &mut Report) {
    report.facts.add("issuer", header.issuer.as_str());
    report.facts.add("sequence", header.sequence);
    report.facts.add("id", header.id().to_string());
    report.facts.add("previous", header.previous.to_string());
    report.facts.add("issued at", moment::show(header.issued_at));
}

fn describe_entry(entry: &Entry) -> String {
    match entry {
        Entry::Class(class) => format!("class {}: {}", class.id(), describe_class(class)),
        Entry::Psp { name, key } => format!("PSP {name}: {key}"),
        Entry::Ledger { key } => format!("ledger: {key}"),
        Entry::Supervision(Supervision { currency, threshold, key }) => {
            format!("payments above {} are disclosed to {}", money::show(*threshold, *currency), hex::encode(key.0))
        }
    }
}

/// A request for payment.
pub(super) fn inspect_request(known: &Known, source: &str, bytes: &[u8], request: &Request) -> Report {
    let mut report = Report::new(source, format!("request, {} bytes", bytes.len()));
    let body = &request.body;
    report.facts.add("amount", money::show(body.amount, body.currency));
    report.facts.add("expiry", moment::show(body.expiry));
    report.facts.add("context", request.context().to_string());
    let tags: Vec<String> = body.owner_tags.as_slice().iter().map(ToString::to_string).collect();
    report.facts.add("owner tags", tags);
    report.facts.add("receipt hash", hex::encode(body.receipt_hash));
    report.facts.add("knows manifest", body.manifest_sequence);
    report.facts.add("knows revocation page", body.revocation_sequence);
    if let Some(key) = &body.disclose_to {
        report.facts.add("wants the payer disclosed to", hex::encode(key.0));
    }
    if let Some(memo) = &body.memo {
        report.facts.add("memo", memo.as_str());
    }
    let fresh = known.now <= body.expiry;
    report.checks.decide("expiry", fresh, "has not passed", "expired", "has passed: nobody should pay it any more");
    match &body.descriptor {
        None => report.checks.hold("signature", "none, as the payee does not say who it is"),
        Some(descriptor) => {
            signature(&mut report.checks, request.verify_signature().is_ok(), "the key in the descriptor");
            check_descriptor(known, descriptor, &mut report);
        }
    }
    report
}

/// A descriptor by itself.
pub(super) fn inspect_descriptor(known: &Known, source: &str, descriptor: &Descriptor) -> Report {
    let mut report = Report::new(source, "descriptor");
    check_descriptor(known, descriptor, &mut report);
    report
}

fn check_descriptor(known: &Known, descriptor: &Descriptor, report: &mut Report) {
    let body = &descriptor.body;
    report.facts.add("payee", body.payee.as_str());
    report.facts.add("account", format!("{} at {}", body.account, body.psp));
    report.facts.add("category", body.category);
    report.facts.add("key", body.key.to_string());
    report.facts.add("valid until", moment::show(body.valid_until));
    let valid = known.now <= body.valid_until;
    report.checks.decide("validity", valid, "the descriptor is valid", "expired", "the descriptor has run out");
    by_psp(known, &body.psp, "descriptor", &mut report.checks, |key| descriptor.verify(key).is_ok());
}

/// A limits document.
pub(super) fn inspect_limits(known: &Known, source: &str, limits: &Limits) -> Report {
    let mut report = Report::new(source, "limits");
    let body = &limits.body;
    report.facts.add("psp", body.psp.as_str());
    report.facts.add("device", body.device.to_string());
    report.facts.add("sequence", body.sequence);
    report.facts.add("issued at", moment::show(body.issued_at));
    report.facts.add("valid until", moment::show(body.valid_until));
    report.facts.add("at most per payment", format!("{} minor units", body.max_payment));
    report.facts.add("at most until the next synchronisation", format!("{} minor units", body.max_cumulative));
    report.facts.add("at most held", format!("{} minor units", body.max_holding));
    by_psp(known, &body.psp, "signature", &mut report.checks, |key| limits.verify(key).is_ok());
    report
}

/// A mandate. Whether its owner is somebody's is for the device to know.
pub(super) fn inspect_mandate(source: &str, mandate: &Mandate) -> Report {
    let mut report = Report::new(source, "mandate");
    let (body, terms) = (&mandate.body, &mandate.terms);
    report.facts.add("owner", body.owner.to_string());
    report.facts.add("device", body.device.to_string());
    report.facts.add("sequence", body.sequence);
    report.facts.add("valid until", moment::show(body.valid_until));
    report.facts.add("currency", terms.currency.as_str());
    report.facts.add("at most per payment", format!("{} minor units", body.max_payment));
    report.facts.add("period", format!("{} seconds", body.period_seconds));
    report.facts.add("at most per period", format!("{} minor units", body.max_per_period));
    report.facts.add("at most in all", format!("{} minor units", body.max_total));
    report.facts.add("a person above", format!("{} minor units", terms.person_above));
    report.facts.add("payees", terms.payees.as_slice().iter().map(payee_rule).collect::<Vec<_>>());
    let (good, who) = (mandate.verify().is_ok(), body.owner);
    report.checks.decide(
        "signature",
        good,
        format!("signed by owner {who}"),
        "bad-signature",
        format!("is not by owner {who}"),
    );
    report
}

fn payee_rule(rule: &PayeeRule) -> String {
    match rule {
        PayeeRule::Anyone => "anyone".into(),
        PayeeRule::Category(category) => format!("category {category:04}"),
        PayeeRule::Key(key) => format!("key {key}"),
    }
}

/// A page of the revocation list.
pub(super) fn inspect_revocation(known: &Known, source: &str, page: &RevocationPage<'_>) -> Report {
    let mut report = Report::new(source, "page of the revocation list");
    report.facts.add("issuer", page.issuer.as_str());
    report.facts.add("page", page.page);
    report.facts.add("sequence", page.sequence);
    report.facts.add("previous", hex::encode(page.previous));
    report.facts.add("id", hex::encode(page.id()));
    report.facts.add("oldest in force", page.oldest);
    report.facts.add("issued at", moment::show(page.issued_at));
    let notes: Vec<String> = page.notes().map(|note| note.to_string()).collect();
    report.facts.add("notes", notes);
    match &known.published {
        Some(published) => {
            let good = published.ledger().iter().any(|key| page.verify(key).is_ok());
            signature(&mut report.checks, good, &format!("the ledger's key of {}", published.name()));
        }
        None => report.checks.skip("signature", "no manifest is given that names the ledger's key (--manifest FILE)"),
    }
    report
}

/// A receipt.
pub(super) fn inspect_receipt(known: &Known, source: &str, receipt: &Receipt) -> Report {
    let mut report = Report::new(source, "receipt");
    report.facts.add("for request", receipt.request.to_string());
    report.facts.add("preimage", hex::encode(receipt.preimage));
    report.facts.add("hash", hex::encode(receipt_hash(&receipt.preimage)));
    match known.request(&receipt.request) {
        Some(request) => report.checks.decide(
            "request",
            receipt.is_for(request),
            "its preimage hashes to what the request states",
            "wrong-receipt",
            "its preimage does not hash to what the request states",
        ),
        None => report.checks.skip("request", "give the request too, to compare the hash"),
    }
    report
}

/// An enrolment.
pub(super) fn inspect_enrolment(known: &Known, source: &str, enrolment: &Enrolment<'_>) -> Report {
    let mut report = Report::new(source, "enrolment");
    let body = &enrolment.certificate.body;
    check_certificate(known, &enrolment.certificate, &mut report);
    report.facts.add("nonce", hex::encode(enrolment.nonce));
    report.facts.add("device info", String::from_utf8_lossy(enrolment.device_info).into_owned());
    let proof =
        enrolment.proof.verify_vartime(&known.generators, &body.U, &body.A, &enrolment.nonce, enrolment.device_info);
    let knows = "the device knows u of its identity U";
    report.checks.decide("proof", proof.is_ok(), knows, "bad-proof", "the device does not prove that it knows u");
    report.facts.add("attestation (COSE_Sign1)", hex::encode(enrolment.attestation));
    report.facts.add("eat_profile", PROFILE);
    report.facts.add("ueid", format!("01{}", hex::encode(body.U)));
    report.facts.add("oemid", hex::encode(oem_id(&body.maker)));
    report.facts.add("hwmodel", hex::encode(body.series.as_str()));
    let attested = Claims { element: body, nonce: &enrolment.nonce }.verify(enrolment.attestation);
    let good = "the element signed what its certificate says, for this nonce";
    let bad = "is not what the certificate says, or not by the element's key A";
    report.checks.decide("attestation", attested.is_ok(), good, "bad-attestation", bad);
    report
}

/// An element's certificate.
pub(super) fn inspect_certificate(known: &Known, source: &str, certificate: &Certificate) -> Report {
    let mut report = Report::new(source, "certificate of an element");
    check_certificate(known, certificate, &mut report);
    report
}

fn check_certificate(known: &Known, certificate: &Certificate, report: &mut Report) {
    let body = &certificate.body;
    report.facts.add("maker", body.maker.as_str());
    report.facts.add("series", body.series.as_str());
    report.facts.add("firmware", hex::encode(body.firmware));
    report.facts.add("U", hex::encode(body.U));
    report.facts.add("A", body.A.to_string());
    match &known.maker {
        Some(maker) => {
            let good = certificate.verify(maker).is_ok();
            report.checks.decide(
                "certificate",
                good,
                "signed by the maker's key given",
                "bad-signature",
                "is not by this maker",
            );
        }
        None => report.checks.skip("certificate", "give the maker's key (--maker KEY)"),
    }
}

/// The info of a class: without its key there is no class.
pub(super) fn inspect_info(source: &str, info: &Info) -> Report {
    let mut report = Report::new(source, "info of a class");
    report.facts.add("issuer", info.issuer.as_str());
    report.facts.add("kind", if info.max_hops == 0 { "blank" } else { "value note" });
    report.facts.add("amount", money::show(info.amount, info.currency));
    report.facts.add("epoch", info.epoch);
    report.facts.add("issued from", moment::show(info.issue_from));
    report.facts.add("spent until", moment::show(info.spend_until));
    report.facts.add("redeemed until", moment::show(info.redeem_until));
    report.facts.add("max hops", info.max_hops);
    report.facts.add("encoding", encoded(info));
    report.checks.hold("form", "canonical, and does not contradict itself");
    report
}

/// Evidence: both shows, and who made them.
pub(super) fn inspect_evidence(known: &Known, source: &str, bytes: &[u8], evidence: &Evidence) -> Report {
    let mut report = Report::new(source, format!("evidence of a double spend, {} bytes", bytes.len()));
    let Evidence { class, first, second } = evidence;
    report.transfers.push(transfer_of_class(known, first, class, "first show"));
    report.transfers.push(transfer_of_class(known, second, class, "second show"));
    match evidence.verify_vartime(&known.generators) {
        Ok(culprit) => {
            report.facts.add("culprit U", hex::encode(culprit.U));
            report.facts.add("note", culprit.note_id.to_string());
            let detail = format!("the two shows give away u, and U = u·K is {}", hex::encode(culprit.U));
            report.checks.hold("culprit", detail);
        }
        Err(error) => report.checks.fail("culprit", "convicts-nobody", error.to_string()),
    }
    check_published(known, class, &mut report.checks);
    report
}

/// A transfer for supervisors: that it is good, and names its payer to their key.
pub(super) fn inspect_disclosed(known: &Known, source: &str, bytes: &[u8], disclosed: &DisclosedTransfer) -> Report {
    let mut report = Report::new(source, format!("disclosed transfer, {} bytes", bytes.len()));
    let DisclosedTransfer { class, key, transfer } = disclosed;
    report.facts.add("supervisory key", hex::encode(key.0));
    report.transfers.push(transfer_of_class(known, transfer, class, "transfer"));
    report.checks.decide(
        "disclosure",
        disclosed.verify_vartime(&known.generators).is_ok(),
        "names its payer to the holders of the supervisory key, and to nobody else",
        "disclosure-wrong",
        "does not name its payer to the holders of the supervisory key",
    );
    check_published(known, class, &mut report.checks);
    report
}

/// Evidence convicts by itself; that the class is the bank's can be checked besides.
fn check_published(known: &Known, class: &Class, checks: &mut Checks) {
    use specie_core::class::Classes;
    if let Some(published) = &known.published {
        let found = known.class(&class.id()).is_some();
        let name = published.name();
        checks.decide(
            "published",
            found,
            format!("the class is in {name}"),
            "unknown-class",
            format!("the class is not in {name}"),
        );
    }
}

fn signature(checks: &mut Checks, good: bool, key: &str) {
    checks.decide("signature", good, format!("is by {key}"), "bad-signature", format!("is not by {key}"));
}

fn by_psp(known: &Known, psp: &Name, what: &'static str, checks: &mut Checks, verify: impl FnOnce(&PublicKey) -> bool) {
    match &known.published {
        None => checks.skip(what, format!("no manifest is given that names the key of PSP {psp} (--manifest FILE)")),
        Some(published) => match published.psp(psp) {
            None => checks.fail(what, "unknown-psp", format!("PSP {psp} is not in {}", published.name())),
            Some(key) => {
                let good = verify(key);
                checks.decide(
                    what,
                    good,
                    format!("signed by PSP {psp}"),
                    "bad-signature",
                    format!("is not by PSP {psp}"),
                );
            }
        },
    }
}
