//! `specie bank`: the central bank's operator.

mod conservation;
mod epochs;
mod evidence;
mod registry;
mod root_key;
mod signer;
mod status;
mod supervision;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_server::Place;
use specie_server::bank::{
    BankConfig, BankConfigError, CentralBank, EpochTerms, ManifestError, NewBank, OpenBankError, OperationError,
    init_bank, init_bank_under, open_bank_for, restore_bank, serve_bank_with,
};
use specie_server::clock::{Clock, random_seed};
use specie_server::reply::Refusal;
use specie_server::root_key::RootKey;
use specie_server::settings::{Environment, Setting};
use specie_server::token::Token;
use specie_signer::Start;

use self::root_key::{InToken, Root};
use crate::answer::Answer;
use crate::audit::{Log, Order};
use crate::backup::{Backup, Restore, made, restored};
use crate::by::By;
use crate::device::{parse_amount, parse_currency};
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::money;
use crate::progress::Progress;
use crate::psp::parse_name;
use crate::{serving, settings};

/// Run a central bank: issue, redeem, detect.
#[derive(Args, Debug)]
#[command(
    after_help = "A bank is a folder: bank.toml, bank.db, signer (a folder with the issuing keys), and root.key, which belongs \
on a machine without a network, or in a token (root-key): only new epochs and new PSPs need it. While the bank is served, the other commands work on \
it from beside."
)]
pub(crate) struct Bank {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(Init),
    /// Serve a bank to PSPs and the public until the process is told to end
    #[command(after_help = "\
EXAMPLES:
  specie bank serve bank
  specie bank serve bank --listen 127.0.0.1:0

The issuing keys are in a process of their own: that of `specie bank signer serve`, or one that this command starts and ends.")]
    Serve {
        #[command(flatten)]
        which: Which,
        /// Where to listen, instead of what bank.toml says; port 0 for any free one
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<SocketAddr>,
        /// File of the signer's passphrase, where this command starts the signer
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    Signer(signer::Signer),
    /// The root key in a token (PKCS#11): make it, look at it
    RootKey {
        #[command(subcommand)]
        command: root_key::RootKeyCommand,
    },
    /// Show the settings in force, and who says so: the file, the environment, or nobody
    #[command(after_help = "\
EXAMPLES:
  specie bank config bank
  SPECIE_BANK_SWEEP_SECONDS=10 specie bank config bank

Every key of bank.toml has a variable over it: SPECIE_BANK_ and the key in capital letters. Unknown keys and variables are refused; \
passwords are not shown.")]
    Config {
        #[command(flatten)]
        which: Which,
    },
    /// Show the bank, and whether its books hold
    #[command(after_help = "\
EXAMPLES:
  specie bank status bank

issued − redeemed − expired = outstanding must hold for every class. The exit status is 1 when it does not.")]
    Status {
        #[command(flatten)]
        which: Which,
    },
    Conservation(conservation::Conservation),
    /// Register a PSP and publish its key in a new manifest
    #[command(after_help = "EXAMPLES:\n  specie bank register bank psp-one --key 5f0c…")]
    Register {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        root: Root,
        /// The PSP's name
        #[arg(value_name = "PSP", value_parser = parse_name)]
        psp: Name,
        /// The PSP's public key, in hex
        #[arg(long, value_name = "KEY", value_parser = parse_key)]
        key: PublicKey,
    },
    /// Book what a PSP paid into its reserve, or was paid out of it
    #[command(after_help = "\
EXAMPLES:
  specie bank fund bank psp-one 10000.00 --reference 'transfer 17'
  specie bank fund bank psp-one 500.00 --out --reference 'transfer 18'

The same reference is booked once for a PSP and a direction, and refused after that; without one, every call books anew. The \
PSP books the same with `specie psp reserve`, what was paid out with --out there too.")]
    Fund {
        #[command(flatten)]
        which: Which,
        /// The PSP's name
        #[arg(value_name = "PSP", value_parser = parse_name)]
        psp: Name,
        /// How much
        #[arg(value_name = "AMOUNT")]
        amount: String,
        /// Names the payment
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
        /// It was paid out
        #[arg(long)]
        out: bool,
    },
    Rotate(epochs::Rotate),
    Publish(epochs::Publish),
    Classes(epochs::Classes),
    Evidence(evidence::Evidence),
    /// The registry of persons: which PSP gives a person its limits
    Registry {
        #[command(subcommand)]
        command: registry::Registry,
    },
    Supervise(supervision::Supervise),
    Disclosed(supervision::Disclosed),
    Opened(supervision::Opened),
    /// The log of what was decided about devices, PSPs and rules
    Audit {
        #[command(subcommand)]
        order: Order<Which>,
    },
    Backup(Backup<Which>),
    Restore(Restore<Which>),
    /// Settle what time has settled: void batches, leftovers, expired notes, epochs that began, keys that nobody needs
    #[command(after_help = "EXAMPLES:\n  specie bank sweep bank\n\nA bank that is served does it by itself.")]
    Sweep {
        #[command(flatten)]
        which: Which,
    },
    /// Write the newest manifest to a file
    #[command(
        after_help = "EXAMPLES:\n  specie bank manifest bank --out manifest.cbor\n  specie inspect --root 5f0c… manifest.cbor"
    )]
    Manifest {
        #[command(flatten)]
        which: Which,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Make a bank
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank init bank --issuer central-bank --currency XTS
  specie bank init bank --token /usr/lib/softhsm/libsofthsm2.so --token-label bank --pin-file pin

Everyone knows the bank by the root key that is printed. With --token it is the one that `specie bank root-key make` made, and no secret \
of it lies in a file.")]
struct Init {
    #[command(flatten)]
    which: Which,
    /// The issuer's name, in every note
    #[arg(long, value_name = "NAME", default_value = "central-bank", value_parser = parse_name)]
    issuer: Name,
    /// The one currency that it issues
    #[arg(long, value_name = "CODE", default_value = "XTS", value_parser = parse_currency)]
    currency: Currency,
    /// Where it will listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7001")]
    listen: SocketAddr,
    /// Its database: a file, or postgres://USER@HOST/NAME for a PostgreSQL that several servers may share
    #[arg(long, value_name = "PLACE", default_value = "bank.db")]
    database: Place,
    #[command(flatten)]
    token: InToken,
    #[command(flatten)]
    terms: Terms,
}

/// The terms of an epoch.
#[derive(Args, Debug)]
struct Terms {
    /// For how many days wallets accept its notes, from its beginning on; not fewer than 30
    #[arg(long, value_name = "DAYS")]
    spend_days: Option<u32>,
    /// For how many days the bank redeems them, from its beginning on; at least 30 more
    #[arg(long, value_name = "DAYS")]
    redeem_days: Option<u32>,
    /// The most transfers in one chain
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    max_hops: Option<u8>,
    /// The largest face value: faces are those of the 1-2-5 series up to it
    #[arg(long, value_name = "AMOUNT")]
    largest_face: Option<String>,
    /// The most that a blank may own
    #[arg(long, value_name = "AMOUNT")]
    largest_cap: Option<String>,
}

/// Which bank.
#[derive(Args, Debug)]
struct Which {
    /// Folder of the bank
    #[arg(value_name = "BANK")]
    folder: PathBuf,
    #[command(flatten)]
    by: By,
}

const DAY: u64 = 86_400;

impl Which {
    fn config(&self) -> Result<BankConfig, Failure> {
        Ok(self.settings()?.0)
    }

    fn settings(&self) -> Result<(BankConfig, Vec<Setting>), Failure> {
        Ok(BankConfig::read_with(&self.folder.join("bank.toml"), &Environment::of_bank())?)
    }

    fn open(&self) -> Result<Arc<CentralBank>, Failure> {
        Ok(open_bank_for(&self.config()?, self.by.actor(), Clock::system())?)
    }

    fn root(&self, root: &Root) -> Result<Box<dyn RootKey>, Failure> {
        root.open(&self.folder)
    }
}

impl Terms {
    fn of(&self, currency: Currency) -> Result<EpochTerms, Failure> {
        let mut terms = EpochTerms::default();
        let seconds = |days: Option<u32>, otherwise| days.map_or(otherwise, |days| u64::from(days) * DAY);
        terms.spend_seconds = seconds(self.spend_days, terms.spend_seconds);
        terms.redeem_seconds = seconds(self.redeem_days, terms.redeem_seconds.max(terms.spend_seconds + 30 * DAY));
        terms.max_hops = self.max_hops.unwrap_or(terms.max_hops);
        if let Some(face) = &self.largest_face {
            terms.largest_face = parse_amount(face, currency)?;
        }
        if let Some(cap) = &self.largest_cap {
            terms.largest_cap = parse_amount(cap, currency)?;
        }
        Ok(terms)
    }
}

impl Bank {
    pub(crate) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::Init(init) => init.run(),
            Command::Serve { which, listen, passphrase_file } => {
                let mut config = which.config()?;
                config.listen = listen.unwrap_or(config.listen);
                let program = std::env::current_exe().map_err(|error| Failure::file("this program", &error))?;
                let start = Start { program, passphrase: passphrase_file.clone() };
                serving::serve(serve_bank_with(&config, start, Clock::system())?, "the bank", json)
            }
            Command::Signer(signer) => signer.run(json),
            Command::RootKey { command } => command.run(),
            Command::Config { which } => Ok(settings::show(&which.settings()?.1)),
            Command::Status { which } => status::show(&*which.open()?),
            Command::Conservation(conservation) => conservation.run(),
            Command::Register { which, root, psp, key } => {
                let header = which.open()?.register_psp(which.root(root)?.as_ref(), *psp, *key)?;
                let human = format!("{psp} is registered; manifest {} says so.\n", header.sequence);
                Ok(Answer::new(human, json!({ "psp": psp.as_str(), "manifest_sequence": header.sequence })))
            }
            Command::Fund { which, psp, amount, reference, out } => {
                fund(&*which.open()?, psp, amount, reference.as_deref(), *out)
            }
            Command::Rotate(rotate) => rotate.run(),
            Command::Publish(publish) => publish.run(),
            Command::Classes(classes) => classes.run(),
            Command::Evidence(evidence) => evidence.run(),
            Command::Registry { command } => command.run(),
            Command::Supervise(supervise) => supervise.run(),
            Command::Disclosed(disclosed) => disclosed.run(),
            Command::Opened(opened) => opened.run(),
            Command::Audit { order } => audit_log(order),
            Command::Backup(Backup { which, out }) => Ok(made(&which.open()?.back_up(&which.config()?, out)?, out)),
            Command::Restore(Restore { which, from }) => {
                let config = which.config()?;
                Ok(restored(&restore_bank(&config, which.by.actor(), Clock::system(), from)?))
            }
            Command::Sweep { which } => sweep(&*which.open()?),
            Command::Manifest { which, out } => {
                let manifests = which.open()?.manifests(0)?;
                let Some(manifest) = manifests.manifest else {
                    return Err(Failure::refused(
                        "no-manifest",
                        "the bank has published nothing yet",
                        "begin an epoch",
                    ));
                };
                let name = out.display().to_string();
                fs::write(out, &manifest.0).map_err(|error| Failure::file(&name, &error))?;
                let human = format!("Wrote the newest manifest to {name}, {} bytes.\n", manifest.0.len());
                Ok(Answer::new(human, json!({ "file": name, "bytes": manifest.0.len() })))
            }
        }
    }
}

