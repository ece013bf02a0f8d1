//! A device: its folder, its wallet, its element, its PSP, and what its owner can do with them.
//!
//! Every operation stores what it is going to say before it says it. A process that is killed anywhere is started again
//! and goes on: [`Device::resume`] finishes what needs nothing but the element, [`Device::synchronise`] the rest.

mod enrol;
mod errand;
mod loss;
mod mandate;
mod online;
mod over_tcp;
mod overview;
mod pay;
mod receive;
mod synchronise;
mod totals;
mod transfer;
mod withdraw;

use std::path::Path;

use specie_api::client::{Http, Timeouts};
use specie_api::psp;
use specie_core::Timestamp;
use specie_core::encoding::Encode;
use specie_core::signature::PublicKey;
use specie_core::text::Currency;
use specie_element::client::{self, ElementError, Status};
use specie_wallet::element::ElementFault;
use specie_wallet::recovery::Resumed;
use specie_wallet::settings::Settings;
use specie_wallet::{Step, Wallet};

use crate::element::{ChipElement, DeviceElement, ElementAddress, ElementProcess, create_flash};
use crate::failure::Failure;
use crate::folder::{Config, Folder, Keep};
use crate::maker::{Maker, Puk};
use crate::wallet_file::WalletFile;
use crate::{clock, entropy};

pub use enrol::Enrolled;
pub use errand::OnlinePayment;
pub use loss::LossClaims;
pub use over_tcp::Delivered;
pub use overview::{Holdings, Overview};
pub use pay::Paid;
pub use receive::{Asked, Terms};
pub use specie_element::client::MandateUse;
pub use synchronise::{Stage, SyncReport};
pub use withdraw::Withdrawn;

/// Bytes that a PIN may have.
const PIN_LENGTHS: std::ops::RangeInclusive<usize> = 4..=12;

/// What a new device is made of.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its name, for its owner.
    pub name: String,
    /// Address of its PSP.
    pub psp: String,
    /// Root key of the central bank that it obeys.
    pub root: PublicKey,
    /// The element; the running program without one. Relative paths begin at the device's folder.
    pub element: Option<ElementAddress>,
    /// What synchronisations leave in the wallet.
    pub keep: Keep,
}

/// A device in use by this process alone.
pub struct Device {
    folder: Folder,
    config: Config,
    file: WalletFile,
    wallet: Wallet,
    element: DeviceElement,
    psp: psp::Client,
    /// By how much the PSP's clock is ahead of this computer's, in seconds, once the PSP objected to the time of a request.
    clock_offset: i64,
}

/// The result of an operation.
pub type Done<T> = Result<T, Failure>;

impl Device {
    /// Makes a device in a new folder at `path`: a fresh element, personalised by `maker`, and an empty wallet. The PUK is
    /// told once.
    ///
    /// # Errors
    /// Something is there already, or a part cannot be made; nothing is left behind then, but a chip that was personalised
    /// stays so. One that belongs to a device is refused, and stays as it is.
    pub fn create(path: &Path, new: &NewDevice, maker: &Maker) -> Done<Puk> {
        Http::new(&new.psp, Timeouts::default())?;
        Folder::create(path, |folder| {
            let config = Config {
                name: new.name.clone(),
                psp: new.psp.clone(),
                element: new.element.clone(),
                keep: new.keep.clone(),
            };
            folder.write_config(&config)?;
            let mut element = match folder.element(&config)? {
                ElementAddress::Program(program) => {
                    folder.create_element_folder()?;
                    drop(create_flash(&folder.flash_file())?);
                    DeviceElement::Process(ElementProcess::start(&program, &folder.flash_file())?)
                }
                ElementAddress::Chip(address) => DeviceElement::Chip(ChipElement::at(address)),
            };
            // What may fail comes before the chip is personalised, for ever.
            let mut file = WalletFile::create(&folder.wallet_file())?;
            let made = maker.personalise(&mut element, &new.root)?;
            let created = create_wallet(new.root, &mut element);
            created.and_then(|step| Ok(file.commit(step)?)).map_err(|failure| match element {
                DeviceElement::Process(_) => failure,
                DeviceElement::Chip(_) => failure.with_spent_chip(),
            })?;
            Ok(made.puk)
        })
    }

    /// Opens the device in a folder and keeps every other process out of it.
    ///
    /// # Errors
    /// There is none, it is in use, or it is damaged.
    pub fn open(path: &Path) -> Done<Self> {
        let folder = Folder::at(path);
        let config = folder.config()?;
        let file = WalletFile::open(&folder.wallet_file())?;
        let wallet = Wallet::load(file.records()?)?;
        let psp = psp::Client::new(Http::new(&config.psp, Timeouts::default())?);
        let element = match folder.element(&config)? {
            ElementAddress::Program(program) => {
                DeviceElement::Process(ElementProcess::start(&program, &folder.flash_file())?)
            }
            ElementAddress::Chip(address) => {
                DeviceElement::Chip(ChipElement::at(address).with_certificate(wallet.certificate().to_vec()))
            }
        };
        Ok(Self { folder, config, file, wallet, element, psp, clock_offset: 0 })
    }

