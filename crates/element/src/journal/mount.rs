//! Mounting: finds the live pages, finishes what a power cut interrupted, and replays what was journalled.

use embedded_storage::nor_flash::NorFlash;

use super::frame::{self, EntryHeader, Found, Frame, Operation};
use super::layout::{self, PAGE_HEADER, PageHeader, padded};
use super::{Journal, JournalError};

impl<F: NorFlash, const N: usize> Journal<F, N> {
    /// Reads the journal anew, after power-up or where [`is_stale`](Self::is_stale).
    ///
    /// # Errors
    /// The flash cannot be read or erased, or its live pages are damaged. The journal stays stale.
    pub fn remount(&mut self) -> Result<(), JournalError> {
        self.stale = true;
        self.clean = None;
        self.scrub_due = false;
        self.directory.clear();
        self.find_pages()?;
        self.replay_pages()?;
        self.erase_dead_pages()?;
        self.stale = false;
        if self.scrub_due { self.scrub() } else { Ok(()) }
    }

    /// Finds head and tail. A head that took the last free page before the tail was moved is an interrupted compaction:
    /// it holds nothing but copies, and is undone.
    fn find_pages(&mut self) -> Result<(), JournalError> {
        loop {
            let mut newest: Option<(u32, PageHeader)> = None;
            for page in 0..self.pages {
                if let Some(header) = PageHeader::read(&mut self.flash, page)?
                    && newest.is_none_or(|(_, best)| header.generation > best.generation)
                {
                    newest = Some((page, header));
                }
            }
            let Some((page, header)) = newest else { return self.format() };
            self.head_page = page;
            self.head = header.generation;
            self.tail = header.tail;
            self.tail = self.tail_in_head()?;
            if self.tail > self.head || self.live_pages() > self.pages {
                return Err(JournalError::Damaged);
            }
            if self.live_pages() < self.pages {
                return self.check_live_pages();
            }
            layout::erase(&mut self.flash, page)?;
            self.clean = Some(page);
        }
    }

    fn format(&mut self) -> Result<(), JournalError> {
        layout::erase(&mut self.flash, 0)?;
        PageHeader { generation: 1, tail: 1 }.write(&mut self.flash, 0)?;
        self.head_page = 0;
        self.head = 1;
        self.tail = 1;
        Ok(())
    }

    fn tail_in_head(&mut self) -> Result<u32, JournalError> {
        let mut tail = self.tail;
        self.scan_page(self.head, |_, entry, _| {
            if entry.operation == Operation::Tail {
                tail = tail.max(entry.key);
            }
            Ok(())
        })?;
        Ok(tail)
    }

    fn check_live_pages(&mut self) -> Result<(), JournalError> {
        for generation in self.tail..=self.head {
            let page = self.page_of(generation);
            match PageHeader::read(&mut self.flash, page)? {
                Some(header) if header.generation == generation => {}
                _ => return Err(JournalError::Damaged),
            }
        }
        Ok(())
    }

    fn replay_pages(&mut self) -> Result<(), JournalError> {
        for generation in self.tail..=self.head {
            self.cursor = self.scan_page(generation, Self::apply)?;
        }
        Ok(())
    }

    fn erase_dead_pages(&mut self) -> Result<(), JournalError> {
        let dead = self.pages - self.live_pages();
        for step in 1..=dead {
            let page = (self.head_page + step) % self.pages;
            if !layout::is_blank(&mut self.flash, page)? {
                layout::erase(&mut self.flash, page)?;
                self.note_clean(page);
            }
        }
        Ok(())
    }

    /// Calls `visit` for every entry of the page's valid frames with its address; answers where the page's log ends.
    fn scan_page(
        &mut self,
        generation: u32,
        mut visit: impl FnMut(&mut Self, &EntryHeader, u32) -> Result<(), JournalError>,
    ) -> Result<u32, JournalError> {
        let (mut at, end) = self.page_bounds(generation);
        loop {
            match frame::find(&mut self.flash, generation, at, end)? {
                Found::End => return Ok(at),
                Found::Torn(next) => at = next,
                Found::Valid(frame) => {
                    self.visit_entries(&frame, &mut visit)?;
                    at = frame.end;
                }
            }
        }
    }

    pub(super) fn visit_entries(
        &mut self,
        frame: &Frame,
        mut visit: impl FnMut(&mut Self, &EntryHeader, u32) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut at = frame.body;
        while at < frame.end {
            let entry = EntryHeader::read(&mut self.flash, at)?.ok_or(JournalError::Damaged)?;
            visit(self, &entry, at)?;
            at += entry.size::<F>() as u32;
        }
        Ok(())
    }

    /// First and last address of what may lie in the page of a live generation.
    pub(super) fn page_bounds(&self, generation: u32) -> (u32, u32) {
        let start = self.page_of(generation) * F::ERASE_SIZE as u32;
        (start + padded::<F>(PAGE_HEADER) as u32, start + F::ERASE_SIZE as u32)
    }

    pub(super) fn page_of(&self, generation: u32) -> u32 {
        let back = (self.head - generation) % self.pages;
        (self.head_page + self.pages - back) % self.pages
    }

    pub(super) fn live_pages(&self) -> u32 {
        self.head - self.tail + 1
    }
}
