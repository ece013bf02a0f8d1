//! ISO 7816-4 command APDUs, short and extended, cases 1 to 4: decoding for the element, encoding for the host.

use specie_core::transfer::PREIMAGE_LENGTH_MAX;
use zeroize::Zeroize;

use crate::status::StatusWord;

/// Bytes in the longest command the element reads.
pub const MAX_COMMAND: usize = 2048;

// The longest of all is a SPEND with eight outputs of its own.
const _: () = assert!(9 + 4 + 32 + 1 + 8 * 37 + PREIMAGE_LENGTH_MAX <= MAX_COMMAND);

/// Bytes in the longest answer, its status word included: NONCES with 32 points.
pub const MAX_RESPONSE: usize = 4 + 32 * 32 + 2;

/// Class byte, instruction and parameters of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Class byte.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
}

/// A command APDU taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Apdu<'a> {
    /// Class byte, instruction and parameters.
    pub header: Header,
    /// The data field, empty where there is none.
    pub data: &'a [u8],
    /// Bytes of answer that the host takes, without the status word; `None`: the command says nothing about it.
    pub expected: Option<usize>,
}

impl<'a> Apdu<'a> {
    /// Takes a command apart.
    ///
    /// # Errors
    /// [`StatusWord::WRONG_LENGTH`] where the lengths in it do not add up.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, StatusWord> {
        let Some((&[cla, ins, p1, p2], body)) = bytes.split_first_chunk::<4>() else {
            return Err(StatusWord::WRONG_LENGTH);
        };
        let header = Header { cla, ins, p1, p2 };
        let (data, expected) = match *body {
            [] => (&[][..], None),
            [le] => (&[][..], Some(short_expected(le))),
            [0, high, low] => (&[][..], Some(extended_expected(high, low))),
            [0, high, low, ref rest @ ..] => extended_body(usize::from(high) << 8 | usize::from(low), rest)?,
            [lc, ref rest @ ..] => short_body(usize::from(lc), rest)?,
        };
        Ok(Self { header, data, expected })
    }
}

fn short_expected(le: u8) -> usize {
    if le == 0 { 256 } else { usize::from(le) }
}

fn extended_expected(high: u8, low: u8) -> usize {
    match u16::from_be_bytes([high, low]) {
        0 => 65_536,
        le => usize::from(le),
    }
}

fn short_body(length: usize, rest: &[u8]) -> Result<(&[u8], Option<usize>), StatusWord> {
    let (data, le) = rest.split_at_checked(length).filter(|_| length > 0).ok_or(StatusWord::WRONG_LENGTH)?;
    match *le {
        [] => Ok((data, None)),
        [le] => Ok((data, Some(short_expected(le)))),
        _ => Err(StatusWord::WRONG_LENGTH),
    }
}

fn extended_body(length: usize, rest: &[u8]) -> Result<(&[u8], Option<usize>), StatusWord> {
    let (data, le) = rest.split_at_checked(length).filter(|_| length > 0).ok_or(StatusWord::WRONG_LENGTH)?;
    match *le {
        [] => Ok((data, None)),
        [high, low] => Ok((data, Some(extended_expected(high, low)))),
        _ => Err(StatusWord::WRONG_LENGTH),
    }
}

/// A command being written by the host. Wiped when dropped: commands carry PINs and blinding secrets.
pub struct CommandBuffer {
    bytes: [u8; MAX_COMMAND],
    length: usize,
    overflowed: bool,
}

/// Data starts here: room for the longest header is left in front of it.
const DATA_START: usize = 7;

impl CommandBuffer {
    /// A command with no data yet.
    pub fn new() -> Self {
        Self { bytes: [0; MAX_COMMAND], length: DATA_START, overflowed: false }
    }

    /// Appends to the data field. More than fits is noticed by [`finish`](Self::finish).
    pub fn push(&mut self, bytes: &[u8]) -> &mut Self {
        // Two bytes stay free for an extended length of the answer.
        match self.length.checked_add(bytes.len()).filter(|&end| end <= MAX_COMMAND - 2) {
            Some(end) => {
                self.bytes[self.length..end].copy_from_slice(bytes);
                self.length = end;
            }
            None => self.overflowed = true,
        }
        self
    }

    /// The whole command, with `expected` bytes of answer asked for (none: no length of an answer is written). `None`
    /// where the data was too long.
    pub fn finish(&mut self, header: Header, expected: usize) -> Option<&[u8]> {
        if self.overflowed {
            return None;
        }
        let data = self.length - DATA_START;
        let extended = data > 255 || expected > 256;
        let mut start = DATA_START;
        if data > 0 {
            let length = (data as u16).to_be_bytes();
            start -= if extended { 3 } else { 1 };
            if extended {
                self.bytes[start..DATA_START].copy_from_slice(&[0, length[0], length[1]]);
            } else {
                self.bytes[start] = length[1];
            }
        }
        start -= 4;
        self.bytes[start..start + 4].copy_from_slice(&[header.cla, header.ins, header.p1, header.p2]);
        let mut end = self.length;
        if expected > 0 {
            let le = (expected as u16).to_be_bytes();
            if extended && data == 0 {
                self.bytes[end] = 0;
                end += 1;
            }
            let le = if extended { &le[..] } else { &le[1..] };
            self.bytes[end..end + le.len()].copy_from_slice(le);
            end += le.len();
        }
        Some(&self.bytes[start..end])
    }
}

impl Default for CommandBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for CommandBuffer {
    fn drop(&mut self) {
        self.bytes[..self.length].zeroize();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: Header = Header { cla: 0x80, ins: 0x32, p1: 1, p2: 2 };

    #[test]
    fn every_case_decodes_to_what_was_encoded() {
        for data in [0, 1, 255, 256, 1500] {
            for expected in [0, 1, 255, 256, 257, 1028] {
                let mut buffer = CommandBuffer::new();
                buffer.push(&[0xA5; 1500][..data]);
                let bytes = buffer.finish(HEADER, expected).unwrap();
                let apdu = Apdu::decode(bytes).unwrap();
                assert_eq!(apdu.header, HEADER);
                assert_eq!(apdu.data.len(), data);
                assert_eq!(apdu.expected.unwrap_or(0), expected, "data {data}");
            }
        }
    }

    #[test]
    fn rejects_lengths_that_do_not_add_up() {
        for bytes in [
            &[][..],
            &[0, 0, 0],
            &[0, 0, 0, 0, 2, 1],
            &[0, 0, 0, 0, 1, 1, 0, 0],
            &[0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 0, 2, 1],
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 0, 0, 1, 1, 1],
        ] {
            assert_eq!(Apdu::decode(bytes).err(), Some(StatusWord::WRONG_LENGTH), "{bytes:?}");
        }
    }

    #[test]
    fn too_much_data_is_noticed() {
        let mut buffer = CommandBuffer::new();
        buffer.push(&[0; MAX_COMMAND]);
        assert!(buffer.finish(HEADER, 0).is_none());
    }
}
