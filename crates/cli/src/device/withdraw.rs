//! `specie device withdraw`.

use clap::Args;
use serde_json::json;
use specie_core::Amount;

use super::{InCurrency, Which, parse_amount, watch};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;
use crate::progress::Progress;

/// Withdraw money from the account into the device
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device withdraw alice 50.00
  specie device withdraw shop 0 --blanks 64 --cap 20.00

Blanks own what others pay; a synchronisation fetches some by itself.")]
pub(super) struct Withdraw {
    #[command(flatten)]
    which: Which,
    /// How much; 0 for blanks only
    #[arg(value_name = "AMOUNT")]
    amount: String,
    #[command(flatten)]
    currency: InCurrency,
    /// How many blanks besides
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    blanks: u16,
    /// What each of these blanks may at least own
    #[arg(long, value_name = "AMOUNT", default_value = "20")]
    cap: String,
}

impl Withdraw {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let (currency, amount) = self.currency.amount(&device, &self.amount)?;
        let cap = parse_amount(&self.cap, currency)?;
        if amount.is_zero() && self.blanks == 0 {
            return Err(Failure::usage("there is nothing to withdraw", "name an amount, or a number of blanks"));
        }
        let progress = Progress::begin("withdrawing");
        let (mut notes, mut blanks, mut value) = (0, 0, 0);
        if !amount.is_zero() {
            let withdrawn = device.withdraw(currency, amount, &mut watch(&progress))?;
            (notes, blanks, value) = (withdrawn.notes, withdrawn.blanks, withdrawn.amount);
        }
        if self.blanks > 0 {
            blanks += device.withdraw_blanks(currency, self.blanks, cap, &mut watch(&progress))?.blanks;
        }
        drop(progress);
        let value = Amount::new(value).unwrap_or(Amount::MAX);
        let human = format!("Withdrew {} in {notes} notes, and {blanks} blanks.\n", money::show(value, currency));
        let machine =
            json!({ "amount": value.minor(), "currency": currency.as_str(), "notes": notes, "blanks": blanks });
        Ok(Answer::new(human, machine))
    }
}
