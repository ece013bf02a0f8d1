//! `specie terminal pay`.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use specie_device::gateway::{Command, Event};

use super::talk::{self, Risk, Talk};
use super::{InCurrency, Which, events, show_minor};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;

/// Without a number, how long to wait for a request, in seconds.
const WAIT: u64 = 300;

/// How long a receipt is waited for after the payment, in seconds.
const RECEIPT: u64 = 30;

/// Pay the next request that comes over the other line
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal pay --line serial:/dev/ttyACM0 --currency EUR --at-most 20.00
  specie terminal pay --line serial:/dev/ttyACM0 --currency EUR --at-most 20.00 --wait

The device pays one request of at most this amount, whoever is on the other line, until `specie terminal stop`. With --wait it \
is told to stop where no request came in time.")]
pub(super) struct Pay {
    #[command(flatten)]
    which: Which,
    /// The most that may be asked for
    #[arg(long, value_name = "AMOUNT")]
    at_most: String,
    #[command(flatten)]
    currency: InCurrency,
    /// Wait until it is paid and delivered, at most this long (300 without a number)
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "300")]
    wait: Option<u64>,
}

/// A payment that was made.
struct Paid {
    request: [u8; 32],
    amount: u64,
    delivered: bool,
}

impl Pay {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let limit = self.currency.amount(&self.at_most)?;
        let currency = self.currency.currency;
        let mut talk = Talk::begin(&self.which)?;
        talk.tell(&Command::PayNext { currency, limit }, Risk::Money)?;
        let human = format!("Paying the next request of at most {}.\n", show_minor(limit.minor(), Some(currency)));
        let Some(seconds) = self.wait else {
            let human = format!("{human}{}", events::earlier(&talk.earlier, Some(currency)));
            let machine = json!({
                "at_most": limit.minor(),
                "currency": currency.as_str(),
                "earlier": events::machines(&talk.earlier),
            });
            return Ok(Answer::new(human, machine));
        };
        eprint!("{human}");
        let seconds = if seconds == 0 { WAIT } else { seconds };
        let paid = self.wait(&mut talk, seconds)?;
        let amount = show_minor(paid.amount, Some(currency));
        let human = if paid.delivered {
            format!("Paid {amount}, and the payee has it.\n")
        } else {
            format!(
                "Paid {amount}, and the payee has not said that it has it. The device offers it again, and the next \
                 synchronisation leaves it at the bank.\n"
            )
        };
        let machine = json!({
            "paid": true,
            "delivered": paid.delivered,
            "amount": paid.amount,
            "currency": currency.as_str(),
            "id": hex::encode(paid.request),
            "earlier": events::machines(&talk.earlier),
        });
        Ok(Answer::new(human, machine))
    }

    fn wait(&self, talk: &mut Talk, seconds: u64) -> Result<Paid, Failure> {
        let progress = Progress::begin("waiting for a request");
        let mut end = Instant::now() + Duration::from_secs(seconds);
        let mut paid: Option<Paid> = None;
        let mut stopped = false;
        loop {
            match (talk.hear(end, Risk::Money)?, &mut paid) {
                (Some(Event::Paid { request, amount }), None) => {
                    progress.now("paid, waiting for the receipt");
                    paid = Some(Paid { request, amount, delivered: false });
                    end = Instant::now() + Duration::from_secs(RECEIPT);
                }
                (Some(Event::Delivered { request }), Some(made)) if made.request == request => made.delivered = true,
                // What it was told to pay it cannot: it says so once, and tries no other request of the kind.
                (Some(Event::Failed(told)), None) => {
                    let _ = talk.tell(&Command::Stop, Risk::Money);
                    return Err(talk::refused(&told));
                }
                (Some(other), _) => {
                    eprintln!("{}", events::human(&other, Some(self.currency.currency)));
                    talk.earlier.push(other);
                }
                (None, None) if stopped => {
                    return Err(Failure::refused(
                        "no-request",
                        format!("no request that may be paid came within {seconds} s; the device was told to stop"),
                        "check the line between the devices, and that the payee asks for no more than --at-most",
                    ));
                }
                (None, None) => {
                    // Nothing is paid that nobody sees; what was paid in this moment is told yet.
                    talk.tell(&Command::Stop, Risk::Money)?;
                    (stopped, end) = (true, Instant::now() + Duration::from_secs(1));
                }
                (None, Some(_)) => {}
            }
            if let Some(made) = paid.take_if(|made| made.delivered || Instant::now() >= end) {
                return Ok(made);
            }
        }
    }
}
