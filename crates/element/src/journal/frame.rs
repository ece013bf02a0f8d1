//! Frames: what is written at once. A frame is valid as a whole or not at all.
//!
//! ```text
//! frame  = length u16, !length u16, checksum u32, pad to a word, entries
//! entry  = operation u8, kind u8, payload length u16, key u32, payload, pad to a word, mark
//! mark   = one word, in marked entries only
//! ```
//!
//! The header is written first and words are written in order. So a torn header has no body behind it, a torn body has
//! a sound header in front of it, and in both cases the bytes to be skipped are known: nothing is ever searched for in
//! the bytes of a torn frame, which the host may have chosen.

use embedded_storage::nor_flash::NorFlash;

use super::batch::Batch;
use super::layout::{self, ENTRY_HEADER, FRAME_HEADER, padded};
use super::{JournalError, Key};

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Operation {
    /// Puts a single entry.
    PutSingle = 1,
    /// Puts an entry under an index.
    PutIndex = 2,
    /// Puts an entry under an index, with a mark that can be cleared once.
    PutMarked = 3,
    /// Removes an index.
    Remove = 4,
    /// Removes everything that came before.
    Clear = 5,
    /// Pages before the generation in `key` are dead.
    Tail = 6,
}

impl Operation {
    const fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::PutSingle),
            2 => Some(Self::PutIndex),
            3 => Some(Self::PutMarked),
            4 => Some(Self::Remove),
            5 => Some(Self::Clear),
            6 => Some(Self::Tail),
            _ => None,
        }
    }
}

/// The header of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub(super) operation: Operation,
    pub(super) kind: u8,
    pub(super) length: u16,
    pub(super) key: u32,
}

impl EntryHeader {
    pub(super) fn to_bytes(self) -> [u8; ENTRY_HEADER] {
        let [l0, l1] = self.length.to_be_bytes();
        let [k0, k1, k2, k3] = self.key.to_be_bytes();
        [self.operation as u8, self.kind, l0, l1, k0, k1, k2, k3]
    }

    pub(super) fn from_bytes(bytes: [u8; ENTRY_HEADER]) -> Option<Self> {
        let [operation, kind, l0, l1, k0, k1, k2, k3] = bytes;
        Some(Self {
            operation: Operation::from_u8(operation)?,
            kind,
            length: u16::from_be_bytes([l0, l1]),
            key: u32::from_be_bytes([k0, k1, k2, k3]),
        })
    }

    pub(super) fn read<F: NorFlash>(flash: &mut F, address: u32) -> Result<Option<Self>, JournalError> {
        let mut bytes = [0; ENTRY_HEADER];
        layout::read(flash, address, &mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }

    /// The key that the entry puts a value under.
    pub(super) fn put_key(&self) -> Option<Key> {
        match self.operation {
            Operation::PutSingle => u8::try_from(self.key).ok().map(Key::Single),
            Operation::PutIndex | Operation::PutMarked => Some(Key::Index(self.key)),
            Operation::Remove | Operation::Clear | Operation::Tail => None,
        }
    }

    /// Bytes from the entry to its mark, or to the next entry.
    pub(super) fn unmarked_size<F: NorFlash>(&self) -> usize {
        padded::<F>(ENTRY_HEADER + usize::from(self.length))
    }

    /// Bytes of the whole entry in flash.
    pub(super) fn size<F: NorFlash>(&self) -> usize {
        let mark = if self.operation == Operation::PutMarked { F::WRITE_SIZE } else { 0 };
        self.unmarked_size::<F>() + mark
    }
}

/// Where a frame lies and what it is checked against.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Address of the first entry.
    pub(super) body: u32,
    /// Address after the last entry.
    pub(super) end: u32,
    /// Checksum in the header.
    pub(super) check: u32,
}

/// What lies at a place where a frame may begin.
pub(super) enum Found {
    /// Nothing: the log ends here.
    End,
    /// Something torn; the next frame may begin at this address.
    Torn(u32),
    /// A valid frame.
    Valid(Frame),
}

