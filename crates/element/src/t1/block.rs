//! Blocks: NAD, PCB, LEN, information, and a checksum of them all.
//!
//! The checksum is the CRC of ISO/IEC 13239 with 16 bits: reflected polynomial 1021, initial value FFFF, complemented
//! at the end (`CRC-16/IBM-SDLC`, also called X-25; of `123456789` it is 906E). Its low byte travels first.

use crc::{CRC_16_IBM_SDLC, Crc, Table};
use zeroize::Zeroize;

/// Most bytes of information in a block.
pub const INFORMATION_MAX: usize = 254;
/// Bytes of the longest block.
pub const BLOCK_MAX: usize = PROLOGUE + INFORMATION_MAX + EPILOGUE;
/// Most bytes of information in a RESYNCH: what the host marks it with.
pub const TOKEN_MAX: usize = 4;

const PROLOGUE: usize = 3;
const EPILOGUE: usize = 2;
const CHECKSUM: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_IBM_SDLC);

/// Number of an I-block: zero and one take turns, for each direction by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence(bool);

/// Why a side wants the last block again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its checksum was wrong.
    Checksum,
    /// It was no block, or none that is expected.
    Other,
}

/// What an S-block is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Both sides begin anew.
    Resynch,
    /// Most information that the sender of the request takes in a block.
    InformationSize,
    /// The rest of a chain will not be sent, or not be taken.
    Abort,
    /// The chip needs more time.
    MoreTime,
}

/// What a block is: its protocol control byte, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// I-block: a piece of a command or an answer.
    Information {
        /// Its number.
        sequence: Sequence,
        /// More pieces follow.
        more: bool,
    },
    /// R-block: which piece is expected next.
    Ready {
        /// The number of that piece.
        expected: Sequence,
        /// Why the last block is wanted again, if it is.
        fault: Option<Fault>,
    },
    /// S-block: about the transport itself.
    Supervision {
        /// What about.
        matter: Matter,
        /// Whether it answers a request.
        response: bool,
    },
}

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockError {
    /// The node address is not zero.
    Node,
    /// No block has this control byte.
    Control,
    /// No block of this kind has this length.
    Length,
    /// The checksum is wrong.
    Checksum,
    /// The line fell silent within it.
    Truncated,
}

impl Sequence {
    /// The first number.
    pub const FIRST: Self = Self(false);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(!self.0)
    }
}

impl BlockError {
    /// As the other side is told of it.
    pub const fn fault(self) -> Fault {
        match self {
            Self::Checksum => Fault::Checksum,
            _ => Fault::Other,
        }
    }
}

impl Control {
    /// The protocol control byte.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Information { sequence, more } => (sequence.0 as u8) << 6 | (more as u8) << 5,
            Self::Ready { expected, fault } => {
                let fault = match fault {
                    None => 0,
                    Some(Fault::Checksum) => 1,
                    Some(Fault::Other) => 2,
                };
                0x80 | (expected.0 as u8) << 4 | fault
            }
            Self::Supervision { matter, response } => {
                let matter = match matter {
                    Matter::Resynch => 0,
                    Matter::InformationSize => 1,
                    Matter::Abort => 2,
                    Matter::MoreTime => 3,
                };
                0xC0 | (response as u8) << 5 | matter
            }
        }
    }

    /// The block that has this protocol control byte, if one has.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        if byte & 0x80 == 0 {
            if byte & 0x1F != 0 {
                return None;
            }
            return Some(Self::Information { sequence: Sequence(byte & 0x40 != 0), more: byte & 0x20 != 0 });
        }
        if byte & 0x40 == 0 {
            let fault = match byte & 0x2F {
                0 => None,
                1 => Some(Fault::Checksum),
                2 => Some(Fault::Other),
                _ => return None,
            };
            return Some(Self::Ready { expected: Sequence(byte & 0x10 != 0), fault });
        }
        let matter = match byte & 0x1F {
            0 => Matter::Resynch,
            1 => Matter::InformationSize,
            2 => Matter::Abort,
            3 => Matter::MoreTime,
            _ => return None,
        };
        Some(Self::Supervision { matter, response: byte & 0x20 != 0 })
    }

    /// Whether a block of this kind may have so many bytes of information.
    const fn takes(self, length: usize) -> bool {
        match self {
            Self::Information { .. } => length <= INFORMATION_MAX,
            Self::Ready { .. } | Self::Supervision { matter: Matter::Abort, .. } => length == 0,
            Self::Supervision { matter: Matter::Resynch, .. } => length <= TOKEN_MAX,
            Self::Supervision { matter: Matter::InformationSize | Matter::MoreTime, .. } => length == 1,
        }
    }
}

