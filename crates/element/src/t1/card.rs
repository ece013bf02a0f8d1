//! The chip's side: bytes in, commands out; answers in, bytes out.

use zeroize::Zeroize;

use super::block::{Control, Decoder, Fault, Frame, INFORMATION_MAX, Matter, Sequence};
use crate::apdu::{MAX_COMMAND, MAX_RESPONSE};

const _: () = assert!(MAX_RESPONSE <= MAX_COMMAND, "command and answer take turns in one buffer");

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Event {
    /// Wait for the next byte.
    Nothing,
    /// Send [`Card::outgoing`].
    Send,
    /// Carry out [`Card::command`] and give its answer to [`Card::answer`].
    Command,
}

/// The state machine of the chip.
///
/// Whoever drives it hands over every byte with [`receive`](Self::receive), and calls [`silence`](Self::silence) when no
/// byte came for [`CHARACTER_WAITING_MS`](super::CHARACTER_WAITING_MS). What is received while a command is being
/// carried out is thrown away, or waits outside: the host sends nothing then but what it would send again.
///
/// A command is handed out once, however often its blocks arrive. After power-up nothing is, until the host has sent a
/// RESYNCH: what would come first might be the end of a command whose beginning the chip lost with its power, or one that
/// it did already.
pub struct Card {
    decoder: Decoder,
    frame: Frame,
    /// The command while it comes, then its answer while it goes.
    message: [u8; MAX_COMMAND],
    length: usize,
    phase: Phase,
    /// Number of the host's next piece.
    expected: Sequence,
    /// Number of the piece that is under way, or of the next one.
    sequence: Sequence,
    /// Most information that the host takes in a block.
    information_max: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing counts before a RESYNCH.
    Unsynchronised,
    /// Numbers were reset and no piece came yet.
    Fresh,
    /// The pieces that came were acknowledged, and more follow.
    Receiving,
    /// The command is complete and has no answer yet.
    Executing,
    /// The piece of the answer from `start` to `end` is under way.
    Answering { start: usize, end: usize },
}

