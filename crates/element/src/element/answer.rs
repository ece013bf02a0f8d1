//! The answer being written.

use zeroize::Zeroize;

use crate::status::StatusWord;

/// Bytes of an answer, at most as many as the host takes.
pub(super) struct Answer<'a> {
    bytes: &'a mut [u8],
    limit: usize,
    length: usize,
}

impl<'a> Answer<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { limit: bytes.len(), bytes, length: 0 }
    }

    /// Takes note of how many bytes the host takes, if it says so.
    pub(super) fn limit(&mut self, expected: Option<usize>) {
        self.limit = self.limit.min(expected.unwrap_or(usize::MAX));
    }

    /// Whether `length` more bytes fit.
    pub(super) fn check_room(&self, length: usize) -> Result<(), StatusWord> {
        if length <= self.limit - self.length { Ok(()) } else { Err(StatusWord::WRONG_LENGTH) }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), StatusWord> {
        self.check_room(bytes.len())?;
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
        Ok(())
    }

    /// Takes back what was written.
    pub(super) fn clear(&mut self) {
        self.bytes[..self.length].zeroize();
        self.length = 0;
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }
}
