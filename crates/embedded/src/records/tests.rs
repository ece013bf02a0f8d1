//! The records against a map, with the power cut at every flash operation.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use specie_element::sim::{Cut, SimFlash};
use specie_wallet::Change;
use zeroize::Zeroizing;

use super::{Records, RecordsError};

/// Opens, or says why not.
fn why_not(flash: Flash) -> Option<RecordsError> {
    Records::open(flash).err().map(|(error, _)| error)
}

type Flash = SimFlash<4, 1024>;
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

const PAGES: usize = 4;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Up to four changes of up to eight records.
    fn step(&mut self) -> Vec<Change> {
        (0..1 + self.next() % 4).map(|_| self.change()).collect()
    }

    fn change(&mut self) -> Change {
        let number = self.next() % 8;
        let key = vec![number as u8; 1 + number as usize * 4];
        if self.next().is_multiple_of(4) {
            return Change::Delete { key };
        }
        let (length, byte) = (self.next() % 120, self.next() as u8);
        Change::Put { key, value: Zeroizing::new(vec![byte; length as usize]) }
    }
}

fn applied(model: &Model, changes: &[Change]) -> Model {
    let mut model = model.clone();
    for change in changes {
        match change.value() {
            Some(value) => drop(model.insert(change.key().to_vec(), value.to_vec())),
            None => drop(model.remove(change.key())),
        }
    }
    model
}

fn contents(records: &mut Records<Flash>) -> Model {
    let all: Vec<_> = (0..records.count()).map(|position| records.record(position).unwrap().unwrap()).collect();
    let in_order = all.windows(2).all(|pair| pair[0].0 < pair[1].0);
    assert!(in_order, "records are read in the order of their keys");
    all.into_iter().map(|(key, value)| (key, value.to_vec())).collect()
}

fn put(key: &[u8], value: &[u8]) -> Change {
    Change::Put { key: key.to_vec(), value: Zeroizing::new(value.to_vec()) }
}

#[test]
fn keeps_what_was_stored_through_moves_and_restarts() {
    let mut records = Records::format(Flash::new(PAGES, 1)).unwrap();
    let (mut model, mut random) = (Model::new(), Random(1));
    for round in 0..500 {
        let changes = random.step();
        records.apply(&changes).unwrap();
        model = applied(&model, &changes);
        if round % 7 == 0 {
            records = Records::open(records.into_flash()).unwrap();
        }
        assert_eq!(contents(&mut records), model, "round {round}");
        for (key, value) in &model {
            assert_eq!(records.get(key).unwrap().unwrap().as_slice(), value);
        }
    }
    assert!(records.into_flash().erases().iter().all(|&erases| erases > 10), "both areas were used");
}

/// Every operation of every step, moves to the other area among them: afterwards all of the step is there or nothing
/// of it, and it goes on.
#[test]
fn survives_power_cuts_everywhere() {
    for cut in [Cut::Clean, Cut::Torn] {
        let mut records = Records::format(Flash::new(PAGES, 2)).unwrap();
        let (mut model, mut random) = (Model::new(), Random(2));
        for round in 0..60 {
            let changes = random.step();
            let after = applied(&model, &changes);
            let flash = records.into_flash();
            let mut operation = 0;
            records = loop {
                let mut cut_flash = flash.clone();
                cut_flash.cut_power_after(operation, cut);
                let mut cut_records = Records::open(cut_flash).unwrap();
                let done = cut_records.apply(&changes);
                let mut cut_flash = cut_records.into_flash();
                let was_cut = cut_flash.is_off();
                cut_flash.power_up();
                let mut again = Records::open(cut_flash).unwrap();
                let found = contents(&mut again);
                assert!(found == after || (done.is_err() && found == model), "{cut:?}, round {round}, {operation}");
                again.apply(&changes).unwrap();
                assert_eq!(contents(&mut again), after, "{cut:?}, round {round}, {operation}");
                if !was_cut {
                    break again;
                }
                operation += 1;
            };
            model = after;
        }
    }
}

