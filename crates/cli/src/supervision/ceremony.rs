//! The ceremony: cards, invitation, dealings, approvals, outcome.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_core::text::Name;
use specie_server::clock::random_seed;
use specie_server::key_file::create_key;
use specie_supervision::complaint::{Complaint, ComplaintError, Verdict};
use specie_supervision::dealing::{Dealing, DealingError};
use specie_supervision::invitation::Invitation;
use specie_supervision::officer::{Card, Officer};
use specie_supervision::outcome::{Approval, Outcome, OutcomeError, Transcript};
use zeroize::Zeroizing;

use super::files::{Secret, read, read_all, write};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::psp::parse_name;

/// Draw an officer's secret, and write the card that others know it by
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision officer anna --secret anna.secret --card anna.card

Whoever has the secret file is this officer: keep it like a key, and a copy of it apart. The card is for everybody; read the \
signing key that is printed to the others face to face.")]
pub(super) struct NewOfficer {
    /// The officer's name
    #[arg(value_name = "NAME", value_parser = parse_name)]
    name: Name,
    /// Where to write the secret; must not exist
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// Where to write the card; must not exist
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
}

/// Bind the officers' cards together to a ceremony
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision invite first --threshold 2 anna.card ben.card cid.card --out first.invitation

Every officer compares the ceremony's hash that is printed with the others, and the signing keys with those that were read \
out, before dealing.")]
pub(super) struct Invite {
    /// The ceremony's name
    #[arg(value_name = "NAME", value_parser = parse_name)]
    name: Name,
    /// How many officers can open a payment
    #[arg(long, value_name = "K")]
    threshold: u8,
    /// The officers' cards
    #[arg(value_name = "CARD", required = true)]
    cards: Vec<PathBuf>,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Deal shares of an own secret to all officers
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision deal --secret anna.secret --invitation first.invitation --out anna.dealing

Compare what is printed before the dealing is sent: the signing keys with those that the other officers read out, and the \
ceremony's hash with theirs. Then send the dealing to every officer, the same to all.")]
pub(super) struct Deal {
    #[command(flatten)]
    secret: Secret,
    /// The invitation
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Check the shares that all officers dealt, and approve
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision approve --secret anna.secret \\
      --invitation first.invitation *.dealing --out anna.approval")]
pub(super) struct Approve {
    #[command(flatten)]
    secret: Secret,
    /// The invitation
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// The dealings of all officers, the own one too
    #[arg(value_name = "DEALING", required = true)]
    dealings: Vec<PathBuf>,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Show everybody the share that a dealer sent, because it is wrong
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision complain --secret ben.secret \\
      --invitation first.invitation anna.dealing --out ben.complaint

The complaint gives away the one share that it is about: begin anew after it.")]
pub(super) struct Complain {
    #[command(flatten)]
    secret: Secret,
    /// The invitation
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// The dealing
    #[arg(value_name = "DEALING")]
    dealing: PathBuf,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Find out whether the dealer or the complainer is wrong
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision judge --invitation first.invitation --dealing anna.dealing ben.complaint

The exit status is 1 when the dealer is wrong.")]
pub(super) struct Judge {
    /// The invitation
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// The dealing complained about
    #[arg(long, value_name = "FILE")]
    dealing: PathBuf,
    /// The complaint
    #[arg(value_name = "COMPLAINT")]
    complaint: PathBuf,
}

/// Put dealings and approvals of all officers together: the supervisory key
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie supervision finish --invitation first.invitation \\
      --dealings *.dealing --approvals *.approval --out first.outcome
  specie bank supervise bank --above 1000.00 --key 5f0c…")]
pub(super) struct Finish {
    /// The invitation
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// The dealings of all officers
    #[arg(long, value_name = "DEALING", num_args = 1.., required = true)]
    dealings: Vec<PathBuf>,
    /// The approvals of all officers
    #[arg(long, value_name = "APPROVAL", num_args = 1.., required = true)]
    approvals: Vec<PathBuf>,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Check an outcome, and show the key and its officers
#[derive(Args, Debug)]
#[command(after_help = "EXAMPLES:\n  specie supervision show first.outcome")]
pub(super) struct Show {
    /// The outcome
    #[arg(value_name = "OUTCOME")]
    outcome: PathBuf,
}

impl NewOfficer {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let seed = random_seed();
        let seed = seed.map_err(|error| Failure::refused("no-randomness", error, "repair the operating system"))?;
        let seed = Zeroizing::new(seed);
        let card = Officer::new(seed.clone()).card(self.name);
        // The card first: without its secret it is of no use to anybody, and a secret without a card looks like an officer.
        let file = write(&self.card, &card)?;
        if let Err(error) = create_key(&self.secret, *seed) {
            let _ = std::fs::remove_file(&self.card);
            return Err(Failure::refused(
                "officer-secret",
                error,
                "name a file that does not exist yet; nothing was written",
            ));
        }
        let key = card.signing.to_string();
        let secret = self.secret.display();
        let human = format!(
            "Officer {}: the secret is in {secret}, the card in {file}.\n  signing key  {key}\nKeep a copy of {secret} apart from it, \
             and let nobody see either.\n",
            self.name
        );
        Ok(Answer::new(human, json!({ "name": self.name.as_str(), "card": file, "signing_key": key })))
    }
}

impl Invite {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let cards: Vec<Card> = read_all(&self.cards, "card")?;
        let invitation = Invitation::new(self.name, self.threshold, cards)
            .map_err(|error| Failure::refused("invitation", error, "name other cards, or another threshold"))?;
        let file = write(&self.out, &invitation)?;
        let officers = invitation.cards().len();
        let human = format!(
            "Wrote {file}: {} of {officers} officers will be able to open a payment.\n{}",
            self.threshold,
            who(&invitation)
        );
        Ok(invited(Answer::new(human, json!({ "file": file })), &invitation))
    }
}

impl Deal {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let invitation: Invitation = read(&self.invitation, "invitation")?;
        let dealing = Dealing::new(&self.secret.officer()?, &invitation).map_err(OutcomeError::from)?;
        let file = write(&self.out, &dealing)?;
        let human = format!(
            "Wrote {file}: the dealing of officer {} in ceremony {}.\n{}If these are the keys that the officers read out, and the \
             others have the same ceremony, send it to every officer, the same to all.\n",
            dealing.dealer(),
            invitation.name(),
            who(&invitation)
        );
        Ok(invited(Answer::new(human, json!({ "file": file, "officer": dealing.dealer() })), &invitation))
    }
}

impl Approve {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let transcript = transcript(&self.invitation, &self.dealings)?;
        let approval = transcript.approve(&self.secret.officer()?)?;
        let file = write(&self.out, &approval)?;
        let (key, hash) = (hex::encode(transcript.key().0), hex::encode(transcript.hash()));
        let human = format!(
            "Every share is right. Wrote {file}: officer {} approves.\n  key         {key}\n  transcript  {hash}\nCompare the \
             transcript with the other officers.\n",
            approval.officer()
        );
        Ok(Answer::new(human, json!({ "file": file, "officer": approval.officer(), "key": key, "transcript": hash })))
    }
}

impl Complain {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let invitation: Invitation = read(&self.invitation, "invitation")?;
        let dealing: Dealing = read(&self.dealing, "dealing")?;
        let complaint = Complaint::new(&self.secret.officer()?, &invitation, &dealing)?;
        let verdict = complaint.judge(&invitation, &dealing)?;
        if let Verdict::Complainer(_) = verdict {
            let reason = format!("the share from officer {} is right", dealing.dealer());
            return Err(Failure::refused("no-complaint", reason, "approve; nothing was written"));
        }
        let file = write(&self.out, &complaint)?;
        let human = format!("Wrote {file}: everybody can see now that officer {} dealt wrongly.\n", dealing.dealer());
        Ok(Answer::new(human, json!({ "file": file, "dealer": dealing.dealer() })))
    }
}

