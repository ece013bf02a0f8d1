//! The records against a map, with the power cut at every flash operation.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_element::sim::{Cut, SimFlash};
use specie_wallet::Change;
use zeroize::Zeroizing;

use super::{Records, RecordsError, log};

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

fn contents<F: NorFlash>(records: &mut Records<F>) -> Model {
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
    assert_eq!(why_not(flash.clone()), Some(RecordsError::Damaged));
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

/// What fails once.
#[derive(Clone, Copy, Debug)]
enum Once {
    Read,
    Operation(Cut),
}

/// Each read and each other operation of every step, moves among them, fails once: afterwards the step is there or not, in
/// memory as in the flash, and the next one is stored on top of that.
#[test]
fn one_failure_leaves_whole_steps() {
    for once in [Once::Read, Once::Operation(Cut::Clean), Once::Operation(Cut::Torn)] {
        let mut flash = Records::format(Flash::new(PAGES, 11)).unwrap().into_flash();
        let (mut model, mut random) = (Model::new(), Random(11));
        for round in 0..40 {
            let (changes, next) = (random.step(), random.step());
            let after = applied(&model, &changes);
            for operation in 0.. {
                let at = std::format!("{once:?}, round {round}, {operation}");
                let mut records = Records::open(flash.clone()).unwrap();
                let before = records.flash.failures();
                match once {
                    Once::Read => records.flash.fail_read_after(operation),
                    Once::Operation(cut) => records.flash.fail_after(operation, cut, false),
                }
                let done = records.apply(&changes);
                let failed = records.flash.failures() > before;
                records.flash.power_up();
                let found = contents(&mut records);
                assert!(found == after || (done.is_err() && found == model), "{at}");
                let mut again = Records::open(records.flash.clone()).unwrap();
                assert_eq!(contents(&mut again), found, "{at}");
                records.apply(&next).expect(&at);
                let found = applied(&found, &next);
                assert_eq!(contents(&mut records), found, "{at}");
                assert_eq!(contents(&mut Records::open(records.into_flash()).unwrap()), found, "{at}");
                if !failed {
                    break;
                }
            }
            let mut records = Records::open(flash).unwrap();
            records.apply(&changes).unwrap();
            (flash, model) = (records.into_flash(), after);
        }
    }
}

#[test]
fn while_the_flash_cannot_be_read_it_is_not_taken_for_empty() {
    let mut records = Records::format(Flash::new(PAGES, 12)).unwrap();
    records.apply(&[put(b"a", b"1"), put(b"b", b"2")]).unwrap();
    let model = contents(&mut records);
    records.flash.fail_reads(true);
    assert!(records.apply(&[put(b"c", b"3")]).is_err());
    assert!(records.count() > 0 && records.record(0).is_err() && records.get(b"a").is_err());
    assert_eq!(records.space().live, records.space().capacity, "nothing new is begun");
    records.flash.fail_reads(false);
    // How many there are was not known before: whoever reads all of them has to begin again.
    assert!(records.record(0).is_err());
    let found = contents(&mut records);
    assert!(found == model || found == applied(&model, &[put(b"c", b"3")]));
    records.apply(&[put(b"d", b"4")]).unwrap();
    let found = applied(&found, &[put(b"d", b"4")]);
    assert_eq!(contents(&mut Records::open(records.into_flash()).unwrap()), found);
}

/// A small log in each generation: what it held after each frame, and where each ends.
fn small_log<const WORD: usize>(generation: u32) -> (SimFlash<WORD, 1024>, Vec<(u32, Model)>) {
    let mut records = Records::format(SimFlash::new(PAGES, 13)).unwrap();
    while records.generation < generation {
        records.apply(&[put(b"other", &[7; 100])]).unwrap();
    }
    let mut model = contents(&mut records);
    let mut ends = vec![(records.cursor, model.clone())];
    let steps = [
        vec![put(b"a", &[1; 30]), put(b"b", &[2; 60])],
        vec![put(b"a", &[3; 9]), Change::Delete { key: b"other".to_vec() }],
        vec![put(b"c", &[0; 200])],
        vec![Change::Delete { key: b"b".to_vec() }],
        vec![put(b"d", b""), put(b"e", &[0xFF; 20])],
    ];
    for step in steps {
        records.apply(&step).unwrap();
        model = applied(&model, &step);
        ends.push((records.cursor, model.clone()));
    }
    assert_eq!(records.generation, generation, "it is a small log");
    (records.into_flash(), ends)
}

fn flip_each_bit<const WORD: usize>(generation: u32) {
    let (flash, ends) = small_log::<WORD>(generation);
    let area = Records::open(flash.clone()).unwrap_or_else(|_| panic!("records")).area;
    let [.., (last, without), (end, all)] = &ends[..] else { panic!("frames") };
    for bit in (area.end() - area.size()) as usize * 8..*end as usize * 8 {
        let mut flash = flash.clone();
        flash.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
        match Records::open(flash) {
            Err((error, _)) => assert_eq!(error, RecordsError::Damaged, "bit {bit}"),
            Ok(mut records) => {
                let found = contents(&mut records);
                // What fills up a word does not count.
                let padding = found == *all;
                assert!(padding || (bit / 8 >= *last as usize && found == *without), "bit {bit}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_never_takes_back_more_than_the_last_step() {
    for generation in [1, 2, 3] {
        flip_each_bit::<1>(generation);
        flip_each_bit::<4>(generation);
        flip_each_bit::<16>(generation);
    }
}

#[test]
fn a_flipped_bit_behind_the_log_changes_nothing() {
    let (flash, ends) = small_log::<4>(2);
    let (end, model) = ends.last().unwrap();
    let area_end = Records::open(flash.clone()).unwrap().area.end();
    for bit in *end as usize * 8..area_end as usize * 8 {
        let mut flash = flash.clone();
        flash.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
        let mut records = Records::open(flash).unwrap();
        assert_eq!(contents(&mut records), *model, "bit {bit}");
    }
}

/// All frames are bad, as in a page that is worn out.
#[test]
fn an_area_without_a_good_frame_is_damaged() {
    for generation in [1, 2, 3] {
        for header_too in [false, true] {
            let (mut flash, _) = small_log::<4>(generation);
            let start = Records::open(flash.clone()).unwrap().area;
            let (start, end) = ((start.end() - start.size()) as usize, start.end() as usize);
            let first = if header_too { start } else { start + 12 };
            let written = flash.bytes_mut()[first..end].iter_mut().filter(|byte| **byte != 0xFF);
            written.step_by(5).for_each(|byte| *byte ^= 4);
            assert_eq!(why_not(flash), Some(RecordsError::Damaged), "{generation}, {header_too}");
        }
    }
}

/// The old area may still be there after a cut; once a step was stored in the new one, damage must not bring it back.
#[test]
fn a_damaged_area_is_not_replaced_by_the_one_before() {
    let mut records = Records::format(Flash::new(PAGES, 14)).unwrap();
    let change = [put(b"other", &[7; 100])];
    while records.fits(log::encode::<Flash>(1, &change).unwrap().len()) {
        records.apply(&change).unwrap();
    }
    let flash = records.into_flash();
    for (operation, cut) in (0..120).flat_map(|operation| [(operation, Cut::Clean), (operation, Cut::Torn)]) {
        let mut records = Records::open(flash.clone()).unwrap();
        records.flash.cut_power_after(operation, cut);
        let _ = records.apply(&change);
        assert!(records.flash.is_off() || operation > 60, "a move takes some operations");
        records.flash.power_up();
        let mut records = Records::open(records.into_flash()).unwrap();
        records.apply(&[put(b"new", b"1")]).unwrap();
        let start = records.area.end() - records.area.size();
        for bit in 0..12 * 8 {
            let mut flash = records.flash.clone();
            flash.bytes_mut()[start as usize + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(why_not(flash), Some(RecordsError::Damaged), "{cut:?}, operation {operation}, bit {bit}");
        }
    }
}

/// Making a wallet in an empty flash may be cut off, and again the next time: the flash still counts as one without a wallet.
#[test]
fn a_first_format_that_is_cut_off_leaves_an_empty_flash() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut flash = Flash::new(PAGES, seed);
        for round in 0..30 {
            // The header is three words; then come the first record, and what is left of the time before.
            let cut = if seed < 24 { seed / 2 } else { random.next() % 12 };
            flash.cut_power_after(cut, if seed % 2 == 0 { Cut::Clean } else { Cut::Torn });
            flash = match Records::format(flash) {
                Ok(mut records) => {
                    let done = records.apply(&[put(b"identity", b"1")]);
                    assert!(done.is_err() || contents(&mut records).len() == 1);
                    records.into_flash()
                }
                Err((_, flash)) => flash,
            };
            flash.power_up();
            match Records::open(flash.clone()) {
                Ok(records) if records.count() > 0 => break,
                Ok(_) => {}
                Err((error, _)) => assert_eq!(error, RecordsError::Empty, "seed {seed}, round {round}"),
            }
        }
    }
}

fn tear_around_a_forged_frame<const WORD: usize>() {
    let forged = log::encode::<SimFlash<WORD, 1024>>(1, &[put(b"forged", b"1")]).unwrap();
    for (lead, offset) in (0..WORD).flat_map(|lead| (0..WORD).map(move |offset| (lead, offset))) {
        let mut value = vec![0; offset];
        (0..4).for_each(|_| value.extend_from_slice(&forged));
        let changes = [put(b"k", &vec![1; lead]), put(b"m", &value), put(b"z", &[9; 9])];
        for operation in 0.. {
            let mut records = Records::format(SimFlash::<WORD, 1024>::new(PAGES, 15)).unwrap();
            records.apply(&[put(b"a", b"1")]).unwrap();
            let (model, after) = (contents(&mut records), applied(&contents(&mut records), &changes));
            records.flash.cut_power_after(operation, Cut::Torn);
            let _ = records.apply(&changes);
            let was_cut = records.flash.is_off();
            records.flash.power_up();
            let found = contents(&mut Records::open(records.into_flash()).unwrap());
            assert!(found == model || found == after, "lead {lead}, offset {offset}, operation {operation}");
            if !was_cut {
                break;
            }
        }
    }
}

/// Whoever pays chooses bytes that are stored: a frame among them must not make a power cut look like damage.
#[test]
fn a_frame_within_a_torn_frame_is_no_damage() {
    tear_around_a_forged_frame::<1>();
    tear_around_a_forged_frame::<4>();
    tear_around_a_forged_frame::<16>();
}