impl Init {
    fn run(&self) -> Result<Answer, Failure> {
        let epoch = self.terms.of(self.currency)?;
        let new = NewBank {
            issuer: self.issuer,
            currency: self.currency,
            listen: self.listen,
            database: self.database.clone(),
            epoch,
        };
        let token = self.token.place().map(|place| Token::open(&place)).transpose()?;
        let progress = Progress::begin("making the keys of the first epoch");
        let (folder, by) = (&self.which.folder, self.which.by.actor());
        let root = match &token {
            Some(token) => init_bank_under(token, folder, &new, by, Clock::system())?,
            None => init_bank(folder, &new, by, Clock::system())?,
        };
        let root = root.to_string();
        drop(progress);
        let folder = folder.display();
        let keep = match &token {
            Some(_) => "The root key is in the token. Keep".to_owned(),
            None => format!("Keep {folder}/root.key on a machine without a network, and"),
        };
        let human = format!(
            "Made bank {} for {} in {folder}.\n  root key  {root}\n{keep} {folder}/signer/passphrase away from the keys beside it.\n",
            self.issuer, self.currency
        );
        let machine = json!({ "issuer": self.issuer.as_str(), "currency": self.currency.as_str(), "root_key": root });
        Ok(Answer::new(human, machine))
    }
}