impl Judge {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let invitation: Invitation = read(&self.invitation, "invitation")?;
        let dealing: Dealing = read(&self.dealing, "dealing")?;
        let complaint: Complaint = read(&self.complaint, "complaint")?;
        Ok(match complaint.judge(&invitation, &dealing)? {
            Verdict::Dealer(officer) => {
                let human = format!("Officer {officer} dealt wrongly: leave it out and begin anew.\n");
                Answer::verdict(false, human, json!({ "wrong": "dealer", "officer": officer }))
            }
            Verdict::Complainer(officer) => {
                let human = format!("The share is right; officer {officer} complains falsely.\n");
                Answer::new(human, json!({ "wrong": "complainer", "officer": officer }))
            }
        })
    }
}

impl Finish {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let transcript = transcript(&self.invitation, &self.dealings)?;
        let approvals: Vec<Approval> = read_all(&self.approvals, "approval")?;
        let outcome = Outcome::new(transcript, &approvals)?;
        let file = write(&self.out, &outcome)?;
        Ok(describe(&outcome, &format!("Wrote {file}.\n")).with("file", json!(file)))
    }
}

impl Show {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let outcome: Outcome = read(&self.outcome, "outcome")?;
        Ok(describe(&outcome, "Every dealing and every approval holds.\n"))
    }
}

