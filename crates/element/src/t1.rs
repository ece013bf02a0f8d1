//! T=1: how APDUs travel between a host and an element on a chip of its own, byte by byte over a line that may lose,
//! change or repeat them.
//!
//! Both sides are here, and neither has a heap, a clock or a line of its own: [`card`] is the chip's state machine,
//! [`reader`] the host's [`Link`](crate::client::Link) over any [`reader::Line`]. They exchange [`block`]s in the manner
//! of ISO 7816-3; `docs/spec/links.md` ("The element's chip") has what a second implementation needs.
//!
//! The line must keep bytes in order. Then a command that a host transmits once is executed at most once, and an answer
//! that it is given is the answer to that command.

pub mod block;
pub mod card;
pub mod reader;

/// How long the chip may take to answer a block, milliseconds, unless it asks for more time.
pub const BLOCK_WAITING_MS: u32 = 10_000;

/// How far apart two bytes of one block may be, milliseconds. Longer silence ends a block, whole or not.
pub const CHARACTER_WAITING_MS: u32 = 200;
