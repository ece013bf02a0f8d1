//! The journal: small values under keys in NOR flash, changed in batches that survive a power cut at any flash
//! operation.
//!
//! The flash is a ring of pages that is written from end to end. A batch is one frame with a checksum, read back before
//! [`Journal::commit`] returns: after a cut it is there as a whole or not at all, and of two entries under one key the
//! later one counts. Nothing is written twice, apart from marks: words of their own that only ever go from erased to
//! zero. `docs/adr/0003-own-flash-journal.md` says why, and what is assumed of the flash.

use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use thiserror::Error;

mod batch;
mod compact;
mod directory;
mod frame;
mod layout;
mod mount;
#[cfg(all(test, feature = "sim"))]
mod tests;

pub use batch::Batch;
pub use layout::{INDEX_PAYLOAD_MAX, SINGLE_PAYLOAD_MAX, bytes_needed};

use directory::Directory;
use frame::{EntryHeader, Found, Frame, Operation};
use layout::ENTRY_HEADER;

/// What a value lies under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// One of ten values of which there is one each.
    Single(u8),
    /// A value under an index; as many as the journal has records.
    Index(u32),
}

/// What lies under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What kind of value it is.
    pub kind: u8,
    /// Bytes of it.
    pub length: usize,
    /// Whether its mark was cleared: a later entry replaced it and was lost.
    pub marked: bool,
}

/// Why the journal could not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Words, pages or size of the flash do not suit the journal.
    #[error("the flash is too small, or its words or pages do not suit the journal")]
    FlashUnfit,
    /// The flash reported an error.
    #[error("the flash reported an error: {0}")]
    Flash(NorFlashErrorKind),
    /// What was written did not read back.
    #[error("what was written to the flash did not read back")]
    NotWritten,
    /// A page did not read back as erased.
    #[error("a page of the flash could not be erased")]
    NotErased,
    /// Pages that must be there are not.
    #[error("the flash lost pages of the journal")]
    Damaged,
    /// No room for another record.
    #[error("the journal has no room for another record")]
    Full,
    /// The batch is longer than any that can be written.
    #[error("the batch is too long to be written at once")]
    BatchTooLong,
    /// An earlier failure left open what the flash holds; the journal has to be read anew.
    #[error("the journal has to be mounted again")]
    Stale,
}

/// Values under keys in a NOR flash, with room for `N` indices.
///
/// Memory: eight bytes for each index. Finding an entry takes a binary search in memory and one read of the flash.
pub struct Journal<F, const N: usize> {
    flash: F,
    directory: Directory<N>,
    pages: u32,
    head_page: u32,
    /// Generation of the page that is being written.
    head: u32,
    /// Generation of the oldest page alive.
    tail: u32,
    /// Where the next frame goes.
    cursor: u32,
    /// The page after the head, where it was erased in full since power-up.
    clean: Option<u32>,
    stale: bool,
    scrub_due: bool,
}

impl<F: NorFlash, const N: usize> Journal<F, N> {
    /// Mounts the journal that `flash` holds. A flash without one becomes an empty one.
    ///
    /// # Errors
    /// The flash is unfit or failed, or its live pages are damaged.
    pub fn mount(flash: F) -> Result<Self, JournalError> {
        let mut journal = Self::unmounted(flash)?;
        journal.remount()?;
        Ok(journal)
    }

    /// A journal that has yet to be [mounted](Self::remount): it [is stale](Self::is_stale).
    ///
    /// # Errors
    /// The flash is unfit.
    pub fn unmounted(flash: F) -> Result<Self, JournalError> {
        let pages = layout::pages(&flash, N)?;
        Ok(Self {
            flash,
            directory: Directory::new(),
            pages,
            head_page: 0,
            head: 0,
            tail: 0,
            cursor: 0,
            clean: None,
            stale: true,
            scrub_due: false,
        })
    }

    /// Whether an earlier failure left open what the flash holds: nothing but [`remount`](Self::remount) works then.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Indices in use.
    pub fn used(&self) -> usize {
        self.directory.used()
    }

    /// Indices that can still be put.
    pub fn free(&self) -> usize {
        N - self.directory.used()
    }

    /// The index at `position` among those in use, in rising order.
    pub fn index_at(&self, position: usize) -> Option<u32> {
        self.directory.index_at(position)
    }

    /// Whether anything lies under a key.
    pub fn contains(&self, key: Key) -> bool {
        self.directory.find(key).is_some()
    }

