//! The revocation list on a device: pages in any portions give the same list, a flood pushes out nothing recent, gaps and forks are refused, and
//! devices pass it on when they pay.

use proptest::prelude::*;
use specie_core::bytes::RevokedNote;
use specie_core::encoding::Decode;
use specie_core::request::Request;
use specie_core::revocation::{NOTES_PER_PAGE, PAGES_MAX, RevocationPage};
use specie_core::signature::SigningKey;
use specie_core::{NoteId, hash};
use specie_wallet::WalletError;
use specie_wallet::payment::Execution;
use specie_wallet::publication::{PublicationError, Update};
use specie_wallet::settings::Settings;

use crate::bank::{Bank, NOW, at};
use crate::device::{Device, Halt};
use crate::ledger::Ledger;
use crate::payments::holding;
use crate::raw::Raw;

/// Room on the smallest device, in pages.
const SMALL: usize = 3;

impl Ledger {
    pub(crate) fn tell(&self, device: &mut Device) -> Result<Update, PublicationError> {
        self.tell_with_room(device, PAGES_MAX)
    }

    fn tell_with_room(&self, device: &mut Device, pages: usize) -> Result<Update, PublicationError> {
        take(device, &self.after(device.wallet.revocation_sequence(), pages), pages)
    }
}

/// Takes pages; a refusal changes nothing.
fn take(device: &mut Device, pages: &[&[u8]], room: usize) -> Result<Update, PublicationError> {
    let (store, before) = (device.store.clone(), held(device));
    match device.wallet.accept_revocations(pages, room) {
        Ok(step) => Ok(device.commit(step).unwrap()),
        Err(error) => {
            assert_eq!((&device.store, held(device)), (&store, before));
            assert!(!error.money_moved() && !error.advice().is_empty());
            Err(error)
        }
    }
}

fn held(device: &Device) -> Vec<Vec<u8>> {
    device.wallet.revocation_pages(0).map(<[u8]>::to_vec).collect()
}

/// Notes that a device has, in the order of the list's pages.
fn notes(device: &Device) -> Vec<RevokedNote> {
    held(device).iter().flat_map(|bytes| RevocationPage::decode(bytes).unwrap().notes().collect::<Vec<_>>()).collect()
}

fn note(number: u32) -> NoteId {
    NoteId(hash::h32("test/note", &[&number.to_be_bytes()]))
}

fn some(numbers: std::ops::Range<u32>) -> Vec<NoteId> {
    numbers.map(note).collect()
}

fn scene() -> (Bank, Device) {
    let mut bank = Bank::new();
    let device = Device::new(&mut bank, "anna");
    (bank, device)
}

