//! Opening one disclosed payment.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_core::disclosure::DisclosedTransfer;
use specie_core::text::Memo;
use specie_supervision::opening::{Opening, OpeningError, Partial, Payer};
use specie_supervision::outcome::Outcome;

use super::files::{Secret, read, read_all, write};
use crate::answer::Answer;
use crate::failure::Failure;

/// Compute one officer's part in opening a payment
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision partial --secret anna.secret --outcome first.outcome \\
      --case 'court order 12/7' payment.disclosed \\
      --out anna.partial

The part serves this payment and this case, and nothing else. `specie bank disclosed` writes the payment's file.")]
pub(super) struct NewPartial {
    #[command(flatten)]
    secret: Secret,
    /// The ceremony's outcome
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
    /// What it is opened for
    #[arg(long, value_name = "TEXT", value_parser = parse_case)]
    case: Memo,
    /// The disclosed transfer
    #[arg(value_name = "TRANSFER")]
    disclosed: PathBuf,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Put the officers' parts together: who paid
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision open --outcome first.outcome \\
      --disclosed payment.disclosed anna.partial cid.partial \\
      --out 12-7.opening")]
pub(super) struct Open {
    /// The ceremony's outcome
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
    /// The disclosed transfer
    #[arg(long, value_name = "FILE")]
    disclosed: PathBuf,
    /// The parts of as many officers as it takes
    #[arg(value_name = "PARTIAL", required = true)]
    partials: Vec<PathBuf>,
    /// Where to write the opening, for everybody to check
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Check an opening: that it says rightly who paid, and for which case it was made
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision verify --outcome first.outcome --disclosed payment.disclosed 12-7.opening")]
pub(super) struct Verify {
    /// The ceremony's outcome
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
    /// The disclosed transfer
    #[arg(long, value_name = "FILE")]
    disclosed: PathBuf,
    /// The opening
    #[arg(value_name = "OPENING")]
    opening: PathBuf,
}

impl NewPartial {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let outcome: Outcome = read(&self.outcome, "outcome")?;
        let disclosed: DisclosedTransfer = read(&self.disclosed, "disclosed transfer")?;
        let partial = Partial::new(&self.secret.officer()?, &outcome, self.case, &disclosed)?;
        let file = write(&self.out, &partial)?;
        let transfer = disclosed.transfer.id().to_string();
        let human = format!("Wrote {file}: the part of officer {} for transfer {transfer}.\n", partial.officer());
        let machine = json!({
            "file": file,
            "officer": partial.officer(),
            "case": self.case.as_str(),
            "transfer": transfer,
        });
        Ok(Answer::new(human, machine))
    }
}

impl Open {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let outcome: Outcome = read(&self.outcome, "outcome")?;
        let disclosed: DisclosedTransfer = read(&self.disclosed, "disclosed transfer")?;
        let partials: Vec<Partial> = read_all(&self.partials, "part")?;
        let opening = Opening::new(&outcome, &disclosed, &partials)?;
        let payer = opening.verify(&outcome, &disclosed)?;
        let file = write(&self.out, &opening)?;
        Ok(describe(&opening, &payer, &disclosed).with("file", json!(file)))
    }
}

impl Verify {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let outcome: Outcome = read(&self.outcome, "outcome")?;
        let disclosed: DisclosedTransfer = read(&self.disclosed, "disclosed transfer")?;
        let opening: Opening = read(&self.opening, "opening")?;
        let payer = opening.verify(&outcome, &disclosed)?;
        Ok(describe(&opening, &payer, &disclosed))
    }
}

fn describe(opening: &Opening, payer: &Payer, disclosed: &DisclosedTransfer) -> Answer {
    let (transfer, case, identity) =
        (disclosed.transfer.id().to_string(), opening.case().to_string(), hex::encode(payer.U));
    let human = format!(
        "Transfer {transfer} was paid by the device whose identity U is\n  {identity}\nopened for: {case}\nThe PSP that registered it knows \
         its customer.\n"
    );
    Answer::new(human, json!({ "transfer": transfer, "case": case, "U": identity }))
}

fn parse_case(text: &str) -> Result<Memo, String> {
    Memo::new(text).ok_or_else(|| "a case has 1 to 140 bytes".to_owned())
}

impl From<OpeningError> for Failure {
    fn from(error: OpeningError) -> Self {
        let (code, advice) = match &error {
            OpeningError::OtherKey => ("other-key", "bring the outcome of the ceremony that made this key"),
            OpeningError::NotDisclosed => ("not-disclosed", "nothing: whose it is cannot be read"),
            OpeningError::Share(_) => ("not-an-officer", "use the secret of an officer of this ceremony"),
            OpeningError::Count { .. } => ("quorum", "bring the parts of as many officers as it takes"),
            _ => ("partial", "ask the officer for its part again"),
        };
        Self::refused(code, error, advice)
    }
}
