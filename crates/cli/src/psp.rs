//! `specie psp`: the intermediary's operator.

mod case;
mod customer;
mod fleet;
mod identity;
mod loss;
mod person;
mod shown;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use specie_api::client::{Http, Timeouts};
use specie_api::hexadecimal::HexArray;
use specie_core::Amount;
use specie_core::signature::PublicKey;
use specie_core::text::Currency;
use specie_device::durable::{self, Access};
use specie_server::Place;
use specie_server::clock::Clock;
use specie_server::psp::{
    BankAddress, ConfigError, CustomerError, MakerConfig, NewPsp, OpenPspError, Provider, PspConfig, init_psp,
    open_psp_for, restore_psp, serve_psp,
};
use specie_server::settings::{Environment, Setting};

use crate::answer::Answer;
use crate::audit::{Log, Order};
use crate::backup::{Backup, Restore, made, restored};
use crate::by::By;
use crate::device::parse_amount;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::money;
use crate::{serving, settings};
use case::{Alerts, Case, Freeze, Release, Statement};
use customer::Customer;
pub(crate) use customer::parse_name;
use fleet::Fleet;
use identity::Identity;
use loss::OfDevice;
use person::Person;

/// Run a payment service provider: customers, accounts, devices.
#[derive(Args, Debug)]
#[command(
    after_help = "A PSP is a folder: psp.toml (makers, periods, identification), tiers (one file for each version of the tiers), aml.toml (rules against money laundering), \
psp.key, pepper.key, psp.db. While it is served, the other \
commands work on it from beside."
)]
pub(crate) struct Psp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(Init),
    /// Serve a PSP to devices until the process is told to end
    #[command(after_help = "EXAMPLES:\n  specie psp serve psp\n  specie psp serve psp --listen 127.0.0.1:0")]
    Serve {
        #[command(flatten)]
        which: Which,
        /// Where to listen, instead of what psp.toml says; port 0 for any free one
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Show the settings in force, and who says so: the file, the environment, or nobody
    #[command(after_help = "\
EXAMPLES:
  specie psp config psp
  SPECIE_PSP_BANK__ADDRESS=http://127.0.0.1:7001 specie psp config psp

Every key of psp.toml has a variable over it: SPECIE_PSP_ and the key in capital letters, with two underscores between a table and \
its key. Unknown keys and variables are refused; passwords are not shown.")]
    Config {
        #[command(flatten)]
        which: Which,
    },
    /// Show the PSP and its books
    #[command(after_help = "EXAMPLES:\n  specie psp status psp\n\nThe exit status is 1 when the books do not balance.")]
    Status {
        #[command(flatten)]
        which: Which,
    },
    Trust(Trust),
    /// The log of what was decided about customers, devices and rules
    Audit {
        #[command(subcommand)]
        order: Order<Which>,
    },
    Backup(Backup<Which>),
    Restore(Restore<Which>),
    /// Customers and their accounts
    Customer {
        #[command(subcommand)]
        command: Customer,
    },
    /// Who customers are, and whether a sanctions list knows them
    Identity {
        #[command(subcommand)]
        command: Identity,
    },
    /// Which persons get their limits here, and none elsewhere, as the bank's registry says
    Person {
        #[command(subcommand)]
        command: Person,
    },
    /// Devices of one person or organisation, and how its limits are split over them
    Fleet {
        #[command(subcommand)]
        command: Fleet,
    },
    /// Block a customer's device, or lift the block
    #[command(after_help = "EXAMPLES:\n  specie psp block psp 5f0c…\n  specie psp block psp 5f0c… --lift")]
    Block {
        #[command(flatten)]
        which: Which,
        /// Key A of the device, in hex: `specie psp customer show` has it
        #[arg(value_name = "KEY", value_parser = parse_key)]
        device: PublicKey,
        /// Lift the block
        #[arg(long)]
        lift: bool,
    },
    /// Take a customer's word that a device is lost: nothing that it signs is obeyed any more
    #[command(after_help = "\
EXAMPLES:
  specie psp lost psp 5f0c…

Make sure first that it is the customer who says so. What the device held and nobody redeems is claimed by another device of the \
customer (`specie device claim`).")]
    Lost(OfDevice),
    /// Take a customer's word that a lost device was found: claims on what it holds are given up
    #[command(after_help = "EXAMPLES:\n  specie psp found psp 5f0c…")]
    Found(OfDevice),
    /// Show what is claimed of what a lost device held, as the bank has it
    #[command(after_help = "EXAMPLES:\n  specie psp claims psp 5f0c…")]
    Claims(OfDevice),
    /// Show what a device showed of its totals, and the payments that it uploaded
    #[command(after_help = "\
EXAMPLES:
  specie psp shown psp 5f0c…

What is shown depends on the setting of the owner's tier: nothing offline, that the totals were within the limits in `proofs`, and \
the payments too in `uploads`.")]
    Shown {
        #[command(flatten)]
        which: Which,
        /// Key A of the device, in hex: `specie psp customer show` has it
        #[arg(value_name = "KEY", value_parser = parse_key)]
        device: PublicKey,
    },
    Alerts(Alerts),
    /// Cases: what people make of alerts
    Case {
        #[command(subcommand)]
        command: Case,
    },
    Freeze(Freeze),
    Release(Release),
    Statement(Statement),
    /// Book what was paid into the PSP's reserve at the bank, or out of it
    #[command(after_help = "\
EXAMPLES:
  specie psp reserve psp 10000.00 --reference 'bank transfer 17'
  specie psp reserve psp 2500.00 --reference 'bank transfer 18' --out

What the bank books with `specie bank fund`, with and without --out, the PSP books here: no money moves by it.")]
    Reserve {
        #[command(flatten)]
        which: Which,
        /// How much
        #[arg(value_name = "AMOUNT")]
        amount: String,
        /// Names the payment: booked once
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// It was paid out
        #[arg(long)]
        out: bool,
    },
}

