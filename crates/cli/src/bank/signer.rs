//! `specie bank signer`: the process that holds the bank's keys.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use specie_core::class::Kind;
use specie_server::clock::Clock;
use specie_signer::service::{ListenError, listen};
use specie_signer::{ClassStanding, Folder, FolderError};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;
use crate::money;

/// The process that holds the bank's keys: who may sign how much, and what was signed
#[derive(Args, Debug)]
#[command(
    after_help = "A signer is a folder: keys (encrypted), limits.toml, journal.db, passphrase (which belongs elsewhere) and, while \
it is served, a socket. `specie bank serve` starts it by itself where none is served; for production, serve it as a user of its \
own and name that user's signer in bank.toml. Never restore its folder together with the bank's database."
)]
pub(super) struct Signer {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Hold the keys, and sign for the bank's servers until the process is told to end
    #[command(after_help = "\
EXAMPLES:
  specie bank signer serve bank/signer
  specie bank signer serve bank/signer --passphrase-file /run/credentials/passphrase

Without --passphrase-file the passphrase is that of the variable SPECIE_SIGNER_PASSPHRASE, of systemd's credential \
specie-signer-passphrase, or of the file passphrase in the folder. It may be ended at any moment, in any way: what it answered is \
on disk before anybody hears it.")]
    Serve {
        #[command(flatten)]
        which: Which,
        /// File of the passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// End when standard input does
        #[arg(long, hide = true)]
        until_input_ends: bool,
    },
    /// Show what was signed of which class, its limits, and the head of the log
    #[command(after_help = "\
EXAMPLES:
  specie bank signer status bank/signer
  specie --json bank signer status bank/signer

It needs no passphrase, and may be asked while the signer is served.")]
    Status {
        #[command(flatten)]
        which: Which,
    },
    /// Check the log from its first record, and that what is counted is what it says
    #[command(after_help = "\
EXAMPLES:
  specie bank signer verify bank/signer

It needs no passphrase. Compare the hash of the newest record with one that was written down before: who can write to the folder \
can write another log. The exit status is 1 when the log is broken.")]
    Verify {
        #[command(flatten)]
        which: Which,
    },
}

/// Which signer.
#[derive(Args, Debug)]
struct Which {
    /// Folder of the signer
    #[arg(value_name = "SIGNER")]
    folder: PathBuf,
}

impl Signer {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::Serve { which, passphrase_file, until_input_ends } => {
                serve(&which.folder(), passphrase_file.as_deref(), *until_input_ends, json)
            }
            Command::Status { which } => status(&which.folder()),
            Command::Verify { which } => verify(&which.folder()),
        }
    }
}

impl Which {
    fn folder(&self) -> Folder {
        Folder(self.folder.clone())
    }
}

fn serve(folder: &Folder, passphrase: Option<&Path>, until_input_ends: bool, json: bool) -> Result<Answer, Failure> {
    let keeper = folder.open(passphrase, || Clock::system().now())?;
    let listening = listen(folder, &keeper.limits().servers)?;
    let socket = folder.socket().display().to_string();
    let line =
        if json { json!({ "listening": socket }).to_string() } else { format!("the signer listens on {socket}") };
    let mut out = io::stdout().lock();
    // Nobody may be reading: it signs all the same.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(out);
    if until_input_ends {
        std::thread::spawn(|| {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            std::process::exit(0);
        });
    }
    listening.run(keeper);
    Ok(Answer::silent())
}

fn status(folder: &Folder) -> Result<Answer, Failure> {
    let now = Clock::system().now();
    let (standing, limits) = folder.standing(now)?;
    let mut human = format!(
        "{} notes signed, {} records, the newest {} of {}.\n",
        standing.signed,
        standing.records,
        &hex::encode(standing.hash)[..16],
        moment::show(standing.at)
    );
    let class = |class: &ClassStanding| {
        let ClassStanding { id, info, notes, in_period } = class;
        let bound = limits.of(id);
        let (kind, amount) = (kind(info.kind), info.amount);
        human += &format!(
            "  {id}  epoch {} {kind} {:>14}  signed {notes}, {in_period} in this period\n",
            info.epoch,
            money::show(amount, info.currency),
        );
        json!({
            "class": id.to_string(),
            "epoch": info.epoch,
            "kind": kind,
            "amount": amount.minor(),
            "notes": notes,
            "notes_in_period": in_period,
            "limits": {
                "notes": bound.notes,
                "notes_per_period": bound.notes_per_period,
                "value": bound.value,
                "value_per_period": bound.value_per_period,
            },
        })
    };
    let classes: Vec<Value> = standing.classes.iter().map(class).collect();
    let machine = json!({
        "records": standing.records,
        "hash": hex::encode(standing.hash),
        "at": standing.at.seconds(),
        "signed": standing.signed,
        "period_seconds": limits.period_seconds,
        "classes": classes,
    });
    Ok(Answer::new(human, machine))
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Value => "note",
        Kind::Blank => "blank",
    }
}

fn verify(folder: &Folder) -> Result<Answer, Failure> {
    let chain = folder.verify()?;
    let hash = hex::encode(chain.hash);
    let human = format!(
        "The log holds: {} records, {} notes signed, until {}.\n  newest record  {hash}\n",
        chain.sequence,
        chain.signed,
        moment::show(chain.at)
    );
    let machine = json!({
        "holds": true,
        "records": chain.sequence,
        "signed": chain.signed,
        "at": chain.at.seconds(),
        "hash": hash,
    });
    Ok(Answer::new(human, machine))
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let (code, advice) = match &error {
            FolderError::Passphrase { .. } => ("signer-passphrase", "bring the passphrase (--passphrase-file FILE)"),
            FolderError::Vault(_) => ("signer-keys", "bring the right passphrase, or restore the file from its copy"),
            FolderError::Limits { .. } => ("signer-limits", "correct the file"),
            FolderError::Broken(_) | FolderError::Miscounted { .. } => {
                ("signer-log", "do not serve this signer: keep its folder as it is, and find out who wrote to it")
            }
            FolderError::File { .. } => ("signer-folder", "name the folder of a signer, and check permissions"),
            _ => ("signer-journal", "check journal.db and the disk that it is on; never replace it with an older copy"),
        };
        Self::refused(code, error, advice)
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        let (code, advice) = match &error {
            ListenError::Served(_) => ("signer-served", "use the signer that is served, or end it first"),
            _ => ("not-listening", "check the folder and its permissions"),
        };
        Self::refused(code, error, advice)
    }
}
