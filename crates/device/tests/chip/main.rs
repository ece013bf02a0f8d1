//! A device whose element is a chip at the end of a line: the same as any other, also when the chip is pulled out, stalls,
//! babbles, or is another one.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

mod payments;
mod served;
#[allow(dead_code, reason = "others use the rest of it")]
#[path = "../life/town.rs"]
mod town;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use served::ServedChip;
use specie_core::signature::SigningKey;
use specie_device::Device;
use specie_device::device::NewDevice;
use specie_device::element::{ChipAddress, ChipElement, ChipElementError, ElementAddress};
use specie_device::folder::Keep;
use specie_device::maker::Maker;
use specie_element::client::{self, ElementError};
use specie_element::instruction::LifeCycle;
use specie_element::t1::reader::{ChipError, Fault};

struct Bench {
    folder: tempfile::TempDir,
    maker: Maker,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let maker = Maker::init(&folder.path().join("maker.toml"), "Acme", "chip-1").unwrap();
        Self { folder, maker }
    }

    fn chip(&self, name: &str) -> ServedChip {
        ServedChip::start(&self.folder.path().join(name))
    }

    fn create(&self, name: &str, element: ElementAddress) -> Result<String, specie_device::Failure> {
        let new = NewDevice {
            name: name.to_owned(),
            psp: "http://127.0.0.1:9".to_owned(),
            root: SigningKey::from_seed(&[7; 32]).public(),
            element: Some(element),
            keep: Keep::default(),
        };
        let puk = Device::create(&self.folder.path().join(name), &new, &self.maker)?;
        Ok(puk.expose_secret_digits().to_owned())
    }

    fn open(&self, name: &str) -> Device {
        Device::open(&self.folder.path().join(name)).unwrap()
    }
}

#[test]
fn a_device_lives_with_a_chip_as_with_any_element() {
    let bench = Bench::new();
    let chip = bench.chip("chip.sock");
    let puk = bench.create("anna", chip.address()).unwrap();
    assert!(!bench.folder.path().join("anna/element").exists(), "its secrets are in the chip");
    let mut anna = bench.open("anna");
    let status = anna.element_status().unwrap();
    assert_eq!((status.life_cycle, status.pin_tries_left), (LifeCycle::Personalised, None));
    anna.change_pin(b"", b"1234").unwrap();
    drop(anna);
    // The chip had no power in between, and asks for its PIN.
    let mut anna = bench.open("anna");
    assert_eq!(anna.enter_pin(b"9999").unwrap_err().code(), "wrong-pin");
    anna.enter_pin(b"1234").unwrap();
    anna.unblock_pin(puk.as_bytes().try_into().unwrap(), b"5678").unwrap();
    drop(anna);

    let failure = bench.create("bob", chip.address()).unwrap_err();
    assert_eq!((failure.code(), failure.money_moved()), ("element-not-fresh", Some(false)), "{failure}");
    assert!(!bench.folder.path().join("bob").exists());
    bench.open("anna").enter_pin(b"5678").unwrap();
}

#[test]
fn relative_sockets_begin_at_the_folder() {
    let bench = Bench::new();
    let _chip = bench.chip("chip.sock");
    bench.create("anna", "socket:../chip.sock".parse().unwrap()).unwrap();
    bench.open("anna").element_status().unwrap();
    let config = std::fs::read_to_string(bench.folder.path().join("anna/device.toml")).unwrap();
    assert!(config.contains("element = \"socket:../chip.sock\""), "{config}");
}

#[test]
fn a_chip_that_is_not_there_is_named_and_what_needs_none_works() {
    let bench = Bench::new();
    let chip = bench.chip("chip.sock");
    bench.create("anna", chip.address()).unwrap();
    drop(chip);
    let mut anna = bench.open("anna");
    assert!(anna.history().is_empty());
    let failure = anna.element_status().unwrap_err();
    assert_eq!((failure.code(), failure.money_moved()), ("element-unreachable", Some(false)));
    assert!(failure.to_string().contains("chip.sock cannot be opened"), "{failure}");
    let nowhere = ElementAddress::Chip(ChipAddress::Serial("/dev/no-such-chip".into()));
    let failure = bench.create("bob", nowhere).unwrap_err();
    assert!(failure.to_string().contains("serial:/dev/no-such-chip cannot be opened"), "{failure}");
    assert!(!bench.folder.path().join("bob").exists());
}

