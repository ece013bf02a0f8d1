//! `specie terminal`: a device that is a microcontroller, operated over its owner's line.

mod enrol;
mod events;
mod listen;
mod mandate;
mod new;
mod pay;
mod pin;
mod request;
mod status;
mod stop;
mod sync;
mod talk;

use std::time::Duration;

use clap::{Args, Subcommand};
use specie_api::client::{Http, Timeouts};
use specie_core::Amount;
use specie_core::text::Currency;
use specie_device::element::ChipAddress;

use crate::answer::Answer;
use crate::device::{parse_amount, parse_currency};
use crate::failure::Failure;
use crate::money;

/// Operate a device that is a microcontroller, over its owner's line.
#[derive(Args, Debug)]
#[command(after_help = "\
The device has two lines: one to its owner, which is this program, and one to the other device, over which it pays and is paid. \
Every command tells it the time first. A command that was killed is simply given again: nothing is lost and nothing is paid twice.")]
pub(crate) struct Terminal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Status(status::Status),
    New(new::New),
    Enrol(enrol::Enrol),
    Sync(sync::Sync),
    Request(request::Request),
    Pay(pay::Pay),
    Stop(stop::Stop),
    Pin(pin::Pin),
    Mandate(mandate::Mandate),
    Listen(listen::Listen),
}

impl Terminal {
    pub(crate) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::Status(status) => status.run(),
            Command::New(new) => new.run(),
            Command::Enrol(enrol) => enrol.run(),
            Command::Sync(sync) => sync.run(),
            Command::Request(request) => request.run(),
            Command::Pay(pay) => pay.run(),
            Command::Stop(stop) => stop.run(),
            Command::Pin(pin) => pin.run(),
            Command::Mandate(mandate) => mandate.run(),
            Command::Listen(listen) => listen.run(json),
        }
    }
}

/// Which device.
#[derive(Args, Debug)]
struct Which {
    /// The owner's line of the device: `serial:PATH` or `socket:PATH`
    #[arg(long, value_name = "LINE")]
    line: ChipAddress,
    /// How long the device may take to reply, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    patience: u64,
}

impl Which {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

/// Where the device's errands are taken.
#[derive(Args, Debug)]
struct ToPsp {
    /// Address of the PSP
    #[arg(long, value_name = "URL")]
    psp: String,
}

impl ToPsp {
    fn http(&self) -> Result<Http, Failure> {
        http(&self.psp)
    }
}

/// In which currency amounts are written. The device does not tell.
#[derive(Args, Debug)]
struct InCurrency {
    /// ISO 4217 code of the currency that the bank issues
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Currency,
}

impl InCurrency {
    fn amount(&self, text: &str) -> Result<Amount, Failure> {
        parse_amount(text, self.currency)
    }
}

fn http(address: &str) -> Result<Http, Failure> {
    // Shorter than the device waits for an answer.
    let timeouts = Timeouts { connect: Duration::from_secs(10), total: Duration::from_secs(45), ..Timeouts::default() };
    Http::new(address, timeouts).map_err(|error| Failure::usage(error, "correct the address of the PSP (--psp)"))
}

/// An amount that the device told, which knows no currency.
fn show_minor(minor: u64, currency: Option<Currency>) -> String {
    match (currency, Amount::new(minor)) {
        (Some(currency), Some(amount)) => money::show(amount, currency),
        _ => format!("{minor} minor units"),
    }
}
