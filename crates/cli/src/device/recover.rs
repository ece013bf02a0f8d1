//! `specie device recover`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_device::link::file::{self, Place};
use specie_wallet::payment::Form;
use specie_wallet::recovery::{Pending, Resumed};

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;

/// After a crash or a power cut: finish what needs no network, and say what is left
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device recover bob
  specie device recover bob --out payments   # and write undelivered payments again

Every other command does the first part by itself.")]
pub(super) struct Recover {
    #[command(flatten)]
    which: Which,
    /// Write payments without a receipt into this folder, to be handed over again
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Recover {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let resumed = device.resume()?;
        let pending = device.overview().pending;
        let done: Vec<String> = resumed.iter().map(describe_resumed).collect();
        let left: Vec<String> = pending.iter().map(describe_pending).collect();
        let mut written = Vec::new();
        if let Some(folder) = &self.out {
            let name = folder.display().to_string();
            std::fs::create_dir_all(folder).map_err(|error| Failure::file(&name, &error))?;
            for payment in device.undelivered() {
                let message = device.payment_again(&payment.id, Form::Extended)?;
                let path = folder.join(format!("{}.payment", payment.id));
                file::write(&Place::File(path.clone()), &message)
                    .map_err(|error| Failure::refused("not-written", error, "name another folder"))?;
                written.push((path.display().to_string(), money::show(payment.amount, payment.currency)));
            }
        }
        let summary = if done.is_empty() { "nothing had to be finished".to_owned() } else { done.join(", ") };
        let mut human = format!("Finished: {summary}.\n");
        left.iter().for_each(|left| human.push_str(&format!("  left: {left}\n")));
        written.iter().for_each(|(path, amount)| human.push_str(&format!("  wrote payment of {amount} to {path}\n")));
        let written: Vec<&str> = written.iter().map(|(path, _)| path.as_str()).collect();
        Ok(Answer::new(human, json!({ "summary": summary, "finished": done, "left": left, "written": written })))
    }
}

fn describe_resumed(resumed: &Resumed) -> String {
    match resumed {
        Resumed::Payment(id) => format!("payment {id} completed"),
        Resumed::DroppedPayment(id) => format!("payment {id} dropped, nothing of it was spent"),
        Resumed::AbandonedPayment(id) => format!("payment {id} given up, what it spent comes back from the bank"),
        Resumed::Request(id) => format!("request {} opened", hex::encode(id.0)),
        Resumed::DroppedRequest(id) => format!("request {} dropped", hex::encode(id.0)),
        Resumed::Withdrawal(id) => format!("element's part of withdrawal {} done", hex::encode(id.0)),
        Resumed::Housekeeping => "secure element tidied up".to_owned(),
        Resumed::Lapsed => "blanks of lapsed requests freed".to_owned(),
        _ => "something".to_owned(),
    }
}

/// What is unfinished, in a few words.
pub(super) fn describe_pending(pending: &Pending) -> String {
    match pending {
        Pending::Payment(id) => format!("payment {id} is planned and not complete"),
        Pending::Undelivered(id) => format!("payment {id} has no receipt: hand it over, or synchronise"),
        Pending::Request(id) => format!("request {} is planned", hex::encode(id.0)),
        Pending::Withdrawal(id) => format!("withdrawal {} goes on at the next synchronisation", hex::encode(id.0)),
        Pending::RedemptionsToExecute(count) => format!("{count} coins to be shown for redemption"),
        Pending::RedemptionsToSend(count) => format!("{count} coins to be sent to the bank"),
        Pending::Housekeeping(count) => format!("{count} things to be told to the secure element"),
        _ => "something".to_owned(),
    }
}

/// A word for what is unfinished.
pub(super) fn kind(pending: &Pending) -> &'static str {
    match pending {
        Pending::Payment(_) => "payment",
        Pending::Undelivered(_) => "undelivered",
        Pending::Request(_) => "request",
        Pending::Withdrawal(_) => "withdrawal",
        Pending::RedemptionsToExecute(_) => "redemptions-to-execute",
        Pending::RedemptionsToSend(_) => "redemptions-to-send",
        Pending::Housekeeping(_) => "housekeeping",
        _ => "other",
    }
}
