//! `specie device request`.

use std::net::TcpListener;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use specie_core::text::Memo;
use specie_device::device::Terms;
use specie_wallet::request::RequestId;

use super::carry::Carry;
use super::receive::{parse_request, wait_on};
use super::{InCurrency, Which};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::{moment, money};

/// Ask to be paid
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device request bob 17.43                        # QR codes in the terminal
  specie device request bob 17.43 --out bob.request
  specie device request bob 17.43 --memo 'two coffees' --png request.png
  specie device request bob 17.43 --listen 0.0.0.0:7100  # and wait for the payer

The request may go to the payer by any route, any number of times.")]
pub(super) struct Request {
    #[command(flatten)]
    which: Which,
    /// How much
    #[arg(value_name = "AMOUNT")]
    amount: String,
    #[command(flatten)]
    currency: InCurrency,
    /// What it is for, at most 140 bytes
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// For how long a payment is accepted, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 3_600, value_parser = clap::value_parser!(u64).range(1..))]
    valid: u64,
    /// The most notes in which it may be paid; each takes a blank for as long
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    notes: u8,
    /// Wait for the payer on this address
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    #[command(flatten)]
    carry: Carry,
}

impl Request {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        self.carry.check(json)?;
        let memo = match &self.memo {
            Some(text) => {
                Some(Memo::new(text).ok_or_else(|| Failure::usage("a memo has 1 to 140 bytes", "shorten the memo"))?)
            }
            None => None,
        };
        let listener = self.listen.as_deref().map(listen).transpose()?;
        let mut device = self.which.open()?;
        let (currency, amount) = self.currency.amount(&device, &self.amount)?;
        let terms = Terms { currency, amount, valid_seconds: self.valid, notes_max: self.notes, memo };
        let asked = device.request(&terms).map_err(|failure| match failure.code() {
            "no-blank" => Failure::refused(
                "no-blank",
                format!("no free blank may own {} until the request expires", money::show(amount, currency)),
                "synchronise to get new blanks, withdraw requests that nobody pays (`specie device status` shows them, \
                 `specie device cancel` frees their blanks), or ask for less",
            ),
            _ => failure.into(),
        })?;
        let machine = json!({
            "id": hex::encode(asked.id.0),
            "amount": amount.minor(),
            "currency": currency.as_str(),
            "expiry": asked.expiry.seconds(),
        });
        let human = format!(
            "Asking for {} until {}.\n  request {}\n",
            money::show(amount, currency),
            moment::show(asked.expiry),
            hex::encode(asked.id.0)
        );
        match listener {
            None => Ok(self.carry.send(&asked.message, json)?.answer(&human, machine)),
            Some(listener) => {
                eprint!("{human}");
                let received = wait_on(&mut device, &listener, &asked.id, Duration::from_secs(self.wait))?;
                Ok(merge(received, machine))
            }
        }
    }
}

/// Withdraw a request that was not paid, and free its blanks
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device cancel bob 0f3a…

A payment of it is not accepted any more, and falls back to its payer in the end.")]
pub(super) struct Cancel {
    #[command(flatten)]
    which: Which,
    /// The request, as `request` named it
    #[arg(value_name = "ID", value_parser = parse_request)]
    request: RequestId,
}

impl Cancel {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        device.resume()?;
        device.cancel_request(&self.request).map_err(|failure| match failure.code() {
            "unknown-request" => Failure::refused(
                "unknown-request",
                "there is no request of this name that could still be paid: it was paid, withdrawn before, or never made",
                "see `specie device status` for open requests and `specie device history` for paid ones",
            ),
            _ => failure.into(),
        })?;
        Ok(Answer::new("The request is withdrawn.\n", json!({ "id": hex::encode(self.request.0), "cancelled": true })))
    }
}

/// The listener of a payee.
pub(super) fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        Failure::usage(format!("cannot listen on {address}: {error}"), "name a free address, like 0.0.0.0:7100")
    })
}

fn merge(received: Answer, request: Value) -> Answer {
    received.with("request", request)
}