#[test]
fn newer_pages_only_from_the_own_ledger_only() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW, &some(0..3));
    assert_eq!(ledger.tell(&mut device), Ok(Update::Newer));
    assert_eq!(ledger.tell(&mut device), Ok(Update::NotNewer));
    let first = ledger.newest().to_vec();
    ledger.sign(NOW + 5, &some(3..70));
    assert_eq!(ledger.tell(&mut device), Ok(Update::Newer));
    assert_eq!(take(&mut device, &[&first], PAGES_MAX), Ok(Update::NotNewer));
    device.reload();
    assert_eq!((notes(&device).len(), device.wallet.revocation_sequence()), (70, 4));
    assert_eq!(device.wallet.time_floor(), at(NOW + 5));
    let foreign = |change: fn(&mut Ledger)| {
        let mut other = ledger.clone();
        change(&mut other);
        other.sign(NOW + 6, &some(70..71));
        other
    };
    let forged = foreign(|ledger| ledger.key = SigningKey::from_seed(&[0xBB; 32]));
    assert_eq!(forged.tell(&mut device), Err(PublicationError::BadSignature));
    assert_eq!(foreign(|ledger| ledger.issuer = "other").tell(&mut device), Err(PublicationError::OtherIssuer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever gets all at once, piece by piece, or old pieces again in between, holds the same, in memory and stored.
    #[test]
    fn portions_in_any_order_give_the_same_list(
        portions in proptest::collection::vec(0u32..80, 1..8),
        fetches in proptest::collection::vec(any::<bool>(), 8),
        replays in proptest::collection::vec(any::<u16>(), 8),
        room in 1usize..6,
    ) {
        let (bank, mut piecewise) = scene();
        let mut ledger = Ledger::of(&bank);
        let mut listed = 0;
        for (number, portion) in portions.iter().enumerate() {
            ledger.sign(NOW + number as u64, &some(listed..listed + portion));
            listed += portion;
            if fetches[number] {
                ledger.tell_with_room(&mut piecewise, room).unwrap();
            }
            // What was signed at any time comes again: it changes nothing, or is refused.
            let old = ledger.signed[usize::from(replays[number]) % ledger.signed.len()].clone();
            let before = held(&piecewise);
            match take(&mut piecewise, &[&old], room) {
                Ok(Update::Newer) => prop_assert!(held(&piecewise).last() == Some(&old)),
                Ok(Update::NotNewer) => prop_assert_eq!(held(&piecewise), before),
                Err(error) => prop_assert!(matches!(error, PublicationError::RevocationGap(_))),
            }
        }
        ledger.tell_with_room(&mut piecewise, room).unwrap();
        let mut at_once = Device::new(&mut Bank::new(), "ben");
        ledger.tell_with_room(&mut at_once, room).unwrap();
        prop_assert_eq!(held(&piecewise), held(&at_once));
        prop_assert!(held(&at_once).len() <= room);
        piecewise.reload();
        prop_assert_eq!(held(&piecewise), held(&at_once));
        let all = piecewise.wallet.revocations().unwrap().all;
        prop_assert_eq!(all, notes(&piecewise).len() == listed as usize);
    }
}

/// As many as may be listed within a day never push out each other; older ones go first, and the device says so.
#[test]
fn a_flood_pushes_out_nothing_recent() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    let recent = 2 * NOTES_PER_PAGE as u32;
    for listed in 1..400u32 {
        ledger.sign(NOW + u64::from(listed), &[note(listed)]);
        ledger.tell_with_room(&mut device, SMALL).unwrap();
        let held = notes(&device);
        let expected = (1..=listed).rev().take(recent as usize).map(|number| RevokedNote::of(&note(number)));
        assert!(expected.into_iter().all(|note| held.contains(&note)));
        assert!(held.len() <= SMALL * NOTES_PER_PAGE && device.store.len() < 20);
    }
    let summary = device.wallet.revocations().unwrap();
    assert_eq!((summary.all, summary.issued_at), (false, at(NOW + 399)));
    // All at once, as after a long absence, is the same.
    let mut other = Device::new(&mut Bank::new(), "ben");
    ledger.tell_with_room(&mut other, SMALL).unwrap();
    assert_eq!(held(&other), held(&device));
}

#[test]
fn what_is_in_force_no_more_is_dropped() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW, &some(0..100));
    ledger.tell(&mut device).unwrap();
    ledger.oldest = 3;
    ledger.sign(NOW + 1, &[]);
    ledger.tell(&mut device).unwrap();
    assert_eq!((held(&device).len(), notes(&device).len()), (2, 36));
    assert!(device.wallet.revocations().unwrap().all);
    device.reload();
    assert_eq!(held(&device).len(), 2);
    let mut other = Device::new(&mut Bank::new(), "ben");
    assert_eq!(ledger.tell(&mut other), Ok(Update::Newer));
}

#[test]
fn pages_with_a_gap_are_refused_and_hide_nothing() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW, &some(0..40));
    ledger.tell_with_room(&mut device, SMALL).unwrap();
    ledger.sign(NOW + 1, &some(40..200));
    let newer = ledger.after(0, PAGES_MAX);
    // Whoever gives less than all, or than a device holds, might leave out the one that matters.
    for some in [&newer[6..], &newer[5..], &newer[3..4], &[newer[2], newer[1]], &[newer[1], newer[3]]] {
        assert!(matches!(take(&mut device, some, SMALL), Err(PublicationError::RevocationGap(_))), "{}", some.len());
    }
    let mut empty = Device::new(&mut Bank::new(), "ben");
    assert_eq!(take(&mut empty, &newer[6..], SMALL), Err(PublicationError::RevocationGap(7)));
    for device in [&mut device, &mut empty] {
        assert_eq!(take(device, &newer[4..], SMALL), Ok(Update::Newer));
        assert_eq!(notes(device).len(), 72);
        device.reload();
        assert_eq!(notes(device).len(), 72);
    }
}