    /// What `device.toml` says.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it is.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The wallet, to look at.
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// What the element says of itself.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn element_status(&mut self) -> Done<Status> {
        Ok(client::status(&mut self.element)?)
    }

    /// Tells the element the PIN, once after opening; nothing happens where none is set.
    ///
    /// # Errors
    /// It is wrong or blocked.
    pub fn enter_pin(&mut self, pin: &[u8]) -> Done<()> {
        if self.element_status()?.pin_tries_left.is_none() {
            return Ok(());
        }
        check_pin(pin)?;
        client::verify(&mut self.element, pin).map_err(|error| wrong("PIN", error))
    }

    /// Sets a new PIN of 4 to 12 bytes; `old` is empty while none is set.
    ///
    /// # Errors
    /// The old one is wrong or blocked, or the new one does not fit.
    pub fn change_pin(&mut self, old: &[u8], new: &[u8]) -> Done<()> {
        if !old.is_empty() {
            check_pin(old)?;
        }
        check_pin(new)?;
        client::change_pin(&mut self.element, old, new).map_err(|error| wrong("PIN", error))
    }

    /// Sets a new PIN with the PUK.
    ///
    /// # Errors
    /// The PUK is wrong or blocked, or the new PIN does not fit.
    pub fn unblock_pin(&mut self, puk: &[u8; 8], new: &[u8]) -> Done<()> {
        check_pin(new)?;
        client::unblock(&mut self.element, puk, new).map_err(|error| wrong("PUK", error))
    }

    /// Changes the owner's choices.
    ///
    /// # Errors
    /// They cannot be stored.
    pub fn change_settings(&mut self, settings: Settings) -> Done<()> {
        let step = self.wallet.change_settings(settings);
        self.commit(step)
    }

    /// Finishes what was under way and needs nothing but the element; gives what that was. Every operation does it first.
    ///
    /// # Errors
    /// The element cannot be asked, or the wallet not stored.
    pub fn resume(&mut self) -> Done<Vec<Resumed>> {
        let mut resumed = Vec::new();
        while let Some(step) = self.wallet.resume(self.now(), &mut self.element)? {
            resumed.push(self.commit(step)?);
        }
        Ok(resumed)
    }

    /// The time for every rule: the system clock, but never before the latest signed time seen.
    pub fn now(&self) -> Timestamp {
        clock::now().max(self.wallet.time_floor())
    }

    /// The currency to use when none is named: the only one that the bank issues.
    ///
    /// # Errors
    /// It issues none yet, or several.
    pub fn currency(&self) -> Done<Currency> {
        let mut currencies = self.wallet.currencies();
        match (currencies.next(), currencies.next()) {
            (Some(currency), None) => Ok(currency),
            (None, _) => Err(Failure::new("no-manifest", "the device knows no currency yet", "synchronise first")),
            (Some(_), Some(_)) => {
                Err(Failure::new("which-currency", "the bank issues several currencies", "name the currency"))
            }
        }
    }

    fn commit<T>(&mut self, step: Step<T>) -> Done<T> {
        Ok(self.file.commit(step)?)
    }

    fn seed() -> Done<zeroize::Zeroizing<[u8; 32]>> {
        Ok(zeroize::Zeroizing::new(entropy::bytes()?))
    }
}

/// The wallet of an element that was personalised for it. Nothing undoes that, so a line that fails then is tried again.
fn create_wallet(root: PublicKey, element: &mut DeviceElement) -> Done<Step<Wallet>> {
    let mut tries_left = 2;
    loop {
        match Wallet::create(root, element) {
            Err(ElementFault::Unreachable(_)) if tries_left > 0 => tries_left -= 1,
            created => return Ok(created?),
        }
    }
}

/// What cannot be a PIN costs no try.
fn check_pin(pin: &[u8]) -> Done<()> {
    if PIN_LENGTHS.contains(&pin.len()) {
        return Ok(());
    }
    Err(Failure::new("wrong-pin", "a PIN has 4 to 12 characters", "give the PIN of this device; no try was used up"))
}

/// The element takes a PIN or PUK for wrong, or fails otherwise.
fn wrong<E: std::fmt::Display>(what: &str, error: ElementError<E>) -> Failure {
    match &error {
        ElementError::Refused(status) => match status.tries_left() {
            Some(0) if what == "PIN" => {
                Failure::new("wrong-pin", "wrong PIN, and no tries are left", "unblock the PIN with the PUK")
            }
            Some(tries) => Failure::new(
                "wrong-pin",
                format!("wrong {what}, {tries} tries left"),
                "do not guess: give the right one, every wrong one uses up a try",
            ),
            None => error.into(),
        },
        _ => error.into(),
    }
}

/// The beginning of a text, whole characters of it, in at most `length` bytes.
fn beginning(text: &str, length: usize) -> &str {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    &text[..ends.take_while(|&end| end <= length).last().unwrap_or(0)]
}
