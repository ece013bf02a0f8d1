//! The host's side: a [`Link`] over a line to the chip.

use thiserror::Error;
use zeroize::Zeroize;

use super::block::{Control, Decoder, Frame, INFORMATION_MAX, Matter, Sequence};
use super::{BLOCK_WAITING_MS, CHARACTER_WAITING_MS};
use crate::apdu::MAX_COMMAND;
use crate::client::Link;

/// How often a block is sent again before the host gives up.
pub const REPEATS_MAX: u32 = 3;
/// How long the chip may take to answer a RESYNCH, milliseconds: it may be in the middle of a command.
pub const RESYNCH_WAITING_MS: u32 = 2_500;
/// How much time in all the chip may ask for while it carries out one command, milliseconds.
pub const WAITING_MAX_MS: u32 = 120_000;
/// Blocks per command that lead no further (repeated, unasked for, about time or sizes) before the host gives up.
pub const DETOURS_MAX: u32 = 32;
/// Bytes per command that are part of no block before the host gives up.
pub const NOISE_MAX: u32 = 2_048;

/// Carries bytes to the chip and back, in order. It may lose, change and repeat some.
pub trait Line {
    /// Why the line does not work.
    type Error;

    /// Sends bytes.
    ///
    /// # Errors
    /// The line does not work.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Waits at most `patience_ms` milliseconds for the next byte; `None` where none came.
    ///
    /// # Errors
    /// The line does not work.
    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, Self::Error>;
}

impl<L: Line + ?Sized> Line for &mut L {
    type Error = L::Error;

    fn send(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        (**self).send(bytes)
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, Self::Error> {
        (**self).receive(patience_ms)
    }
}

/// An element on a chip of its own, at the other end of a line.
///
/// Either side may lose power at any time: the first command, and the first one after an error, begin with a RESYNCH.
pub struct Chip<L> {
    line: L,
    decoder: Decoder,
    frame: Frame,
    synchronised: bool,
    /// Number of the next piece to be sent.
    sequence: Sequence,
    /// Number of the chip's next piece.
    expected: Sequence,
    /// Most information that the chip takes in a block.
    information_max: usize,
    /// Marks the next RESYNCH.
    token: u32,
}

/// Why the chip gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChipError<E> {
    /// It could not be reached; the command was not sent.
    #[error("the chip could not be reached and the command was not sent: {0}")]
    NotReached(Fault<E>),
    /// It was reached and gave no answer, so whether it carried out the command is unknown. The same command may be sent
    /// again: it is done then, or its answer comes again.
    #[error("whether the chip carried out the command is unknown; send the same again: {0}")]
    OutcomeUnknown(Fault<E>),
    /// The command is longer than [`MAX_COMMAND`]; nothing was sent.
    #[error("the command is too long for the chip; nothing was sent")]
    CommandTooLong,
}

/// What went wrong between host and chip.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault<E> {
    /// The line does not work.
    #[error("{0}")]
    Line(E),
    /// The chip does not answer.
    #[error("the chip does not answer")]
    Silent,
    /// Too much was damaged on the way, or the other side is no chip, or it lost power.
    #[error("host and chip do not understand each other")]
    Garbled,
    /// The chip sends and sends, and nothing comes of it.
    #[error("the chip sends without end")]
    Babbling,
    /// The chip wants more time than there is.
    #[error("the chip wants too much time")]
    TooSlow,
    /// The chip broke off.
    #[error("the chip broke off")]
    Aborted,
    /// The answer is longer than any answer of an element.
    #[error("the chip's answer is too long")]
    AnswerTooLong,
}

impl<E> ChipError<E> {
    /// What went wrong between host and chip, where that is the reason.
    pub const fn fault(&self) -> Option<&Fault<E>> {
        match self {
            Self::NotReached(fault) | Self::OutcomeUnknown(fault) => Some(fault),
            Self::CommandTooLong => None,
        }
    }
}

/// What one command may cost before the host gives up.
struct Patience {
    detours: u32,
    noise: u32,
    waiting_ms: u32,
}

/// What came of listening.
enum Heard {
    Block(Control),
    /// Bytes that are no block, and silence.
    Noise,
    Silence,
}

/// The block that was sent and waits for what comes after it.
#[derive(Clone, Copy)]
enum Sent {
    /// A piece of the command, with more to follow.
    Piece,
    /// The last piece, or that a piece of the answer is wanted.
    Question,
}

impl<L> Chip<L> {
    /// The chip at the other end of `line`. Nothing is sent before the first command.
    ///
    /// `token` marks the first RESYNCH, and those after it count on from there: a random number, or a count of power-ups.
    /// A host that loses its power while the chip is busy would else take an answer to its former self for a new one,
    /// should the line still carry it.
    pub const fn new(line: L, token: u32) -> Self {
        Self {
            line,
            decoder: Decoder::new(),
            frame: Frame::new(),
            synchronised: false,
            sequence: Sequence::FIRST,
            expected: Sequence::FIRST,
            information_max: INFORMATION_MAX,
            token,
        }
    }