/// Bytes that `batch` takes as a frame.
pub(super) fn size<F: NorFlash>(batch: &Batch) -> usize {
    padded::<F>(FRAME_HEADER) + batch.entries().map(|(entry, _)| entry.size::<F>()).sum::<usize>()
}

/// Looks for a frame at `address` in the page of `generation` that ends at `page_end`.
pub(super) fn find<F: NorFlash>(
    flash: &mut F,
    generation: u32,
    address: u32,
    page_end: u32,
) -> Result<Found, JournalError> {
    let header = padded::<F>(FRAME_HEADER) as u32;
    if page_end - address < header {
        return Ok(Found::End);
    }
    let mut bytes = [0; FRAME_HEADER];
    layout::read(flash, address, &mut bytes)?;
    if bytes == [0xFF; FRAME_HEADER] {
        return Ok(Found::End);
    }
    let [l0, l1, n0, n1, c0, c1, c2, c3] = bytes;
    let length = u16::from_be_bytes([l0, l1]);
    if length != !u16::from_be_bytes([n0, n1]) || !usize::from(length).is_multiple_of(F::WRITE_SIZE) {
        return Ok(Found::Torn(address + header));
    }
    let body = address + header;
    let end = body + u32::from(length);
    if end > page_end {
        return Ok(Found::Torn(page_end));
    }
    let frame = Frame { body, end, check: u32::from_be_bytes([c0, c1, c2, c3]) };
    Ok(if read_checksum(flash, generation, &frame)? == Some(frame.check) {
        Found::Valid(frame)
    } else {
        Found::Torn(end)
    })
}

/// Writes `batch` as a frame at `address`, with its [`batch_checksum`]. Words are written in order, the header first.
pub(super) fn write<F: NorFlash>(flash: &mut F, address: u32, check: u32, batch: &Batch) -> Result<(), JournalError> {
    let length = (size::<F>(batch) - padded::<F>(FRAME_HEADER)) as u16;
    let mut header = [0; FRAME_HEADER];
    header[..2].copy_from_slice(&length.to_be_bytes());
    header[2..4].copy_from_slice(&(!length).to_be_bytes());
    header[4..].copy_from_slice(&check.to_be_bytes());
    layout::program(flash, address, &header)?;
    let mut at = address + padded::<F>(FRAME_HEADER) as u32;
    for (entry, bytes) in batch.entries() {
        layout::program(flash, at, bytes)?;
        at += entry.size::<F>() as u32;
    }
    Ok(())
}

/// Checksum of a batch in a frame at `address`: one left over from an earlier turn of the ring never fits.
pub(super) fn batch_checksum<F: NorFlash>(generation: u32, address: u32, batch: &Batch) -> u32 {
    let body = address + padded::<F>(FRAME_HEADER) as u32;
    let mut digest = layout::checksum();
    digest.update(&generation.to_be_bytes());
    digest.update(&body.to_be_bytes());
    digest.update(batch.as_bytes());
    digest.finalize()
}

fn read_checksum<F: NorFlash>(flash: &mut F, generation: u32, frame: &Frame) -> Result<Option<u32>, JournalError> {
    let mut digest = layout::checksum();
    digest.update(&generation.to_be_bytes());
    digest.update(&frame.body.to_be_bytes());
    let mut at = frame.body;
    while at < frame.end {
        let Some(entry) = EntryHeader::read(flash, at)? else { return Ok(None) };
        if entry.size::<F>() > (frame.end - at) as usize {
            return Ok(None);
        }
        digest.update(&entry.to_bytes());
        let mut block = [0; 64];
        for offset in (0..usize::from(entry.length)).step_by(block.len()) {
            let count = block.len().min(usize::from(entry.length) - offset);
            layout::read(flash, at + (ENTRY_HEADER + offset) as u32, &mut block[..count])?;
            digest.update(&block[..count]);
        }
        at += entry.size::<F>() as u32;
    }
    Ok(Some(digest.finalize()))
}
