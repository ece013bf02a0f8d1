//! `specie supervision`: officers who can read together who made a disclosed payment, and only together.

mod ceremony;
mod files;
mod opening;

use clap::{Args, Subcommand};
pub(crate) use files::read;

use crate::answer::Answer;
use crate::failure::Failure;

/// Hold a supervisory key together with others, and open disclosed payments with it.
#[derive(Args, Debug)]
pub(crate) struct Supervision {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Officer(ceremony::NewOfficer),
    Invite(ceremony::Invite),
    Deal(ceremony::Deal),
    Approve(ceremony::Approve),
    Complain(ceremony::Complain),
    Judge(ceremony::Judge),
    Finish(ceremony::Finish),
    Show(ceremony::Show),
    Partial(opening::NewPartial),
    Open(opening::Open),
    Verify(opening::Verify),
}

impl Supervision {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        match &self.command {
            Command::Officer(officer) => officer.run(),
            Command::Invite(invite) => invite.run(),
            Command::Deal(deal) => deal.run(),
            Command::Approve(approve) => approve.run(),
            Command::Complain(complain) => complain.run(),
            Command::Judge(judge) => judge.run(),
            Command::Finish(finish) => finish.run(),
            Command::Show(show) => show.run(),
            Command::Partial(partial) => partial.run(),
            Command::Open(open) => open.run(),
            Command::Verify(verify) => verify.run(),
        }
    }
}