    /// Whether the next command goes out at once. Else a RESYNCH goes before it, and the element behind the line may have lost
    /// its power since the last command, or be another one.
    pub const fn is_synchronised(&self) -> bool {
        self.synchronised
    }

    /// The line.
    pub const fn line(&self) -> &L {
        &self.line
    }

    /// The line, to be set up otherwise. What is sent or received by other hands is taken for noise.
    pub const fn line_mut(&mut self) -> &mut L {
        &mut self.line
    }

    /// Gives the line back.
    pub fn into_line(self) -> L {
        self.line
    }
}

impl<L: Line> Chip<L> {
    fn exchange(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ChipError<L::Error>> {
        let mut patience = Patience { detours: DETOURS_MAX, noise: NOISE_MAX, waiting_ms: WAITING_MAX_MS };
        if !self.synchronised {
            self.resynchronise(&mut patience).map_err(ChipError::NotReached)?;
            self.synchronised = true;
        }
        let more = self.send_command(command, &mut patience).map_err(ChipError::OutcomeUnknown)?;
        self.take_answer(more, response, &mut patience).map_err(ChipError::OutcomeUnknown)
    }

    /// Lets the chip forget everything about the transport, and waits until all that it sent before has passed: its
    /// response repeats the token of this very request.
    fn resynchronise(&mut self, patience: &mut Patience) -> Result<(), Fault<L::Error>> {
        let token = self.set_resynch();
        self.send_frame()?;
        let mut repeats = 0;
        loop {
            match self.listen(RESYNCH_WAITING_MS, patience)? {
                Heard::Block(Control::Supervision { matter: Matter::Resynch, response: true })
                    if self.decoder.information() == token =>
                {
                    break;
                }
                Heard::Block(Control::Ready { fault: Some(_), .. }) => {
                    patience.detour()?;
                    self.send_frame()?;
                }
                Heard::Block(_) => patience.detour()?,
                heard => {
                    heard.check_repeats(&mut repeats)?;
                    self.send_frame()?;
                }
            }
        }
        self.sequence = Sequence::FIRST;
        self.expected = Sequence::FIRST;
        self.information_max = INFORMATION_MAX;
        Ok(())
    }

    /// Sends the command; the first piece of the answer is in the decoder then. Tells whether more follow it.
    fn send_command(&mut self, command: &[u8], patience: &mut Patience) -> Result<bool, Fault<L::Error>> {
        let mut rest = command;
        loop {
            let (piece, others) = rest.split_at(rest.len().min(self.information_max));
            let more = !others.is_empty();
            self.frame.set(Control::Information { sequence: self.sequence, more }, piece);
            let answer = self.converse(if more { Sent::Piece } else { Sent::Question }, patience)?;
            self.sequence = self.sequence.next();
            rest = others;
            if !more {
                return Ok(answer);
            }
        }
    }

    /// Puts the pieces of the answer together, the first of which is in the decoder.
    fn take_answer(
        &mut self,
        mut more: bool,
        response: &mut [u8],
        patience: &mut Patience,
    ) -> Result<usize, Fault<L::Error>> {
        let mut length = 0;
        loop {
            let piece = self.decoder.information();
            let room = response.get_mut(length..length + piece.len()).ok_or(Fault::AnswerTooLong)?;
            room.copy_from_slice(piece);
            length += piece.len();
            if !more {
                return Ok(length);
            }
            if piece.is_empty() {
                return Err(Fault::Garbled);
            }
            self.frame.set(Control::Ready { expected: self.expected, fault: None }, &[]);
            more = self.converse(Sent::Question, patience)?;
        }
    }

    /// Sends the frame until what has to come after it comes. For a [`Sent::Question`] that is a piece of the answer, which
    /// is in the decoder then; tells whether more follow it.
    fn converse(&mut self, sent: Sent, patience: &mut Patience) -> Result<bool, Fault<L::Error>> {
        self.send_frame()?;
        let mut repeats = 0;
        let mut waiting_ms = BLOCK_WAITING_MS;
        loop {
            let control = match self.listen(waiting_ms, patience)? {
                Heard::Block(control) => control,
                heard => {
                    heard.check_repeats(&mut repeats)?;
                    self.send_frame()?;
                    waiting_ms = BLOCK_WAITING_MS;
                    continue;
                }
            };
            match (control, sent) {
                (Control::Information { sequence, more }, Sent::Question) if sequence == self.expected => {
                    self.expected = sequence.next();
                    return Ok(more);
                }
                (Control::Ready { expected, fault: None }, Sent::Piece) if expected == self.sequence.next() => {
                    return Ok(true);
                }
                (Control::Ready { .. }, _) => {
                    patience.detour()?;
                    Heard::Noise.check_repeats(&mut repeats)?;
                    self.send_frame()?;
                }
                // A piece that is here already, sent again.
                (Control::Information { .. }, _) => patience.detour()?,
                (Control::Supervision { matter, response }, _) => {
                    patience.detour()?;
                    if !response && let Some(time) = self.supervise(matter, patience)? {
                        waiting_ms = time;
                    }
                }
            }
        }
    }

    /// Grants what the chip asks for. Gives how long to wait from now on, where it asked for time.
    fn supervise(&mut self, matter: Matter, patience: &mut Patience) -> Result<Option<u32>, Fault<L::Error>> {
        let mut reply = Frame::new();
        let response = Control::Supervision { matter, response: true };
        let time = match (matter, self.decoder.information()) {
            (Matter::MoreTime, &[multiplier]) => {
                let time = patience.grant(multiplier)?;
                reply.set(response, &[multiplier]);
                Some(time)
            }
            (Matter::InformationSize, &[size]) if (1..=INFORMATION_MAX).contains(&usize::from(size)) => {
                self.information_max = usize::from(size);
                reply.set(response, &[size]);
                None
            }
            (Matter::Abort, _) => {
                reply.set(response, &[]);
                self.line.send(reply.bytes()).map_err(Fault::Line)?;
                return Err(Fault::Aborted);
            }
            // The chip asks for nothing that a chip may ask for; what it was asked stays open.
            _ => return Ok(None),
        };
        self.line.send(reply.bytes()).map_err(Fault::Line)?;
        Ok(time)
    }

    /// Waits at most `waiting_ms` for a block to begin, and for its end.
    fn listen(&mut self, waiting_ms: u32, patience: &mut Patience) -> Result<Heard, Fault<L::Error>> {
        let mut waiting_ms = waiting_ms;
        loop {
            let Some(byte) = self.line.receive(waiting_ms).map_err(Fault::Line)? else {
                return Ok(if self.decoder.silence().is_some() { Heard::Noise } else { Heard::Silence });
            };
            waiting_ms = CHARACTER_WAITING_MS;
            let discarding = self.decoder.is_discarding();
            if let Some(Ok(control)) = self.decoder.push(byte) {
                return Ok(Heard::Block(control));
            }
            if discarding {
                patience.noise = patience.noise.checked_sub(1).ok_or(Fault::Babbling)?;
            }
        }
    }

    fn send_frame(&mut self) -> Result<(), Fault<L::Error>> {
        self.line.send(self.frame.bytes()).map_err(Fault::Line)
    }

    /// Makes a RESYNCH the next frame; gives the token that its response repeats.
    fn set_resynch(&mut self) -> [u8; 4] {
        let token = self.token.to_be_bytes();
        self.token = self.token.wrapping_add(1);
        self.frame.set(Control::Supervision { matter: Matter::Resynch, response: false }, &token);
        token
    }

    /// Leaves nothing of a command that failed, here or in the chip.
    fn give_up(&mut self, error: &ChipError<L::Error>) {
        self.synchronised = false;
        if matches!(error, ChipError::OutcomeUnknown(fault) if !matches!(fault, Fault::Line(_))) {
            self.set_resynch();
            // What comes of it the next command will see.
            let _ = self.send_frame();
        }
    }
}

impl<L: Line> Link for Chip<L> {
    type Error = ChipError<L::Error>;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        if command.len() > MAX_COMMAND {
            return Err(ChipError::CommandTooLong);
        }
        let result = self.exchange(command, response);
        if let Err(error) = &result {
            response.zeroize();
            self.give_up(error);
        }
        self.frame.clear();
        // What is being thrown away ends with the next silence, in whichever command that falls.
        if !self.decoder.is_discarding() {
            self.decoder.clear();
        }
        result
    }
}

impl Patience {
    /// One more block that leads no further.
    fn detour<E>(&mut self) -> Result<(), Fault<E>> {
        self.detours = self.detours.checked_sub(1).ok_or(Fault::Babbling)?;
        Ok(())
    }

    /// How long `multiplier` times the block waiting time is, milliseconds, if so much time is left.
    fn grant<E>(&mut self, multiplier: u8) -> Result<u32, Fault<E>> {
        let time = u32::from(multiplier) * BLOCK_WAITING_MS;
        self.waiting_ms = self.waiting_ms.checked_sub(time).filter(|_| time > 0).ok_or(Fault::TooSlow)?;
        Ok(time)
    }
}

impl Heard {
    /// One more reason to send the same block again, unless there were too many.
    fn check_repeats<E>(&self, repeats: &mut u32) -> Result<(), Fault<E>> {
        if *repeats < REPEATS_MAX {
            *repeats += 1;
            return Ok(());
        }
        Err(if matches!(self, Self::Silence) { Fault::Silent } else { Fault::Garbled })
    }
}
