//! `specie device history`.

use clap::Args;
use serde_json::{Value, json};
use specie_wallet::history::{Event, HistoryEntry, Progress};

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::printable::printable;
use crate::{moment, money};

/// Show what happened, newest first
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device history alice
  specie device history alice --last 5")]
pub(super) struct History {
    #[command(flatten)]
    which: Which,
    /// Only so many
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
}

impl History {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let device = self.which.look()?;
        let mut entries = device.history();
        entries.truncate(self.last.unwrap_or(usize::MAX));
        let human: String = entries.iter().map(line).collect();
        let human = if human.is_empty() { "Nothing happened yet.\n".to_owned() } else { human };
        let entries: Vec<Value> = entries.iter().map(to_json).collect();
        Ok(Answer::new(human, json!({ "history": entries })))
    }
}

fn event(entry: &HistoryEntry) -> &'static str {
    match entry.event {
        Event::Paid => "paid",
        Event::Received => "received",
        Event::Withdrew => "withdrew",
        Event::Redeemed => "redeemed",
        _ => "other",
    }
}

fn progress(entry: &HistoryEntry) -> &'static str {
    match entry.progress {
        Progress::Planned => "planned",
        Progress::Undelivered => "undelivered",
        Progress::Complete => "complete",
        Progress::Abandoned => "abandoned",
        _ => "other",
    }
}

fn line(entry: &HistoryEntry) -> String {
    let with = entry.counterparty.map(|name| format!("  {name}")).unwrap_or_default();
    let memo = entry.memo.map(|memo| format!("  “{memo}”")).unwrap_or_default();
    let (at, event, progress) = (moment::show(entry.at), event(entry), progress(entry));
    let amount = money::show(entry.amount, entry.currency);
    let text = format!("{at}  {event:<9}{amount:>16}  {progress}{with}{memo}");
    printable(&text) + "\n"
}

fn to_json(entry: &HistoryEntry) -> Value {
    json!({
        "sequence": entry.sequence,
        "at": entry.at.seconds(),
        "event": event(entry),
        "progress": progress(entry),
        "amount": entry.amount.minor(),
        "currency": entry.currency.as_str(),
        "counterparty": entry.counterparty.map(|name| name.to_string()),
        "memo": entry.memo.map(|memo| memo.to_string()),
        "request": entry.request.map(|request| request.to_string()),
        "receipt": entry.receipt.map(hex::encode),
    })
}
