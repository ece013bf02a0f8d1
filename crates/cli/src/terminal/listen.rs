//! `specie terminal listen`.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::Args;
use specie_core::text::Currency;
use specie_device::gateway::Event;

use super::talk::{Risk, Talk};
use super::{Which, events};
use crate::answer::Answer;
use crate::device::parse_currency;
use crate::failure::Failure;

/// How long to listen where nobody says.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Print what happens, as it happens
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie terminal listen --line serial:/dev/ttyACM0
  specie terminal listen --line serial:/dev/ttyACM0 --count 1 --json    # until one thing happened

Without --seconds and --count it listens until it is interrupted. With --json each event is a line of its own as it happens. \
Errands of the device to the PSP are not carried.")]
pub(super) struct Listen {
    #[command(flatten)]
    which: Which,
    /// How long, in seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Until so many things happened
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Show amounts in this currency, not in minor units
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Option<Currency>,
}

impl Listen {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        let mut talk = Talk::begin(&self.which)?;
        let end = Instant::now() + self.seconds.map_or(FOR_EVER, Duration::from_secs).min(FOR_EVER);
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut waiting = std::mem::take(&mut talk.earlier).into_iter();
        while left > 0 {
            let event = match waiting.next() {
                Some(event) => event,
                None => match talk.hear(end, Risk::None)? {
                    Some(event) => event,
                    None => break,
                },
            };
            left -= 1;
            if self.print(&event, json).is_err() {
                // Nobody reads any more.
                break;
            }
        }
        Ok(Answer::silent())
    }

    fn print(&self, event: &Event, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            writeln!(out, "{}", events::machine(event))?;
        } else {
            writeln!(out, "{}", events::human(event, self.currency))?;
        }
        out.flush()
    }
}
