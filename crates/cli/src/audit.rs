//! `specie audit`, and the orders of bank and PSP about their audit logs.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use specie_audit::verify::{Problem, ReadError, last_head};
use specie_audit::{Certificate, Line, Proof, SignedHead, Trust, Verified, Verifier, tree};
use specie_core::signature::PublicKey;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::moment;

/// Check what a bank or a PSP says that it decided.
#[derive(Args, Debug)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Verify(Verify),
    Compare(Compare),
}

/// By which key a log is believed
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("trust").required(true).args(["root", "key"])))]
struct Believed {
    /// The bank's root key, in hex: the file shows that it certified the key of the log
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    root: Option<PublicKey>,
    /// The key of whoever keeps the log, in hex, instead of the root key
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    key: Option<PublicKey>,
}

/// Check that a log goes on from a head that was kept, by a proof and without any record
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank audit proof bank --since yesterday.head --out today.proof
  specie audit compare yesterday.head today.proof --root 5f0c…

The proof has the newer head: keep it for the next time. Where a proof does not hold, the two signed heads show that the log was rewritten or \
shown differently to different people.")]
struct Compare {
    /// The head that was kept, or an export: its last head counts
    #[arg(value_name = "KEPT")]
    kept: PathBuf,
    /// What `audit proof` of the bank or the PSP wrote
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    #[command(flatten)]
    believed: Believed,
}

/// Check an export of an audit log with nothing but the bank's root key
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie audit verify march.audit --root 5f0c…
  specie audit verify march.audit --key 5f0c…
  specie audit verify april.audit --key 5f0c… --since march.audit
  specie audit verify april.audit --key 5f0c… --since yesterday.head

