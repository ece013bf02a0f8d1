//! The main loop.

use embedded_storage::nor_flash::NorFlash;
use specie_element::client::Link;
use specie_embedded::device::Random;
use specie_embedded::terminal::Terminal;

/// What the main loop needs of a board. None of it waits, but for [`rest`](Self::rest).
pub trait Board {
    /// The next byte from the other device, if one came.
    fn take_from_peer(&mut self) -> Option<u8>;

    /// Sends a byte to the other device; `false`: not now.
    fn put_to_peer(&mut self, byte: u8) -> bool;

    /// The next byte from the owner, if one came.
    fn take_from_owner(&mut self) -> Option<u8>;

    /// Sends a byte to the owner; `false`: not now.
    fn put_to_owner(&mut self, byte: u8) -> bool;

    /// Milliseconds since any moment; it may turn over.
    fn millis(&mut self) -> u32;

    /// Called once a turn: the loop goes round. A board with a watchdog feeds it here. Its period is longer than the longest
    /// turn, which checks the longest payment.
    fn alive(&mut self);

    /// May sleep until a byte comes, or for a few dozen milliseconds.
    fn rest(&mut self);
}

/// Bytes that go out on one line in one turn.
const BYTES_PER_TURN: usize = 64;

/// Runs the device for ever.
pub fn run<F, E, R>(terminal: &mut Terminal<F, E, R>, board: &mut impl Board) -> !
where
    F: NorFlash,
    E: Link<Error: core::fmt::Display>,
    R: Random,
{
    let mut clock = Clock::new(board.millis());
    loop {
        turn(terminal, board, &mut clock);
    }
}

/// One turn: a byte comes in on each line, what is due is done, some bytes go out.
fn turn<F, E, R>(terminal: &mut Terminal<F, E, R>, board: &mut impl Board, clock: &mut Clock)
where
    F: NorFlash,
    E: Link<Error: core::fmt::Display>,
    R: Random,
{
    board.alive();
    let ms = clock.read(board.millis());
    let (peer, owner) = (board.take_from_peer(), board.take_from_owner());
    let idle = peer.is_none() && owner.is_none();
    if let Some(byte) = owner {
        terminal.owner_byte(byte, ms);
    }
    if let Some(byte) = peer {
        terminal.peer_byte(byte, ms);
    }
    terminal.poll(ms);
    let to_peer = put_all(terminal.peer_pending(), |byte| board.put_to_peer(byte));
    terminal.peer_sent(to_peer);
    let to_owner = put_all(terminal.owner_pending(), |byte| board.put_to_owner(byte));
    terminal.owner_sent(to_owner);
    if idle && to_peer == 0 && to_owner == 0 {
        board.rest();
    }
}

/// Sends bytes as long as the line takes them; how many it took.
fn put_all(bytes: &[u8], mut put: impl FnMut(u8) -> bool) -> usize {
    bytes.iter().take(BYTES_PER_TURN).take_while(|&&byte| put(byte)).count()
}

/// Milliseconds since the loop began, that do not turn over.
struct Clock {
    last: u32,
    since: u64,
}

impl Clock {
    fn new(now: u32) -> Self {
        Self { last: now, since: 0 }
    }

    fn read(&mut self, now: u32) -> u64 {
        self.since += u64::from(now.wrapping_sub(self.last));
        self.last = now;
        self.since
    }
}
