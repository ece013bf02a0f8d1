//! The pages of the revocation list as they are held: consecutive ones, the newest of the list, as many as the device has room for.

use alloc::vec::Vec;
use core::ops::Range;

use specie_core::amount::Timestamp;
use specie_core::bytes::{NoteId, RevokedNote};
use specie_core::encoding::{Decode, DecodeError};
use specie_core::revocation::RevocationPage;

use super::{PublicationError, Update};
use crate::record::{Changes, Document, Table};
use crate::step::Step;
use crate::wallet::{Wallet, bytes_of};

/// The most pages that are sent along with one payment.
const PASSED_ON_MAX: usize = 8;

/// What a wallet knows of the revocation list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RevocationSummary {
    /// When the ledger signed the newest page held: double spends found later are not known.
    pub issued_at: Timestamp,
    /// How many notes are held.
    pub notes: usize,
    /// Whether these are all that are in force. If not, there is no room for more, and the oldest were dropped.
    pub all: bool,
}

/// Pages whose signatures were checked, without gaps, in their order.
#[derive(Default)]
pub(crate) struct Revocations(Vec<HeldPage>);

pub(super) struct HeldPage {
    bytes: Vec<u8>,
    page: u64,
    sequence: u64,
    oldest: u64,
    issued_at: Timestamp,
    /// Where the notes lie in `bytes`.
    notes: Range<usize>,
}

impl HeldPage {
    fn of(page: &RevocationPage<'_>, bytes: &[u8]) -> Self {
        // They are the last thing before the signature, which is a byte string of 64.
        let end = bytes.len() - 66;
        let notes = end - page.notes().len() * RevokedNote::LENGTH..end;
        let RevocationPage { page, sequence, oldest, issued_at, .. } = *page;
        Self { bytes: bytes.to_vec(), page, sequence, oldest, issued_at, notes }
    }

    #[inline(never)]
    fn read(&self) -> RevocationPage<'_> {
        RevocationPage::decode(&self.bytes).expect("it was read before")
    }

    fn notes(&self) -> &[[u8; RevokedNote::LENGTH]] {
        self.bytes[self.notes.clone()].as_chunks().0
    }

    fn id(&self) -> Vec<u8> {
        record_id(self.page)
    }
}

fn record_id(page: u64) -> Vec<u8> {
    let mut id = Vec::with_capacity(9);
    id.push(Document::RevocationPage as u8);
    id.extend_from_slice(&page.to_be_bytes());
    id
}

impl Revocations {
    /// Whether a note is on one of the pages held.
    pub(crate) fn contains(&self, note: &NoteId) -> bool {
        let note = RevokedNote::of(note).0;
        self.0.iter().any(|page| page.notes().binary_search(&note).is_ok())
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        self.0.last().map_or(Timestamp::EPOCH, |newest| newest.issued_at)
    }

    fn sequence(&self) -> u64 {
        self.0.last().map_or(0, |newest| newest.sequence)
    }

    /// Takes a page: the newest one, grown; the one after it; or one with which all begins anew. `changes` are the records.
    fn take(&mut self, page: HeldPage, changes: &mut Changes) {
        match self.0.last() {
            Some(newest) if newest.page == page.page => drop(self.0.pop()),
            Some(newest) if !page.read().connects(&newest.read()) => self.drop_first(self.0.len(), changes),
            _ => {}
        }
        changes.put_open(Table::Document, &page.id(), page.bytes.clone());
        self.0.push(page);
    }

    /// Drops what is in force no more, and the oldest pages beyond `most`.
    fn drop_old(&mut self, most: usize, changes: &mut Changes) {
        let oldest = self.0.last().map_or(0, |newest| newest.oldest);
        let old = self.0.iter().take_while(|held| held.page < oldest).count();
        self.drop_first(old.max(self.0.len().saturating_sub(most)), changes);
    }

    fn drop_first(&mut self, count: usize, changes: &mut Changes) {
        self.0.drain(..count).for_each(|page| changes.delete(Table::Document, &page.id()));
    }

