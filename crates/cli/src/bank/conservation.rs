//! `specie bank conservation`.

use clap::Args;
use serde_json::json;
use specie_server::bank::AcknowledgeError;

use super::{Which, status};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;

/// Check now whether issued − redeemed − expired = outstanding for every class, and the books balance
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank conservation bank
  specie --json bank conservation bank
  specie bank conservation bank --acknowledge 'row of 3 May restored from the archive, ticket 17'

The exit status is 1 when it does not hold, or an alarm stands. A served bank looks every five minutes by itself. When it does not hold, an alarm \
is raised in the audit log, once; while it stands the bank opens no batches, so that nothing new is issued, and goes on redeeming. \
--acknowledge ends the alarm, whether or not the books hold by then: who says it, and the reason, are in the audit log for good.")]
pub(super) struct Conservation {
    #[command(flatten)]
    which: Which,
    /// End the alarm, for this reason
    #[arg(long, value_name = "REASON")]
    acknowledge: Option<String>,
}

impl Conservation {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let central = self.which.open()?;
        let now = central.clock.now();
        let mut human = String::new();
        if let Some(reason) = &self.acknowledge {
            let alarm = central.bank.acknowledge_conservation(reason, now).map_err(not_acknowledged)?;
            human = format!("The alarm of {} is acknowledged: batches are opened again.\n", moment::show(alarm.at));
        }
        let (books, alarm) = central.watch_conservation()?;
        human.push_str(&status::books_text(&books, central.bank.settings().currency));
        if let Some(alarm) = &alarm {
            human.push_str(&format!(
                "AN ALARM STANDS since {}: {}\nNo batch is opened until somebody acknowledges it (--acknowledge REASON).\n",
                moment::show(alarm.at),
                alarm.findings
            ));
        }
        let holds = books.holds && alarm.is_none();
        let alarm = alarm
            .map(|alarm| json!({ "sequence": alarm.sequence, "at": alarm.at.seconds(), "findings": alarm.findings }));
        Ok(Answer::verdict(holds, human, json!({ "conservation": books, "alarm": alarm })))
    }
}

fn not_acknowledged(error: AcknowledgeError) -> Failure {
    let (code, advice) = match &error {
        AcknowledgeError::NoAlarm => ("no-alarm", "leave --acknowledge out to see how the books stand"),
        AcknowledgeError::NoReason => ("no-reason", "say in words why work may go on"),
        _ => ("store", "look after the database"),
    };
    Failure::refused(code, error, advice)
}
