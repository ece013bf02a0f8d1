//! The journal against a map: power cut at every flash operation, clean and torn, one and many in a row.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::vec::Vec;

use embedded_storage::nor_flash::NorFlash;

use super::*;
use crate::sim::{Cut, SimFlash};

const RECORDS: usize = 12;
const PAGE: usize = 2048;
const PAGES: usize = 4;

type Flash<const W: usize> = SimFlash<W, PAGE>;
type Mounted<'a, const W: usize> = Journal<&'a mut Flash<W>, RECORDS>;
/// Kind and payload under every key.
type Model = BTreeMap<Key, (u8, Vec<u8>)>;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn payload(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most as u64 + 1) as usize;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[derive(Clone, Debug)]
enum Change {
    Put(Key, u8, Vec<u8>),
    PutMarked(u32, u8, Vec<u8>),
    Remove(u32),
    Clear,
}

fn random_changes(random: &mut Random) -> Vec<Change> {
    (0..=random.below(5))
        .map(|_| {
            let index = random.below(RECORDS as u64 - 2) as u32;
            match random.below(8) {
                0 | 1 => Change::Put(Key::Single(random.below(8) as u8), 9, random.payload(100)),
                2 | 3 => Change::Put(Key::Index(index), 3, random.payload(INDEX_PAYLOAD_MAX)),
                4..=6 => Change::PutMarked(index, 4, random.payload(INDEX_PAYLOAD_MAX)),
                _ => Change::Remove(index),
            }
        })
        .collect()
}

fn to_batch(changes: &[Change]) -> Batch {
    let mut batch = Batch::new();
    for change in changes {
        match change {
            Change::Put(key, kind, payload) => batch.put(*key, *kind, payload),
            Change::PutMarked(index, kind, payload) => batch.put_marked(*index, *kind, payload),
            Change::Remove(index) => batch.remove(*index),
            Change::Clear => batch.clear(),
        };
    }
    batch
}

fn change_model(model: &mut Model, changes: &[Change]) {
    for change in changes {
        match change.clone() {
            Change::Put(key, kind, payload) => drop(model.insert(key, (kind, payload))),
            Change::PutMarked(index, kind, payload) => drop(model.insert(Key::Index(index), (kind, payload))),
            Change::Remove(index) => drop(model.remove(&Key::Index(index))),
            Change::Clear => model.clear(),
        }
    }
}

fn contents<F: NorFlash, const N: usize>(journal: &mut Journal<F, N>) -> Model {
    let indices = (0..journal.used()).map(|at| Key::Index(journal.index_at(at).unwrap()));
    let keys: Vec<Key> = (0..8).map(Key::Single).chain(indices).collect();
    let mut model = Model::new();
    for key in keys {
        let mut payload = [0; SINGLE_PAYLOAD_MAX];
        if let Some(entry) = journal.get(key, &mut payload).unwrap() {
            assert!(!entry.marked, "{key:?} is marked");
            model.insert(key, (entry.kind, payload[..entry.length].to_vec()));
        }
    }
    model
}

/// Every change, cut at every operation: the state is the one before or the one after, and the change can be made then.
fn exhaust_cuts<const W: usize>(seed: u64, changes: usize) {
    let mut random = Random(seed);
    let mut flash = Flash::<W>::new(PAGES, seed);
    let mut model = Model::new();
    Mounted::<W>::mount(&mut flash).unwrap();
    for step in 0..changes {
        let change = if step % 60 == 59 { std::vec![Change::Clear] } else { random_changes(&mut random) };
        let batch = to_batch(&change);
        let mut after = model.clone();
        change_model(&mut after, &change);
        for cut in [Cut::Clean, Cut::Torn] {
            for n in 0.. {
                let mut copy = flash.clone();
                let mut journal = Mounted::<W>::mount(&mut copy).unwrap();
                journal.flash.cut_power_after(n, cut);
                let answered = journal.commit(&batch).is_ok();
                let was_cut = copy.is_off();
                copy.power_up();
                let mut journal = Mounted::<W>::mount(&mut copy).unwrap();
                let found = contents(&mut journal);
                let context =
                    std::format!("seed {seed}, word {W}, step {step}, {cut:?} cut at {n}, answered {answered}");
                assert!(found == after || (!answered && found == model), "{context}");
                journal.commit(&batch).unwrap();
                assert_eq!(contents(&mut journal), after, "{context}");
                if !was_cut {
                    break;
                }
            }
        }
        Mounted::<W>::mount(&mut flash).unwrap().commit(&batch).unwrap();
        model = after;
    }
}

