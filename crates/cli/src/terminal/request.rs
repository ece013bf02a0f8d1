//! `specie terminal request`.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use specie_core::encoding::Decode;
use specie_core::message::Message;
use specie_core::request;
use specie_core::text::Memo;
use specie_device::gateway::{Command, Event, Reply, Terms};

use super::status::other_reply;
use super::talk::{Risk, Talk};
use super::{InCurrency, Which, events};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{moment, money};

/// Ask the device on the other line to pay
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal request --line serial:/dev/ttyACM0 --currency EUR 17.43
  specie terminal request --line serial:/dev/ttyACM0 --currency EUR 17.43 \\
      --memo 'two coffees' --wait
  specie terminal request --line serial:/dev/ttyACM0 --currency EUR 17.43 --wait=60

The device offers the request on its other line until it is paid, expires, or is withdrawn with `specie terminal stop`.")]
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
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    valid: u64,
    /// The most notes in which it may be paid; each takes a blank for as long
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    notes: u8,
    /// Wait until it is paid, at most this long; without a number, as long as it is valid
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    wait: Option<u64>,
}

impl Request {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let memo = match &self.memo {
            Some(text) => {
                Some(Memo::new(text).ok_or_else(|| Failure::usage("a memo has 1 to 140 bytes", "shorten the memo"))?)
            }
            None => None,
        };
        let (currency, amount) = (self.currency.currency, self.currency.amount(&self.amount)?);
        let mut talk = Talk::begin(&self.which)?;
        let terms = Terms { currency, amount, valid_seconds: self.valid, notes_max: self.notes, memo };
        let reply = talk.tell(&Command::Request(terms), Risk::None).map_err(|failure| match failure.code() {
            "no-blank" => Failure::refused(
                "no-blank",
                format!("no free blank may own {} until the request expires", money::show(amount, currency)),
                "synchronise to get new blanks, withdraw a request that nobody pays with `specie terminal stop`, or ask for less",
            ),
            _ => failure,
        })?;
        let message = match reply {
            Reply::Made(message) => message,
            _ => return Err(other_reply().with_money(Some(false))),
        };
        let request = match Message::peek(&message) {
            Ok(Message::Request) => request::Request::decode(&message).map_err(|_| other_reply())?,
            _ => return Err(other_reply().with_money(Some(false))),
        };
        let asked = json!({
            "id": hex::encode(request.context().0),
            "amount": amount.minor(),
            "currency": currency.as_str(),
            "expiry": request.body.expiry.seconds(),
            "message": hex::encode(&message),
        });
        let human = format!(
            "Asking for {} until {}, on the device's other line.\n",
            money::show(amount, currency),
            moment::show(request.body.expiry)
        );
        match self.wait {
            None => {
                let human = format!("{human}{}", events::earlier(&talk.earlier, Some(currency)));
                Ok(Answer::new(human, asked).with("earlier", events::machines(&talk.earlier)))
            }
            Some(seconds) => {
                eprint!("{human}");
                let seconds = if seconds == 0 { self.valid } else { seconds };
                self.wait(&mut talk, amount.minor(), asked, Duration::from_secs(seconds))
            }
        }
    }

    fn wait(&self, talk: &mut Talk, minor: u64, asked: Value, patience: Duration) -> Result<Answer, Failure> {
        let currency = self.currency.currency;
        let _progress = Progress::begin("waiting for the payer");
        let end = Instant::now() + patience;
        loop {
            match talk.hear(end, Risk::Money)? {
                Some(Event::Received { request, amount }) if amount == minor => {
                    let human =
                        format!("Received {}. It is yours, and can be paid on at once.\n", shown(amount, currency));
                    let machine = json!({
                        "received": true,
                        "amount": amount,
                        "currency": currency.as_str(),
                        "id": hex::encode(request),
                        "request": asked,
                        "earlier": events::machines(&talk.earlier),
                    });
                    return Ok(Answer::new(human, machine));
                }
                Some(Event::Refused(code)) => {
                    return Err(Failure::refused(
                        "payer-refused",
                        format!("the other device does not pay [{}]", events::text(&code)),
                        "tell the payer to allow at least this amount, and ask again",
                    ));
                }
                Some(other) => {
                    eprintln!("{}", events::human(&other, Some(currency)));
                    talk.earlier.push(other);
                }
                None => {
                    return Err(Failure::refused(
                        "not-paid",
                        format!("nobody paid within {} s", patience.as_secs()),
                        "see `specie terminal status` later: the request stays open until it expires or \
                         `specie terminal stop` withdraws it",
                    ));
                }
            }
        }
    }
}

fn shown(minor: u64, currency: specie_core::text::Currency) -> String {
    super::show_minor(minor, Some(currency))
}
