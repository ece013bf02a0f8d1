//! A bank, a PSP, customers and devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use specie_api::bank::Client as BankClient;
use specie_api::client::{Http, Timeouts};
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::idempotency::Key;
use specie_api::psp::{Client, EnrolmentRequest};
use specie_core::class::{Class, Kind};
use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, Manifest};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_psp::customer::{Customer, Merchant};
use specie_server::Actor;
use specie_server::bank::{BankConfig, EpochTerms, NewBank, init_bank, open_bank, serve_bank};
use specie_server::clock::Clock;
use specie_server::key_file::read_key;
use specie_server::psp::{BankAddress, MakerConfig, NewPsp, Provider, PspConfig, init_psp, open_psp, serve_psp};
use specie_server::service::Service;
use specie_server::serving::ServingConfig;

use crate::device::TestDevice;

/// What each customer's account holds at first.
pub const DEPOSIT: u64 = 10_000;

/// What the reserve of each PSP holds at first.
pub const RESERVE: u64 = 30_000;

pub struct World {
    directory: tempfile::TempDir,
    bank: Option<Service>,
    psps: Vec<(&'static str, Option<Service>)>,
    pub maker: SigningKey,
    time: Arc<AtomicU64>,
    keys: AtomicU64,
    /// How both are served from their next start on.
    pub serving: ServingConfig,
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

impl World {
    /// A bank, the PSP `north` with the customers alice and the merchant bob, the PSP `south` with carol.
    pub fn new() -> Self {
        let mut world = Self {
            directory: tempfile::tempdir().unwrap(),
            bank: None,
            psps: Vec::new(),
            maker: SigningKey::from_seed(&[40; 32]),
            time: Arc::new(AtomicU64::new(1_700_000_000)),
            keys: AtomicU64::new(0),
            serving: ServingConfig {
                metrics_address: Some("127.0.0.1:0".parse().unwrap()),
                ..ServingConfig::default()
            },
        };
        let new = NewBank {
            issuer: name("central-bank"),
            currency: Currency::new("XTS").unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: specie_testbed::place(&world.path("bank").join("bank.db")).unwrap(),
            epoch: EpochTerms { largest_face: amount(100), largest_cap: amount(5_000), ..EpochTerms::default() },
        };
        let root = init_bank(&world.path("bank"), &new, Actor::service(), world.clock()).unwrap();
        let bank = serve_bank(&world.bank_config(), world.clock()).unwrap();
        // Restarted, it listens where it did.
        let mut config = BankConfig::read(&world.path("bank").join("bank.toml")).unwrap();
        config.listen = bank.address();
        std::fs::write(world.path("bank").join("bank.toml"), config.to_toml()).unwrap();
        world.bank = Some(bank);
        for psp in ["north", "south"] {
            world.found(psp, &root);
        }
        world.take_on("north", "alice", None);
        world.take_on("north", "bob", Some(Merchant { payee: name("Bob's Bakery"), category: 5462 }));
        world.take_on("south", "carol", None);
        world
    }

    fn found(&mut self, psp: &'static str, root: &PublicKey) {
        let address = format!("http://{}", self.bank_config().listen);
        let new = NewPsp {
            name: psp.into(),
            currency: "XTS".into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: specie_testbed::place(&self.path(psp).join("psp.db")).unwrap(),
            bank: BankAddress { address, root_key: HexArray(root.0) },
            makers: vec![MakerConfig {
                name: "maker".into(),
                key: HexArray(self.maker.public().0),
                withdrawn_series: vec!["broken".into()],
                firmwares: Vec::new(),
            }],
            pepper: None,
        };
        let key = init_psp(&self.path(psp), new).unwrap();
        let central = open_bank(&self.bank_config(), self.clock()).unwrap();
        let root = read_key(&self.path("bank").join("root.key")).unwrap();
        central.register_psp(&root, name(psp), key).unwrap();
        central.fund_psp(&name(psp), amount(RESERVE), b"first funding").unwrap();
        // The test reconciles when it wants to, not the clock.
        let path = self.path(psp).join("psp.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("reconcile_seconds = 10", "reconcile_seconds = 86400")).unwrap();
        let provider = self.operator(psp);
        provider.psp.fund_reserve(amount(RESERVE), "first funding", self.now()).unwrap();
        provider.psp.reconcile(self.now()).unwrap();
        self.psps.push((psp, None));
        self.serve(psp);
    }

    fn take_on(&self, psp: &str, customer: &str, merchant: Option<Merchant>) {
        let provider = self.operator(psp);
        let account = name(&format!("{customer}-account"));
        let record = Customer { name: name(customer), account, tier: name("prepaid"), merchant };
        provider.psp.add_customer(&record, &[], self.now()).unwrap();
        provider.psp.deposit(&name(customer), amount(DEPOSIT), customer, self.now()).unwrap();
    }

    /// The folder of a service.
    pub fn path(&self, service: &str) -> PathBuf {
        self.directory.path().join(service)
    }

    pub fn bank_config(&self) -> BankConfig {
        let mut config = BankConfig::read(&self.path("bank").join("bank.toml")).unwrap();
        config.serving = self.serving.clone();
        config
    }

    pub fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::new(move || Timestamp::new(time.load(SeqCst)).unwrap())
    }

    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Time goes by.
    pub fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds, SeqCst);
    }