    /// Of pages that were offered in their order, how many at the end are newer than what is held.
    #[inline(never)]
    fn count_newer(&self, offered: &[HeldPage], most: usize) -> Result<usize, PublicationError> {
        let (newest, sequence) = (offered.last().map_or(0, |newest| newest.oldest), self.sequence());
        let mut before = self.0.last();
        let mut known = 0;
        for (number, page) in offered.iter().enumerate() {
            // Older ones come first.
            let is_known = page.sequence <= sequence && number == known;
            let other = if is_known { self.0.iter().find(|held| held.page == page.page) } else { before };
            let other = other.map(HeldPage::read);
            let read = page.read();
            if other.is_some_and(|other| read.contradicts(&other)) {
                return Err(PublicationError::RevocationFork(page.page));
            }
            if is_known {
                known += 1;
                continue;
            }
            // Nobody may make a device leave out what lies in between, or drop what it holds, for less than all that it could hold.
            let is_all = offered.len() - number >= most || page.page <= newest;
            let begins = number == known && is_all;
            if !begins && !other.is_some_and(|other| read.connects(&other)) {
                return Err(PublicationError::RevocationGap(page.page));
            }
            before = Some(page);
        }
        Ok(offered.len() - known)
    }
}

impl Wallet {
    /// Takes pages of the revocation list, oldest first: all of them or none. At most `pages_max` are held; where there are more, the oldest are
    /// dropped. Pages that do not follow what is held replace it, if they are all that are in force, or as many as are held at most.
    ///
    /// # Errors
    /// When one of them is not the ledger's, is of another list than those held, or pages in between are missing.
    pub fn accept_revocations(&mut self, pages: &[&[u8]], pages_max: usize) -> Result<Step<Update>, PublicationError> {
        let mut offered = Vec::with_capacity(pages.len());
        for bytes in pages {
            offered.push(self.check_page(bytes)?);
        }
        let newer = self.purse.revocations().count_newer(&offered, pages_max)?;
        let mut changes = Changes::default();
        if newer == 0 {
            return Ok(changes.step(Update::NotNewer));
        }
        let taken = offered.drain(offered.len() - newer..);
        self.purse.revoke(|held| {
            taken.for_each(|page| held.take(page, &mut changes));
            held.drop_old(pages_max, &mut changes);
        });
        Ok(changes.step(Update::Newer))
    }

    #[inline(never)]
    fn check_page(&self, bytes: &[u8]) -> Result<HeldPage, PublicationError> {
        let page = RevocationPage::decode(bytes).map_err(PublicationError::Malformed)?;
        let manifest = self.publications.manifest.as_ref().ok_or(PublicationError::UnknownSigner)?;
        if page.issuer != manifest.signed.header.issuer {
            return Err(PublicationError::OtherIssuer);
        }
        if !manifest.ledgers.iter().any(|ledger| page.verify(ledger).is_ok()) {
            return Err(PublicationError::BadSignature);
        }
        Ok(HeldPage::of(&page, bytes))
    }

    pub(super) fn load_page(&mut self, number: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let page = RevocationPage::decode(record)?;
        if page.page != u64::from_be_bytes(bytes_of(number)?) {
            return Err(DecodeError::OutOfRange);
        }
        // They load in order, and were checked when they were stored.
        self.purse.revoke(|held| held.0.push(HeldPage::of(&page, record)));
        Ok(())
    }

    /// Sequence of the newest page held of the revocation list; 0 for none.
    pub fn revocation_sequence(&self) -> u64 {
        self.purse.revocations().sequence()
    }

    /// What is known of the revocation list; `None` for nothing.
    pub fn revocations(&self) -> Option<RevocationSummary> {
        let held = &self.purse.revocations().0;
        let (first, newest) = (held.first()?, held.last()?);
        let notes = held.iter().map(|page| page.notes().len()).sum();
        Some(RevocationSummary { issued_at: newest.issued_at, notes, all: first.page <= newest.oldest })
    }

    /// How many seconds ago the newest page held was signed; since the beginning of time where none is held.
    pub(crate) fn revocations_age(&self, now: Timestamp) -> u64 {
        now.seconds().saturating_sub(self.purse.revocations().issued_at().seconds())
    }

    /// The pages held that are newer than `sequence`, as they travel, oldest first.
    pub fn revocation_pages(&self, sequence: u64) -> impl Iterator<Item = &[u8]> {
        self.purse.revocations().0.iter().filter(move |page| page.sequence > sequence).map(|page| page.bytes.as_slice())
    }

    /// Messages to send along to somebody who knows the manifest and the page of these sequence numbers: the newer ones, if any. Where many pages are
    /// newer, some of them: with the next payment come more.
    pub fn newer_publications(&self, manifest_sequence: u64, revocation_sequence: u64) -> Vec<Vec<u8>> {
        let manifest = self.manifest().filter(|_| self.manifest_sequence() > manifest_sequence);
        let pages = self.revocation_pages(revocation_sequence).take(PASSED_ON_MAX);
        manifest.into_iter().chain(pages).map(<[u8]>::to_vec).collect()
    }
}
