//! The ledger's key, and the revocation list that it signs.

use specie_core::NoteId;
use specie_core::bytes::RevokedNote;
use specie_core::encoding::{Decode, Encode};
use specie_core::revocation::{NOTES_PER_PAGE, PAGE_LENGTH_MAX, RevocationBody, RevocationPage};
use specie_core::signature::SigningKey;

use crate::bank::{Bank, at, name};

/// Who signs the list: the pages, and what was ever signed, in its order.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) key: SigningKey,
    pub(crate) issuer: &'static str,
    pages: Vec<Vec<RevokedNote>>,
    pub(crate) signed: Vec<Vec<u8>>,
    pub(crate) oldest: u64,
}

impl Ledger {
    pub(crate) fn of(bank: &Bank) -> Self {
        Self { key: bank.ledger.clone(), issuer: "bank", pages: vec![Vec::new()], signed: Vec::new(), oldest: 1 }
    }

    /// Lists these notes and signs every page that grew; the newest one even without news.
    pub(crate) fn sign(&mut self, issued_at: u64, notes: &[NoteId]) {
        let mut notes = notes.iter().map(RevokedNote::of).peekable();
        loop {
            if self.pages.last().unwrap().len() == NOTES_PER_PAGE {
                self.pages.push(Vec::new());
            }
            let page = self.pages.last_mut().unwrap();
            page.extend(notes.by_ref().take(NOTES_PER_PAGE - page.len()));
            page.sort();
            let number = self.pages.len() as u64;
            let previous = self.version(number - 1).map_or([0; 32], |page| page.id());
            let body = RevocationBody {
                issuer: name(self.issuer),
                page: number,
                sequence: self.signed.len() as u64 + 1,
                previous,
                oldest: self.oldest,
                issued_at: at(issued_at),
                notes: self.pages.last().unwrap(),
            };
            let signed =
                body.sign(&self.key, &mut [0; PAGE_LENGTH_MAX]).unwrap_or_else(|_| panic!("too long")).to_vec();
            self.signed.push(signed);
            if notes.peek().is_none() {
                return;
            }
        }
    }

    /// The newest version of a page.
    fn version(&self, page: u64) -> Option<RevocationPage<'_>> {
        let all = self.signed.iter().rev().map(|bytes| RevocationPage::decode(bytes).unwrap());
        all.into_iter().find(|version| version.page == page)
    }

    pub(crate) fn newest(&self) -> &[u8] {
        self.signed.last().unwrap()
    }

    /// What a PSP answers: of the newest pages, those signed after that sequence.
    pub(crate) fn after(&self, sequence: u64, pages: usize) -> Vec<&[u8]> {
        let mut newer: Vec<&[u8]> = Vec::new();
        let newest = self.pages.len() as u64;
        for bytes in self.signed.iter().rev() {
            let page = RevocationPage::decode(bytes).unwrap();
            let is_new = newer.last().is_none_or(|held| RevocationPage::decode(held).unwrap().page != page.page);
            if page.sequence > sequence && page.page + pages as u64 > newest && page.page >= self.oldest && is_new {
                newer.push(bytes);
            }
        }
        newer.reverse();
        newer
    }
}
