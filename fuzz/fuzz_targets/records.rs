//! Records in a flash that holds anything: no panic; what is stored is there after it was opened again.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_element::sim::SimFlash;
use specie_embedded::records::Records;
use specie_wallet::Change;

type Flash = SimFlash<4, 256>;

const PAGES: usize = 8;

#[derive(Arbitrary, Debug)]
struct Write {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    reopens: bool,
}

fuzz_target!(|input: (bool, Vec<(u16, Vec<u8>)>, Vec<Write>)| {
    let (begins_in_use, pieces, writes) = input;
    let mut flash = Flash::new(PAGES, 1);
    if begins_in_use {
        let mut records = Records::format(flash).ok().expect("a flash");
        for number in 0..20 {
            let change = Change::Put { key: vec![number % 7], value: vec![number; 40].into() };
            records.apply(&[change]).expect("room");
        }
        flash = records.into_flash();
    }
    for (at, bytes) in &pieces {
        let at = usize::from(*at) % (PAGES * 256);
        let end = (at + bytes.len()).min(PAGES * 256);
        flash.bytes_mut()[at..end].copy_from_slice(&bytes[..end - at]);
    }
    let mut records = match Records::open(flash).or_else(|(_, flash)| Records::format(flash)) {
        Ok(records) => records,
        Err((error, _)) => panic!("{error}"),
    };
    let mut model = contents(&mut records);
    for Write { key, value, reopens } in writes {
        let change = match &value {
            Some(value) => Change::Put { key: key.clone(), value: value.clone().into() },
            None => Change::Delete { key: key.clone() },
        };
        if records.apply(&[change]).is_ok() {
            match value {
                Some(value) => drop(model.insert(key, value)),
                None => drop(model.remove(&key)),
            }
        }
        if reopens {
            records = Records::open(records.into_flash()).ok().expect("records");
        }
        assert_eq!(contents(&mut records), model);
        let space = records.space();
        assert!(space.live <= space.capacity);
    }
});

fn contents(records: &mut Records<Flash>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let all = (0..records.count()).map(|position| records.record(position).expect("read").expect("there"));
    all.map(|(key, value)| (key, value.to_vec())).collect()
}