/// Make a PSP
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp init psp --name psp-one --bank http://127.0.0.1:7001 --root 5f0c… --maker maker.toml
  specie psp init psp --name psp-two --bank http://127.0.0.1:7001 --root 5f0c… --pepper from-psp-one/pepper.key

The folder gets psp.toml, the key, the database, and tiers/1.toml with example tiers to change before customers come. The \
public key that is printed must be registered with the bank (`specie bank register`).")]
struct Init {
    #[command(flatten)]
    which: Which,
    /// Its name, as the bank registers it
    #[arg(long)]
    name: String,
    /// Address of the bank
    #[arg(long, value_name = "URL")]
    bank: String,
    /// The bank's root key, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    root: PublicKey,
    /// Currency of the accounts
    #[arg(long, value_name = "CODE", default_value = "XTS")]
    currency: String,
    /// Where it will listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7002")]
    listen: SocketAddr,
    /// Its database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "PLACE", default_value = "psp.db")]
    database: Place,
    /// Files of makers whose secure elements are trusted
    #[arg(long, value_name = "FILE")]
    maker: Vec<PathBuf>,
    /// The pepper of another PSP, with which both know one person again: its pepper.key. A new one without it
    #[arg(long, value_name = "FILE")]
    pepper: Option<PathBuf>,
}

/// Trust a maker of secure elements
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie psp trust psp --maker maker.toml
  specie psp trust psp --name acme --key 5f0c…

A running server has to be started again to know it.")]
struct Trust {
    #[command(flatten)]
    which: Which,
    /// The maker's file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "key"], required_unless_present = "key")]
    maker: Option<PathBuf>,
    /// The maker's name in certificates
    #[arg(long, requires = "key")]
    name: Option<String>,
    /// The maker's public key, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key, requires = "name")]
    key: Option<PublicKey>,
}

/// Which PSP.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Folder of the PSP
    #[arg(value_name = "PSP")]
    folder: PathBuf,
    #[command(flatten)]
    by: By,
}

impl Which {
    fn config_file(&self) -> PathBuf {
        self.folder.join("psp.toml")
    }

    fn config(&self) -> Result<PspConfig, Failure> {
        Ok(self.settings()?.0)
    }

    fn settings(&self) -> Result<(PspConfig, Vec<Setting>), Failure> {
        Ok(PspConfig::read_with(&self.config_file(), &Environment::of_psp())?)
    }