#[test]
fn survives_power_cut_at_every_operation_with_words_of_4() {
    exhaust_cuts::<4>(1, 130);
}

#[test]
fn survives_power_cut_at_every_operation_with_words_of_8() {
    exhaust_cuts::<8>(2, 130);
}

#[test]
fn survives_power_cut_at_every_operation_with_words_of_1() {
    exhaust_cuts::<1>(3, 25);
}

/// Power cuts one after the other, also while the cut before is being cleaned up, on one flash for its whole life.
fn many_cuts<const W: usize>(seed: u64, changes: usize) {
    let mut random = Random(seed);
    let mut flash = Flash::<W>::new(PAGES, seed);
    let mut model = Model::new();
    for step in 0..changes {
        let change = if step % 150 == 149 { std::vec![Change::Clear] } else { random_changes(&mut random) };
        let batch = to_batch(&change);
        let mut after = model.clone();
        change_model(&mut after, &change);
        let cuts = if random.below(3) == 0 { random.below(13) } else { 1 };
        let mut may_be_after = false;
        for _ in 0..cuts {
            let cut = if random.below(2) == 0 { Cut::Clean } else { Cut::Torn };
            let soon = if random.below(2) == 0 { 8 } else { 80 };
            flash.cut_power_after(random.below(soon), cut);
            if let Ok(mut journal) = Mounted::<W>::mount(&mut flash) {
                let found = contents(&mut journal);
                assert!(found == model || (may_be_after && found == after), "seed {seed}, word {W}, step {step}");
                may_be_after = true;
                let _ = journal.commit(&batch);
            }
            flash.power_up();
        }
        let mut journal = Mounted::<W>::mount(&mut flash).unwrap();
        let found = contents(&mut journal);
        assert!(found == model || (may_be_after && found == after), "seed {seed}, word {W}, step {step}");
        journal.commit(&batch).unwrap();
        assert_eq!(contents(&mut journal), after, "seed {seed}, word {W}, step {step}");
        model = after;
    }
}

#[test]
fn survives_many_power_cuts_in_a_row() {
    for seed in 0..4 {
        many_cuts::<1>(seed, 300);
        many_cuts::<4>(seed, 600);
        many_cuts::<8>(seed, 600);
    }
}

/// Operations that fail, once or for ever, are clean errors: without an answer nothing is done, or it turns out done
/// when mounted.
#[test]
fn failing_flash_gives_clean_errors() {
    let mut random = Random(7);
    let mut flash = Flash::<4>::new(PAGES, 7);
    let mut model = Model::new();
    for step in 0..80 {
        let change = random_changes(&mut random);
        let batch = to_batch(&change);
        let mut after = model.clone();
        change_model(&mut after, &change);
        for (cut, for_ever) in [(Cut::Clean, false), (Cut::Torn, false), (Cut::Clean, true), (Cut::Torn, true)] {
            for n in 0.. {
                let mut copy = flash.clone();
                let mut journal = Mounted::<4>::mount(&mut copy).unwrap();
                let start = journal.flash.operations();
                journal.flash.fail_after(n, cut, for_ever);
                let result = journal.commit(&batch);
                let finished = journal.flash.operations() - start < n || (result.is_ok() && n > 400);
                journal.flash.power_up();
                if journal.is_stale() {
                    journal.remount().unwrap();
                    let found = contents(&mut journal);
                    assert!(found == after || (result.is_err() && found == model), "step {step}, operation {n}");
                } else {
                    let expected = if result.is_ok() { &after } else { &model };
                    assert_eq!(&contents(&mut journal), expected, "step {step}, operation {n}");
                    assert_eq!(
                        &contents(&mut Mounted::<4>::mount(&mut copy).unwrap()),
                        expected,
                        "step {step}, operation {n}"
                    );
                    journal = Mounted::<4>::mount(&mut copy).unwrap();
                }
                journal.commit(&batch).unwrap();
                assert_eq!(contents(&mut journal), after);
                if finished {
                    break;
                }
            }
        }
        Mounted::<4>::mount(&mut flash).unwrap().commit(&batch).unwrap();
        model = after;
    }
}

