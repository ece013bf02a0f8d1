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
  specie device settings shop --revocations-age-max-hours 24

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
    /// Ask for nothing while the revocation list held is older than this; `any` for however old
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    revocations_age_max_hours: Option<Age>,
}

/// The age up to which something is good enough, in hours; `None` for any.
#[derive(Clone, Copy, Debug)]
struct Age(Option<u32>);

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;

fn hours(text: &str) -> Result<Age, std::num::ParseIntError> {
    if text == "any" { Ok(Age(None)) } else { text.parse().map(|hours| Age(Some(hours))) }
}

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
        if let Some(Age(hours)) = self.revocations_age_max_hours {
            settings.revocations_age_max = hours.map(|hours| u64::from(hours) * HOUR);
        }
        if settings != device.wallet().settings() {
            device.change_settings(settings)?;
        }
        let (spend, days) = (settings.spend_change_offline, settings.renew_before / DAY);
        let age = settings.revocations_age_max.map(|seconds| seconds / HOUR);
        let human = format!(
            "  spend change offline  {}\n  renew notes           {days} days before their end\n  revocation list       {}\n",
            if spend { "yes" } else { "no" },
            age.map_or("however old".to_owned(), |hours| format!(
                "at most {hours} hours old, else nothing is asked for"
            )),
        );
        let machine =
            json!({ "spend_change_offline": spend, "renew_before_days": days, "revocations_age_max_hours": age });
        Ok(Answer::new(human, machine))
    }
}