    fn open(&self) -> Result<Arc<Provider>, Failure> {
        Ok(open_psp_for(&self.config()?, self.by.actor(), Clock::system())?)
    }
}

impl Psp {
    pub(crate) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::Init(init) => init.run(),
            Command::Serve { which, listen } => {
                let mut config = which.config()?;
                config.listen = listen.unwrap_or(config.listen);
                // Rules that changed are in force by whoever starts the server.
                drop(which.open()?);
                serving::serve(serve_psp(&config, Clock::system())?, &format!("PSP {}", config.name), json)
            }
            Command::Config { which } => Ok(settings::show(&which.settings()?.1)),
            Command::Status { which } => status(&*which.open()?),
            Command::Trust(trust) => trust.run(),
            Command::Backup(Backup { which, out }) => Ok(made(&which.open()?.back_up(&which.config()?, out)?, out)),
            Command::Restore(Restore { which, from }) => {
                let config = which.config()?;
                Ok(restored(&restore_psp(&config, which.by.actor(), Clock::system(), from)?))
            }
            Command::Audit { order } => audit_log(order),
            Command::Customer { command } => command.run(),
            Command::Identity { command } => command.run(),
            Command::Person { command } => command.run(),
            Command::Fleet { command } => command.run(),
            Command::Block { which, device, lift } => {
                let provider = which.open()?;
                provider.psp.set_blocked(device, !lift, provider.clock.now())?;
                let done = if *lift { "The block is lifted.\n" } else { "Blocked: it can only redeem from now on.\n" };
                Ok(Answer::new(done, json!({ "device": device.to_string(), "blocked": !lift })))
            }
            Command::Lost(device) => device.lost(),
            Command::Found(device) => device.found(),
            Command::Claims(device) => device.claims(),
            Command::Shown { which, device } => shown::shown(&*which.open()?, device),
            Command::Alerts(alerts) => alerts.run(),
            Command::Case { command } => command.run(),
            Command::Freeze(freeze) => freeze.run(),
            Command::Release(release) => release.run(),
            Command::Statement(statement) => statement.run(),
            Command::Reserve { which, amount, reference, out } => {
                let provider = which.open()?;
                let currency = provider.psp.identity().currency;
                let amount = parse_amount(amount, currency)?;
                if amount.is_zero() {
                    return Err(Failure::usage("there is nothing to book", "name an amount"));
                }
                let now = provider.clock.now();
                let done = if *out {
                    provider.psp.defund_reserve(amount, reference, now)?;
                    "out of"
                } else {
                    provider.psp.fund_reserve(amount, reference, now)?;
                    "in"
                };
                let human = format!("Booked {} {done} the reserve.\n", money::show(amount, currency));
                Ok(Answer::new(
                    human,
                    json!({ "amount": amount.minor(), "currency": currency.as_str(), "reference": reference, "out": out }),
                ))
            }
        }
    }
}

impl Init {
    fn run(&self) -> Result<Answer, Failure> {
        Http::new(&self.bank, Timeouts::default())
            .map_err(|error| Failure::refused("bad-address", error, "correct --bank"))?;
        let makers = self.maker.iter().map(|file| maker(file)).collect::<Result<Vec<_>, _>>()?;
        let new = NewPsp {
            name: self.name.clone(),
            currency: self.currency.clone(),
            listen: self.listen,
            database: self.database.clone(),
            bank: BankAddress { address: self.bank.clone(), root_key: HexArray(self.root.0) },
            makers,
            pepper: self.pepper.clone(),
        };
        let key = init_psp(&self.which.folder, new)?.to_string();
        // Its first rules are in force by whoever made it.
        drop(self.which.open()?);
        let human = format!(
            "Made PSP {} in {}.\n  public key  {key}\nNext: have the bank register it: specie bank register BANK {} --key {key}\n",
            self.name,
            self.which.folder.display(),
            self.name
        );
        Ok(Answer::new(human, json!({ "name": self.name, "public_key": key })))
    }
}

