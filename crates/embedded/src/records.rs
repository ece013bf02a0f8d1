//! The wallet's records in NOR flash: values of any length under keys, changed in steps that survive a power cut at any
//! flash operation.
//!
//! The flash is two areas, of which one is in use. A step is one frame with a checksum at the end of that area's log, read
//! back before [`Records::commit`] returns. Where the log is full, or its end is torn, what lives is copied to the other
//! area, which is erased first and comes into use by its header, written last. So a torn frame is never followed by
//! another, and a half erased area is never believed. After any failure all of it is read anew: what a failed step left in
//! memory is not believed either. `docs/spec/links.md` has the layout.

use alloc::vec::Vec;

use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use specie_wallet::{Change, Step};
use thiserror::Error;
use zeroize::Zeroizing;

mod area;
mod log;
#[cfg(test)]
mod tests;

use area::{Area, FIRST_GENERATION};
use log::{Found, Place};

/// Why records could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// Words, pages or size of the flash do not suit.
    #[error("the flash is too small, or its words or pages do not suit the records")]
    FlashUnfit,
    /// There are no records: the flash was never formatted.
    #[error("there are no records in the flash")]
    Empty,
    /// The flash reported an error.
    #[error("the flash reported an error: {0}")]
    Flash(NorFlashErrorKind),
    /// What was written did not read back.
    #[error("what was written to the flash did not read back")]
    NotWritten,
    /// The flash holds records, but not all that it held.
    #[error("the flash lost some of what it held")]
    Damaged,
    /// No room for the changes.
    #[error("the flash has no room for more records")]
    Full,
    /// A key or value is longer than a record holds.
    #[error("a record is too long to be stored")]
    TooLong,
}

/// How full the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that live records take.
    pub live: usize,
    /// Bytes that there are for live records in all.
    pub capacity: usize,
}

/// Key and value of a record. The value may be secret.
pub type Record = (Vec<u8>, Zeroizing<Vec<u8>>);

/// Records in a flash.
///
/// Memory: four bytes for each record, besides what a step being stored takes.
pub struct Records<F> {
    flash: F,
    /// The area in use.
    area: Area,
    generation: u32,
    /// Where the next frame goes.
    cursor: u32,
    /// Live records, in the order of their keys.
    index: Vec<Place>,
    /// Bytes that they take.
    live: usize,
    /// To this area nothing may be appended any more: something that is no frame follows, or did when it was programmed.
    torn: Option<Area>,
    /// The area that was in use before may still be there.
    leftover: bool,
    /// Why memory may differ from the flash, if it may.
    stale: Option<RecordsError>,
}

impl<F: NorFlash> Records<F> {
    /// Makes a flash hold no records, whatever it held. Cut off in a flash that held none, it leaves one that counts as
    /// [`RecordsError::Empty`], or that opens without records.
    ///
    /// # Errors
    /// The flash is unfit or failed; it comes back.
    pub fn format(flash: F) -> Result<Self, (RecordsError, F)> {
        let (mut flash, unused) = match Self::open(flash) {
            // As a format before left it.
            Ok(records) if records.cursor == records.area.first_frame::<F>() => return Ok(records),
            Ok(records) => (records.flash, false),
            Err((RecordsError::Empty, flash)) => (flash, true),
            Err((RecordsError::Damaged, flash)) => (flash, false),
            Err(failed) => return Err(failed),
        };
        match format(&mut flash, unused) {
            Ok(area) => Ok(Self::empty(flash, area)),
            Err(error) => Err((error, flash)),
        }
    }

    /// Opens the records that a flash holds.
    ///
    /// # Errors
    /// There are none, or the flash is unfit, failed or damaged; it comes back.
    pub fn open(flash: F) -> Result<Self, (RecordsError, F)> {
        let area = match Area::both(&flash) {
            Ok([first, _]) => first,
            Err(error) => return Err((error, flash)),
        };
        let mut records = Self::empty(flash, area);
        match records.load() {
            Ok(()) => Ok(records),
            Err(error) => Err((error, records.flash)),
        }
    }

