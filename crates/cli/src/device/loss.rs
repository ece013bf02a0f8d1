//! `specie device recovery-code`, `claim`, `claims`: for the case that a device is lost.

use clap::Args;
use serde_json::json;
use specie_api::psp::{RestitutionClaim, RestitutionState};
use specie_core::signature::PublicKey;
use specie_core::{Amount, Timestamp};
use specie_device::recovery::RecoveryCode as Code;

use super::{InCurrency, Which};
use crate::answer::Answer;
use crate::claims::{self, Claim as Shown};
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::moment;
use crate::progress::Progress;

/// Where a recovery code is looked for.
const VARIABLE: &str = "SPECIE_RECOVERY_CODE";

/// Make a recovery code, with which what the device holds can be claimed after a loss
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device recovery-code alice

Write the code down and keep it away from the device: it is shown once. From the next synchronisation on the device leaves what it holds \
with its PSP, sealed such that only this code opens it. What is received or withdrawn after the last synchronisation is not covered. A new code replaces the one before.")]
pub(super) struct RecoveryCode {
    #[command(flatten)]
    which: Which,
}

/// Claim what a lost device of the same customer held
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  SPECIE_RECOVERY_CODE=7K3M9-… specie device claim alices-other-phone 5f0c…

The recovery code of the lost device is taken from the environment variable SPECIE_RECOVERY_CODE. The PSP must have been told of the loss. \
What nobody redeems by its deadline is credited to the account then; whoever redeems in time is paid. Claiming tells bank and PSP which of \
these notes were this device's, and nothing of others. The same again changes nothing.")]
pub(super) struct Claim {
    #[command(flatten)]
    which: Which,
    /// Key A of the lost device, in hex
    #[arg(value_name = "LOST-KEY", value_parser = parse_key)]
    lost: PublicKey,
    #[command(flatten)]
    currency: InCurrency,
}

/// Show what is claimed of what a lost device of the same customer held, and what became of it
#[derive(Args, Debug)]
#[command(after_help = "EXAMPLES:\n  specie device claims alices-other-phone 5f0c…")]
pub(super) struct Claims {
    #[command(flatten)]
    which: Which,
    /// Key A of the lost device, in hex
    #[arg(value_name = "LOST-KEY", value_parser = parse_key)]
    lost: PublicKey,
    #[command(flatten)]
    currency: InCurrency,
}

impl RecoveryCode {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let (code, key) = (device.make_recovery_code()?.to_string(), device.wallet().device().to_string());
        let human = format!(
            "Recovery code  {code}\nDevice key     {key}\nWrite both down and keep them away from the device.\nNext: specie device sync\n"
        );
        Ok(Answer::new(human, json!({ "code": code, "device": key })))
    }
}

impl Claim {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let advice = "put the recovery code of the lost device into the environment variable SPECIE_RECOVERY_CODE";
        let typed = std::env::var(VARIABLE).map_err(|_| Failure::usage("there is no recovery code", advice))?;
        let code =
            Code::parse(&typed).ok_or_else(|| Failure::usage("this is no recovery code of 30 digits", advice))?;
        let mut device = self.which.open()?;
        let progress = Progress::begin("claiming");
        let done = device.claim_lost(&self.lost, &code)?;
        drop(progress);
        let currency = self.currency.of(&device)?;
        let shown: Vec<Shown> = done.claims.into_iter().map(shown).collect();
        let kept_at = Timestamp::new(done.kept_at).unwrap_or_default();
        let mut human = format!("By the backup of {}:\n{}", moment::show(kept_at), claims::table(&shown, currency));
        for (code, detail) in &done.refused {
            human.push_str(&format!("  not claimed: {detail} [{code}]\n"));
        }
        let refused: Vec<_> =
            done.refused.iter().map(|(code, detail)| json!({ "code": code, "detail": detail })).collect();
        let machine = json!({
            "lost": self.lost.to_string(),
            "kept_at": done.kept_at,
            "currency": currency.as_str(),
            "claims": claims::machine(&shown),
            "refused": refused,
        });
        Ok(Answer::new(human, machine))
    }
}

impl Claims {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut device = self.which.open()?;
        let shown: Vec<Shown> = device.claims_on(&self.lost)?.into_iter().map(shown).collect();
        let currency = self.currency.of(&device)?;
        let machine = json!({
            "lost": self.lost.to_string(),
            "currency": currency.as_str(),
            "claims": claims::machine(&shown),
        });
        Ok(Answer::new(claims::table(&shown, currency), machine))
    }
}

fn shown(claim: RestitutionClaim) -> Shown {
    Shown {
        note_id: claim.note_id.0,
        amount: Amount::new(claim.amount).unwrap_or(Amount::MAX),
        deadline: Timestamp::new(claim.deadline).unwrap_or_default(),
        account: claim.account,
        state: match claim.state {
            RestitutionState::Open => "open",
            RestitutionState::Paid => "paid",
            RestitutionState::Void => "void",
        },
    }
}
