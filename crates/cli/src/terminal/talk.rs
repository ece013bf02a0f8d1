//! A conversation with a device: it is told the time, then what to do, and what happens is heard.

use std::time::{Duration, Instant};

use specie_api::client::Http;
use specie_device::clock;
use specie_device::element::ChipAddress;
use specie_device::gateway::{Command, Event, Gateway, GatewayError, Reply, Told};
use specie_device::line::OpenLine;

use super::Which;
use crate::failure::Failure;
use crate::printable::printable;
use crate::progress::Progress;

/// What happened before anybody listened is told within this time after the first reply.
const REMINDERS: Duration = Duration::from_millis(150);

/// How long one look at the line takes.
const LOOK: Duration = Duration::from_millis(500);

/// How long a device that has errands may do nothing: it gives one up after 60 seconds.
const QUIET: Duration = Duration::from_secs(90);

/// A device that was told the time.
pub(super) struct Talk {
    gateway: Gateway<OpenLine>,
    address: ChipAddress,
    patience: Duration,
    /// What happened before it was told anything.
    pub(super) earlier: Vec<Event>,
}

/// Whether a command may move money: then nobody knows, where no reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Risk {
    None,
    Money,
}

impl Talk {
    pub(super) fn begin(which: &Which) -> Result<Self, Failure> {
        let address = which.line.clone();
        let line = OpenLine::open(&address).map_err(|error| {
            Failure::refused(
                "line-not-opened",
                format!("{address} cannot be opened ({error})"),
                "check that the device is connected there, and that no other program uses its line",
            )
        })?;
        let patience = which.patience();
        let mut talk = Self { gateway: Gateway::new(line), address, patience, earlier: Vec::new() };
        talk.tell(&Command::Time(clock::now()), Risk::None)?;
        while let Some(event) = talk.gateway.look(REMINDERS).map_err(|error| talk.failed(&error, Risk::None))? {
            talk.earlier.push(event);
        }
        Ok(talk)
    }

    /// Tells the device something; gives what it replies where it does not refuse.
    pub(super) fn tell(&mut self, command: &Command, risk: Risk) -> Result<Reply, Failure> {
        match self.gateway.command_within(command, self.patience) {
            Ok(Reply::Failed(told)) => Err(refused(&told)),
            Ok(reply) => Ok(reply),
            Err(error) => Err(self.failed(&error, risk)),
        }
    }

    /// What happens next, until `end`. Errands are left alone.
    pub(super) fn hear(&mut self, end: Instant, risk: Risk) -> Result<Option<Event>, Failure> {
        let patience = end.saturating_duration_since(Instant::now());
        self.gateway.look(patience).map_err(|error| self.failed(&error, risk))
    }

    /// What happens next. The device's errands are carried to the PSP meanwhile.
    pub(super) fn serve(&mut self, psp: &Http, progress: &Progress, what: &str) -> Result<Event, Failure> {
        let (mut carried, mut since) = (self.gateway.carried(), Instant::now());
        loop {
            match self.gateway.wait(Some(psp), LOOK) {
                Ok(event) => return Ok(event),
                Err(GatewayError::Silent(_)) if since.elapsed() < QUIET => {}
                Err(GatewayError::Silent(_)) => return Err(self.failed(&GatewayError::Silent(QUIET), Risk::Money)),
                Err(error) => return Err(self.failed(&error, Risk::Money)),
            }
            if self.gateway.carried() > carried {
                (carried, since) = (self.gateway.carried(), Instant::now());
                progress.now(format!("{what}, {carried} requests to the PSP"));
            }
        }
    }

    fn failed(&self, error: &GatewayError, risk: Risk) -> Failure {
        let address = &self.address;
        let failure = match error {
            GatewayError::Silent(patience) => Failure::refused(
                "device-silent",
                format!("{address}: the device did not answer within {} s", patience.as_secs()),
                "check that it has power and that this is its owner's line, and do the same again",
            ),
            error => Failure::refused(
                "line-failed",
                format!("{address}: {error}"),
                "connect the device again and do the same again; `specie terminal status` shows what it did",
            ),
        };
        failure.with_money((risk == Risk::None).then_some(false))
    }
}

/// What the device refused, in its own words.
pub(super) fn refused(told: &Told) -> Failure {
    let (code, advice) = (printable(&told.code), printable(&told.advice));
    let advice = match &*code {
        "pin-needed" => "tell the device the PIN with `specie terminal pin` and do the same again".to_owned(),
        "no-wallet" => "make a wallet with `specie terminal new`".to_owned(),
        "busy" => "wait until it is done, at most a minute if nobody carries its errands any more".to_owned(),
        _ => advice,
    };
    // The device says of money that it moved, or may have.
    let money_moved = (!told.money_moved).then_some(false);
    Failure::refused(code, printable(&told.what), advice).with_money(money_moved)
}
