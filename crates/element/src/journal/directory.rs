//! Where the newest entry of every key lies: eight bytes of memory for each index.

use super::Key;

/// Single keys: 0 to 9.
const SINGLES: usize = 10;

/// No entry lies here: every page begins with its header.
const NOWHERE: u32 = 0;

#[derive(Clone, Copy)]
struct Place {
    index: u32,
    address: u32,
}

/// Addresses of the live entries. Indices are kept in order, so that finding one takes a few steps and no hashing.
pub(super) struct Directory<const N: usize> {
    singles: [u32; SINGLES],
    places: [Place; N],
    used: usize,
}

impl<const N: usize> Directory<N> {
    pub(super) const fn new() -> Self {
        Self { singles: [NOWHERE; SINGLES], places: [Place { index: 0, address: NOWHERE }; N], used: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.singles = [NOWHERE; SINGLES];
        self.used = 0;
    }

    pub(super) fn find(&self, key: Key) -> Option<u32> {
        match key {
            Key::Single(slot) => self.singles.get(usize::from(slot)).copied().filter(|&address| address != NOWHERE),
            Key::Index(index) => self.search(index).ok().map(|at| self.places[at].address),
        }
    }

    /// Notes that the newest entry of `key` lies at `address`. False where there is no room for another index, or no
    /// such single key.
    #[must_use]
    pub(super) fn place(&mut self, key: Key, address: u32) -> bool {
        match key {
            Key::Single(slot) => match self.singles.get_mut(usize::from(slot)) {
                Some(single) => *single = address,
                None => return false,
            },
            Key::Index(index) => match self.search(index) {
                Ok(at) => self.places[at].address = address,
                Err(_) if self.used == N => return false,
                Err(at) => {
                    self.places.copy_within(at..self.used, at + 1);
                    self.places[at] = Place { index, address };
                    self.used += 1;
                }
            },
        }
        true
    }

    pub(super) fn remove(&mut self, index: u32) {
        if let Ok(at) = self.search(index) {
            self.places.copy_within(at + 1..self.used, at);
            self.used -= 1;
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The index at a position below [`used`](Self::used), in rising order.
    pub(super) fn index_at(&self, position: usize) -> Option<u32> {
        self.places[..self.used].get(position).map(|place| place.index)
    }

    fn search(&self, index: u32) -> Result<usize, usize> {
        self.places[..self.used].binary_search_by_key(&index, |place| place.index)
    }
}
