//! `specie device`: a wallet with its secure element, in a folder.

mod account;
mod balance;
mod carry;
mod enrol;
mod history;
mod loss;
pub(crate) mod mandate;
mod new;
mod pay;
pub(crate) mod pin;
mod receive;
mod recover;
mod request;
mod setting;
mod settings;
mod status;
mod sync;
mod withdraw;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use specie_core::Amount;
use specie_core::text::Currency;
use specie_device::device::Stage;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;
use crate::progress::Progress;

/// Hold, pay and receive money with a device.
#[derive(Args, Debug)]
#[command(after_help = "\
A device is a folder. Where its secure element asks for a PIN, put the PIN into the environment variable SPECIE_PIN.
A command that was killed is simply given again: nothing is lost and nothing is paid twice.")]
pub(crate) struct Device {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    New(new::New),
    Enrol(enrol::Enrol),
    Withdraw(withdraw::Withdraw),
    Request(request::Request),
    Cancel(request::Cancel),
    Pay(pay::Pay),
    Receive(receive::Receive),
    Sync(sync::Sync),
    Balance(balance::Balance),
    Account(account::Account),
    History(history::History),
    Recover(recover::Recover),
    RecoveryCode(loss::RecoveryCode),
    Claim(loss::Claim),
    Claims(loss::Claims),
    Status(status::Status),
    Manifest(status::Manifest),
    Setting(setting::Setting),
    Settings(settings::Settings),
    Pin(pin::Pin),
    Mandate(mandate::Mandate),
}

impl Device {
    pub(crate) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::New(new) => new.run(),
            Command::Enrol(enrol) => enrol.run(),
            Command::Withdraw(withdraw) => withdraw.run(),
            Command::Request(request) => request.run(json),
            Command::Cancel(cancel) => cancel.run(),
            Command::Pay(pay) => pay.run(json),
            Command::Receive(receive) => receive.run(json),
            Command::Sync(sync) => sync.run(),
            Command::Balance(balance) => balance.run(),
            Command::Account(account) => account.run(),
            Command::History(history) => history.run(),
            Command::Recover(recover) => recover.run(),
            Command::RecoveryCode(code) => code.run(),
            Command::Claim(claim) => claim.run(),
            Command::Claims(claims) => claims.run(),
            Command::Status(status) => status.run(),
            Command::Manifest(manifest) => manifest.run(json),
            Command::Setting(setting) => setting.run(),
            Command::Settings(settings) => settings.run(),
            Command::Pin(pin) => pin.run(),
            Command::Mandate(mandate) => mandate.run(json),
        }
    }
}

/// Which device.
#[derive(Args, Debug)]
struct Which {
    /// Folder of the device
    #[arg(value_name = "DEVICE")]
    folder: PathBuf,
}

impl Which {
    /// Opens the device only to look at it: that needs no PIN, and a wrong one uses up no try.
    fn look(&self) -> Result<specie_device::Device, Failure> {
        Ok(specie_device::Device::open(&self.folder)?)
    }

    /// Opens the device, and tells its element the PIN where there is one in the environment.
    fn open(&self) -> Result<specie_device::Device, Failure> {
        let mut device = self.look()?;
        if let Ok(pin) = std::env::var("SPECIE_PIN") {
            device.enter_pin(pin.as_bytes())?;
        }
        Ok(device)
    }
}

/// In which currency, where the bank issues several.
#[derive(Args, Debug)]
struct InCurrency {
    /// ISO 4217 code; needed only where the bank issues several currencies
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Option<Currency>,
}

impl InCurrency {
    fn of(&self, device: &specie_device::Device) -> Result<Currency, Failure> {
        self.currency.map_or_else(|| Ok(device.currency()?), Ok)
    }

    /// The currency, and `text` as an amount of it.
    fn amount(&self, device: &specie_device::Device, text: &str) -> Result<(Currency, Amount), Failure> {
        let currency = self.of(device)?;
        Ok((currency, parse_amount(text, currency)?))
    }
}

/// A currency by its code.
pub(crate) fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::new(text).ok_or_else(|| "a currency is three capital letters, like EUR".to_owned())
}

/// `text` as an amount of `currency`.
pub(crate) fn parse_amount(text: &str, currency: Currency) -> Result<Amount, Failure> {
    money::parse(text, currency).map_err(|what| Failure::usage(what, "correct the amount"))
}

impl From<specie_device::Failure> for Failure {
    fn from(failure: specie_device::Failure) -> Self {
        let advice = match failure.code() {
            "pin-needed" => "put the PIN into the environment variable SPECIE_PIN and do the same again",
            _ => failure.advice(),
        };
        Self::refused(failure.code(), failure.what(), advice).with_money(failure.money_moved())
    }
}

/// Shows what a synchronisation or withdrawal is busy with.
fn watch(progress: &Progress) -> impl FnMut(Stage) + '_ {
    |stage| {
        progress.now(match stage {
            Stage::Publications => "fetching manifest, revocation list and limits".to_owned(),
            Stage::Uploading => "uploading payments that did not arrive".to_owned(),
            Stage::Claiming => "asking for payments that did not arrive".to_owned(),
            Stage::Redeeming { done, total } => format!("redeeming, {done} of {total} coins"),
            Stage::Withdrawing => "withdrawing".to_owned(),
            Stage::Housekeeping => "tidying up the secure element".to_owned(),
            _ => "working".to_owned(),
        });
    }
}