    /// Reads the value under `key`.
    ///
    /// # Errors
    /// The flash failed or is damaged.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, RecordsError> {
        self.refresh()?;
        match self.find(key)? {
            Ok(position) => self.index[position].value(&mut self.flash).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// How many records there are. While that is not known, since the flash could not be read, one: reading it says why.
    pub fn count(&self) -> usize {
        if self.stale.is_some() { 1 } else { self.index.len() }
    }

    /// Reads the record at `position` in the order of keys.
    ///
    /// # Errors
    /// The flash failed or is damaged.
    pub fn record(&mut self, position: usize) -> Result<Option<Record>, RecordsError> {
        if let Some(error) = self.stale {
            // Whoever reads all of them goes by a count that was not right: they have to begin again.
            self.refresh()?;
            return Err(error);
        }
        let Some(place) = self.index.get(position).copied() else { return Ok(None) };
        Ok(Some((place.key(&mut self.flash)?, place.value(&mut self.flash)?)))
    }

    /// How full the flash is: full, as long as it cannot be read.
    pub fn space(&self) -> Space {
        let capacity = self.area.capacity::<F>();
        Space { live: if self.stale.is_some() { capacity } else { self.live }, capacity }
    }

    /// Stores the changes of a step, all or none, and then gives its output.
    ///
    /// # Errors
    /// They could not be stored, as far as this run of the program knows. The wallet in memory is ahead then: it has to be
    /// loaded again from what is stored.
    pub fn commit<T>(&mut self, step: Step<T>) -> Result<T, RecordsError> {
        self.apply(step.changes())?;
        Ok(step.committed())
    }

    /// Stores changes, all or none.
    ///
    /// # Errors
    /// As [`Records::commit`].
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), RecordsError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.refresh()?;
        let stored = self.store(changes);
        if let Err(error) = stored {
            self.stale = Some(error);
            // Should it fail now, whatever comes next tries again.
            let _ = self.refresh();
        }
        stored
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn empty(flash: F, area: Area) -> Self {
        let (cursor, generation) = (area.first_frame::<F>(), FIRST_GENERATION);
        let (torn, leftover, stale) = (None, false, None);
        Self { flash, area, generation, cursor, index: Vec::new(), live: 0, torn, leftover, stale }
    }