fn fund(bank: &CentralBank, psp: &Name, amount: &str, reference: Option<&str>, out: bool) -> Result<Answer, Failure> {
    let currency = bank.bank.settings().currency;
    let amount = parse_amount(amount, currency)?;
    if amount.is_zero() {
        return Err(Failure::usage("there is nothing to book", "name an amount"));
    }
    let reference = match reference {
        Some(reference) => reference.to_owned(),
        None => hex::encode(&seed()?[..16]),
    };
    if out {
        bank.defund_psp(psp, amount, reference.as_bytes())?;
    } else {
        bank.fund_psp(psp, amount, reference.as_bytes())?;
    }
    let done = if out { "paid out of" } else { "paid into" };
    let human = format!("Booked {} {done} the reserve of {psp}.\n", money::show(amount, currency));
    let machine = json!({
        "psp": psp.as_str(),
        "amount": amount.minor(),
        "currency": currency.as_str(),
        "reference": reference,
        "out": out,
    });
    Ok(Answer::new(human, machine))
}

fn audit_log(order: &Order<Which>) -> Result<Answer, Failure> {
    let central = order.which().open()?;
    let failed = |error: &dyn std::fmt::Display| Failure::refused("bank", error, "look after keys and database");
    let head = central.bank.sign_audit_head(central.clock.now()).map_err(|error| failed(&error))?;
    let key = central.bank.settings().ledger_key;
    let certificate = central.bank.audit_certificate().map_err(|error| failed(&error))?;
    order.run(Log {
        key,
        certificate,
        head,
        page: |after, until| central.bank.audit_page(after, until).map_err(|error| failed(&error)),
    })
}