impl Card {
    /// A chip after power-up.
    pub const fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            frame: Frame::new(),
            message: [0; MAX_COMMAND],
            length: 0,
            phase: Phase::Unsynchronised,
            expected: Sequence::FIRST,
            sequence: Sequence::FIRST,
            information_max: INFORMATION_MAX,
        }
    }

    /// Takes a byte from the line.
    pub fn receive(&mut self, byte: u8) -> Event {
        match self.decoder.push(byte) {
            // The host is told of what was no block once the line is silent.
            None | Some(Err(_)) => Event::Nothing,
            Some(Ok(_)) if self.phase == Phase::Executing => {
                self.decoder.clear();
                Event::Nothing
            }
            Some(Ok(control)) => {
                let event = self.handle(control);
                self.decoder.clear();
                event
            }
        }
    }

    /// The line has been silent for the character waiting time or longer: half a block is thrown away, and the host asked
    /// for it again. May be called as often as one likes.
    pub fn silence(&mut self) -> Event {
        match self.decoder.silence() {
            Some(error) if self.phase != Phase::Executing => self.complain(error.fault()),
            _ => Event::Nothing,
        }
    }

    /// The command to be carried out: after [`Event::Command`], until it is answered. At most [`MAX_COMMAND`] bytes.
    pub fn command(&self) -> &[u8] {
        if self.phase == Phase::Executing { &self.message[..self.length] } else { &[] }
    }

    /// Asks the host for `multiplier` times [`BLOCK_WAITING_MS`](super::BLOCK_WAITING_MS) from when it hears of it, for
    /// the command being carried out. The host takes no zero, and gives up when it was asked for
    /// [`WAITING_MAX_MS`](super::reader::WAITING_MAX_MS) for one command.
    pub fn ask_for_time(&mut self, multiplier: u8) -> Event {
        if self.phase != Phase::Executing {
            return Event::Nothing;
        }
        self.frame.set(Control::Supervision { matter: Matter::MoreTime, response: false }, &[multiplier]);
        Event::Send
    }

    /// Gives the answer to the command, at most [`MAX_RESPONSE`] bytes; [`outgoing`](Self::outgoing) is to be sent then.
    /// Where no command waits for one, nothing happens and nothing is to be sent. A longer answer is sent as an empty one,
    /// which no host takes for an answer.
    pub fn answer(&mut self, response: &[u8]) {
        self.frame.clear();
        if self.phase != Phase::Executing {
            return;
        }
        self.wipe_message();
        if response.len() <= MAX_RESPONSE {
            self.message[..response.len()].copy_from_slice(response);
            self.length = response.len();
        }
        self.begin_piece(0);
    }

    /// The block to be sent.
    pub fn outgoing(&self) -> &[u8] {
        self.frame.bytes()
    }

    fn handle(&mut self, control: Control) -> Event {
        match control {
            Control::Supervision { matter: Matter::Resynch, response: false } => self.resynchronise(),
            // Answers to what was asked, if it was: to a request for time, or to an ABORT.
            Control::Supervision { response: true, .. } => Event::Nothing,
            _ if self.phase == Phase::Unsynchronised => self.complain(Fault::Other),
            Control::Information { sequence, more } => self.take_piece(sequence, more),
            Control::Ready { expected, .. } => self.continue_answer(expected),
            Control::Supervision { matter: Matter::InformationSize, .. } => self.change_information_size(),
            Control::Supervision { matter: Matter::Abort, .. } => self.abort(true),
            Control::Supervision { matter: Matter::MoreTime, .. } => self.complain(Fault::Other),
        }
    }

    fn resynchronise(&mut self) -> Event {
        self.wipe_message();
        self.phase = Phase::Fresh;
        self.expected = Sequence::FIRST;
        self.sequence = Sequence::FIRST;
        self.information_max = INFORMATION_MAX;
        let response = Control::Supervision { matter: Matter::Resynch, response: true };
        self.frame.set(response, self.decoder.information());
        Event::Send
    }

    fn change_information_size(&mut self) -> Event {
        let &[size] = self.decoder.information() else { return self.complain(Fault::Other) };
        if !(1..=INFORMATION_MAX).contains(&usize::from(size)) {
            return self.complain(Fault::Other);
        }
        self.information_max = usize::from(size);
        self.frame.set(Control::Supervision { matter: Matter::InformationSize, response: true }, &[size]);
        Event::Send
    }

    /// Forgets command and answer. Which numbers come next is not clear to both sides then, so they begin anew.
    fn abort(&mut self, response: bool) -> Event {
        self.wipe_message();
        self.phase = Phase::Unsynchronised;
        self.frame.set(Control::Supervision { matter: Matter::Abort, response }, &[]);
        Event::Send
    }

    fn take_piece(&mut self, sequence: Sequence, more: bool) -> Event {
        if sequence != self.expected {
            return self.repeat();
        }
        match self.phase {
            Phase::Answering { end, .. } if end < self.length => return self.complain(Fault::Other),
            // The host has the whole answer, or it would not go on.
            Phase::Answering { .. } => {
                self.wipe_message();
                self.sequence = self.sequence.next();
            }
            _ => {}
        }
        self.expected = self.expected.next();
        let piece = self.decoder.information();
        let end = self.length + piece.len();
        let Some(room) = self.message.get_mut(self.length..end) else { return self.abort(false) };
        room.copy_from_slice(piece);
        self.length = end;
        if more {
            self.phase = Phase::Receiving;
            self.acknowledge()
        } else {
            self.frame.clear();
            self.phase = Phase::Executing;
            Event::Command
        }
    }

    /// The host has every piece before `expected`.
    fn continue_answer(&mut self, expected: Sequence) -> Event {
        match self.phase {
            Phase::Answering { end, .. } if expected != self.sequence => {
                if end < self.length {
                    self.sequence = self.sequence.next();
                    self.begin_piece(end);
                    Event::Send
                } else {
                    // It had the answer and waits for another: its next command did not arrive.
                    self.acknowledge()
                }
            }
            _ => self.repeat(),
        }
    }

    /// The host did not get the last block, or sent its own again without need.
    fn repeat(&mut self) -> Event {
        match self.phase {
            Phase::Receiving => self.acknowledge(),
            Phase::Answering { start, end } => {
                self.set_piece(start, end);
                Event::Send
            }
            Phase::Unsynchronised | Phase::Fresh | Phase::Executing => self.complain(Fault::Other),
        }
    }

    fn begin_piece(&mut self, start: usize) {
        let end = self.length.min(start + self.information_max);
        self.phase = Phase::Answering { start, end };
        self.set_piece(start, end);
    }

    fn set_piece(&mut self, start: usize, end: usize) {
        let control = Control::Information { sequence: self.sequence, more: end < self.length };
        self.frame.set(control, &self.message[start..end]);
    }

    fn acknowledge(&mut self) -> Event {
        self.frame.set(Control::Ready { expected: self.expected, fault: None }, &[]);
        Event::Send
    }

    fn complain(&mut self, fault: Fault) -> Event {
        self.frame.set(Control::Ready { expected: self.expected, fault: Some(fault) }, &[]);
        Event::Send
    }

    fn wipe_message(&mut self) {
        self.message[..self.length].zeroize();
        self.length = 0;
    }
}