impl Trust {
    fn run(&self) -> Result<Answer, Failure> {
        let trusted = match (&self.maker, &self.name, &self.key) {
            (Some(file), _, _) => maker(file)?,
            (None, Some(name), Some(key)) => MakerConfig {
                name: name.clone(),
                key: HexArray(key.0),
                withdrawn_series: Vec::new(),
                firmwares: Vec::new(),
            },
            _ => return Err(Failure::usage("no maker is named", "give --maker FILE, or --name and --key")),
        };
        let name = trusted.name.clone();
        let path = self.which.config_file();
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::file(&file, &error))?;
        // Not read as for serving: relative paths in it stay relative.
        let mut config: PspConfig = toml::from_str(&text).map_err(ConfigError::from)?;
        config.makers.retain(|known| known.name != trusted.name);
        config.makers.push(trusted);
        config.check_makers()?;
        durable::replace(&path, config.to_toml().as_bytes(), Access::Everyone)
            .map_err(|error| Failure::file(&file, &error))?;
        let human = format!("Elements by {name} are trusted. Start the server again if it runs.\n");
        Ok(Answer::new(human, json!({ "maker": name })))
    }
}

fn maker(file: &Path) -> Result<MakerConfig, Failure> {
    let maker = specie_device::maker::Maker::open(file).map_err(crate::maker::failure)?;
    Ok(MakerConfig {
        name: maker.name().to_string(),
        key: HexArray(maker.public_key().0),
        withdrawn_series: Vec::new(),
        firmwares: Vec::new(),
    })
}

fn audit_log(order: &Order<Which>) -> Result<Answer, Failure> {
    let provider = order.which().open()?;
    let failed = |error| Failure::refused("store", error, "look after the database");
    let head = provider.psp.sign_audit_head(provider.clock.now()).map_err(failed)?;
    let key = provider.psp.identity().key.public();
    let certificate = provider.psp.audit_certificate().map_err(failed)?;
    order.run(Log {
        key,
        certificate,
        head,
        page: |after, until| provider.psp.audit_page(after, until).map_err(failed),
    })
}

fn status(provider: &Provider) -> Result<Answer, Failure> {
    let identity = provider.psp.identity();
    let books = provider.psp.books().map_err(|error| Failure::refused("store", error, "look after the database"))?;
    let currency: Currency = identity.currency;
    let holds = books.findings.is_empty();
    let lines: [(&str, &str, Amount); 5] = [
        ("customers", "owed to customers", books.customers),
        ("withdrawals_in_progress", "held for withdrawals", books.withdrawals_in_progress),
        ("transfers_in_progress", "held for payments to other PSPs", books.transfers_in_progress),
        ("unclaimed", "came for nobody known", books.unclaimed),
        ("reserve", "in reserve at the bank, by these books", books.reserve),
    ];
    let peppers =
        provider.psp.peppers().map_err(|error| Failure::refused("store", error, "look after the database"))?;
    let (own, registry) = (peppers.own.map(hex::encode), peppers.registry.map(hex::encode));
    let registered = match (&own, &registry) {
        (_, None) => "no registry of persons is kept, as far as this PSP heard",
        (own, registry) if own == registry => "the bank keeps its registry of persons under it",
        _ => "THE BANK KEEPS ITS REGISTRY OF PERSONS UNDER ANOTHER ONE: nobody who is known gets limits here",
    };
    let mut human = format!("PSP {}, key {}\n", identity.name, identity.key.public());
    human.push_str(&format!("Pepper {}: {registered}\n", own.as_deref().unwrap_or("none")));
    let mut machine = json!({
        "name": identity.name.as_str(),
        "public_key": identity.key.public().to_string(),
        "root_key": identity.root_key.to_string(),
        "currency": currency.as_str(),
        "pepper": own,
        "registry": registry,
        "holds": holds,
        "findings": books.findings,
    });
    for (name, words, amount) in lines {
        human.push_str(&format!("  {:>16}  {words}\n", money::show(amount, currency)));
        machine[name] = json!(amount.minor());
    }
    books.findings.iter().for_each(|finding| human.push_str(&format!("  WRONG: {finding}\n")));
    human.push_str(if holds { "The books balance.\n" } else { "THE BOOKS DO NOT BALANCE.\n" });
    Ok(Answer::verdict(holds, human, machine))
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::refused("psp-configuration", error, "correct the file that is named, or name the folder of a PSP")
    }
}