fn sweep(bank: &CentralBank) -> Result<Answer, Failure> {
    let currency = bank.bank.settings().currency;
    let swept = bank
        .bank
        .sweep(bank.clock.now())
        .map_err(|error| Failure::refused("not-swept", error, "run it again: what it did until then stays done"))?;
    let kept = bank.keep_epochs()?;
    let human = format!(
        "Void batches {}, erased {}, transfers settled {}, leftovers paid {}, paid for lost devices {}, classes closed {}, expired {}.\nEpochs begun {}, epochs whose issuing keys were destroyed {}.\n{}",
        swept.voided,
        swept.erased,
        swept.transfers,
        money::show(swept.leftovers, currency),
        money::show(swept.restitutions, currency),
        swept.closed,
        money::show(swept.expired, currency),
        kept.begun.len(),
        kept.destroyed.len(),
        kept.warning.as_ref().map(|warning| format!("WARNING: {warning}\n")).unwrap_or_default(),
    );
    let machine = json!({
        "epochs_begun": kept.begun,
        "keys_destroyed": kept.destroyed,
        "warning": kept.warning,
        "voided": swept.voided,
        "erased": swept.erased,
        "transfers": swept.transfers,
        "leftovers": swept.leftovers.minor(),
        "restitutions": swept.restitutions.minor(),
        "closed": swept.closed,
        "expired": swept.expired.minor(),
        "currency": currency.as_str(),
    });
    Ok(Answer::new(human, machine))
}

