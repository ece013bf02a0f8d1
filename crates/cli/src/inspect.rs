//! `specie inspect`: decodes and checks any message, offline.

mod checks;
mod documents;
mod entry;
mod input;
mod kind;
mod known;
mod report;
mod show;
mod transfer;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_core::message::Message;
use specie_core::signature::PublicKey;

use crate::answer::Answer;
use crate::failure::Failure;
use checks::Verdict;
pub(crate) use entry::{ShowParts, ShowValues};
use input::{Content, Input};
use kind::Kind;
use known::Known;
pub(crate) use known::parse_key;
use report::Report;

/// Decode and check messages, evidence or test vectors, offline.
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie inspect evidence.cbor
  specie inspect --manifest manifest.cbor --root 5f0c… payment.cbor request.cbor
  specie --json inspect payment.cbor | jq '.inputs[].transfers[]'
  specie inspect vectors/reject.json
  echo 8401… | specie inspect -

Files may be binary CBOR, hex, base64, QR codes (PNG or text) or JSON (an object, or a file of objects, with Y, info, note, preimage, z0, z1 \
and z3 in hex). Manifests and requests among the inputs are used to check the others; where no manifest is given, a \
manifest.cbor beside an input is. Every check is printed with its outcome; without a manifest it is said what could not \
be checked. The exit status is 1 when anything is wrong.")]
pub(crate) struct Inspect {
    /// Files to inspect; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Manifest that supplies classes and keys
    #[arg(long, value_name = "FILE")]
    manifest: Vec<PathBuf>,
    /// The central bank's root key, in hex: manifests must be signed by it
    #[arg(long, value_name = "KEY", value_parser = known::parse_key)]
    root: Option<PublicKey>,
    /// The element maker's key, in hex: certificates must be signed by it
    #[arg(long, value_name = "KEY", value_parser = known::parse_key)]
    maker: Option<PublicKey>,
}

impl Inspect {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let mut known = Known::new(self.root, self.maker, specie_device::clock::now());
        for path in &self.manifest {
            learn_manifest(&mut known, &Input::read(path)?)?;
        }
        let inputs = self.files.iter().map(|path| Input::read(path)).collect::<Result<Vec<_>, _>>()?;
        for input in &inputs {
            if let Content::Binary(bytes) = &input.content {
                known.learn(bytes);
            }
        }
        if known.published.is_none() {
            self.files.iter().for_each(|path| known.learn_beside(path));
        }
        let reports: Vec<Report> = inputs.iter().flat_map(|input| inspect(&known, input)).collect();
        let verdict = reports.iter().map(Report::verdict).fold(Verdict::Good, Verdict::and);
        let human: Vec<String> = reports.iter().map(Report::text).collect();
        let machine = json!({
            "verdict": verdict.word(),
            "inputs": reports.iter().map(Report::to_json).collect::<Vec<_>>(),
        });
        Ok(Answer::verdict(verdict != Verdict::Bad, human.join("\n"), machine))
    }
}

/// A manifest named as such must be one, and must be believed.
fn learn_manifest(known: &mut Known, input: &Input) -> Result<(), Failure> {
    let bytes = match &input.content {
        Content::Binary(bytes) if Message::peek(bytes) == Ok(Message::Manifest) => bytes,
        _ => {
            let what = format!("{} is no manifest", input.source);
            return Err(Failure::refused("not-a-manifest", what, "give the bank's manifest as --manifest"));
        }
    };
    let report = inspect_binary(known, &input.source, bytes);
    if let Some((code, reason)) = report.first_failure() {
        let what = format!("{}: {reason}", input.source);
        return Err(Failure::refused(code, what, "give a manifest that is signed by the root key"));
    }
    known.learn(bytes);
    Ok(())
}

fn inspect(known: &Known, input: &Input) -> Vec<Report> {
    match &input.content {
        Content::Binary(bytes) => vec![inspect_binary(known, &input.source, bytes)],
        Content::Json(document) => entry::inspect_json(&known.generators, &input.source, document),
        Content::Unreadable(reason) => vec![Report::unreadable(&input.source, "unknown", reason)],
    }
}

fn inspect_binary(known: &Known, source: &str, bytes: &[u8]) -> Report {
    let kind = match Kind::of(bytes) {
        Ok(kind) => kind,
        Err(error) => return unreadable(source, "unknown", kind::unknown(error)),
    };
    let inspected = match kind {
        Kind::Message(Message::Request) => {
            kind::decode(bytes).map(|request| documents::inspect_request(known, source, bytes, &request))
        }
        Kind::Message(Message::Payment) => {
            kind::decode(bytes).map(|payment| transfer::inspect_payment(known, source, bytes, &payment))
        }
        Kind::Message(Message::Receipt) => {
            kind::decode(bytes).map(|receipt| documents::inspect_receipt(known, source, &receipt))
        }
        Kind::Message(Message::Manifest) => {
            kind::decode(bytes).map(|manifest| documents::inspect_manifest(known, source, bytes, &manifest))
        }
        Kind::Message(Message::RevocationPage) => {
            kind::decode(bytes).map(|list| documents::inspect_revocation(known, source, &list))
        }
        Kind::Message(Message::Evidence) => {
            kind::decode(bytes).map(|evidence| documents::inspect_evidence(known, source, bytes, &evidence))
        }
        Kind::Message(Message::Limits) => {
            kind::decode(bytes).map(|limits| documents::inspect_limits(known, source, &limits))
        }
        Kind::Message(Message::Mandate) => {
            kind::decode(bytes).map(|mandate| documents::inspect_mandate(source, &mandate))
        }
        Kind::Message(Message::Descriptor) => {
            kind::decode(bytes).map(|descriptor| documents::inspect_descriptor(known, source, &descriptor))
        }
        Kind::Message(Message::Enrolment) => {
            kind::decode(bytes).map(|enrolment| documents::inspect_enrolment(known, source, &enrolment))
        }
        Kind::Message(Message::DisclosedTransfer) => {
            kind::decode(bytes).map(|disclosed| documents::inspect_disclosed(known, source, bytes, &disclosed))
        }
        Kind::Message(other) => Err(("unexpected-message", format!("a {other} is not known to this program"))),
        Kind::Chain => kind::decode(bytes).map(|chain| transfer::inspect_chain(known, source, bytes, &chain)),
        Kind::Transfer => kind::decode(bytes).map(|one| transfer::inspect_transfer(known, source, bytes, &one)),
        Kind::Preimage => kind::decode(bytes).map(|preimage| transfer::inspect_preimage(known, source, &preimage)),
        Kind::Info => kind::decode(bytes).map(|info| documents::inspect_info(source, &info)),
        Kind::Certificate => {
            kind::decode(bytes).map(|certificate| documents::inspect_certificate(known, source, &certificate))
        }
        Kind::ManifestHeader => kind::decode(bytes).map(|header| documents::inspect_header(source, &header)),
    };
    match inspected {
        Ok(mut report) => {
            if report.transfers.is_empty() {
                return report;
            }
            report.kind.push_str(", canonical");
            report
        }
        Err(failure) => unreadable(source, &kind.name(), failure),
    }
}

fn unreadable(source: &str, kind: &str, (code, reason): (&'static str, String)) -> Report {
    let mut report = Report::new(source, kind);
    report.checks.fail("form", code, reason);
    report
}