    /// Reads what lies under a key to the beginning of `payload`.
    ///
    /// # Errors
    /// The flash failed, or `payload` is too short.
    pub fn get(&mut self, key: Key, payload: &mut [u8]) -> Result<Option<Entry>, JournalError> {
        if self.stale {
            return Err(JournalError::Stale);
        }
        let Some(address) = self.directory.find(key) else { return Ok(None) };
        let header = EntryHeader::read(&mut self.flash, address)?.ok_or(JournalError::Damaged)?;
        let length = usize::from(header.length);
        let payload = payload.get_mut(..length).ok_or(JournalError::Damaged)?;
        layout::read(&mut self.flash, address + ENTRY_HEADER as u32, payload)?;
        let marked = header.operation == Operation::PutMarked
            && layout::is_marked(&mut self.flash, address + header.unmarked_size::<F>() as u32)?;
        Ok(Some(Entry { kind: header.kind, length, marked }))
    }

    /// Makes a batch durable: when this returns, it was read back.
    ///
    /// # Errors
    /// Nothing was changed, unless the journal [is stale](Self::is_stale) now: then mounting it again tells.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        if self.stale {
            return Err(JournalError::Stale);
        }
        let length = frame::size::<F>(batch);
        if batch.is_overflowed() || length > layout::frame_max::<F>() {
            return Err(JournalError::BatchTooLong);
        }
        self.check_capacity(batch)?;
        self.make_room(length)?;
        let frame = self.write_frame(batch)?.ok_or(JournalError::NotWritten)?;
        self.clear_marks(batch);
        self.visit_entries(&frame, Self::apply).inspect_err(|_| self.stale = true)?;
        if self.scrub_due {
            // The batch is durable: should erasing fail, the next mount goes on with it.
            let _ = self.scrub();
        }
        Ok(())
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn check_capacity(&self, batch: &Batch) -> Result<(), JournalError> {
        let new = batch
            .entries()
            .filter_map(|(entry, _)| entry.put_key())
            .filter(|key| matches!(key, Key::Index(_)) && !self.contains(*key))
            .count();
        if new > self.free() { Err(JournalError::Full) } else { Ok(()) }
    }

    /// Writes a frame at the cursor and reads it back; `None`: it is not there.
    fn write_frame(&mut self, batch: &Batch) -> Result<Option<Frame>, JournalError> {
        let check = frame::batch_checksum::<F>(self.head, self.cursor, batch);
        let written = frame::write(&mut self.flash, self.cursor, check, batch);
        let (_, end) = self.page_bounds(self.head);
        // Also after an error: what the flash holds is what counts.
        let found = frame::find(&mut self.flash, self.head, self.cursor, end).inspect_err(|_| self.stale = true)?;
        match found {
            Found::Valid(frame) if frame.check == check => {
                self.cursor = frame.end;
                return Ok(Some(frame));
            }
            Found::Valid(frame) => self.cursor = frame.end,
            Found::Torn(next) => self.cursor = next,
            Found::End => {}
        }
        written.map(|()| None)
    }

    /// Clears the marks of the entries that `batch` ends. The batch is durable already, and the marks are the second
    /// line behind it: one that cannot be cleared is no reason to fail.
    fn clear_marks(&mut self, batch: &Batch) {
        for (entry, _) in batch.entries() {
            if !matches!(entry.operation, Operation::PutIndex | Operation::Remove) {
                continue;
            }
            let Some(address) = self.directory.find(Key::Index(entry.key)) else { continue };
            if let Ok(Some(old)) = EntryHeader::read(&mut self.flash, address)
                && old.operation == Operation::PutMarked
            {
                let mark = address + old.unmarked_size::<F>() as u32;
                if matches!(layout::is_marked(&mut self.flash, mark), Ok(false)) {
                    let _ = layout::clear_mark(&mut self.flash, mark);
                }
            }
        }
    }

    /// Takes over a durable entry at `address`.
    fn apply(&mut self, entry: &EntryHeader, address: u32) -> Result<(), JournalError> {
        if let Some(key) = entry.put_key() {
            return if self.directory.place(key, address) { Ok(()) } else { Err(JournalError::Damaged) };
        }
        match entry.operation {
            Operation::Remove => self.directory.remove(entry.key),
            Operation::Clear => {
                self.directory.clear();
                self.scrub_due = true;
            }
            _ => {}
        }
        Ok(())
    }
}