#[test]
fn reads_that_fail_are_errors() {
    let mut flash = Flash::<4>::new(PAGES, 0);
    flash.fail_reads(true);
    assert!(Mounted::<4>::mount(&mut flash).is_err());
    flash.fail_reads(false);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    journal.commit(Batch::new().put(Key::Single(1), 1, &[1])).unwrap();
    journal.flash.fail_reads(true);
    assert!(journal.get(Key::Single(1), &mut [0; 8]).is_err());
    assert!(journal.commit(Batch::new().put(Key::Single(1), 1, &[2])).is_err());
    journal.flash.fail_reads(false);
    assert!(journal.is_stale());
    journal.remount().unwrap();
    assert!(journal.get(Key::Single(1), &mut [0; 8]).unwrap().is_some());
}

#[test]
fn refuses_one_record_more_than_it_has_room_for() {
    let mut flash = Flash::<4>::new(PAGES, 0);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    for index in 0..RECORDS as u32 {
        journal.commit(Batch::new().put_marked(index, 4, &[0; INDEX_PAYLOAD_MAX])).unwrap();
    }
    assert_eq!(journal.commit(Batch::new().put(Key::Index(99), 3, &[])), Err(JournalError::Full));
    for _ in 0..200 {
        journal.commit(Batch::new().put_marked(5, 4, &[1; INDEX_PAYLOAD_MAX])).unwrap();
    }
    journal.commit(Batch::new().remove(3)).unwrap();
    journal.commit(Batch::new().put(Key::Index(99), 3, &[])).unwrap();
    assert_eq!(journal.free(), 0);
}

#[test]
fn refuses_batches_and_flashes_that_do_not_fit() {
    let mut flash = Flash::<4>::new(PAGES, 0);
    let mut batch = Batch::new();
    for index in 0..11 {
        batch.put_marked(index, 4, &[0; INDEX_PAYLOAD_MAX]);
    }
    assert_eq!(Mounted::<4>::mount(&mut flash).unwrap().commit(&batch), Err(JournalError::BatchTooLong));
    assert!(matches!(Mounted::<4>::mount(&mut Flash::<4>::new(2, 0)), Err(JournalError::FlashUnfit)));
    let needed = bytes_needed::<SimFlash<4, 512>>(RECORDS);
    assert_eq!(needed, usize::MAX, "a page of 512 bytes has no room for the longest frame");
}

#[test]
fn wears_all_pages_evenly() {
    let mut flash = Flash::<4>::new(PAGES, 0);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    for round in 0..20_000u32 {
        journal.commit(Batch::new().put(Key::Single(0), 1, &round.to_be_bytes())).unwrap();
    }
    let (least, most) = (flash.erases().iter().min().unwrap(), flash.erases().iter().max().unwrap());
    assert!(most - least <= 2 && *least > 10, "{:?}", flash.erases());
}

