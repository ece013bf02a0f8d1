//! A bank and a PSP that are there for one load: processes on loopback, and customers whose tier lets them do much.

use specie_core::signature::PublicKey;
use specie_device::device::NewDevice;
use specie_device::folder::Keep;
use specie_device::maker::Maker;

use super::measure::{Call, Measured, Watch};
use super::wallets::{self, Pair};
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::stage::{Mishap, Server, Stage, text};

/// What the PSP keeps in reserve at the bank, and what each customer has.
const RESERVE: &str = "100000000.00";
const BALANCE: &str = "50000.00";

/// Databases on servers, where they are not to be files.
pub(super) struct Databases<'d> {
    pub(super) bank: Option<&'d str>,
    pub(super) psp: Option<&'d str>,
}

/// Bank and PSP while they run.
pub(super) struct Town {
    stage: Stage,
    root: PublicKey,
    maker: Maker,
    bank: Server,
    psp: Server,
}

impl Town {
    /// Makes and starts both.
    pub(super) fn open(stage: Stage, databases: &Databases<'_>) -> Result<Self, Failure> {
        let mut init = vec!["bank", "init", "bank", "--issuer", "central-bank", "--currency", "XTS"];
        init.extend(databases.bank.iter().flat_map(|url| ["--database", url]));
        let root = text(&stage.run(&init)?, "root_key")?;
        let bank = stage.serve(&["bank", "serve", "bank", "--listen", "127.0.0.1:0"])?;
        stage.run(&["maker", "init", "maker.toml", "--name", "chipmaker"])?;
        let mut init = vec!["psp", "init", "psp", "--name", "psp-one", "--bank", &bank.address, "--root", &root];
        init.extend(databases.psp.iter().flat_map(|url| ["--database", url]));
        let key = text(&stage.run(&init)?, "public_key")?;
        stage.run(&["psp", "trust", "psp", "--maker", "maker.toml"])?;
        stage.run(&["bank", "register", "bank", "psp-one", "--key", &key])?;
        stage.run(&["bank", "fund", "bank", "psp-one", RESERVE])?;
        stage.run(&["psp", "reserve", "psp", RESERVE, "--reference", "first"])?;
        let psp = stage.serve(&["psp", "serve", "psp", "--listen", "127.0.0.1:0"])?;
        let root = parse_key(&root).map_err(Mishap)?;
        let maker = Maker::open(&stage.path("maker.toml")).map_err(crate::maker::failure)?;
        Ok(Self { stage, root, maker, bank, psp })
    }

    /// A new customer with a balance, and its device, enrolled.
    pub(super) fn device(&self, name: &str) -> Result<specie_device::Device, Failure> {
        let add = [
            "psp",
            "customer",
            "add",
            "psp",
            name,
            "--tier",
            "full",
            "--document",
            "passport, file 1",
            "--by",
            "counter",
        ];
        self.stage.run(&add)?;
        self.stage.run(&["psp", "customer", "credit", "psp", name, BALANCE])?;
        let code = text(&self.stage.run(&["psp", "customer", "claim", "psp", name])?, "code")?;
        let folder = self.stage.path(name);
        let keep = Keep { value: 0, blanks: 0, blank_cap: None };
        let psp = self.psp.address.clone();
        let new = NewDevice { name: name.to_owned(), psp, root: self.root, element: None, keep };
        specie_device::Device::create(&folder, &new, &self.maker)?;
        let mut device = specie_device::Device::open(&folder)?;
        device.enrol(name, &code)?;
        Ok(device)
    }

    /// Has all pairs do `work` at once, and measures them and both servers meanwhile.
    pub(super) fn measure(
        &self,
        name: &'static str,
        unit: &'static str,
        pairs: &mut [Pair],
        work: impl Fn(&mut Pair) -> Result<Vec<Call>, Failure> + Sync,
    ) -> Result<Measured, Failure> {
        let watch = Watch::begin(self.bank.process(), self.psp.process());
        let calls = wallets::at_once(pairs, work)?.into_iter().flatten().collect();
        Ok(watch.end(name, unit, calls))
    }

    /// Whether the books of both hold.
    pub(super) fn books_hold(&self) -> Result<bool, Failure> {
        let bank = self.stage.run(&["bank", "status", "bank"])?;
        let psp = self.stage.run(&["psp", "status", "psp"])?;
        Ok(bank["conservation"]["holds"] == true && psp["holds"] == true)
    }
}
