//! The main loop.

use core::mem::MaybeUninit;

use embedded_storage::nor_flash::NorFlash;
use specie_element::apdu::MAX_RESPONSE;
use specie_element::journal::JournalError;
use specie_element::t1::CHARACTER_WAITING_MS;
use specie_element::t1::card::{Card, Event};
use specie_element::{Element, Platform};
use zeroize::Zeroize;

/// What the chip sends when it starts, unasked: R(0, 2), as it answers everything before a RESYNCH. It tells a host that
/// waits for an answer that none will come, and whoever started the chip that it listens.
pub const STARTED: [u8; 5] = [0x00, 0x82, 0x00, 0xB0, 0x79];

/// What the main loop needs of a board. None of it waits, but for [`rest`](Self::rest).
pub trait Board {
    /// The next byte from the host, if one came.
    fn take(&mut self) -> Option<u8>;

    /// Sends a byte to the host; `false`: not now.
    fn put(&mut self, byte: u8) -> bool;

    /// Milliseconds since any moment; it may turn over.
    fn millis(&mut self) -> u32;

    /// Shows whether a command is being carried out.
    fn show_work(&mut self, working: bool);

    /// Called once a turn: the loop goes round. A board with a watchdog feeds it here, and nowhere else.
    fn alive(&mut self);

    /// May sleep until a byte comes, or for a few dozen milliseconds.
    fn rest(&mut self);
}

/// A secure element with the line to its host: all memory of the firmware but the stack.
pub struct Chip<F, P, const N: usize> {
    element: Element<F, P, N>,
    card: Card,
    response: [u8; MAX_RESPONSE],
    /// What is being sent, and how much of it is out.
    sending: Sending,
    sent: usize,
    /// When the last byte came.
    heard: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Nothing,
    Started,
    Block,
}

impl<F: NorFlash, P: Platform, const N: usize> Chip<F, P, N> {
    /// A chip after a reset, in `place`.
    ///
    /// # Errors
    /// The flash is too small for `N` records, or its words or pages do not suit.
    // Not inlined: what is put in its place lies on the stack before, and shall not stay there while the chip runs.
    #[inline(never)]
    pub fn start(place: &mut MaybeUninit<Self>, flash: F, platform: P) -> Result<&mut Self, JournalError> {
        Ok(place.write(Self {
            element: Element::new(flash, platform)?,
            card: Card::new(),
            response: [0; MAX_RESPONSE],
            sending: Sending::Started,
            sent: 0,
            heard: 0,
        }))
    }

    /// Serves the host for ever.
    pub fn run(&mut self, board: &mut impl Board) -> ! {
        loop {
            self.turn(board);
        }
    }

    /// One turn of the loop: a byte goes out or comes in, or a command is carried out.
    pub fn turn(&mut self, board: &mut impl Board) {
        board.alive();
        if self.sending != Sending::Nothing {
            self.send(board);
            return;
        }
        let event = match board.take() {
            Some(byte) => {
                self.heard = board.millis();
                self.card.receive(byte)
            }
            None if board.millis().wrapping_sub(self.heard) >= CHARACTER_WAITING_MS => self.card.silence(),
            None => Event::Nothing,
        };
        match event {
            Event::Nothing => board.rest(),
            Event::Send => self.begin(Sending::Block),
            Event::Command => self.carry_out(board),
        }
    }

    fn carry_out(&mut self, board: &mut impl Board) {
        board.show_work(true);
        let length = self.element.process(self.card.command(), &mut self.response);
        board.show_work(false);
        self.card.answer(&self.response[..length]);
        self.response[..length].zeroize();
        self.begin(Sending::Block);
    }

    fn begin(&mut self, sending: Sending) {
        self.sending = sending;
        self.sent = 0;
    }

    fn send(&mut self, board: &mut impl Board) {
        let bytes = match self.sending {
            Sending::Started => &STARTED,
            _ => self.card.outgoing(),
        };
        match bytes.get(self.sent) {
            Some(&byte) => self.sent += usize::from(board.put(byte)),
            None => self.begin(Sending::Nothing),
        }
    }
}
