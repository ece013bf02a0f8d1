//! `specie psp lost`, `found`, `claims`: devices that their owners lost.

use clap::Args;
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_server::clock::random_seed;
use specie_server::psp::{LossError, RestitutionState};

use super::Which;
use crate::answer::Answer;
use crate::claims::{self, Claim};
use crate::failure::Failure;
use crate::inspect::parse_key;

/// A device of a customer.
#[derive(Args, Debug)]
pub(super) struct OfDevice {
    #[command(flatten)]
    which: Which,
    /// Key A of the device, in hex: `specie psp customer show` has it
    #[arg(value_name = "KEY", value_parser = parse_key)]
    device: PublicKey,
}

impl OfDevice {
    pub(super) fn lost(&self) -> Result<Answer, Failure> {
        let provider = self.which.open()?;
        let new = provider.psp.report_lost(&self.device, provider.clock.now())?;
        let human = if new {
            "Reported lost: nothing that this device signs is obeyed from now on.\n"
        } else {
            "This device was reported lost before; nothing changed.\n"
        };
        Ok(Answer::new(human, json!({ "device": self.device.to_string(), "lost": true, "new": new })))
    }

    pub(super) fn found(&self) -> Result<Answer, Failure> {
        let seed = random_seed();
        let seed = seed.map_err(|error| Failure::refused("no-randomness", error, "repair the operating system"))?;
        let operation = seed[..16].try_into().expect("16 of 32 bytes");
        let provider = self.which.open()?;
        let was_lost = provider.psp.report_found(&self.device, &operation, provider.clock.now())?;
        let human = if was_lost {
            "Found: claims on what this device holds are given up, and it is what it was before.\n"
        } else {
            "This device is not reported lost; nothing changed.\n"
        };
        Ok(Answer::new(human, json!({ "device": self.device.to_string(), "lost": false, "new": was_lost })))
    }

    pub(super) fn claims(&self) -> Result<Answer, Failure> {
        let provider = self.which.open()?;
        let currency = provider.psp.identity().currency;
        let claims = provider.psp.claims_on(&self.device)?.into_iter().map(|claim| Claim {
            note_id: claim.note_id,
            amount: claim.amount,
            deadline: claim.deadline,
            account: claim.account,
            state: match claim.state {
                RestitutionState::Open => "open",
                RestitutionState::Paid => "paid",
                RestitutionState::Void => "void",
            },
        });
        let claims: Vec<_> = claims.collect();
        let machine = json!({
            "device": self.device.to_string(),
            "currency": currency.as_str(),
            "claims": claims::machine(&claims),
        });
        Ok(Answer::new(claims::table(&claims, currency), machine))
    }
}

impl From<LossError> for Failure {
    fn from(error: LossError) -> Self {
        let (code, advice) = match &error {
            LossError::Unknown(_) => ("unknown-device", "see `specie psp customer show`"),
            LossError::Bank(_) => ("bank-unavailable", "run it again when the bank can be reached; nothing changed"),
            _ => ("store", "look after the database"),
        };
        Self::refused(code, error, advice)
    }
}
