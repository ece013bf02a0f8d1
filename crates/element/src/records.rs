//! The element's records over the journal, and the sum of what they hold.

use embedded_storage::nor_flash::NorFlash;

use crate::journal::{Batch, Journal, JournalError, Key};
use crate::record::{IndexRecord, Single};

/// The records, with room for `N` indices.
pub(crate) struct Records<F, const N: usize> {
    journal: Journal<F, N>,
    /// Σ of what the records hold. Wider than an amount: many notes may hold more than one amount can say.
    held: u128,
}

impl<F: NorFlash, const N: usize> Records<F, N> {
    /// Records that have yet to be [loaded](Self::load).
    pub(crate) fn new(flash: F) -> Result<Self, JournalError> {
        Ok(Self { journal: Journal::unmounted(flash)?, held: 0 })
    }

    pub(crate) fn into_flash(self) -> F {
        self.journal.into_flash()
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.journal.is_stale()
    }

    /// Mounts the journal and adds up what is held.
    pub(crate) fn load(&mut self) -> Result<(), JournalError> {
        self.journal.remount()?;
        self.held = 0;
        for position in 0..self.journal.used() {
            if let Some(index) = self.journal.index_at(position)
                && let Some(record) = self.index(index)?
            {
                self.held += u128::from(record.held());
            }
        }
        Ok(())
    }

    pub(crate) fn used(&self) -> usize {
        self.journal.used()
    }

    pub(crate) fn free(&self) -> usize {
        self.journal.free()
    }

    /// Σ of what is held and expected, in minor units.
    pub(crate) fn held(&self) -> u128 {
        self.held
    }

    /// Reads a record of fixed length.
    pub(crate) fn single<const LENGTH: usize, T: Single<LENGTH>>(&mut self) -> Result<Option<T>, JournalError> {
        let mut bytes = [0; LENGTH];
        match self.journal.get(T::KEY, &mut bytes)? {
            None => Ok(None),
            Some(entry) if entry.length == LENGTH => Ok(Some(T::from_bytes(&bytes))),
            Some(_) => Err(JournalError::Damaged),
        }
    }

    /// Reads a record of any length to the beginning of `bytes`.
    pub(crate) fn single_bytes<'b>(&mut self, key: Key, bytes: &'b mut [u8]) -> Result<Option<&'b [u8]>, JournalError> {
        let entry = self.journal.get(key, bytes)?;
        Ok(entry.map(|entry| &bytes[..entry.length]))
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.journal.contains(key)
    }

    /// Reads what lies under an index.
    pub(crate) fn index(&mut self, index: u32) -> Result<Option<IndexRecord>, JournalError> {
        let mut bytes = [0; IndexRecord::LENGTH_MAX];
        let Some(entry) = self.journal.get(Key::Index(index), &mut bytes)? else { return Ok(None) };
        let record = IndexRecord::from_bytes(entry.kind, entry.marked, &bytes[..entry.length]);
        record.map(Some).ok_or(JournalError::Damaged)
    }

    /// Makes a change durable; what is held grows by `gains` and shrinks by `loses`, in minor units.
    pub(crate) fn commit(&mut self, batch: &Batch, gains: u128, loses: u128) -> Result<(), JournalError> {
        self.journal.commit(batch)?;
        self.held = (self.held + gains).saturating_sub(loses);
        Ok(())
    }
}
