//! A central bank and a PSP that serve on loopback, and devices with elements in processes of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use specie_core::amount::Amount;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_device::Device;
use specie_device::device::{NewDevice, Terms};
use specie_device::element::ElementAddress;
use specie_device::folder::Keep;
use specie_device::maker::Maker;
use specie_psp::customer::{Customer, Merchant};
use specie_server::Actor;
use specie_server::Place;
use specie_server::bank::{BankConfig, CentralBank, EpochTerms, NewBank, init_bank, open_bank, serve_bank};
use specie_server::clock::{Clock, random_seed};
use specie_server::key_file::read_key;
use specie_server::psp::{
    BankAddress, EvidenceKind, EvidenceRecord, MakerConfig, NewPsp, Provider, PspConfig, init_psp, open_psp, serve_psp,
};
use specie_server::service::Service;

use specie_api::hexadecimal::HexArray;

/// Everyone in one folder.
pub(crate) struct Town {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) central: Arc<CentralBank>,
    pub(crate) provider: Arc<Provider>,
    bank_config: BankConfig,
    psp_config: PspConfig,
    services: Option<(Service, Service)>,
    root: PublicKey,
    maker: Maker,
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub(crate) fn currency() -> Currency {
    Currency::new("XTS").unwrap()
}

pub(crate) fn terms(minor: u64) -> Terms {
    Terms { currency: currency(), amount: amount(minor), valid_seconds: 600, notes_max: 4, memo: None }
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::with(amount(10_000), |_, _| ())
    }

    /// As [`Town::new`], with notes of at most `largest_face`, and a PSP that is changed before it opens: its folder, and its
    /// configuration.
    pub(crate) fn with(largest_face: Amount, change: impl FnOnce(&Path, &mut PspConfig)) -> Self {
        let largest_cap = largest_face.max(EpochTerms::default().largest_cap);
        let folder = memory_folder();
        let clock = Clock::system();
        let bank_folder = folder.path().join("bank");
        let new = NewBank {
            issuer: name("central-bank"),
            currency: currency(),
            listen: free_address(),
            database: Place::File("bank.db".into()),
            epoch: EpochTerms { largest_face, largest_cap, ..EpochTerms::default() },
        };
        let root = init_bank(&bank_folder, &new, Actor::service(), clock.clone()).unwrap();
        let bank_config = BankConfig::read(&bank_folder.join("bank.toml")).unwrap();
        let maker = Maker::init(&folder.path().join("maker.toml"), "chipmaker", "soft-1").unwrap();
        let psp_folder = folder.path().join("psp");
        let key = init_psp(
            &psp_folder,
            NewPsp {
                name: "psp-one".into(),
                currency: "XTS".into(),
                listen: free_address(),
                database: Place::File("psp.db".into()),
                bank: BankAddress { address: format!("http://{}", new.listen), root_key: HexArray(root.0) },
                makers: vec![MakerConfig {
                    name: "chipmaker".into(),
                    key: HexArray(maker.public_key().0),
                    withdrawn_series: Vec::new(),
                    firmwares: Vec::new(),
                }],
                pepper: None,
            },
        )
        .unwrap();
        let mut psp_config = PspConfig::read(&psp_folder.join("psp.toml")).unwrap();
        change(&psp_folder, &mut psp_config);
        let central = open_bank(&bank_config, clock.clone()).unwrap();
        let provider = open_psp(&psp_config, clock).unwrap();
        let root_key = read_key(&bank_folder.join("root.key")).unwrap();
        central.register_psp(&root_key, name("psp-one"), key).unwrap();
        central.fund_psp(&name("psp-one"), amount(10_000_000), b"reserve").unwrap();
        let now = provider.clock.now();
        provider.psp.fund_reserve(amount(10_000_000), "reserve", now).unwrap();
        let mut town = Self { folder, central, provider, bank_config, psp_config, services: None, root, maker };
        town.open();
        town
    }

    /// Starts both servers where they were.
    pub(crate) fn open(&mut self) {
        let bank = serve_bank(&self.bank_config, Clock::system()).unwrap();
        let psp = serve_psp(&self.psp_config, Clock::system()).unwrap();
        self.services = Some((bank, psp));
        self.provider.psp.reconcile(self.provider.clock.now()).unwrap();
    }

    /// Pulls the plug of both servers.
    pub(crate) fn close(&mut self) {
        self.services = None;
    }

    pub(crate) fn psp_address(&self) -> std::net::SocketAddr {
        self.psp_config.listen
    }

    pub(crate) fn path(&self, device: &str) -> PathBuf {
        self.folder.path().join(device)
    }

    /// A customer with money in the account, and an enrolled device of the same name.
    pub(crate) fn enrol(&self, who: &str, balance: u64, tier: &str) -> Device {
        self.enrol_by(who, balance, tier, &format!("http://{}", self.psp_address()))
    }

    /// As [`Town::enrol`], with the PSP at another address.
    pub(crate) fn enrol_by(&self, who: &str, balance: u64, tier: &str, psp: &str) -> Device {
        let customer = self.customer(who, balance, tier);
        let mut device = self.device(who, psp);
        device.enrol(who, &self.claim_code(&customer)).unwrap();
        device
    }

    pub(crate) fn claim_code(&self, customer: &Name) -> String {
        let now = self.provider.clock.now();
        self.provider.psp.issue_claim_code(customer, &random_seed().unwrap(), now).unwrap().to_string()
    }

    pub(crate) fn customer(&self, who: &str, balance: u64, tier: &str) -> Name {
        let merchant = (tier == "merchant").then(|| Merchant { payee: name("Corner Shop"), category: 5411 });
        let customer = Customer { name: name(who), account: name(who), tier: name(tier), merchant };
        let now = self.provider.clock.now();
        let (kind, reference) = (EvidenceKind::Document, "file 1".into());
        let seen = EvidenceRecord { kind, reference, valid_until: None, by: name("counter"), at: now };
        self.provider.psp.add_customer(&customer, &[seen], now).unwrap();
        if balance > 0 {
            self.provider.psp.deposit(&customer.name, amount(balance), who, now).unwrap();
        }
        customer.name
    }

    /// A device that is not enrolled.
    pub(crate) fn device(&self, who: &str, psp: &str) -> Device {
        self.device_with(who, psp, ElementAddress::Program(std::env::current_exe().unwrap()))
    }

    /// As [`Town::device`], with this element.
    pub(crate) fn device_with(&self, who: &str, psp: &str, element: ElementAddress) -> Device {
        let new = NewDevice {
            name: who.to_owned(),
            psp: psp.to_owned(),
            root: self.root,
            element: Some(element),
            keep: Keep { blanks: 8, ..Keep::default() },
        };
        Device::create(&self.path(who), &new, &self.maker).unwrap();
        Device::open(&self.path(who)).unwrap()
    }

    /// Personalises the element of a microcontroller.
    pub(crate) fn personalise(&self, element: &mut impl specie_element::client::Link<Error: std::fmt::Debug>) {
        assert!(self.maker.personalise(element, &self.root).is_ok());
    }

    /// Root key of the bank.
    pub(crate) fn root(&self) -> PublicKey {
        self.root
    }

    /// What a device's account holds.
    pub(crate) fn balance(&self, device: &Device) -> u64 {
        let statement = self.provider.psp.statement(&device.wallet().device(), self.provider.clock.now()).unwrap();
        statement.balance.minor()
    }

    /// The bank's books hold, class by class, and so do the PSP's.
    pub(crate) fn check_books(&self) {
        use specie_bank::storage::Storage;

        let conservation = self.central.bank.storage().read(|view| self.central.bank.conservation(view)).unwrap();
        assert!(conservation.holds(), "{conservation:?}");
        let books = self.provider.psp.books().unwrap();
        assert!(books.findings.is_empty(), "{:?}", books.findings);
    }
}

/// What a device holds, in minor units.
pub(crate) fn holding(device: &Device) -> u64 {
    device.wallet().balance(currency(), device.now()).total().minor()
}

/// A folder in memory, where there is one. What a killed process wrote is there all the same: only a power cut tells memory
/// from disk, and that is for the tests of the flash.
fn memory_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn free_address() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
