//! The owner's end of a microcontroller's line (`docs/spec/links.md`): commands, what happens, and its errands to the PSP,
//! which are carried there and back unchanged.

use std::collections::VecDeque;
use std::fmt::Display;
use std::time::{Duration, Instant};

use specie_api::client::Http;
use specie_element::t1::reader::Line;
pub use specie_embedded::device::Terms;
use specie_embedded::frame::{Frame, Inbox, MESSAGE_MAX};
use specie_embedded::owner::{ANSWER_TOO_LONG, CarriedErrand, encode_answer, kind};
pub use specie_embedded::owner::{Command, Event, Reply, Status, Summary, Told};
pub use specie_embedded::synchronisation::Keep;
use thiserror::Error;

/// How long a device may take for one command.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long one look at the line takes, in milliseconds.
const LOOK_MS: u32 = 100;

/// A device on a microcontroller, seen from its owner's line.
pub struct Gateway<L> {
    line: L,
    inbox: Inbox,
    events: VecDeque<Event>,
    errands: VecDeque<CarriedErrand>,
    carried: u64,
}

/// Why the device could not be understood or heard. Whether it did what it was told shows its status.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The line failed.
    #[error("the line to the device failed: {0}")]
    Line(String),
    /// Nothing came in time.
    #[error("the device did not answer within {} s; check that it has power and that the line is connected", .0.as_secs())]
    Silent(Duration),
}

impl<L: Line<Error: Display>> Gateway<L> {
    /// The device at the other end of `line`.
    pub fn new(line: L) -> Self {
        Self { line, inbox: Inbox::default(), events: VecDeque::new(), errands: VecDeque::new(), carried: 0 }
    }

    /// Tells the device something and waits for its reply.
    ///
    /// # Errors
    /// It could not be told, or did not reply: the same again does no harm, except for a PIN.
    pub fn command(&mut self, command: &Command) -> Result<Reply, GatewayError> {
        self.command_within(command, PATIENCE)
    }

    /// The same, and waits at most `patience`.
    ///
    /// # Errors
    /// As [`Gateway::command`].
    pub fn command_within(&mut self, command: &Command, patience: Duration) -> Result<Reply, GatewayError> {
        self.send(kind::COMMAND, &command.encode())?;
        let end = Instant::now() + patience;
        loop {
            let frame = self.frame(end, patience)?;
            match Reply::decode(&frame.message) {
                Ok((number, reply)) if frame.kind == kind::REPLY && [0, command.number()].contains(&number) => {
                    return Ok(reply);
                }
                _ => self.put_aside(&frame),
            }
        }
    }

    /// Waits for something to happen, and carries errands to the PSP meanwhile.
    ///
    /// # Errors
    /// Nothing happened within `patience`, or the line failed.
    pub fn wait(&mut self, psp: Option<&Http>, patience: Duration) -> Result<Event, GatewayError> {
        let end = Instant::now() + patience;
        loop {
            if let Some(errand) = self.errands.pop_front() {
                self.carry(&errand, psp)?;
            } else if let Some(event) = self.events.pop_front() {
                return Ok(event);
            } else {
                let frame = self.frame(end, patience)?;
                self.put_aside(&frame);
            }
        }
    }

    /// What happens within `patience`, if anything does. Errands are left for whoever has a network.
    ///
    /// # Errors
    /// The line failed.
    pub fn look(&mut self, patience: Duration) -> Result<Option<Event>, GatewayError> {
        let end = Instant::now() + patience;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.frame(end, patience) {
                Ok(frame) => self.put_aside(&frame),
                Err(GatewayError::Silent(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// How many errands were answered so far.
    pub fn carried(&self) -> u64 {
        self.carried
    }

    /// The line.
    pub fn line_mut(&mut self) -> &mut L {
        &mut self.line
    }

    /// Takes an errand to the PSP. Without a network, the device is told so.
    fn carry(&mut self, errand: &CarriedErrand, psp: Option<&Http>) -> Result<(), GatewayError> {
        let headers = errand.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let answer = psp.and_then(|psp| psp.relay(&errand.method, &errand.target, headers, &errand.body));
        let (status, body) = answer.unwrap_or_default();
        self.carried += 1;
        let answer = encode_answer(errand.number, status, &body);
        if answer.len() <= MESSAGE_MAX {
            self.send(kind::ANSWER, &answer)
        } else {
            self.send(kind::ANSWER, &encode_answer(errand.number, ANSWER_TOO_LONG, &[]))
        }
    }

    fn send(&mut self, kind: u8, message: &[u8]) -> Result<(), GatewayError> {
        let frame = Frame::encode(kind, message).ok_or_else(|| GatewayError::Line("a message is too long".into()))?;
        // Whatever half a frame a break left on the line ends here.
        self.line
            .send(&[0])
            .and_then(|()| self.line.send(&frame))
            .map_err(|error| GatewayError::Line(error.to_string()))
    }

    fn frame(&mut self, end: Instant, patience: Duration) -> Result<Frame, GatewayError> {
        loop {
            match self.line.receive(LOOK_MS) {
                Ok(Some(byte)) => {
                    if let Some(frame) = self.inbox.receive(byte) {
                        return Ok(frame);
                    }
                }
                Ok(None) if Instant::now() >= end => return Err(GatewayError::Silent(patience)),
                Ok(None) => {}
                Err(error) => return Err(GatewayError::Line(error.to_string())),
            }
        }
    }

    fn put_aside(&mut self, frame: &Frame) {
        match frame.kind {
            kind::EVENT => self.events.extend(Event::decode(&frame.message)),
            kind::ERRAND => self.errands.extend(CarriedErrand::decode(&frame.message)),
            _ => {}
        }
    }
}
