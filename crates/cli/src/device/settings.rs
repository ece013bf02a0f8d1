//! `specie device settings`.

use clap::Args;
use serde_json::json;

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;

/// Show or change the owner's choices
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device settings alice
  specie device settings alice --spend-change-offline true --renew-before-days 14

Change that is spent before the next synchronisation links the payments to each other.")]
pub(super) struct Settings {
    #[command(flatten)]
    which: Which,
    /// Whether change may be paid on before the next synchronisation
    #[arg(long, value_name = "BOOL")]
    spend_change_offline: Option<bool>,
    /// Notes are renewed at the synchronisation that finds them this close to their end
    #[arg(long, value_name = "DAYS")]
    renew_before_days: Option<u32>,
}

const DAY: u64 = 86_400;

impl Settings {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let mut settings = device.wallet().settings();
        if let Some(spend) = self.spend_change_offline {
            settings.spend_change_offline = spend;
        }
        if let Some(days) = self.renew_before_days {
            settings.renew_before = u64::from(days) * DAY;
        }
        if self.spend_change_offline.is_some() || self.renew_before_days.is_some() {
            device.change_settings(settings)?;
        }
        let (spend, days) = (settings.spend_change_offline, settings.renew_before / DAY);
        let human = format!(
            "  spend change offline  {}\n  renew notes           {days} days before their end\n",
            if spend { "yes" } else { "no" }
        );
        Ok(Answer::new(human, json!({ "spend_change_offline": spend, "renew_before_days": days })))
    }
}