impl From<OpenPspError> for Failure {
    fn from(error: OpenPspError) -> Self {
        let (code, advice) = match &error {
            OpenPspError::Exists(file) if file.ends_with("psp.toml") => {
                ("psp-exists", "choose another folder, or use the PSP in it")
            }
            OpenPspError::Exists(_) => (
                "psp-unfinished",
                "there is no psp.toml beside it. If it was lost, restore it; if making a PSP was cut short here, delete the folder and make it again: nobody has heard of its keys",
            ),
            OpenPspError::Unwritable { .. } => ("psp-folder", "check path and permissions"),
            OpenPspError::NoTiersYet(_) => ("psp-configuration", "add a version of the tiers that is in force already"),
            OpenPspError::Config(_) => {
                ("psp-configuration", "correct the file that is named, or name the folder of a PSP")
            }
            OpenPspError::Identification(_) => {
                ("psp-identification", "correct psp.toml under [identification], or the file that it names")
            }
            OpenPspError::Rules(_) => ("aml-settings", "raise `version` in the file that psp.toml names as `aml`"),
            OpenPspError::Key(_) => ("psp-key", "restore psp.key from its copy"),
            OpenPspError::Database(_) => ("psp-database", "check psp.db and the disk that it is on"),
            OpenPspError::Bank(_) => ("bad-address", "correct the bank's address in psp.toml"),
            OpenPspError::Start(_) => ("not-listening", "choose another address"),
            _ => ("psp", "try again"),
        };
        Self::refused(code, error, advice)
    }
}

impl From<CustomerError> for Failure {
    fn from(error: CustomerError) -> Self {
        let (code, advice) = match &error {
            CustomerError::Unknown(_) => ("unknown-customer", "see `specie psp customer list`"),
            CustomerError::Taken => ("customer-exists", "choose another name"),
            CustomerError::Reserve => {
                ("reserve-too-low", "book what was paid in first, or look at what the bank paid out")
            }
            CustomerError::UnknownTier(_) => ("unknown-tier", "name a tier that is in force: see the files in `tiers`"),
            CustomerError::Evidence { .. } => (
                "evidence-missing",
                "name what was seen with --phone or --document, or record it first: `specie psp identity` for who is no customer yet, `specie psp customer evidence` for who is",
            ),
            CustomerError::NotScreened { .. } => {
                ("not-screened", "compare the name first: `specie psp identity screen`")
            }
            CustomerError::Suspected(_) => {
                ("under-suspicion", "see `specie psp identity hits`, and decide; do not tell the customer")
            }
            CustomerError::OtherPerson(_) => ("other-person", "take the other person on as another customer"),
            CustomerError::NoPepper => ("no-pepper", "name a pepper in psp.toml under [identification]"),
            CustomerError::PersonTier { .. } => ("person-tier", "move that customer to the same tier first"),
            CustomerError::Weight => ("bad-weight", "choose smaller weights, and leave one above 0"),
            CustomerError::Blocked(_) => ("device-blocked", "lift the block first, if the owner has the device"),
            CustomerError::Lost(_) => ("device-lost", "take the report back first, if the owner has the device again"),
            CustomerError::Unfinished(_) => ("withdrawal-unfinished", "have the device synchronise, then release it"),
            CustomerError::Reference => ("evidence-reference", "name where the evidence is filed, in few words"),
            CustomerError::Phone => ("phone-number", "type it as it is dialled from abroad, such as +49301234567"),
            CustomerError::PhoneTaken(_) => {
                ("phone-taken", "say that both are one person (`specie psp customer person`), or ask for a document")
            }
            CustomerError::UnknownDevice(_) => ("unknown-device", "see `specie psp customer show`"),
            CustomerError::Frozen { .. } => {
                ("customer-frozen", "see `specie psp case show`; another person can release")
            }
            CustomerError::StruckOff(_) => ("device-struck-off", "nothing can be done: the bank has evidence"),
            CustomerError::Overflow => ("amount-too-large", "choose a smaller amount"),
            CustomerError::ReferenceUsed(_) => ("reference-used", "give every payment a reference of its own"),
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