#[test]
fn forks_are_loud() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW, &some(0..40));
    let mut forked = ledger.clone();
    ledger.sign(NOW + 1, &some(40..70));
    ledger.tell(&mut device).unwrap();
    // Another note in the newest page: now, as an old page, and as what grew of it.
    forked.sign(NOW + 1, &some(140..145));
    assert_eq!(take(&mut device, &[forked.newest()], PAGES_MAX), Err(PublicationError::RevocationFork(2)));
    forked.sign(NOW + 2, &some(145..150));
    forked.sign(NOW + 2, &some(150..155));
    assert_eq!(take(&mut device, &[forked.newest()], PAGES_MAX), Err(PublicationError::RevocationFork(2)));
    forked.sign(NOW + 3, &some(155..199));
    let last = &forked.after(0, PAGES_MAX)[2..];
    assert_eq!(take(&mut device, last, 1), Err(PublicationError::RevocationFork(3)));
    assert_eq!(ledger.tell(&mut device), Ok(Update::NotNewer));
}

#[test]
fn a_page_that_was_not_stored_is_taken_again() {
    let (bank, mut device) = scene();
    let mut ledger = Ledger::of(&bank);
    for round in 0..5u32 {
        ledger.sign(NOW, &some(40 * round..40 * (round + 1)));
        for fuel in 0..2 {
            let before = device.store.clone();
            device.port.fuel = Some(fuel);
            let pages = ledger.after(device.wallet.revocation_sequence(), SMALL);
            let step = device.wallet.accept_revocations(&pages, SMALL).unwrap();
            assert_eq!(device.commit(step), Err(Halt::Crash));
            device.restart();
            assert_eq!(device.store == before, fuel == 0);
        }
        assert_eq!(ledger.tell_with_room(&mut device, SMALL), Ok(Update::NotNewer));
        let mut other = Device::new(&mut Bank::new(), "ben");
        ledger.tell_with_room(&mut other, SMALL).unwrap();
        assert_eq!(held(&device), held(&other));
    }
}

/// Anna synchronised and ben did not: by being paid he learns what she knows, and refuses what was spent twice.
#[test]
fn devices_pass_the_list_on_when_they_pay() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 50, 50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let mut raw = Raw::new("mallory");
    let stolen = raw.value(&mut bank, 50);
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW, &some(0..5));
    for device in [&mut anna, &mut ben] {
        ledger.tell_with_room(device, SMALL).unwrap();
    }
    ledger.sign(NOW + 1, &[stolen.id]);
    ledger.sign(NOW + 2, &some(5..60));
    ledger.tell_with_room(&mut anna, SMALL).unwrap();
    // Twice: the second time there is nothing left to tell.
    for round in 0..2 {
        let (_, request) = ben.request(50).unwrap();
        let seed = anna.seed();
        let step = anna.wallet.plan_payment(&request, at(NOW), &seed, &mut anna.port).unwrap();
        let id = anna.commit(step).unwrap();
        let step = anna.wallet.execute_payment(&id, at(NOW), &mut anna.port).unwrap();
        let Execution::Paid(ready) = anna.commit(step).unwrap() else { panic!("refused") };
        assert_eq!(ready.publications.len(), if round == 0 { 2 } else { 0 });
        for page in &ready.publications {
            assert_eq!(take(&mut ben, &[page], SMALL), Ok(Update::Newer));
        }
        ben.receive(&ready.message).unwrap();
    }
    assert_eq!(held(&ben), held(&anna));
    let (_, request) = ben.request(50).unwrap();
    let payment = raw.pay(&stolen, &Request::decode(&request).unwrap());
    assert_eq!(ben.receive(&payment), Err(Halt::Refused("revoked")));
}

#[test]
fn a_merchant_asks_for_nothing_on_a_stale_list() {
    let mut bank = Bank::new();
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let settings = Settings { revocations_age_max: Some(3_600), ..ben.wallet.settings() };
    let step = ben.wallet.change_settings(settings);
    ben.commit(step).unwrap();
    ben.reload();
    assert_eq!(ben.wallet.settings(), settings);
    assert_eq!(ben.request(30), Err(Halt::Refused("revocations-stale")));
    let mut ledger = Ledger::of(&bank);
    ledger.sign(NOW - 3_601, &[]);
    ledger.tell(&mut ben).unwrap();
    assert_eq!(ben.request(30), Err(Halt::Refused("revocations-stale")));
    ledger.sign(NOW - 3_600, &[]);
    ledger.tell(&mut ben).unwrap();
    ben.request(30).unwrap();
}