    /// The PSP as its operator has it, beside the service.
    pub fn operator(&self, psp: &str) -> Arc<Provider> {
        open_psp(&PspConfig::read(&self.path(psp).join("psp.toml")).unwrap(), self.clock()).unwrap()
    }

    /// Ends a PSP as a crash does, and serves it again.
    pub fn serve(&mut self, psp: &str) {
        let mut config = PspConfig::read(&self.path(psp).join("psp.toml")).unwrap();
        config.serving = self.serving.clone();
        let clock = self.clock();
        let place = self.psps.iter_mut().find(|(name, _)| *name == psp).unwrap();
        place.1 = None;
        place.1 = Some(serve_psp(&config, clock).unwrap());
    }

    /// Ends a PSP in order.
    pub fn stop(&mut self, psp: &str) {
        let place = self.psps.iter_mut().find(|(name, _)| *name == psp).unwrap();
        place.1.take().unwrap().stop();
    }

    /// Ends the bank as a crash does.
    pub fn kill_bank(&mut self) {
        self.bank = None;
    }

    /// Serves the bank again, where it was.
    pub fn restart_bank(&mut self) {
        // What was cut off may hold the port for a moment.
        for _ in 0..200 {
            if let Ok(bank) = serve_bank(&self.bank_config(), self.clock()) {
                self.bank = Some(bank);
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the port stays taken");
    }

    pub fn bank_address(&self) -> std::net::SocketAddr {
        self.bank_config().listen
    }

    pub fn bank_client(&self) -> BankClient {
        BankClient::new(Http::new(&format!("http://{}", self.bank_address()), Timeouts::default()).unwrap())
    }

    pub fn address(&self, psp: &str) -> std::net::SocketAddr {
        self.psps.iter().find(|(name, _)| *name == psp).unwrap().1.as_ref().unwrap().address()
    }

    /// Where the bank shows its metrics.
    pub fn bank_metrics(&self) -> std::net::SocketAddr {
        self.bank.as_ref().unwrap().metrics_address().unwrap()
    }

    /// Where a PSP shows its metrics.
    pub fn metrics(&self, psp: &str) -> std::net::SocketAddr {
        let (_, service) = self.psps.iter().find(|(name, _)| *name == psp).unwrap();
        service.as_ref().unwrap().metrics_address().unwrap()
    }

    pub fn client(&self, psp: &str) -> Client {
        Client::new(Http::new(&format!("http://{}", self.address(psp)), Timeouts::default()).unwrap())
    }

    /// An idempotency key that was never used.
    pub fn key(&self) -> Key {
        Key::new(&format!("test-key-{:08}", self.keys.fetch_add(1, SeqCst))).unwrap()
    }

    /// A new device of a customer, enrolled.
    pub fn enrolled(&self, psp: &'static str, customer: &str, seed: u8) -> TestDevice {
        let device = TestDevice::new(seed, psp, customer, self.clock());
        let request = self.enrolment(&device, "maker", "series");
        self.client(psp).enrol(&self.key(), &request).unwrap();
        device
    }

    /// What the device sends to be enrolled, with a fresh claim code and a fresh nonce.
    pub fn enrolment(&self, device: &TestDevice, maker: &str, series: &str) -> EnrolmentRequest {
        let nonce = self.client(device.psp).enrolment_nonce(&self.key()).unwrap().nonce.0;
        let seed = specie_server::clock::random_seed().unwrap();
        let customer = name(&device.customer);
        let code = self.operator(device.psp).psp.issue_claim_code(&customer, &seed, self.now()).unwrap();
        EnrolmentRequest {
            customer: device.customer.clone(),
            claim_code: code.to_string(),
            enrolment: Hex(device.enrolment(&self.maker, maker, series, &nonce)),
        }
    }

    /// The class of the newest manifest that fits.
    pub fn class(&self, kind: Kind, minor: u64) -> Class {
        let manifest = self.client("north").manifests(0).unwrap().manifest.unwrap();
        let manifest = Manifest::decode(&manifest.0).unwrap();
        let classes = manifest.entries().filter_map(|(entry, _)| match entry {
            Entry::Class(class) => Some(class),
            _ => None,
        });
        let mut fitting = classes
            .filter(|class| class.info().kind == kind && class.info().amount.minor() == minor)
            .collect::<Vec<_>>();
        fitting.pop().unwrap()
    }

    pub fn balance(&self, device: &TestDevice) -> u64 {
        self.client(device.psp).account(&mut device.signer()).unwrap().balance
    }

    /// The books of everyone hold, at any moment.
    pub fn check_books(&self) {
        for (psp, _) in &self.psps {
            let books = self.operator(psp).psp.books().unwrap();
            assert!(books.findings.is_empty(), "{psp}: {:?}", books.findings);
        }
        let conservation = self.bank_client().conservation().unwrap();
        assert!(conservation.holds, "{:?}", conservation.findings);
    }

    /// Nothing is under way any more, and everyone agrees.
    pub fn check_at_rest(&self) {
        self.check_books();
        for (psp, _) in &self.psps {
            let provider = self.operator(psp);
            let books = provider.psp.books().unwrap();
            assert!(
                books.withdrawals_in_progress.is_zero() && books.transfers_in_progress.is_zero(),
                "{psp}: {books:?}"
            );
            assert_eq!(books.reserve, provider.psp.reserve_at_bank().unwrap(), "{psp}: {books:?}");
        }
    }
}