/// What officers compare: the ceremony, how many of them it takes, and whose keys are invited. Who makes the invitation could put in
/// officers of its own.
fn who(invitation: &Invitation) -> String {
    let (id, threshold) = (hex::encode(invitation.id()), invitation.threshold());
    let mut human = format!("  ceremony  {id}\n  any {threshold} of these open a payment:\n");
    for (number, card) in (1..).zip(invitation.cards()) {
        human.push_str(&format!("  officer {number:<2} {}, signing key {}\n", card.name, card.signing));
    }
    human
}

fn invited(answer: Answer, invitation: &Invitation) -> Answer {
    let cards = invitation.cards().iter();
    let officers = cards.map(|card| json!({ "name": card.name.as_str(), "signing_key": card.signing.to_string() }));
    let answer = answer.with("ceremony", json!(hex::encode(invitation.id()))).with("officers", officers.collect());
    answer.with("threshold", json!(invitation.threshold()))
}

fn transcript(invitation: &std::path::Path, dealings: &[PathBuf]) -> Result<Transcript, Failure> {
    let dealings: Vec<Dealing> = read_all(dealings, "dealing")?;
    Ok(Transcript::new(read(invitation, "invitation")?, &dealings)?)
}

fn describe(outcome: &Outcome, first: &str) -> Answer {
    let transcript = outcome.transcript();
    let invitation = transcript.invitation();
    let (key, hash) = (hex::encode(transcript.key().0), hex::encode(transcript.hash()));
    let names: Vec<&str> = invitation.cards().iter().map(|card| card.name.as_str()).collect();
    let human = format!(
        "{first}Ceremony {}: any {} of {} together open a payment.\n  key         {key}\n  transcript  {hash}\n",
        invitation.name(),
        invitation.threshold(),
        names.join(", ")
    );
    let machine = json!({
        "ceremony": invitation.name().as_str(),
        "threshold": invitation.threshold(),
        "officers": names,
        "key": key,
        "transcript": hash,
    });
    Answer::new(human, machine)
}

impl From<OutcomeError> for Failure {
    fn from(error: OutcomeError) -> Self {
        let (code, advice) = match &error {
            OutcomeError::Dealing(DealingError::NotInvited) => {
                ("not-invited", "use the secret of an officer of this ceremony")
            }
            OutcomeError::Dealing(DealingError::WrongShare(_)) => ("wrong-share", "file a complaint with `complain`"),
            OutcomeError::Dealing(_) => ("dealing", "ask for the right dealings; nothing was written"),
            OutcomeError::NoKey => ("no-key", "begin anew"),
            _ => ("approval", "ask for the right approvals; nothing was written"),
        };
        Self::refused(code, error, advice)
    }
}

impl From<ComplaintError> for Failure {
    fn from(error: ComplaintError) -> Self {
        Self::refused("complaint", error, "bring the files that belong together; nothing was written")
    }
}
