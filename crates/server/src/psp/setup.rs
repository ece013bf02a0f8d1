//! Setting a PSP up, opening it, serving it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use specie_aml::Settings;
use specie_aml::alert::Alert;
use specie_api::bank::Client;
use specie_api::client::{BadAddress, Http, Timeouts};
use specie_api::media::Media;
use specie_audit::{Actor, Kind};
use specie_core::Timestamp;
use specie_core::signature::{PublicKey, SigningKey};
use specie_psp::aml::monitor::AdoptionError;
use specie_psp::identification::PepperError;
use specie_psp::store::{Store, StoreError};
use specie_psp::{Identity, Psp};
use specie_store::place::OpenError;
use specie_store::psp::{PspStore, SCHEMA};
use specie_store::{AnyDatabase, Place};
use thiserror::Error;
use zeroize::Zeroizing;

use super::bank::HttpBank;
use super::config::{BankAddress, ConfigError, MakerConfig, PeriodsConfig, PspConfig};
use super::identification::{IdentificationConfig, IdentificationConfigError};
use super::routes::router;
use super::tiers;
use crate::clock::{Clock, NoEntropy, random_seed};
use crate::key_file::{KeyFileError, create_key, create_secret, read_key, read_secret};
use crate::metrics::{audit_size, database};
use crate::readiness::Probe;
use crate::service::{Background, Run, Service, Serving, StartError, daily_head};
use crate::serving::ServingConfig;

/// A PSP with its parts: for its operator and for its service.
pub struct Provider {
    /// The PSP.
    pub psp: Psp<PspStore<AnyDatabase>, HttpBank>,
    /// The thresholds of its rules against money laundering, if it has rules.
    pub aml: Option<Settings>,
    /// Its time.
    pub clock: Clock,
}

impl Provider {
    /// Runs the rules, if there are any, over what is new in the books; gives the alerts that they raised.
    ///
    /// # Errors
    /// When the store fails.
    pub fn monitor(&self) -> Result<Vec<Alert>, StoreError> {
        self.aml.as_ref().map_or(Ok(Vec::new()), |settings| self.psp.monitor(settings, self.clock.now()))
    }
}

/// What a new PSP is told.
#[derive(Clone, Debug)]
pub struct NewPsp {
    /// Its name, which the bank must register with the key that comes out.
    pub name: String,
    /// ISO 4217 code of its accounts.
    pub currency: String,
    /// Where it will listen.
    pub listen: SocketAddr,
    /// Its database; a relative path is one in its directory.
    pub database: Place,
    /// The bank.
    pub bank: BankAddress,
    /// The makers of elements that it trusts.
    pub makers: Vec<MakerConfig>,
    /// The file of the pepper that it takes over; `None` for one of its own.
    pub pepper: Option<PathBuf>,
}