/// Cuts again and again while it recovers from the last.
#[test]
fn survives_cut_after_cut() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut flash = Records::format(Flash::new(PAGES, seed)).unwrap().into_flash();
        let mut model = Model::new();
        for round in 0..60 {
            let changes = random.step();
            let after = applied(&model, &changes);
            flash.cut_power_after(random.next() % 90, Cut::Torn);
            // Reading never fails of a cut that comes while writing.
            let mut records = Records::open(flash).unwrap();
            let done = records.apply(&changes);
            flash = records.into_flash();
            flash.power_up();
            let mut records = Records::open(flash).unwrap();
            let found = contents(&mut records);
            assert!(found == after || (done.is_err() && found == model), "seed {seed}, round {round}");
            model = found;
            flash = records.into_flash();
        }
    }
}

#[test]
fn a_failed_operation_changes_nothing_or_everything() {
    for operation in 0..200 {
        let mut records = Records::format(Flash::new(PAGES, 3)).unwrap();
        let mut random = Random(3);
        let mut model = Model::new();
        let mut flash = records.into_flash();
        flash.fail_after(operation, Cut::Torn, false);
        records = Records::open(flash).unwrap();
        for _ in 0..20 {
            let changes = random.step();
            let after = applied(&model, &changes);
            if records.apply(&changes).is_err() {
                records = Records::open(records.into_flash()).unwrap();
            }
            let found = contents(&mut records);
            assert!(found == model || found == after, "operation {operation}");
            model = found;
        }
    }
}

#[test]
fn a_dead_flash_fails_and_keeps_what_it_holds() {
    let mut records = Records::format(Flash::new(PAGES, 4)).unwrap();
    records.apply(&[put(b"a", b"1")]).unwrap();
    let mut flash = records.into_flash();
    flash.fail_after(0, Cut::Clean, true);
    let mut records = Records::open(flash).unwrap();
    assert!(records.apply(&[put(b"a", b"2")]).is_err());
    assert_eq!(contents(&mut records), Model::from([(b"a".to_vec(), b"1".to_vec())]));
}

#[test]
fn a_full_flash_says_so_and_changes_nothing() {
    let mut records = Records::format(Flash::new(PAGES, 5)).unwrap();
    let mut stored = 0u8;
    let full = loop {
        match records.apply(&[put(&[stored], &[stored; 200])]) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, RecordsError::Full);
    let space = records.space();
    assert!(stored > 5 && space.live <= space.capacity);
    let mut records = Records::open(records.into_flash()).unwrap();
    assert_eq!(records.count(), usize::from(stored));
    records.apply(&[Change::Delete { key: vec![0] }]).unwrap();
    records.apply(&[put(&[0], &[1; 150])]).unwrap();
}

#[test]
fn nothing_and_garbage_are_no_records() {
    assert_eq!(why_not(Flash::new(PAGES, 6)), Some(RecordsError::Empty));
    let mut flash = Flash::new(PAGES, 7);
    let mut random = Random(7);
    flash.bytes_mut().iter_mut().for_each(|byte| *byte = random.next() as u8);
    assert_eq!(why_not(flash.clone()), Some(RecordsError::Empty));
    assert_eq!(Records::format(flash).unwrap().count(), 0);
    assert_eq!(why_not(Flash::new(1, 8)), Some(RecordsError::FlashUnfit));
}

/// What was deleted is not left in the flash once the log moved on.
#[test]
fn moving_erases_the_old_area() {
    let mut records = Records::format(Flash::new(PAGES, 9)).unwrap();
    records.apply(&[put(b"secret", &[0x5E; 64])]).unwrap();
    records.apply(&[Change::Delete { key: b"secret".to_vec() }]).unwrap();
    for number in 0..40 {
        records.apply(&[put(b"other", &[number; 100])]).unwrap();
    }
    let flash = records.into_flash();
    assert!(!flash.bytes().windows(64).any(|bytes| bytes == [0x5E; 64]));
}

#[test]
fn records_that_are_too_long_are_refused() {
    let mut records = Records::format(Flash::new(PAGES, 10)).unwrap();
    assert_eq!(records.apply(&[put(&[0; 256], &[])]), Err(RecordsError::TooLong));
    assert_eq!(records.apply(&[put(&[0], &vec![0; 65_536])]), Err(RecordsError::TooLong));
    assert_eq!(records.apply(&[put(&[0], &vec![0; 4_000])]), Err(RecordsError::Full));
    assert_eq!(records.count(), 0);
}