    /// Reads everything from the flash, as after a restart, if memory may differ from it.
    fn refresh(&mut self) -> Result<(), RecordsError> {
        if self.stale.is_some() {
            self.load().map_err(|error| if error == RecordsError::Empty { RecordsError::Damaged } else { error })?;
            self.stale = None;
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), RecordsError> {
        let areas = Area::both(&self.flash)?;
        let Some((area, generation)) = newest(&mut self.flash, areas)? else {
            let unused = area::is_unused(&mut self.flash, areas)?;
            return Err(if unused { RecordsError::Empty } else { RecordsError::Damaged });
        };
        self.leftover = area.other().generation(&mut self.flash)?.is_some();
        (self.area, self.generation) = (area, generation);
        self.scan()
    }

    /// Stores changes. Where it fails, memory may differ from the flash.
    fn store(&mut self, changes: &[Change]) -> Result<(), RecordsError> {
        let frame = log::encode::<F>(self.generation, changes)?;
        if self.leftover {
            // A step that is stored here must not be taken back by an old area, should this one be damaged.
            self.leftover = self.area.other().erase(&mut self.flash).is_err();
        }
        if self.torn != Some(self.area) && self.fits(frame.len()) && self.append(&frame)? {
            return Ok(());
        }
        // The log is at its end, or torn: what lives moves to the other area, which has room at its end for the step.
        self.move_to_other(frame.len())?;
        let frame = log::encode::<F>(self.generation, changes)?;
        if self.fits(frame.len()) && self.append(&frame)? { Ok(()) } else { Err(RecordsError::NotWritten) }
    }

    fn fits(&self, length: usize) -> bool {
        self.cursor as usize + length <= self.area.end() as usize
    }

    /// Reads the log of the area in use from its beginning.
    fn scan(&mut self) -> Result<(), RecordsError> {
        let (generation, first, end) = (self.generation, self.area.first_frame::<F>(), self.area.end());
        self.index.clear();
        (self.live, self.cursor) = (0, first);
        loop {
            match log::find(&mut self.flash, generation, self.cursor, end)? {
                Found::Frame(next) => self.take_in(next)?,
                Found::End => return Ok(()),
                Found::Torn => break,
            }
        }
        let at = self.cursor;
        // Nothing is left of a log that is bad from its beginning: of that, less is believed.
        let damaged = log::goes_on(&mut self.flash, generation, at, end)?
            || (at == first && !log::may_be_cut_off(&mut self.flash, at, end)?);
        if damaged {
            return Err(RecordsError::Damaged);
        }
        self.torn = Some(self.area);
        Ok(())
    }

    /// Writes a frame at the cursor and reads it back; whether it is there.
    fn append(&mut self, frame: &[u8]) -> Result<bool, RecordsError> {
        // What an error means shows when it is read back. It may count as stored after a restart, or not, however it reads
        // now: no other may come after it.
        let written = self.flash.write(self.cursor, frame);
        if written.is_err() {
            self.torn = Some(self.area);
        }
        match log::find(&mut self.flash, self.generation, self.cursor, self.area.end())? {
            Found::Frame(end) if written.is_ok() && log::equals(&mut self.flash, self.cursor, frame)? => {
                self.take_in(end)?;
                Ok(true)
            }
            _ => {
                self.torn = Some(self.area);
                Ok(false)
            }
        }
    }

    /// Takes over the frame at the cursor, which ends at `end`.
    fn take_in(&mut self, end: u32) -> Result<(), RecordsError> {
        let (mut at, body_end) = log::body(&mut self.flash, self.cursor)?;
        while at < body_end {
            let change = Place::read(&mut self.flash, at)?;
            at = change.end();
            let key = change.key(&mut self.flash)?;
            match (self.find(&key)?, change.is_put()) {
                (Ok(position), true) => {
                    self.live = self.live + change.length() - self.index[position].length();
                    self.index[position] = change;
                }
                (Ok(position), false) => {
                    self.live -= self.index[position].length();
                    self.index.remove(position);
                }
                (Err(position), true) => {
                    self.live += change.length();
                    self.index.insert(position, change);
                }
                (Err(_), false) => {}
            }
        }
        self.cursor = end;
        Ok(())
    }

    /// Where a key is in the index, or would be.
    fn find(&mut self, key: &[u8]) -> Result<Result<usize, usize>, RecordsError> {
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.index[middle].compare_key(&mut self.flash, key)? {
                core::cmp::Ordering::Equal => return Ok(Ok(middle)),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }

    /// Copies what lives to the other area and goes on there, where `more` bytes have to fit besides.
    fn move_to_other(&mut self, more: usize) -> Result<(), RecordsError> {
        if self.live + self.index.len() * log::overhead::<F>() + more > self.area.capacity::<F>() {
            return Err(RecordsError::Full);
        }
        let (old, other) = (self.area, self.area.other());
        let generation = self.generation.checked_add(1).ok_or(RecordsError::FlashUnfit)?;
        other.erase(&mut self.flash)?;
        self.torn = self.torn.filter(|area| *area != other);
        let mut to = other.first_frame::<F>();
        for position in 0..self.index.len() {
            let Some((key, value)) = self.record(position)? else { break };
            let frame = log::encode::<F>(generation, &[Change::Put { key, value }])?;
            self.flash.write(to, &frame).map_err(log::flash_error)?;
            if !log::equals(&mut self.flash, to, &frame)? {
                return Err(RecordsError::NotWritten);
            }
            to += frame.len() as u32;
        }
        // Read as it will be after a restart, before a header makes it count.
        let there = (self.index.len(), self.live, to);
        (self.area, self.generation) = (other, generation);
        self.scan()?;
        if (self.index.len(), self.live, self.cursor) != there || self.torn == Some(other) {
            return Err(RecordsError::NotWritten);
        }
        other.open(&mut self.flash, generation)?;
        // Secrets that were deleted do not lie around. Should it fail, the next step tries again.
        self.leftover = old.erase(&mut self.flash).is_err();
        Ok(())
    }
}

/// Erases everything and brings an area into use. In an `unused` flash it goes about it such that it stays one until then.
fn format<F: NorFlash>(flash: &mut F, unused: bool) -> Result<Area, RecordsError> {
    let [first, second] = Area::both(flash)?;
    // An area that is being erased may read as anything: the other one has to tell that there were no records.
    let area = if unused && second.is_blank(flash)? && !first.is_blank(flash)? { second } else { first };
    if !unused {
        area.other().erase(flash)?;
    }
    area.erase(flash)?;
    area.open(flash, FIRST_GENERATION)?;
    area.other().erase(flash)?;
    Ok(area)
}

/// The area in use, and its generation.
fn newest<F: NorFlash>(flash: &mut F, areas: [Area; 2]) -> Result<Option<(Area, u32)>, RecordsError> {
    let mut newest: Option<(Area, u32)> = None;
    for area in areas {
        if let Some(generation) = area.generation(flash)?
            && newest.is_none_or(|(_, other)| generation > other)
        {
            newest = Some((area, generation));
        }
    }
    Ok(newest)
}