fn seed() -> Result<[u8; 32], Failure> {
    random_seed().map_err(|error| Failure::refused("no-randomness", error, "repair the operating system"))
}

impl From<BankConfigError> for Failure {
    fn from(error: BankConfigError) -> Self {
        Self::refused("bank-configuration", error, "correct bank.toml, or name the folder of a bank")
    }
}

impl From<OpenBankError> for Failure {
    fn from(error: OpenBankError) -> Self {
        if let OpenBankError::Signer(error) = error {
            return error.into();
        }
        let (code, advice) = match &error {
            OpenBankError::Exists(file) if file.ends_with("bank.toml") => {
                ("bank-exists", "choose another folder, or use the bank in it")
            }
            OpenBankError::Exists(_) => (
                "bank-unfinished",
                "there is no bank.toml beside it. If it was lost, restore it; if making a bank was cut short here, delete the folder and make it again: nobody has heard of its keys",
            ),
            OpenBankError::Operation(
                OperationError::Plan(_) | OperationError::Manifest(ManifestError::ShortLife(_)),
            ) => BAD_TERMS,
            OpenBankError::Unwritable { .. } => ("bank-folder", "check path and permissions"),
            OpenBankError::Config(_) => ("bank-configuration", "correct bank.toml, or name the folder of a bank"),
            OpenBankError::RootKey(_) => ("root-key", "bring the root key"),
            OpenBankError::SignerProcess(_) => SIGNER_FAILED,
            OpenBankError::Database(_) | OpenBankError::Storage(_) => {
                ("bank-database", "check the database that bank.toml names, and that it can be reached")
            }
            OpenBankError::Start(_) => ("not-listening", "choose another address"),
            _ => ("bank", "see the reason"),
        };
        Self::refused(code, error, advice)
    }
}

const SIGNER_FAILED: (&str, &str) =
    ("signer", "see what `specie bank signer serve` says with the folder of the signer that bank.toml names");

const BAD_TERMS: (&str, &str) = (
    "bad-terms",
    "give at least 30 --spend-days, --redeem-days that are at least 30 more, and hops and amounts within the bounds of the specification",
);

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        let (code, advice) = match &error {
            OperationError::OtherKey(_) => ("psp-known", "choose another name"),
            OperationError::KeyOfOther(_) => ("key-known", "give the key that `specie psp status` of this PSP shows"),
            OperationError::ReferenceUsed { .. } => (
                "reference-used",
                "if it is the same payment, it is booked; give every other payment a reference of its own",
            ),
            OperationError::Psp(_) => ("not-booked", "check name, amount and reference"),
            OperationError::Plan(_)
            | OperationError::Manifest(
                ManifestError::ShortLife(_) | ManifestError::NoNotice(_) | ManifestError::EarlyEnd(_),
            ) => BAD_TERMS,
            OperationError::NoReason => ("no-reason", "say in words why there is no time for notice"),
            OperationError::Signer(_) => SIGNER_FAILED,
            OperationError::UnknownTransfer(_) => {
                ("unknown-transfer", "check the transfer's id, or wait until its payee has redeemed")
            }
            OperationError::NotDisclosed(_) => (
                "not-disclosed",
                "name the key that was current when it was paid; if it is to none, whose it is cannot be read",
            ),
            OperationError::OtherCase { .. } => {
                ("other-case", "have it opened for the case for which it was handed out")
            }
            OperationError::Token(_) => ("token", "see what the maker of the token says"),
            OperationError::Manifest(_) => ("not-published", "bring the right root key, and try again"),
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}

impl From<Refusal> for Failure {
    fn from(Refusal(problem): Refusal) -> Self {
        Self::refused(problem.code.clone(), format!("{}: {}", problem.title, problem.detail), problem.advice)
    }
}
