//! `specie device enrol`.

use clap::Args;
use serde_json::json;

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;

/// Enrol a device with its PSP
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device enrol alice --customer alice --code 7K3M-9QXD

The claim code comes from the PSP (`specie psp customer claim`) and ties the device to a customer.")]
pub(super) struct Enrol {
    #[command(flatten)]
    which: Which,
    /// The customer's name at the PSP
    #[arg(long, value_name = "NAME")]
    customer: String,
    /// The claim code that the PSP gave out
    #[arg(long, value_name = "CODE")]
    code: String,
}

impl Enrol {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let progress = Progress::begin("enrolling");
        let enrolled = device.enrol(&self.customer, &self.code)?;
        drop(progress);
        let (psp, account, tier) = (enrolled.account.psp.as_str(), enrolled.account.account.as_str(), enrolled.tier);
        let human =
            format!("Enrolled with {psp}: account {account}, tier {tier}.\nNext: specie device sync, then withdraw.\n");
        Ok(Answer::new(human, json!({ "psp": psp, "account": account, "tier": tier })))
    }
}