/// A block to be sent. Wiped when dropped.
pub struct Frame {
    bytes: [u8; BLOCK_MAX],
    length: usize,
}

impl Frame {
    /// A frame with no block in it.
    pub const fn new() -> Self {
        Self { bytes: [0; BLOCK_MAX], length: 0 }
    }

    /// Holds this block from now on. `information` has as many bytes as the kind of block takes; else the frame is empty.
    pub fn set(&mut self, control: Control, information: &[u8]) {
        self.clear();
        if !control.takes(information.len()) {
            debug_assert!(false, "information that the block does not take");
            return;
        }
        let end = PROLOGUE + information.len();
        self.bytes[1] = control.to_byte();
        self.bytes[2] = information.len() as u8;
        self.bytes[PROLOGUE..end].copy_from_slice(information);
        let checksum = CHECKSUM.checksum(&self.bytes[..end]);
        self.length = end + EPILOGUE;
        self.bytes[end..self.length].copy_from_slice(&checksum.to_le_bytes());
    }

    /// The block as it travels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Wipes it.
    pub fn clear(&mut self) {
        self.bytes[..self.length].zeroize();
        self.length = 0;
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Takes blocks off a line, byte by byte. Wiped when dropped.
///
/// After bytes that are no block it takes nothing until the line falls silent: where the next block begins is not known
/// before, and what looks like one may be information of another.
pub struct Decoder {
    bytes: [u8; BLOCK_MAX],
    length: usize,
    /// Why bytes are thrown away until the next silence.
    error: Option<BlockError>,
    /// The block in `bytes` was handed over.
    complete: bool,
}

impl Decoder {
    /// A decoder at the beginning of a block.
    pub const fn new() -> Self {
        Self { bytes: [0; BLOCK_MAX], length: 0, error: None, complete: false }
    }

    /// Takes the next byte. A block is complete, or what came is none, or (`None`) more bytes have to come.
    pub fn push(&mut self, byte: u8) -> Option<Result<Control, BlockError>> {
        if self.error.is_some() {
            return None;
        }
        if self.complete {
            self.clear();
        }
        let at = self.length;
        self.bytes[at] = byte;
        self.length = at + 1;
        let result = self.examine(at, byte);
        match result {
            Some(Err(error)) => {
                self.clear();
                self.error = Some(error);
            }
            Some(Ok(_)) => self.complete = true,
            None => {}
        }
        result
    }

    /// The line has been silent for longer than [`CHARACTER_WAITING_MS`](super::CHARACTER_WAITING_MS): the next byte
    /// begins a block. Tells why what came before was none, if anything came.
    pub fn silence(&mut self) -> Option<BlockError> {
        let error = self.error.or((self.length > 0 && !self.complete).then_some(BlockError::Truncated));
        self.clear();
        error
    }

    /// The information of the complete block, until the next byte is pushed.
    pub fn information(&self) -> &[u8] {
        if self.complete { &self.bytes[PROLOGUE..self.length - EPILOGUE] } else { &[] }
    }

    /// Whether bytes are thrown away until the line falls silent.
    pub const fn is_discarding(&self) -> bool {
        self.error.is_some()
    }

    /// Wipes it; the next byte begins a block.
    pub fn clear(&mut self) {
        self.bytes[..self.length].zeroize();
        self.length = 0;
        self.error = None;
        self.complete = false;
    }

    /// Judges the block so far, whose byte at `at` is new.
    fn examine(&self, at: usize, byte: u8) -> Option<Result<Control, BlockError>> {
        match at {
            0 => (byte != 0).then_some(Err(BlockError::Node)),
            1 => Control::from_byte(byte).is_none().then_some(Err(BlockError::Control)),
            2 => {
                let takes = Control::from_byte(self.bytes[1])?.takes(usize::from(byte));
                (!takes).then_some(Err(BlockError::Length))
            }
            _ => {
                let end = PROLOGUE + usize::from(self.bytes[2]);
                if self.length < end + EPILOGUE {
                    return None;
                }
                let checksum = CHECKSUM.checksum(&self.bytes[..end]).to_le_bytes();
                if self.bytes[end..self.length] != checksum {
                    return Some(Err(BlockError::Checksum));
                }
                Control::from_byte(self.bytes[1]).map(Ok)
            }
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Option<Result<Control, BlockError>> {
        let (last, rest) = bytes.split_last().expect("bytes");
        for &byte in rest {
            assert_eq!(decoder.push(byte), None, "too early in {bytes:02X?}");
        }
        decoder.push(*last)
    }

    fn framed(control: Control, information: &[u8]) -> Vec<u8> {
        let mut frame = Frame::new();
        frame.set(control, information);
        frame.bytes().to_vec()
    }

    const PIECE: Control = Control::Information { sequence: Sequence::FIRST, more: false };

    #[test]
    fn vector_checksum_and_blocks() {
        assert_eq!(CHECKSUM.checksum(b"123456789"), 0x906E);
        assert_eq!(framed(PIECE, &[0x80, 0x32, 0, 0]), [0, 0, 4, 0x80, 0x32, 0, 0, 0x18, 0xBF]);
        let resynch = Control::Supervision { matter: Matter::Resynch, response: false };
        assert_eq!(framed(resynch, &[]), [0, 0xC0, 0, 0x66, 0x0C]);
        let fault = Control::Ready { expected: Sequence::FIRST.next(), fault: Some(Fault::Checksum) };
        assert_eq!(framed(fault, &[]), [0, 0x91, 0, 0x49, 0xC6]);
    }

    #[test]
    fn every_control_byte_has_one_meaning() {
        let mut known = 0;
        for byte in 0..=u8::MAX {
            if let Some(control) = Control::from_byte(byte) {
                assert_eq!(control.to_byte(), byte);
                known += 1;
            }
        }
        assert_eq!(known, 4 + 6 + 8);
    }

    #[test]
    fn blocks_come_out_as_they_went_in() {
        let mut decoder = Decoder::new();
        for byte in 0..=u8::MAX {
            let Some(control) = Control::from_byte(byte) else { continue };
            for length in (0..=INFORMATION_MAX).filter(|&length| control.takes(length)) {
                let information: Vec<u8> = (0..length).map(|at| (at as u8) ^ byte).collect();
                assert_eq!(decode(&mut decoder, &framed(control, &information)), Some(Ok(control)));
                assert_eq!(decoder.information(), information);
                assert_eq!(decoder.silence(), None);
            }
        }
    }

    #[test]
    fn rejects_what_is_no_block_at_the_byte_that_shows_it() {
        for (bytes, error) in [
            (&[1][..], BlockError::Node),
            (&[0, 0x01], BlockError::Control),
            (&[0, 0x83], BlockError::Control),
            (&[0, 0xA0], BlockError::Control),
            (&[0, 0xC4], BlockError::Control),
            (&[0, 0x00, 255], BlockError::Length),
            (&[0, 0x80, 1], BlockError::Length),
            (&[0, 0xC0, 5], BlockError::Length),
            (&[0, 0xC1, 0], BlockError::Length),
            (&[0, 0xC2, 1], BlockError::Length),
            (&[0, 0xC3, 2], BlockError::Length),
            (&[0, 0xC0, 0, 0x66, 0x0D], BlockError::Checksum),
            (&[0, 0xC0, 0, 0x0C, 0x66], BlockError::Checksum),
        ] {
            let mut decoder = Decoder::new();
            assert_eq!(decode(&mut decoder, bytes), Some(Err(error)), "{bytes:02X?}");
            // A block right behind it is not taken for one.
            assert_eq!(decode(&mut decoder, &framed(PIECE, &[1])), None);
            assert_eq!(decoder.silence(), Some(error));
            assert_eq!(decode(&mut decoder, &framed(PIECE, &[1])), Some(Ok(PIECE)));
        }
    }

    #[test]
    fn silence_ends_a_block_cut_anywhere() {
        let block = framed(PIECE, &[7; 20]);
        for end in 1..block.len() {
            let mut decoder = Decoder::new();
            assert_eq!(decode(&mut decoder, &block[..end]), None);
            assert_eq!(decoder.silence(), Some(BlockError::Truncated), "cut at {end}");
            assert_eq!(decode(&mut decoder, &block), Some(Ok(PIECE)));
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let block = framed(PIECE, &[0x55; 9]);
        for bit in 0..block.len() * 8 {
            let mut changed = block.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut decoder = Decoder::new();
            assert!(!changed.iter().any(|&byte| matches!(decoder.push(byte), Some(Ok(_)))), "bit {bit}");
        }
    }

    #[test]
    fn nothing_stays_of_what_was_cleared() {
        let block = framed(PIECE, &[0xAA; INFORMATION_MAX]);
        let mut decoder = Decoder::new();
        assert_eq!(decode(&mut decoder, &block), Some(Ok(PIECE)));
        decoder.clear();
        assert_eq!(decoder.bytes, [0; BLOCK_MAX]);
        assert_eq!(decode(&mut decoder, &block[..200]), None);
        assert_eq!(decoder.silence(), Some(BlockError::Truncated));
        assert_eq!(decoder.bytes, [0; BLOCK_MAX]);
        let mut frame = Frame::new();
        frame.set(PIECE, &[0xAA; INFORMATION_MAX]);
        frame.set(PIECE, &[]);
        assert!(!frame.bytes.contains(&0xAA));
    }
}