#[test]
fn old_copies_of_a_value_are_erased() {
    let secret = [0x5A; 32];
    let copies = |flash: &Flash<4>| flash.bytes().windows(32).filter(|window| *window == secret).count();
    let mut flash = Flash::<4>::new(PAGES, 0);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    journal.commit(Batch::new().put(Key::Single(0), 1, &secret)).unwrap();
    for round in 0..2_000u32 {
        journal.commit(Batch::new().put(Key::Single(1), 1, &round.to_be_bytes())).unwrap();
        assert_eq!(copies(journal.flash), 1, "round {round}");
    }
    journal.commit(Batch::new().clear().put(Key::Single(2), 1, &[4])).unwrap();
    assert_eq!(copies(journal.flash), 0);
}

/// Whatever a cut interrupts, after the next mount no page holds an old copy: at most the compaction under way holds a
/// second.
#[test]
fn old_copies_are_erased_after_power_cuts() {
    let secret = [0x5A; 32];
    let mut flash = Flash::<4>::new(PAGES, 5);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    journal.commit(Batch::new().put(Key::Single(0), 1, &secret)).unwrap();
    for round in 0..600u32 {
        let batch = if round == 599 {
            to_batch(&[Change::Clear])
        } else {
            to_batch(&[Change::Put(Key::Single(1), 1, std::vec![0; 40])])
        };
        for n in 0.. {
            let mut copy = flash.clone();
            let mut journal = Mounted::<4>::mount(&mut copy).unwrap();
            journal.flash.cut_power_after(n / 2, if n % 2 == 0 { Cut::Clean } else { Cut::Torn });
            let answered = journal.commit(&batch).is_ok();
            copy.power_up();
            let cleared = Mounted::<4>::mount(&mut copy).unwrap().get(Key::Single(0), &mut [0; 32]).unwrap().is_none();
            let copies = copy.bytes().windows(32).filter(|window| *window == secret).count();
            assert_eq!(copies, usize::from(!cleared), "round {round}, cut at {n}");
            if answered && n > 100 {
                break;
            }
        }
        Mounted::<4>::mount(&mut flash).unwrap().commit(&batch).unwrap();
    }
}

#[test]
fn a_lost_entry_leaves_its_mark_on_the_one_before() {
    let mut flash = Flash::<4>::new(PAGES, 0);
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    journal.commit(Batch::new().put_marked(1, 4, b"unspent")).unwrap();
    let before = journal.cursor as usize;
    journal.commit(Batch::new().put(Key::Index(1), 3, b"spent")).unwrap();
    flash.bytes_mut()[before + 9] ^= 0x55;
    let mut journal = Mounted::<4>::mount(&mut flash).unwrap();
    let entry = journal.get(Key::Index(1), &mut [0; 8]).unwrap().unwrap();
    assert_eq!((entry.kind, entry.marked), (4, true));
    // The mark goes where the entry goes.
    for round in 0..500u32 {
        journal.commit(Batch::new().put(Key::Single(1), 1, &round.to_be_bytes())).unwrap();
    }
    assert!(journal.get(Key::Index(1), &mut [0; 8]).unwrap().unwrap().marked);
}

#[test]
fn a_thousand_records_fit_in_256_kilobytes() {
    let mut flash = SimFlash::<4, 4096>::new(64, 0);
    let mut journal = Journal::<_, 1024>::mount(&mut flash).unwrap();
    for index in 0..1024 {
        journal.commit(Batch::new().put_marked(index, 4, &[index as u8; INDEX_PAYLOAD_MAX])).unwrap();
    }
    for index in 0..1024 {
        journal.commit(Batch::new().put(Key::Index(index), 3, &[index as u8; 64])).unwrap();
    }
    let mut journal = Journal::<_, 1024>::mount(&mut flash).unwrap();
    assert_eq!(journal.used(), 1024);
    let mut payload = [0; 64];
    assert!(journal.get(Key::Index(1000), &mut payload).unwrap().is_some());
    assert_eq!(payload, [1000u32 as u8; 64]);
}
