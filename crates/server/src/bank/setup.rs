//! Setting a bank up, opening it, serving it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use specie_audit::Actor;
use specie_bank::Bank;
use specie_bank::audit::HeadError;
use specie_bank::settings::Settings;
use specie_bank::signer::{Signer, SignerError};
use specie_bank::storage::{Storage, StorageError};
use specie_bank::watch::Watched;
use specie_core::bytes::ClassId;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_signer::{Folder, FolderError, Start};
use specie_store::bank::{BankStore, SCHEMA};
use specie_store::place::OpenError;
use specie_store::{AnyDatabase, Place};
use thiserror::Error;
use zeroize::Zeroizing;

use super::callers::callers;
use super::config::{BankConfig, BankConfigError};
use super::metrics::{Redemptions, readings};
use super::operation::OperationError;
use super::rotation::EpochTerms;
use super::routes::router;
use super::signer::AnySigner;
use crate::clock::{Clock, NoEntropy, random_seed};
use crate::key_file::{KeyFileError, create_key};
use crate::metrics::audit_size;
use crate::readiness::Probe;
use crate::root_key::RootKey;
use crate::service::{Background, Run, Service, Serving, StartError, daily_head};

/// The pause between two looks at conservation.
const WATCH_PAUSE: Duration = Duration::from_secs(300);

/// The pause between two looks at epochs.
const EPOCHS_PAUSE: Duration = Duration::from_secs(3_600);

/// A bank with its parts: for its operator and for its service.
pub struct CentralBank {
    /// The bank.
    pub bank: Bank<BankStore<AnyDatabase>, AnySigner>,
    /// Its time.
    pub clock: Clock,
    /// What it redeemed.
    pub redemptions: Redemptions,
}

/// What a new bank is told.
#[derive(Clone, Debug)]
pub struct NewBank {
    /// The issuer's name in every class.
    pub issuer: Name,
    /// The one currency that it issues.
    pub currency: Currency,
    /// Where it will listen.
    pub listen: SocketAddr,
    /// Its database; a relative path is one in its directory.
    pub database: Place,
    /// Its first epoch.
    pub epoch: EpochTerms,
}

