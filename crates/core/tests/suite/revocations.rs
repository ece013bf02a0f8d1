//! Pages of the revocation list: what one may say, and which two can be of one list (§8).

use specie_core::bytes::RevokedNote;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::revocation::{NOTES_PER_PAGE, PAGE_LENGTH_MAX, RevocationBody, RevocationPage};
use specie_core::text::Name;

use crate::fixture::encoded;
use crate::messages::{key, revocation};

/// Of a list, with notes of these numbers.
fn page(page: u64, sequence: u64, previous: [u8; 32], notes: std::ops::Range<u8>) -> Vec<u8> {
    changed(page, sequence, previous, notes, |_| {})
}

fn changed(
    page: u64,
    sequence: u64,
    previous: [u8; 32],
    notes: std::ops::Range<u8>,
    change: impl FnOnce(&mut RevocationBody<'_>),
) -> Vec<u8> {
    let notes: Vec<RevokedNote> = notes.map(|byte| RevokedNote([byte; 16])).collect();
    let issuer = Name::new("central-bank").unwrap();
    let issued_at = specie_core::Timestamp::new(1_000 + sequence).unwrap();
    let mut body = RevocationBody { issuer, page, sequence, previous, oldest: 1, issued_at, notes: &notes };
    change(&mut body);
    encoded(&body.sign(&key(4), &mut [0; PAGE_LENGTH_MAX]).unwrap())
}

fn read(bytes: &[u8]) -> RevocationPage<'_> {
    RevocationPage::decode(bytes).unwrap()
}

#[track_caller]
fn contradict(one: &[u8], other: &[u8]) {
    assert!(read(one).contradicts(&read(other)) && read(other).contradicts(&read(one)));
}

#[track_caller]
fn agree(one: &[u8], other: &[u8]) {
    assert!(!read(one).contradicts(&read(other)) && !read(other).contradicts(&read(one)));
}

#[test]
fn rejects_notes_out_of_order_too_many_and_cut() {
    for wrong in [[2, 1], [1, 1]] {
        assert_eq!(RevocationPage::decode(&revocation(2, &wrong)).err(), Some(DecodeError::NotCanonical));
    }
    let full: Vec<u8> = (0..NOTES_PER_PAGE as u8).collect();
    let bytes = revocation(2, &full);
    assert!(read(&bytes).is_full() && bytes.len() <= PAGE_LENGTH_MAX);
    // One note more, and half a note: the string of notes is the last thing before the signature.
    for (length, notes) in [(528u16, 528), (504, 504)] {
        let start = bytes.len() - 66 - 512 - 3;
        let head = [0x59, (length >> 8) as u8, length as u8];
        let long = [&bytes[..start], &head, &vec![0xFF; notes], &bytes[bytes.len() - 66..]].concat();
        assert_eq!(RevocationPage::decode(&long).err(), Some(DecodeError::WrongLength));
    }
}

#[test]
fn rejects_numbers_that_no_list_has() {
    let wrong: [fn(&mut RevocationBody<'_>); 6] = [
        |body| body.page = 0,
        |body| body.sequence = 0,
        |body| body.oldest = 0,
        |body| body.oldest = 3,
        |body| body.previous = [0; 32],
        |body| (body.page, body.oldest) = (1, 1),
    ];
    for change in wrong {
        let bytes = changed(2, 5, [9; 32], 0..3, change);
        assert_eq!(RevocationPage::decode(&bytes).err(), Some(DecodeError::OutOfRange));
    }
}

#[test]
fn pages_of_one_list_follow_each_other() {
    let (first, grown, full) = (page(1, 1, [0; 32], 0..1), page(1, 2, [0; 32], 0..5), page(1, 3, [0; 32], 0..32));
    let next = page(2, 4, read(&full).id(), 40..41);
    for (one, other) in [(&first, &grown), (&first, &full), (&grown, &full), (&full, &next), (&first, &next)] {
        agree(one, other);
    }
    assert!(read(&grown).connects(&read(&first)) && read(&next).connects(&read(&full)));
    // What the page was filled with in between is not known.
    assert!(!read(&next).connects(&read(&grown)) && !read(&full).connects(&read(&next)));
    assert!(!read(&page(3, 9, [7; 32], 0..1)).connects(&read(&full)));
}

#[test]
fn two_lists_under_one_key_contradict_each_other() {
    let (held, full) = (page(1, 3, [0; 32], 0..5), page(1, 4, [0; 32], 0..32));
    let next = |sequence, previous| page(2, sequence, previous, 40..41);
    // One number, two contents; a note that is gone; one that was signed later and is older.
    contradict(&held, &page(1, 3, [0; 32], 0..6));
    contradict(&held, &page(1, 5, [0; 32], 1..6));
    contradict(&held, &changed(1, 5, [0; 32], 0..6, |body| body.issued_at = specie_core::Timestamp::EPOCH));
    contradict(&page(1, 2, [0; 32], 0..6), &held);
    // A full page does not change, not even by being signed again.
    contradict(&full, &page(1, 5, [0; 32], 0..32));
    // A page that names another one before it, or was signed before that one was full.
    contradict(&full, &next(5, [7; 32]));
    contradict(&full, &next(4, read(&full).id()));
    contradict(&full, &next(2, read(&full).id()));
    contradict(&held, &next(3, [7; 32]));
    // What was in force no more is in force again.
    contradict(&changed(2, 5, [7; 32], 0..3, |body| body.oldest = 2), &page(2, 6, [7; 32], 0..4));
    contradict(&page(2, 5, [7; 32], 0..3), &page(2, 6, [8; 32], 0..4));
}
