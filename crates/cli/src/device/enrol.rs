//! `specie device enrol`.

use clap::Args;
use serde_json::json;

use super::Which;
use super::setting::meaning;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;

/// Enrol a device with its PSP
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device enrol alice --customer alice --code 7K3M-9QXD
  specie device enrol alice --customer bob --code 0W2H-5RTA --new-owner

The claim code comes from the PSP (`specie psp customer claim`) and ties the device to a customer. A device that was somebody else's \
has to be released there first (`specie psp fleet release`); what it holds goes with it, and what its former owner let it do ends: \
mandates, uploads, the recovery code. If it has a PIN, give that in SPECIE_PIN, and change it afterwards.")]
pub(super) struct Enrol {
    #[command(flatten)]
    which: Which,
    /// The customer's name at the PSP
    #[arg(long, value_name = "NAME")]
    customer: String,
    /// The claim code that the PSP gave out
    #[arg(long, value_name = "CODE")]
    code: String,
    /// The device was another customer's, who gave it up
    #[arg(long)]
    new_owner: bool,
}

impl Enrol {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let progress = Progress::begin("enrolling");
        let enrolled = if self.new_owner {
            device.enrol_for_new_owner(&self.customer, &self.code)?
        } else {
            device.enrol(&self.customer, &self.code)?
        };
        let setting = device.setting().ok();
        drop(progress);
        let (psp, account, tier) = (enrolled.account.psp.as_str(), enrolled.account.account.as_str(), enrolled.tier);
        let mut human = format!("Enrolled with {psp}: account {account}, tier {tier}.\n");
        if let Some(told) = &setting {
            human.push_str(&format!("Setting {}: {}.\n", told.setting, meaning(told)));
        }
        if self.new_owner {
            human.push_str("Nothing holds any more that the former owner let it do. Change the PIN; make a recovery code of your own.\n");
        }
        human.push_str("Next: specie device sync, then withdraw.\n");
        let setting = setting.map(|told| told.setting);
        Ok(Answer::new(human, json!({ "psp": psp, "account": account, "tier": tier, "setting": setting })))
    }
}
