//! `specie audit`, and the orders of bank and PSP about their audit logs.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use specie_audit::verify::{Problem, ReadError, last_head};
use specie_audit::{Line, SignedHead, Verified, Verifier};
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
}

/// Check an export of an audit log with nothing but the key of whoever keeps the log
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie audit verify march.audit --key 5f0c…
  specie audit verify april.audit --key 5f0c… --since march.audit
  specie audit verify april.audit --key 5f0c… --since yesterday.head

The key is the bank's ledger key or the PSP's key; `specie inspect --root ROOT manifest.cbor` shows both under the bank's root key. \
Whatever is changed, taken out, put in or moved within an export is found. That its end was cut off, or that the owner of the key wrote \
another history, is found only against an older export or head (--since): keep them.")]
struct Verify {
    /// The export
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key of whoever keeps the log, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    key: PublicKey,
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
}

/// A log, and a head that was signed now.
pub(crate) struct Log<P> {
    /// Who signs it.
    pub(crate) key: PublicKey,
    /// `None` while it is empty.
    pub(crate) head: Option<SignedHead>,
    /// Lines after one sequence up to another, none at the end.
    pub(crate) page: P,
}

impl Audit {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let Command::Verify(verify) = &self.command;
        verify.run()
    }
}

impl Verify {
    fn run(&self) -> Result<Answer, Failure> {
        let mut verifier = Verifier::new(self.key);
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
            Self::Export { which, .. } | Self::Head { which, .. } => which,
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
                write_new(out, |file| export(&head, &mut log.page, file))?;
                let name = out.display();
                let human = format!(
                    "Wrote {} records to {name}.\nCheck it: specie audit verify {name} --key {}\n",
                    head.head.sequence, log.key
                );
                Ok(Answer::new(human, describe(&head, &log.key, Some(out))))
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

/// Writes the log up to `head`.
fn export(
    head: &SignedHead,
    page: &mut impl FnMut(u64, u64) -> Result<Vec<Line>, Failure>,
    file: &mut impl Write,
) -> Result<(), Step> {
    put(file, &Line::Log(head.head.log).to_text())?;
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
        human.push_str(&format!("{backwards} records or heads bear a time before that of what came before them.\n"));
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
    let (code, advice) = match &wrong.problem {
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
