//! Batches: entries that become durable together.

use zeroize::Zeroize;

use super::Key;
use super::frame::{EntryHeader, Operation};
use super::layout::ENTRY_HEADER;

/// Bytes of the longest batch.
const BATCH_MAX: usize = 768;

/// Changes that are made together or not at all.
///
/// What does not fit is noticed when the batch is committed.
pub struct Batch {
    bytes: [u8; BATCH_MAX],
    length: usize,
    overflowed: bool,
}

impl Batch {
    /// No changes yet.
    pub fn new() -> Self {
        Self { bytes: [0; BATCH_MAX], length: 0, overflowed: false }
    }

    /// Puts `payload` of `kind` under `key`, in place of what was there.
    ///
    /// Where a marked entry is replaced by one without a mark, the mark is cleared.
    pub fn put(&mut self, key: Key, kind: u8, payload: &[u8]) -> &mut Self {
        let (operation, key) = match key {
            Key::Single(slot) => (Operation::PutSingle, u32::from(slot)),
            Key::Index(index) => (Operation::PutIndex, index),
        };
        self.push(operation, kind, key, payload)
    }

    /// Puts `payload` of `kind` under an index, with a mark that is cleared when the entry is replaced by one without,
    /// or removed.
    pub fn put_marked(&mut self, index: u32, kind: u8, payload: &[u8]) -> &mut Self {
        self.push(Operation::PutMarked, kind, index, payload)
    }

    /// Removes what is under an index.
    pub fn remove(&mut self, index: u32) -> &mut Self {
        self.push(Operation::Remove, 0, index, &[])
    }

    /// Removes everything; erasing it begins when the batch is durable.
    pub fn clear(&mut self) -> &mut Self {
        self.push(Operation::Clear, 0, 0, &[])
    }

    pub(super) fn move_tail(&mut self, generation: u32) -> &mut Self {
        self.push(Operation::Tail, 0, generation, &[])
    }

    pub(super) fn push(&mut self, operation: Operation, kind: u8, key: u32, payload: &[u8]) -> &mut Self {
        let end = self.length + ENTRY_HEADER + payload.len();
        let (Ok(length), true) = (u16::try_from(payload.len()), end <= BATCH_MAX) else {
            self.overflowed = true;
            return self;
        };
        let header = EntryHeader { operation, kind, length, key }.to_bytes();
        self.bytes[self.length..self.length + ENTRY_HEADER].copy_from_slice(&header);
        self.bytes[self.length + ENTRY_HEADER..end].copy_from_slice(payload);
        self.length = end;
        self
    }

    /// Whether something did not fit.
    pub(super) fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Every entry with its bytes, header included.
    pub(super) fn entries(&self) -> impl Iterator<Item = (EntryHeader, &[u8])> {
        let mut rest = self.as_bytes();
        core::iter::from_fn(move || {
            let entry = EntryHeader::from_bytes(*rest.first_chunk()?)?;
            let (bytes, later) = rest.split_at_checked(ENTRY_HEADER + usize::from(entry.length))?;
            rest = later;
            Some((entry, bytes))
        })
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.bytes[..self.length].zeroize();
    }
}