impl Default for Card {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.wipe_message();
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    const FIRST: Sequence = Sequence::FIRST;
    const SECOND: Sequence = Sequence::FIRST.next();

    const fn piece(sequence: Sequence, more: bool) -> Control {
        Control::Information { sequence, more }
    }

    const fn ready(expected: Sequence, fault: Option<Fault>) -> Control {
        Control::Ready { expected, fault }
    }

    const fn request(matter: Matter) -> Control {
        Control::Supervision { matter, response: false }
    }

    const fn response(matter: Matter) -> Control {
        Control::Supervision { matter, response: true }
    }

    fn framed(control: Control, information: &[u8]) -> Vec<u8> {
        let mut frame = Frame::new();
        frame.set(control, information);
        frame.bytes().to_vec()
    }

    /// Hands over a block; gives the event of its last byte.
    fn hear(card: &mut Card, control: Control, information: &[u8]) -> Event {
        let block = framed(control, information);
        let (last, rest) = block.split_last().expect("a block");
        assert!(rest.iter().all(|&byte| card.receive(byte) == Event::Nothing));
        card.receive(*last)
    }

    /// Hands over a block that is answered by this one.
    #[track_caller]
    fn answers(card: &mut Card, heard: (Control, &[u8]), sent: (Control, &[u8])) {
        assert_eq!(hear(card, heard.0, heard.1), Event::Send);
        assert_eq!(card.outgoing(), framed(sent.0, sent.1));
    }

    fn synchronised() -> Card {
        let mut card = Card::new();
        answers(&mut card, (request(Matter::Resynch), &[1, 2]), (response(Matter::Resynch), &[1, 2]));
        card
    }

    fn executing(command: &[u8]) -> Card {
        let mut card = synchronised();
        assert_eq!(hear(&mut card, piece(FIRST, false), command), Event::Command);
        assert_eq!(card.command(), command);
        card
    }

    #[test]
    fn nothing_is_done_before_a_resynch() {
        let mut card = Card::new();
        for sequence in [FIRST, SECOND] {
            for control in [piece(sequence, false), piece(sequence, true), ready(sequence, None)] {
                answers(&mut card, (control, &[]), (ready(FIRST, Some(Fault::Other)), &[]));
            }
        }
        answers(&mut card, (request(Matter::InformationSize), &[9]), (ready(FIRST, Some(Fault::Other)), &[]));
        assert_eq!(hear(&mut card, response(Matter::MoreTime), &[1]), Event::Nothing);
        assert!(card.command().is_empty());
    }

