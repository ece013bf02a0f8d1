//! Compaction: the ring of pages turns, the oldest page's live entries are copied to the newest, and the oldest is
//! erased.
//!
//! All pages take their turn, so they wear evenly. There is always a free page outside a compaction. Dead pages are
//! declared dead by a frame elsewhere before they are erased: a half erased page, which may show any mixture of its old
//! entries, is never believed.

use embedded_storage::nor_flash::NorFlash;

use super::batch::Batch;
use super::frame::{self, Found, Frame, Operation};
use super::layout::{self, ENTRY_HEADER, PageHeader, SINGLE_PAYLOAD_MAX};
use super::{Journal, JournalError};

impl<F: NorFlash, const N: usize> Journal<F, N> {
    /// Turns the ring until the head has room for a frame of `length` bytes.
    pub(super) fn make_room(&mut self, length: usize) -> Result<(), JournalError> {
        for _ in 0..=self.pages {
            let (_, end) = self.page_bounds(self.head);
            if self.cursor as usize + length + layout::tail_frame::<F>() <= end as usize {
                return Ok(());
            }
            self.open_page()?;
        }
        Err(JournalError::Full)
    }

    /// Copies everything live to one new page and erases all others.
    pub(super) fn scrub(&mut self) -> Result<(), JournalError> {
        let last = self.head;
        self.open_page()?;
        self.stale = true;
        if self.tail <= last {
            self.collect_through(last)?;
        }
        self.scrub_due = false;
        self.stale = false;
        Ok(())
    }

    /// Opens the next page; where that was the last free one, compacts the oldest into it.
    fn open_page(&mut self) -> Result<(), JournalError> {
        self.stale = true;
        let page = (self.head_page + 1) % self.pages;
        if self.clean != Some(page) {
            layout::erase(&mut self.flash, page)?;
        }
        self.clean = None;
        let generation = self.head.checked_add(1).ok_or(JournalError::Full)?;
        PageHeader { generation, tail: self.tail }.write(&mut self.flash, page)?;
        self.head = generation;
        self.head_page = page;
        (self.cursor, _) = self.page_bounds(generation);
        if self.live_pages() == self.pages {
            self.collect_through(self.tail)?;
        }
        self.stale = false;
        Ok(())
    }

    /// Copies what lives in the generations up to `last` to the head, declares them dead, and erases them.
    fn collect_through(&mut self, last: u32) -> Result<(), JournalError> {
        let first = self.tail;
        for generation in first..=last {
            let (mut at, end) = self.page_bounds(generation);
            loop {
                match frame::find(&mut self.flash, generation, at, end)? {
                    Found::End => break,
                    Found::Torn(next) => at = next,
                    Found::Valid(frame) => {
                        self.copy_live(&frame)?;
                        at = frame.end;
                    }
                }
            }
        }
        let mut batch = Batch::new();
        batch.move_tail(last + 1);
        self.write_checked(&batch)?;
        self.tail = last + 1;
        for generation in first..=last {
            let page = self.page_of(generation);
            layout::erase(&mut self.flash, page)?;
            self.note_clean(page);
        }
        Ok(())
    }

    /// Copies the live entries of a frame to the head, as one frame, with the marks they have.
    fn copy_live(&mut self, frame: &Frame) -> Result<(), JournalError> {
        let mut batch = Batch::new();
        let mut marked: u128 = 0;
        let mut count = 0;
        self.visit_entries(frame, |journal, entry, address| {
            if entry.put_key().is_none_or(|key| journal.directory.find(key) != Some(address)) {
                return Ok(());
            }
            let mut payload = zeroize::Zeroizing::new([0; SINGLE_PAYLOAD_MAX]);
            let payload = payload.get_mut(..usize::from(entry.length)).ok_or(JournalError::Damaged)?;
            layout::read(&mut journal.flash, address + ENTRY_HEADER as u32, payload)?;
            batch.push(entry.operation, entry.kind, entry.key, payload);
            let mark = address + entry.unmarked_size::<F>() as u32;
            if entry.operation == Operation::PutMarked && layout::is_marked(&mut journal.flash, mark)? {
                marked |= 1 << count;
            }
            count += 1;
            Ok(())
        })?;
        if batch.is_empty() {
            return Ok(());
        }
        let copy = self.write_checked(&batch)?;
        let mut position = 0;
        self.visit_entries(&copy, |journal, entry, address| {
            if marked >> position & 1 == 1 {
                layout::clear_mark(&mut journal.flash, address + entry.unmarked_size::<F>() as u32)?;
            }
            position += 1;
            journal.apply(entry, address)
        })
    }

    /// Writes a frame at the cursor; anything but success is an error.
    fn write_checked(&mut self, batch: &Batch) -> Result<Frame, JournalError> {
        let (_, end) = self.page_bounds(self.head);
        if self.cursor as usize + frame::size::<F>(batch) > end as usize {
            return Err(JournalError::Full);
        }
        self.write_frame(batch)?.ok_or(JournalError::NotWritten)
    }

    /// Remembers that a page was erased in full, if it is the one that is opened next.
    pub(super) fn note_clean(&mut self, page: u32) {
        if page == (self.head_page + 1) % self.pages {
            self.clean = Some(page);
        }
    }
}