/// Why a bank cannot be set up or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenBankError {
    /// There is one already.
    #[error("{} exists already; nothing was changed", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] BankConfigError),
    /// The root key is unusable.
    #[error(transparent)]
    RootKey(#[from] KeyFileError),
    /// The signer's folder is unusable.
    #[error(transparent)]
    Signer(#[from] FolderError),
    /// The signer cannot be reached.
    #[error(transparent)]
    SignerProcess(#[from] SignerError),
    /// The database is unusable.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database holds no bank, or another one.
    #[error(transparent)]
    Bank(#[from] specie_bank::bank::OpenBankError),
    /// The database, the audit log in it above all, cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The first epoch cannot be published.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// Makes a bank in `directory`: `bank.toml`, `bank.db`, the signer's folder, and `root.key`, which belongs offline:
/// nothing but new epochs and new PSPs needs it. Gives the root key's public half, by which everyone knows the bank. The audit log
/// begins with `by`, who does it.
///
/// # Errors
/// When there is one already, or the files cannot be written.
pub fn init_bank(directory: &Path, new: &NewBank, by: Actor, clock: Clock) -> Result<PublicKey, OpenBankError> {
    init(directory, new, None, by, clock)
}

/// The same under a root key that is somewhere else: no secret of it is in `directory`.
///
/// # Errors
/// When there is a bank already, the files cannot be written, or the root key does not sign.
pub fn init_bank_under(
    root: &dyn RootKey,
    directory: &Path,
    new: &NewBank,
    by: Actor,
    clock: Clock,
) -> Result<PublicKey, OpenBankError> {
    init(directory, new, Some(root), by, clock)
}

fn init(
    directory: &Path,
    new: &NewBank,
    root: Option<&dyn RootKey>,
    by: Actor,
    clock: Clock,
) -> Result<PublicKey, OpenBankError> {
    let written = BankConfig { database: new.database.clone(), ..BankConfig::with_usual_files(new.listen) };
    let config = written.clone().within(directory);
    let (config_path, root_path) = (directory.join("bank.toml"), directory.join("root.key"));
    // Each of them: keys must not be written over where a configuration was lost and the root key is offline.
    let database = if let Place::File(path) = &config.database { Some(path) } else { None };
    let signer = Folder(config.signer.clone());
    let mut files = [&config_path, &root_path].into_iter().chain(database);
    if let Some(file) = files.find(|file| file.exists()).cloned().or_else(|| signer.occupied()) {
        return Err(OpenBankError::Exists(file));
    }
    if database.is_none() && open_store(&config)?.read(|view| view.settings())?.is_some() {
        return Err(specie_bank::bank::OpenBankError::SetUp.into());
    }
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenBankError::Unwritable { path, source }
    };
    let seed = Zeroizing::new(random_seed()?);
    let here = SigningKey::from_seed(&seed);
    let ledger = SigningKey::from_seed(&Zeroizing::new(random_seed()?));
    let settings = Settings {
        issuer: new.issuer,
        currency: new.currency,
        root_key: root.map_or(here.public(), RootKey::public),
        ledger_key: ledger.public(),
    };
    // Before anything is written: half a bank could not be made anew.
    new.epoch.check(&settings, clock.now())?;
    std::fs::create_dir_all(directory).map_err(unwritable(directory))?;
    if root.is_none() {
        create_key(&root_path, *seed)?;
    }
    let root = root.unwrap_or(&here);
    let signers_clock = clock.clone();
    let signer = AnySigner::Here(Box::new(signer.create(ledger, move || signers_clock.now())?));
    Bank::set_up(&open_store(&config)?, &signer, &settings, by, clock.now())?;
    assemble(&config, signer, by, clock)?.first_epoch(root, &new.epoch)?;
    // Last of all: a directory with a configuration is complete.
    std::fs::write(&config_path, written.to_toml()).map_err(unwritable(&config_path))?;
    Ok(settings.root_key)
}

/// Opens a bank: its operator may work on it while it is served by another process.
///
/// # Errors
/// When its files are unusable.
pub fn open_bank(config: &BankConfig, clock: Clock) -> Result<Arc<CentralBank>, OpenBankError> {
    open_bank_for(config, Actor::service(), clock)
}

/// The same for the operator `by`, whom the audit log names for what is done here.
///
/// # Errors
/// When its files are unusable.
pub fn open_bank_for(config: &BankConfig, by: Actor, clock: Clock) -> Result<Arc<CentralBank>, OpenBankError> {
    assemble(config, AnySigner::open(config, &clock)?, by, clock)
}

pub(super) fn assemble(
    config: &BankConfig,
    signer: AnySigner,
    by: Actor,
    clock: Clock,
) -> Result<Arc<CentralBank>, OpenBankError> {
    let bank = Bank::open(open_store(config)?, signer)?.acting_for(by);
    let bank = bank.with_revocations_per_day(config.revocations_per_day);
    bank.audit_rules(clock.now())?;
    Ok(Arc::new(CentralBank { bank, clock, redemptions: Redemptions::default() }))
}

/// Serves a bank to PSPs and the public, and settles beside what time has settled. Where no signer is served, its keys are
/// opened in this process: for tests and trials.
///
/// # Errors
/// When its files are unusable or its address is taken.
pub fn serve_bank(config: &BankConfig, clock: Clock) -> Result<Service, OpenBankError> {
    serve(config, open_bank(config, clock)?)
}

/// The same with its signer in a process of its own, which `start` starts where none is served.
///
/// # Errors
/// When its files are unusable, its address is taken, or the signer does not start.
pub fn serve_bank_with(config: &BankConfig, start: Start, clock: Clock) -> Result<Service, OpenBankError> {
    serve(config, assemble(config, AnySigner::start(config, start)?, Actor::service(), clock)?)
}

fn serve(config: &BankConfig, central: Arc<CentralBank>) -> Result<Service, OpenBankError> {
    let sweep = Background {
        name: "sweep",
        pause: Duration::from_secs(config.sweep_seconds.max(1)),
        run: {
            let central = Arc::clone(&central);
            Box::new(move || sweep(&central))
        },
    };
    let watch = Background {
        name: "conservation",
        pause: WATCH_PAUSE,
        run: {
            let central = Arc::clone(&central);
            Box::new(move || watch(&central))
        },
    };
    let epochs = Background {
        name: "epochs",
        pause: EPOCHS_PAUSE,
        run: {
            let central = Arc::clone(&central);
            Box::new(move || epochs(&central))
        },
    };
    let audit = daily_head({
        let central = Arc::clone(&central);
        move || close_day(&central).map(|()| None).map_err(|error| error.to_string())
    });
    let (size, records) = audit_size({
        let central = Arc::clone(&central);
        move || {
            let newest = central.bank.storage().read(|view| view.audit_newest());
            newest.map(|newest| newest.map_or(0, |record| record.sequence)).map_err(|error| error.to_string())
        }
    });
    let serving = Serving::new(router(Arc::clone(&central))).with(config.serving.clone());
    let serving = serving.knowing(callers(Arc::clone(&central)));
    let serving = parts(&central).into_iter().fold(serving, Serving::needing);
    let serving = [sweep, watch, epochs, audit, size].into_iter().fold(serving, Serving::doing);
    Ok(Service::start(serving.showing(records).showing(move || readings(&central)), config.listen)?)
}

/// What the bank cannot work without.
fn parts(central: &Arc<CentralBank>) -> [Probe; 2] {
    let (one, other) = (Arc::clone(central), Arc::clone(central));
    let database = move || one.bank.storage().read(|view| view.settings()).map(drop).map_err(|error| error.to_string());
    // No class has this name, so that the signer itself is asked.
    let signer =
        move || other.bank.signer().issuing_key(&ClassId([0; 16])).map(drop).map_err(|error| error.to_string());
    [Probe::new("database", database), Probe::new("signer", signer)]
}

fn open_store(config: &BankConfig) -> Result<BankStore<AnyDatabase>, OpenBankError> {
    Ok(BankStore(AnyDatabase::open(&config.database, &[SCHEMA])?))
}

/// One look at conservation, and what the log should know of it.
fn watch(central: &CentralBank) -> Run {
    match central.bank.watch_conservation(central.clock.now()) {
        Ok(Watched { alarm: Some(alarm), .. }) => {
            Err(format!("ALARM of {}, no batch is opened: {}", alarm.at, alarm.findings))
        }
        Ok(Watched { conservation, alarm: None, .. }) => {
            let findings: Vec<_> = conservation.findings.iter().map(ToString::to_string).collect();
            Ok((!findings.is_empty()).then(|| format!("does not hold, as acknowledged: {}", findings.join("; "))))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// One look at epochs, and what the log should know of it.
fn epochs(central: &CentralBank) -> Run {
    let kept = central.keep_epochs().map_err(|error| error.to_string())?;
    let begun = kept.begun.iter().map(|epoch| format!("epoch {epoch} has begun"));
    let destroyed = kept.destroyed.iter().map(|epoch| format!("the issuing keys of epoch {epoch} are destroyed"));
    let warning = kept.warning.map(|warning| format!("WARNING: {warning}"));
    let said: Vec<_> = begun.chain(destroyed).chain(warning).collect();
    Ok((!said.is_empty()).then(|| said.join("; ")))
}

/// The totals of the day, under a head.
fn close_day(central: &CentralBank) -> Result<(), HeadError> {
    let now = central.clock.now();
    central.bank.record_totals(now)?;
    central.bank.sign_audit_head(now).map(drop)
}

/// One run, and what the log should know of it.
fn sweep(central: &CentralBank) -> Run {
    let swept = central.bank.sweep(central.clock.now()).map_err(|error| error.to_string())?;
    central.bank.storage().0.checkpoint().map_err(|error| error.to_string())?;
    let counts = [
        (swept.voided, "batches void"),
        (swept.erased, "batches erased"),
        (swept.transfers, "transfers settled"),
        (swept.leftovers.minor(), "minor units of leftovers paid"),
        (swept.restitutions.minor(), "minor units paid to owners of lost devices"),
        (swept.closed, "classes closed"),
        (swept.expired.minor(), "minor units expired"),
    ];
    let said = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let said: Vec<_> = said.collect();
    Ok((!said.is_empty()).then(|| said.join("; ")))
}