#[test]
fn a_chip_may_be_pulled_out_at_any_byte() {
    let bench = Bench::new();
    let mut failures = 0;
    let mut after = 1;
    loop {
        let chip = bench.chip(&format!("{after}.sock"));
        chip.whims.pulled_after.store(after, Ordering::Relaxed);
        let name = format!("anna-{after}");
        // Whatever was cut off, nothing is left in the way of doing it again, and no chip is lost.
        if let Err(failure) = bench.create(&name, chip.address()) {
            assert_eq!(failure.code(), "element-unreachable", "pulled after {after}: {failure}");
            assert_eq!(failure.money_moved(), Some(false));
            failures += 1;
            bench.create(&name, chip.address()).unwrap_or_else(|failure| panic!("pulled after {after}: {failure}"));
        }
        let was_pulled = chip.whims.pulled_after.load(Ordering::Relaxed) == 0;
        chip.whims.pulled_after.store(0, Ordering::Relaxed);
        bench.open(&name).element_status().unwrap();
        if !was_pulled {
            break;
        }
        after += 5;
    }
    assert!(failures > 50, "{failures} of {after}");
}

#[test]
fn a_device_in_use_goes_on_when_its_chip_is_back() {
    let bench = Bench::new();
    let chip = bench.chip("chip.sock");
    bench.create("anna", chip.address()).unwrap();
    let mut anna = bench.open("anna");
    for after in 1..150 {
        chip.whims.pulled_after.store(after, Ordering::Relaxed);
        let done = anna.element_status().and_then(|_| anna.element_status());
        if let Err(failure) = done {
            assert_eq!(failure.code(), "element-unreachable", "{failure}");
        }
        chip.whims.pulled_after.store(0, Ordering::Relaxed);
        assert_eq!(anna.element_status().unwrap().life_cycle, LifeCycle::Personalised, "pulled after {after}");
    }
}

#[test]
fn another_chip_gets_no_commands() {
    let bench = Bench::new();
    let chip = bench.chip("anna.sock");
    bench.create("anna", chip.address()).unwrap();
    let other = bench.chip("bob.sock");
    bench.create("bob", other.address()).unwrap();
    let fresh = bench.chip("fresh.sock");
    let mut anna = bench.open("anna");
    anna.element_status().unwrap();
    // Exchanged while the device is in use: at the other end of the same address there is now another one.
    let place = |name: &str| bench.folder.path().join(name);
    std::fs::rename(place("anna.sock"), place("aside.sock")).unwrap();
    for wrong in [&other, &fresh] {
        std::os::unix::fs::symlink(&wrong.socket, place("anna.sock")).unwrap();
        chip.whims.pulled_after.store(1, Ordering::Relaxed);
        assert_eq!(anna.element_status().unwrap_err().code(), "element-unreachable");
        for _ in 0..2 {
            let failure = anna.element_status().unwrap_err();
            assert!(failure.to_string().contains("not the one that belongs to the device"), "{failure}");
            assert_eq!(failure.money_moved(), Some(false));
        }
        std::fs::remove_file(place("anna.sock")).unwrap();
        std::os::unix::fs::symlink(place("aside.sock"), place("anna.sock")).unwrap();
        anna.element_status().unwrap();
        std::fs::remove_file(place("anna.sock")).unwrap();
    }
    bench.open("bob").element_status().unwrap();
}

#[test]
fn nobody_waits_for_ever_for_a_chip_that_stalls_or_babbles() {
    let bench = Bench::new();
    let chip = bench.chip("chip.sock");
    for in_the_middle in [false, true] {
        let mut element = ChipElement::at(chip.chip_address()).with_patience(Duration::from_millis(700));
        if in_the_middle {
            client::select(&mut element).unwrap();
        }
        chip.whims.stalls.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let error = client::select(&mut element).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(5), "waited for {:?}", begun.elapsed());
        let ElementError::Link(ChipElementError::NoAnswer { source, .. }) = &error else { panic!("{error}") };
        assert!(matches!(source.fault(), Some(Fault::Line(_))), "{error}");
        assert_eq!(matches!(source, ChipError::OutcomeUnknown(_)), in_the_middle, "{error}");
        chip.whims.stalls.store(false, Ordering::Relaxed);
        client::select(&mut element).unwrap();
    }
    let mut element = ChipElement::at(chip.chip_address());
    client::select(&mut element).unwrap();
    chip.whims.babbles.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    client::select(&mut element).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30), "waited for {:?}", begun.elapsed());
    chip.whims.babbles.store(false, Ordering::Relaxed);
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
}