    #[test]
    fn a_command_is_handed_out_once_and_its_answer_as_often_as_wanted() {
        let mut card = executing(b"command");
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Nothing);
        card.answer(b"answer");
        let answer = (piece(FIRST, false), &b"answer"[..]);
        assert_eq!(card.outgoing(), framed(answer.0, answer.1));
        for again in [piece(FIRST, false), ready(FIRST, Some(Fault::Checksum)), ready(FIRST, None)] {
            answers(&mut card, (again, &[]), answer);
        }
        // The host has the answer and lost its next command on the way.
        answers(&mut card, (ready(SECOND, Some(Fault::Other)), &[]), (ready(SECOND, None), &[]));
        assert_eq!(hear(&mut card, piece(SECOND, false), b"next"), Event::Command);
        assert_eq!(card.command(), b"next");
        card.answer(b"other");
        assert_eq!(card.outgoing(), framed(piece(SECOND, false), b"other"));
    }

    #[test]
    fn chains_go_both_ways() {
        let mut card = synchronised();
        answers(&mut card, (piece(FIRST, true), b"com"), (ready(SECOND, None), &[]));
        for again in [piece(FIRST, true), ready(FIRST, Some(Fault::Other))] {
            answers(&mut card, (again, &[]), (ready(SECOND, None), &[]));
        }
        assert_eq!(hear(&mut card, piece(SECOND, false), b"mand"), Event::Command);
        assert_eq!(card.command(), b"command");
        card.answer(&[7; 600]);
        assert_eq!(card.outgoing(), framed(piece(FIRST, true), &[7; 254]));
        answers(&mut card, (piece(SECOND, false), b"mand"), (piece(FIRST, true), &[7; 254]));
        answers(&mut card, (ready(SECOND, None), &[]), (piece(SECOND, true), &[7; 254]));
        answers(&mut card, (ready(SECOND, None), &[]), (piece(SECOND, true), &[7; 254]));
        // No new command before the host took the whole answer.
        answers(&mut card, (piece(FIRST, false), b"x"), (ready(FIRST, Some(Fault::Other)), &[]));
        answers(&mut card, (ready(FIRST, None), &[]), (piece(FIRST, false), &[7; 92]));
        assert_eq!(hear(&mut card, piece(FIRST, false), b"x"), Event::Command);
    }

    #[test]
    fn damage_is_reported_when_the_line_is_silent() {
        let mut card = synchronised();
        assert_eq!(card.silence(), Event::Nothing);
        let mut block = framed(piece(FIRST, false), b"command");
        *block.last_mut().unwrap() ^= 1;
        assert!(block.iter().all(|&byte| card.receive(byte) == Event::Nothing));
        assert_eq!(card.silence(), Event::Send);
        assert_eq!(card.outgoing(), framed(ready(FIRST, Some(Fault::Checksum)), &[]));
        assert!(block[..5].iter().all(|&byte| card.receive(byte) == Event::Nothing));
        assert_eq!(card.silence(), Event::Send);
        assert_eq!(card.outgoing(), framed(ready(FIRST, Some(Fault::Other)), &[]));
        assert_eq!(card.silence(), Event::Nothing);
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Command);
    }

    #[test]
    fn a_resynch_forgets_half_a_command_and_half_an_answer() {
        let mut card = synchronised();
        assert_eq!(hear(&mut card, piece(FIRST, true), b"half a "), Event::Send);
        answers(&mut card, (request(Matter::Resynch), &[]), (response(Matter::Resynch), &[]));
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Command);
        assert_eq!(card.command(), b"command");
        card.answer(&[7; 600]);
        answers(&mut card, (request(Matter::Resynch), &[]), (response(Matter::Resynch), &[]));
        answers(&mut card, (ready(SECOND, None), &[]), (ready(FIRST, Some(Fault::Other)), &[]));
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Command);
    }

    #[test]
    fn pieces_are_as_small_as_the_host_wants() {
        let mut card = synchronised();
        for size in [0, 255] {
            let complaint = (ready(FIRST, Some(Fault::Other)), &[][..]);
            answers(&mut card, (request(Matter::InformationSize), &[size]), complaint);
        }
        answers(&mut card, (request(Matter::InformationSize), &[3]), (response(Matter::InformationSize), &[3]));
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Command);
        card.answer(b"answer");
        assert_eq!(card.outgoing(), framed(piece(FIRST, true), b"ans"));
        answers(&mut card, (ready(SECOND, None), &[]), (piece(SECOND, false), b"wer"));
        answers(&mut card, (request(Matter::Resynch), &[]), (response(Matter::Resynch), &[]));
        assert_eq!(hear(&mut card, piece(FIRST, false), b"command"), Event::Command);
        card.answer(b"answer");
        assert_eq!(card.outgoing(), framed(piece(FIRST, false), b"answer"));
    }

    #[test]
    fn either_side_may_break_off_and_then_both_begin_anew() {
        let mut card = synchronised();
        answers(&mut card, (piece(FIRST, true), b"x"), (ready(SECOND, None), &[]));
        answers(&mut card, (request(Matter::Abort), &[]), (response(Matter::Abort), &[]));
        answers(&mut card, (piece(SECOND, false), b"x"), (ready(SECOND, Some(Fault::Other)), &[]));

        let mut card = synchronised();
        let mut sequence = FIRST;
        for _ in 0..MAX_COMMAND / INFORMATION_MAX {
            assert_eq!(hear(&mut card, piece(sequence, true), &[1; INFORMATION_MAX]), Event::Send);
            sequence = sequence.next();
        }
        let rest = MAX_COMMAND % INFORMATION_MAX;
        answers(&mut card, (piece(sequence, false), &vec![1; rest + 1]), (request(Matter::Abort), &[]));
        assert_eq!(hear(&mut card, response(Matter::Abort), &[]), Event::Nothing);
        assert_eq!(card.message, [0; MAX_COMMAND]);
        assert_eq!(hear(&mut card, piece(sequence, false), &[]), Event::Send);
        assert!(card.command().is_empty());
    }

    #[test]
    fn time_is_asked_for_a_command_only() {
        let mut card = synchronised();
        assert_eq!(card.ask_for_time(1), Event::Nothing);
        let mut card_executing = executing(b"command");
        assert_eq!(card_executing.ask_for_time(2), Event::Send);
        assert_eq!(card_executing.outgoing(), framed(request(Matter::MoreTime), &[2]));
        assert_eq!(hear(&mut card_executing, response(Matter::MoreTime), &[2]), Event::Nothing);
        card_executing.answer(b"answer");
        assert_eq!(card_executing.outgoing(), framed(piece(FIRST, false), b"answer"));
        assert_eq!(hear(&mut card_executing, response(Matter::MoreTime), &[2]), Event::Nothing);
        answers(&mut card, (request(Matter::MoreTime), &[1]), (ready(FIRST, Some(Fault::Other)), &[]));
    }

    #[test]
    fn answers_that_nobody_asked_for_or_that_are_too_long_are_not_sent() {
        let mut card = synchronised();
        card.answer(b"answer");
        assert!(card.outgoing().is_empty());
        let mut card = executing(b"command");
        card.answer(&[1; MAX_RESPONSE + 1]);
        assert_eq!(card.outgoing(), framed(piece(FIRST, false), &[]));
    }

    #[test]
    fn nothing_stays_of_a_command_or_an_answer() {
        let mut card = executing(&[0xAA; 200]);
        card.answer(&[0xBB; 100]);
        assert!(!card.message.contains(&0xAA) && !card.frame.bytes().contains(&0xAA));
        assert_eq!(hear(&mut card, piece(SECOND, true), b"x"), Event::Send);
        assert!(!card.message.contains(&0xBB) && !card.frame.bytes().contains(&0xBB));
        let mut card = executing(&[0xAA; 200]);
        card.answer(&[0xBB; 100]);
        assert_eq!(hear(&mut card, request(Matter::Resynch), &[]), Event::Send);
        assert_eq!(card.message, [0; MAX_COMMAND]);
    }
}
