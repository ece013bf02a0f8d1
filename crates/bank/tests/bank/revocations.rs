//! The revocation list that the bank publishes: everything in time, the largest first, never too much at once, and always fresh.

use specie_bank::detection::DetectionError;
use specie_bank::revocation::{LISTED_PER_DAY, RevocableRecord};
use specie_bank::storage::{Storage, StorageError};
use specie_core::bytes::{NoteId, RevokedNote};
use specie_core::encoding::Decode;
use specie_core::revocation::{NOTES_PER_PAGE, PAGES_MAX, RevocationPage};

use crate::world::{DAY, START, World, amount, at, ledger_key};

const HOUR: u64 = 3_600;

fn note(number: u64) -> NoteId {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    NoteId(bytes)
}

/// Notes of which it is known that they were shown twice.
fn found(world: &World, numbers: std::ops::Range<u64>, worth: u64, revoke_until: u64) {
    world
        .transact(|tx| {
            for number in numbers.clone() {
                let note =
                    RevocableRecord { note_id: note(number), worth: amount(worth), revoke_until: at(revoke_until) };
                assert!(tx.insert_revocable(&note)?);
            }
            Ok::<_, StorageError>(())
        })
        .unwrap();
}

fn publish(world: &World, seconds: u64) {
    world
        .transact(|tx| world.bank().publish_revocations(tx, at(seconds)).map_err(|error: DetectionError| error))
        .unwrap();
}

/// The pages published, which must be one list that the ledger signed.
fn pages(world: &World) -> Vec<Vec<u8>> {
    let all = world.bank().storage().read(|view| view.revocations_after(0, PAGES_MAX as u32)).unwrap();
    let read: Vec<RevocationPage<'_>> = all.iter().map(|bytes| RevocationPage::decode(bytes).unwrap()).collect();
    assert!(read.iter().all(|page| page.verify(&ledger_key(world)).is_ok()));
    for pair in read.windows(2) {
        assert!(pair[1].connects(&pair[0]) && !pair[1].contradicts(&pair[0]));
    }
    assert!(read.first().is_none_or(|first| first.page == read.last().unwrap().oldest));
    all
}

fn listed(world: &World) -> Vec<RevokedNote> {
    pages(world).iter().flat_map(|bytes| RevocationPage::decode(bytes).unwrap().notes().collect::<Vec<_>>()).collect()
}

fn waiting(world: &World, seconds: u64) -> u64 {
    world.bank().storage().read(|view| view.notes_waiting(at(seconds))).unwrap()
}

#[test]
fn a_list_is_there_before_anybody_cheats_and_stays_fresh() {
    let world = World::new(1);
    publish(&world, START);
    let first = pages(&world);
    assert_eq!((first.len(), listed(&world).len()), (1, 0));
    publish(&world, START + HOUR - 1);
    assert_eq!(pages(&world), first);
    publish(&world, START + HOUR);
    let second = pages(&world);
    let read = |pages: &[Vec<u8>]| {
        let page = RevocationPage::decode(&pages[0]).unwrap();
        (page.page, page.sequence, page.issued_at)
    };
    assert_eq!((read(&first), read(&second)), ((1, 1, at(START)), (1, 2, at(START + HOUR))));
    // A full page is never signed again: the next one says how fresh the list is.
    found(&world, 0..NOTES_PER_PAGE as u64, 1, START + DAY);
    publish(&world, START + HOUR + 1);
    assert_eq!(pages(&world).len(), 1);
    publish(&world, START + 2 * HOUR + 1);
    assert_eq!((pages(&world).len(), listed(&world).len()), (2, NOTES_PER_PAGE));
}

/// However many are found: within any day no more than a small device holds are listed, those worth most first, and none is forgotten.
#[test]
fn a_flood_waits_and_what_is_worth_most_goes_first() {
    let world = World::new(2);
    let (per_day, flood) = (u64::from(LISTED_PER_DAY), 300);
    found(&world, 0..flood, 1, START + 100 * DAY);
    publish(&world, START);
    assert_eq!((listed(&world).len() as u64, waiting(&world, START)), (per_day, flood - per_day));
    // In the middle of the flood two notes of value are found.
    found(&world, 1_000..1_002, 500, START + 100 * DAY);
    for seconds in [START + 1, START + DAY / 2, START + DAY - 1] {
        publish(&world, seconds);
        assert_eq!(listed(&world).len() as u64, per_day);
    }
    publish(&world, START + DAY);
    assert_eq!(listed(&world).len() as u64, 2 * per_day);
    let valuable = [1_000, 1_001].map(|number| RevokedNote::of(&note(number)));
    assert!(valuable.iter().all(|note| listed(&world).contains(note)));
    for day in 2..6 {
        publish(&world, START + day * DAY);
    }
    let mut all: Vec<RevokedNote> = listed(&world);
    all.sort();
    all.dedup();
    assert_eq!((all.len() as u64, waiting(&world, START + 6 * DAY)), (flood + 2, 0));
    // Whoever holds all pages but the oldest ones has what the last day brought.
    let newest: Vec<u64> = pages(&world).iter().map(|page| RevocationPage::decode(page).unwrap().sequence).collect();
    assert!(newest.is_sorted());
}

#[test]
fn what_nobody_redeems_any_more_leaves_the_list() {
    let mut world = World::new(3);
    found(&world, 0..40, 1, START + 10 * DAY);
    publish(&world, START);
    found(&world, 40..70, 1, START + 50 * DAY);
    found(&world, 70..80, 9, START + DAY);
    publish(&world, START + 2 * DAY);
    assert_eq!((pages(&world).len(), listed(&world).len()), (3, 70), "the last ten came too late");
    assert_eq!(waiting(&world, START + 2 * DAY), 0);
    world.restart();
    publish(&world, START + 11 * DAY);
    // The second page holds some of the first forty and some that live on.
    assert_eq!((pages(&world).len(), listed(&world).len()), (2, 38));
    publish(&world, START + 51 * DAY);
    assert_eq!((pages(&world).len(), listed(&world).len()), (1, 6));
}

/// An operator whose devices have more room lists more in a day.
#[test]
fn how_much_is_listed_in_a_day_is_the_operators_choice() {
    let world = World::new(4);
    found(&world, 0..200, 1, START + DAY);
    let bank = world.another_process().with_revocations_per_day(150);
    bank.storage().transact(|tx| bank.publish_revocations(tx, at(START))).unwrap();
    assert_eq!((listed(&world).len(), waiting(&world, START)), (150, 50));
}