An export shows by a manifest that the root key certified the key that signs the log: the bank's ledger key or the PSP's key. With --key that key \
is named instead; `specie inspect --root ROOT manifest.cbor` shows both under the bank's root key. \
Whatever is changed, taken out, put in or moved within an export is found. That its end was cut off, or that the owner of the key wrote \
another history, is found only against an older export or head (--since): keep them.")]
struct Verify {
    /// The export
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    believed: Believed,
    /// An older export, or a head: this one must go on from it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

/// What is done with the log of a bank or a PSP.
#[derive(Subcommand, Debug)]
pub(crate) enum Order<W: Args> {
    /// Write the whole audit log to a file that `specie audit verify` checks
    #[command(after_help = "\
EXAMPLES:
  specie bank audit export bank --out march.audit
  specie psp audit export psp --out march.audit
  jq 'select(.record.subject == \"alice\")' march.audit

A file that exists is not written over.")]
    Export {
        #[command(flatten)]
        which: W,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign how far the audit log goes now: whoever keeps that sees later if the log was cut back or rewritten
    #[command(after_help = "\
EXAMPLES:
  specie bank audit head bank
  specie psp audit head psp --out today.head")]
    Head {
        #[command(flatten)]
        which: W,
        /// Write it to this file, for `specie audit verify --since`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Prove to whoever kept a head that the audit log goes on from it, without showing any record
    #[command(after_help = "\
EXAMPLES:
  specie bank audit proof bank --since yesterday.head --out today.proof
  specie audit compare yesterday.head today.proof --root 5f0c…

It takes as long as reading the whole log. Heads that were signed before logs had a tree cannot be proven from: use an export and \
`specie audit verify --since`.")]
    Proof {
        #[command(flatten)]
        which: W,
        /// The head that was kept, or an export that ends with it
        #[arg(long, value_name = "FILE")]
        since: PathBuf,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// A log, and a head that was signed now.
pub(crate) struct Log<P> {
    /// Who signs it.
    pub(crate) key: PublicKey,
    /// That the root key says so.
    pub(crate) certificate: Option<Certificate>,
    /// `None` while it is empty.
    pub(crate) head: Option<SignedHead>,
    /// Lines after one sequence up to another, none at the end.
    pub(crate) page: P,
}

impl Audit {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        match &self.command {
            Command::Verify(verify) => verify.run(),
            Command::Compare(compare) => compare.run(),
        }
    }
}

impl Believed {
    fn trust(&self) -> Result<Trust, Failure> {
        let trust = self.root.map(Trust::Root).or(self.key.map(Trust::Key));
        trust.ok_or_else(|| Failure::usage("no key is named", "name the bank's root key (--root)"))
    }
}

impl Compare {
    fn run(&self) -> Result<Answer, Failure> {
        let kept = last_head(open(&self.kept)?).map_err(|error| failure(&self.kept, error))?;
        let proof = Proof::read(open(&self.proof)?).map_err(|error| failure(&self.proof, error))?;
        let checked = proof.check(self.believed.trust()?, &kept);
        checked.map_err(|problem| refused(&self.proof.display().to_string(), &problem, &problem))?;
        let newer = proof.newer.head;
        let human = format!(
            "The log {} goes on from record {} to record {}, signed {}.\n",
            proof.log,
            kept.head.sequence,
            newer.sequence,
            moment::show(newer.at)
        );
        let machine = json!({
            "holds": true,
            "log": proof.log.as_str(),
            "since": { "sequence": kept.head.sequence, "at": kept.head.at.seconds() },
            "sequence": newer.sequence,
            "root": newer.root.map(hex::encode),
            "at": newer.at.seconds(),
        });
        Ok(Answer::new(human, machine))
    }
}

impl Verify {
    fn run(&self) -> Result<Answer, Failure> {
        let mut verifier = Verifier::trusting(self.believed.trust()?);
        if let Some(path) = &self.since {
            let head = last_head(open(path)?).map_err(|error| failure(path, error))?;
            verifier = verifier.since(head).map_err(|error| failure(path, error.into()))?;
        }
        let verified = verifier.read(open(&self.file)?).map_err(|error| failure(&self.file, error))?;
        Ok(holds(&verified))
    }
}

impl<W: Args> Order<W> {
    /// Whose log it is.
    pub(crate) fn which(&self) -> &W {
        match self {
            Self::Export { which, .. } | Self::Head { which, .. } | Self::Proof { which, .. } => which,
        }
    }

    /// Does it with that log.
    pub(crate) fn run<P>(&self, mut log: Log<P>) -> Result<Answer, Failure>
    where
        P: FnMut(u64, u64) -> Result<Vec<Line>, Failure>,
    {
        let Some(head) = log.head else {
            return Err(Failure::refused(
                "audit-empty",
                "the audit log is empty",
                "come back when something was decided",
            ));
        };
        match self {
            Self::Export { out, .. } => {
                write_new(out, |file| export(&head, log.certificate.as_ref(), &mut log.page, file))?;
                let name = out.display();
                let human = format!(
                    "Wrote {} records to {name}.\nCheck it: specie audit verify {name} --key {}\n",
                    head.head.sequence, log.key
                );
                Ok(Answer::new(human, describe(&head, &log.key, Some(out))))
            }
            Self::Proof { since, out, .. } => {
                let older = last_head(open(since)?).map_err(|error| failure(since, error))?;
                let leaves = leaves(&head, &mut log.page)?;
                let proof = Proof::new(log.certificate, older, head, &leaves).ok_or_else(|| {
                    Failure::refused(
                        "audit-rewritten",
                        format!("{}: its last head is no earlier head of this log with a tree", since.display()),
                        "name a head of this log that `audit head` wrote; if it is one, keep it: the log was changed since",
                    )
                })?;
                write_new(out, |file| proof.lines().iter().try_for_each(|line| put(file, &line.to_text())))?;
                let name = out.display();
                let human = format!("Wrote to {name} that the log goes on from record {}.\n", older.head.sequence);
                let since = older.head.sequence;
                Ok(Answer::new(
                    human,
                    json!({ "file": name.to_string(), "since": since, "sequence": head.head.sequence }),
                ))
            }
            Self::Head { out, .. } => {
                let line = Line::Head(head).to_text();
                if let Some(out) = out {
                    write_new(out, |file| put(file, &line))?;
                }
                let machine = describe(&head, &log.key, out.as_deref());
                Ok(Answer::new(format!("{line}\n"), machine))
            }
        }
    }
}

/// The hashes of all records up to `head` as leaves.
fn leaves(
    head: &SignedHead,
    page: &mut impl FnMut(u64, u64) -> Result<Vec<Line>, Failure>,
) -> Result<Vec<tree::Hash>, Failure> {
    let mut leaves = Vec::new();
    loop {
        let before = leaves.len();
        for line in page(before as u64, head.head.sequence)? {
            if let Line::Record(record) = line {
                leaves.push(tree::leaf(&record));
            }
        }
        if leaves.len() == before {
            return Ok(leaves);
        }
    }
}

/// Writes the log up to `head`.
fn export(
    head: &SignedHead,
    certificate: Option<&Certificate>,
    page: &mut impl FnMut(u64, u64) -> Result<Vec<Line>, Failure>,
    file: &mut impl Write,
) -> Result<(), Step> {
    put(file, &Line::Log(head.head.log).to_text())?;
    if let Some(certificate) = certificate {
        put(file, &Line::Key(certificate.clone()).to_text())?;
    }
    let mut after = 0;
    loop {
        let lines = page(after, head.head.sequence)?;
        for line in &lines {
            put(file, &line.to_text())?;
            after = if let Line::Record(record) = line { record.sequence } else { after };
        }
        if lines.is_empty() {
            return Ok(());
        }
    }
}

/// Why a file was not written.
enum Step {
    File(std::io::Error),
    Log(Failure),
}

impl From<std::io::Error> for Step {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Failure> for Step {
    fn from(failure: Failure) -> Self {
        Self::Log(failure)
    }
}

fn put(file: &mut impl Write, line: &str) -> Result<(), Step> {
    Ok(writeln!(file, "{line}")?)
}

/// Writes a file that does not exist yet, whole or not at all.
fn write_new(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Step>) -> Result<(), Failure> {
    let failed =
        |error| Failure::refused("file", format!("{}: {error}", path.display()), "name a file that does not exist yet");
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    let mut file = BufWriter::new(file);
    let written =
        write(&mut file).and_then(|()| Ok(file.into_inner().map_err(|error| error.into_error())?.sync_all()?));
    written.map_err(|step| {
        drop(fs::remove_file(path));
        match step {
            Step::File(error) => failed(error),
            Step::Log(failure) => failure,
        }
    })
}

fn describe(signed: &SignedHead, key: &PublicKey, file: Option<&Path>) -> Value {
    json!({
        "log": signed.head.log.as_str(),
        "sequence": signed.head.sequence,
        "hash": hex::encode(signed.head.hash),
        "root": signed.head.root.map(hex::encode),
        "at": signed.head.at.seconds(),
        "signature": hex::encode(signed.signature),
        "key": key.to_string(),
        "file": file.map(|file| file.display().to_string()),
    })
}

fn holds(verified: &Verified) -> Answer {
    let Verified { head: SignedHead { head, .. }, heads, backwards, since } = verified;
    let mut human = format!(
        "The log {} holds: {} records, {heads} heads, the last one signed {}.\n",
        head.log,
        head.sequence,
        moment::show(head.at)
    );
    if *backwards > 0 {
        human.push_str(&format!("{backwards} records and heads bear a time before that of what came before them.\n"));
    }
    human.push_str(&match since {
        Some(since) => {
            format!("It goes on from record {} as signed {}.\n", since.head.sequence, moment::show(since.head.at))
        }
        None => "Nothing in it shows what came after its last head, or whether its owner signed another history: compare it \
                 with an older export or head (--since), and keep this one.\n"
            .to_owned(),
    });
    let machine = json!({
        "holds": true,
        "log": head.log.as_str(),
        "records": head.sequence,
        "heads": heads,
        "head": { "hash": hex::encode(head.hash), "at": head.at.seconds() },
        "dated_back": backwards,
        "since": since.map(|since| json!({ "sequence": since.head.sequence, "at": since.head.at.seconds() })),
    });
    Answer::new(human, machine)
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let file = File::open(path).map_err(|error| Failure::file(&path.display().to_string(), &error))?;
    Ok(BufReader::new(file))
}

fn failure(path: &Path, error: ReadError) -> Failure {
    let name = path.display().to_string();
    let wrong = match error {
        ReadError::Io(error) => return Failure::file(&name, &error),
        ReadError::Wrong(wrong) => wrong,
        other => return Failure::refused("audit", other, "read it again"),
    };
    refused(&name, &wrong, &wrong.problem)
}

fn refused(name: &str, wrong: &dyn std::fmt::Display, problem: &Problem) -> Failure {
    let (code, advice) = match problem {
        Problem::Certificate => (
            "audit-certificate",
            "name the root key of this bank; an export without a certificate can be checked with --key alone",
        ),
        Problem::Proof => ("audit-proof", "name a file that `audit proof` wrote, whole"),
        Problem::Signature(_) => (
            "audit-key",
            "name the bank's ledger key or the PSP's key, as the manifest has it; else the head is forged",
        ),
        Problem::OtherLog(_) => ("audit-other-log", "compare exports and heads of one log"),
        Problem::CutBack(_) | Problem::Rewritten(_) => {
            ("audit-rewritten", "keep both files: the signed heads in them are proof against the owner of the key")
        }
        Problem::NoHead => ("audit-cut", "ask for the whole export again"),
        _ => ("audit-altered", "believe nothing of it; ask for another export, and compare it with older ones"),
    };
    Failure::refused(code, format!("{name}: {wrong}"), advice)
}