/// Why a PSP cannot be set up or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenPspError {
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
    Config(#[from] ConfigError),
    /// No tier is in force yet.
    #[error("no version of the tiers is in force yet: the first one comes into force at {0}")]
    NoTiersYet(Timestamp),
    /// Customers cannot be identified.
    #[error(transparent)]
    Identification(#[from] IdentificationConfigError),
    /// The pepper is another one than before.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The rules against money laundering were changed without a new version.
    #[error(transparent)]
    Rules(#[from] AdoptionError),
    /// The key is unusable.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The database is unusable.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The bank's address is none.
    #[error("the bank's address: {0}")]
    Bank(#[from] BadAddress),
    /// The audit log cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// Makes a PSP in `directory`: `psp.toml`, `tiers/1.toml` with the example tiers, `aml.toml`, `psp.key`, `pepper.key`, `psp.db`. Gives the key that the bank must register.
///
/// # Errors
/// When there is one already, or the files cannot be written.
pub fn init_psp(directory: &Path, new: NewPsp) -> Result<PublicKey, OpenPspError> {
    let config_path = directory.join("psp.toml");
    let config = PspConfig {
        name: new.name,
        currency: new.currency,
        listen: new.listen,
        database: new.database,
        key_file: "psp.key".into(),
        tiers: "tiers".into(),
        aml: Some("aml.toml".into()),
        reconcile_seconds: 10,
        bank: new.bank,
        periods: PeriodsConfig::default(),
        serving: ServingConfig::default(),
        identification: Some(IdentificationConfig::new("pepper.key")),
        makers: new.makers,
    };
    config.psp_name()?;
    config.psp_currency()?;
    config.check_makers()?;
    // Each of them: keys and rules must not be written over where a configuration was lost.
    let files = ["psp.toml", "psp.key", "pepper.key", "psp.db", "aml.toml", "tiers/1.toml"];
    if let Some(file) = files.iter().map(|file| directory.join(file)).find(|file| file.exists()) {
        return Err(OpenPspError::Exists(file));
    }
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenPspError::Unwritable { path, source }
    };
    let tiers = directory.join(&config.tiers);
    std::fs::create_dir_all(&tiers).map_err(unwritable(&tiers))?;
    let first = tiers.join("1.toml");
    std::fs::write(&first, tiers::EXAMPLE).map_err(unwritable(&first))?;
    let aml = directory.join("aml.toml");
    std::fs::write(&aml, Settings::EXAMPLE).map_err(unwritable(&aml))?;
    let key = create_key(&directory.join(&config.key_file), random_seed()?)?;
    if let Some(identification) = &config.identification {
        let pepper = match &new.pepper {
            Some(file) => read_secret(file)?,
            None => Zeroizing::new(random_seed()?),
        };
        create_secret(&directory.join(&identification.pepper_file), &pepper)?;
    }
    drop(AnyDatabase::open(&config.database.clone().within(directory), &[SCHEMA])?);
    // Last of all: a directory with a configuration is complete.
    std::fs::write(&config_path, config.to_toml()).map_err(unwritable(&config_path))?;
    Ok(key.public())
}

/// Opens a PSP: its operator may work on it while it is served by another process.
///
/// # Errors
/// When its files are unusable.
pub fn open_psp(config: &PspConfig, clock: Clock) -> Result<Arc<Provider>, OpenPspError> {
    open_psp_for(config, Actor::service(), clock)
}

/// The same for the operator `by`, whom the audit log names for what is done here. Whoever first works under changed rules
/// is named with them.
///
/// # Errors
/// When its files are unusable.
pub fn open_psp_for(config: &PspConfig, by: Actor, clock: Clock) -> Result<Arc<Provider>, OpenPspError> {
    let key: SigningKey = read_key(&config.key_file)?;
    let name = config.psp_name()?;
    let client = Client::new(Http::new(&config.bank.address, Timeouts::default())?.speaking(Media::Cbor));
    let bank = HttpBank::new(client, name, key.clone(), clock.clone());
    let store = PspStore::new(AnyDatabase::open(&config.database, &[SCHEMA])?);
    let root_key = PublicKey(config.bank.root_key.0);
    let identity = Identity { name, key, currency: config.psp_currency()?, root_key };
    let policy = config.policy()?;
    if policy.tiers(clock.now()).is_none() {
        return Err(OpenPspError::NoTiersYet(policy.versions()[0].in_force_from));
    }
    let aml = config.aml_settings()?;
    let mut psp = Psp::new(identity, policy, store, bank).acting_for(by);
    if let Some(identification) = &config.identification {
        psp = psp.identifying_with(identification.load()?);
        psp.adopt_pepper()?;
    }
    audit_rules(&psp, config, aml.as_ref(), clock.now())?;
    aml.as_ref().map_or(Ok(()), |rules| psp.adopt_rules(rules, clock.now()))?;
    Ok(Arc::new(Provider { psp, aml, clock }))
}

/// Writes into the audit log what is not as it says: the versions of the tiers, then the rest of the rules.
fn audit_rules(
    psp: &Psp<PspStore<AnyDatabase>, HttpBank>,
    config: &PspConfig,
    aml: Option<&Settings>,
    now: Timestamp,
) -> Result<(), OpenPspError> {
    for (version, text) in tiers::read(&config.tiers)? {
        let details = [("in_force_from", version.in_force_from.seconds().to_string()), ("tiers", text)];
        psp.audit_rule(now, Kind::TiersPublished, &version.version.to_string(), &details)?;
    }
    psp.audit_identification(now)?;
    let (name, rules) = (psp.identity().name, config.rules(psp.policy(), aml));
    Ok(psp.audit_rule(now, Kind::PolicyInForce, name.as_str(), &[("policy", rules)])?)
}

/// Serves a PSP to devices, and keeps it in step with the bank beside.
///
/// # Errors
/// When its files are unusable or its address is taken.
pub fn serve_psp(config: &PspConfig, clock: Clock) -> Result<Service, OpenPspError> {
    let provider = open_psp(config, clock)?;
    let pause = Duration::from_secs(config.reconcile_seconds.max(1));
    let monitor = Background {
        name: "alerts",
        pause,
        run: {
            let provider = Arc::clone(&provider);
            Box::new(move || monitor(&provider))
        },
    };
    let reconcile = Background {
        name: "reconcile",
        pause,
        run: {
            let provider = Arc::clone(&provider);
            Box::new(move || reconcile(&provider))
        },
    };
    let audit = daily_head({
        let provider = Arc::clone(&provider);
        move || provider.psp.sign_audit_head(provider.clock.now()).map(|_| None).map_err(|error| error.to_string())
    });
    let (size, records) = audit_size({
        let provider = Arc::clone(&provider);
        move || {
            let newest = provider.psp.store().read(|records| records.audit_newest());
            newest.map(|newest| newest.map_or(0, |record| record.sequence)).map_err(|error| error.to_string())
        }
    });
    let reachable = Probe::new("database", {
        let provider = Arc::clone(&provider);
        move || provider.psp.store().read(|records| records.audit_newest()).map(drop).map_err(|error| error.to_string())
    });
    let serving = Serving::new(router(Arc::clone(&provider))).with(config.serving.clone()).needing(reachable);
    let serving = serving.showing(records).showing(move || database(provider.psp.store().database().cost()).into());
    let serving = [reconcile, monitor, audit, size].into_iter().fold(serving, Serving::doing);
    Ok(Service::start(serving, config.listen)?)
}

/// One run of the rules, and what the log should know of it: no names.
fn monitor(provider: &Provider) -> Run {
    match provider.monitor() {
        Ok(alerts) => Ok((!alerts.is_empty()).then(|| format!("{} new: see `specie psp alerts`", alerts.len()))),
        Err(error) => Err(error.to_string()),
    }
}

/// One run, and what the log should know of it.
fn reconcile(provider: &Provider) -> Run {
    match provider.psp.reconcile(provider.clock.now()) {
        Ok(done) => {
            let finished = [
                (done.withdrawals, "withdrawals finished"),
                (done.transfers, "payments finished"),
                (done.devices, "devices registered"),
            ];
            let said = finished.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
            let said: Vec<_> = said.chain(done.findings).collect();
            Ok((!said.is_empty()).then(|| said.join("; ")))
        }
        Err(error) => Err(error.to_string()),
    }
}
