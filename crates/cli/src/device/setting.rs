//! `specie device setting`.

use clap::Args;
use serde_json::json;
use specie_api::psp::setting::{self, Setting as Told};

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;

/// Say what the PSP is shown before it renews the limits, or withdraw consent to it (needs a network)
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device setting alice
  # upload nothing any more, whatever was agreed before
  specie device setting alice --withdraw-consent

The setting belongs to the tier of the device's owner. In `offline-anonymous` and `offline-known` the PSP is shown nothing of what \
the device does offline, in `proofs` only that it is within its limits, in `uploads` every payment. Nothing is uploaded before the \
owner agreed with `specie device sync DEVICE --accept-uploads`. Whoever withdraws that has nothing more uploaded and, in `uploads`, \
gets no new limits: the device can be paid and redeem, and pays until its limits run out. What was uploaded before the PSP keeps for \
as long as its tier says.")]
pub(super) struct Setting {
    #[command(flatten)]
    which: Which,
    /// Withdraw the consent to uploads, for this device
    #[arg(long)]
    withdraw_consent: bool,
}

impl Setting {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        if self.withdraw_consent {
            let told = device.withdraw_consent()?;
            let human = if told {
                "Withdrawn: this device uploads nothing any more, and the PSP takes nothing.\n"
            } else {
                "Withdrawn: this device uploads nothing any more. The PSP could not be reached, and is told with the next \
                 synchronisation.\n"
            };
            return Ok(Answer::new(human, json!({ "uploads": false, "told": told })));
        }
        let progress = Progress::begin("asking the PSP");
        let told = device.setting()?;
        drop(progress);
        Ok(Answer::new(format!("Tier {}, setting {}: {}.\n", told.tier, told.setting, meaning(&told)), json!(told)))
    }
}

/// What the PSP learns of what the device does offline.
pub(super) fn meaning(told: &Told) -> &'static str {
    match told.setting.as_str() {
        setting::OFFLINE_ANONYMOUS | setting::OFFLINE_KNOWN => "the PSP is shown nothing of payments between devices",
        setting::PROOFS => {
            "at each synchronisation the device proves that what it holds and spent is within its limits; neither is shown"
        }
        setting::UPLOADS => {
            "at each synchronisation every payment of the device, what it holds and what it spent is shown to the PSP, once the \
             owner agreed"
        }
        _ => "this program does not know it, and will show nothing",
    }
}
