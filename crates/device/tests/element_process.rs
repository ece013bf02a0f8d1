//! The element in a process of its own, killed at any moment: every command was done or not done, and what was answered
//! stays answered. This program is its own element: started as `… element --flash FILE` it serves.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

#[path = "harness/harness.rs"]
mod harness;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use specie_core::signature::SigningKey;
use specie_device::element::{ElementProcess, FileFlash, PAGE, WORD, create_flash, serve_element, software_element};
use specie_device::maker::{Maker, PersonaliseError};
use specie_element::client::{self, ElementError, Link, Status};
use specie_element::instruction::LifeCycle;
use specie_element::status::StatusWord;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, flag, file] = &arguments[..]
        && (command.as_str(), flag.as_str()) == ("element", "--flash")
    {
        return serve(Path::new(file));
    }
    harness::run(&[
        ("an_element_in_a_process_is_personalised_once", an_element_in_a_process_is_personalised_once),
        ("a_second_process_on_the_same_flash_is_refused", a_second_process_on_the_same_flash_is_refused),
        ("no_frame_confuses_the_element", no_frame_confuses_the_element),
        ("killed_at_any_moment_a_command_was_done_or_not", killed_at_any_moment_a_command_was_done_or_not),
        ("process_and_simulated_flash_hold_the_same", process_and_simulated_flash_hold_the_same),
    ])
}

fn serve(file: &Path) -> ExitCode {
    let served = FileFlash::open(file)
        .map_err(|error| error.to_string())
        .and_then(|flash| serve_element(flash, std::io::stdin(), std::io::stdout()).map_err(|error| error.to_string()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    folder: tempfile::TempDir,
    maker: Maker,
    root: SigningKey,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let maker = Maker::init(&folder.path().join("maker.toml"), "Acme", "soft-1").unwrap();
        create_flash(&folder.path().join("flash.bin")).unwrap();
        Self { folder, maker, root: SigningKey::from_seed(&[7; 32]) }
    }

    fn start(&self) -> ElementProcess {
        ElementProcess::start(&std::env::current_exe().unwrap(), &self.folder.path().join("flash.bin")).unwrap()
    }

    fn personalised(&self) -> ElementProcess {
        let mut element = self.start();
        self.maker.personalise(&mut element, &self.root.public()).unwrap();
        element
    }
}

fn an_element_in_a_process_is_personalised_once() {
    let bench = Bench::new();
    let mut element = bench.start();
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
    let made = bench.maker.personalise(&mut element, &bench.root.public()).unwrap();
    assert!(made.certificate.verify(&bench.maker.public_key()).is_ok());
    drop(element);
    let mut element = bench.start();
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Personalised);
    let again = bench.maker.personalise(&mut element, &bench.root.public());
    assert!(matches!(again, Err(PersonaliseError::NotFresh)));
    // The PUK that was told is the element's.
    client::change_pin(&mut element, b"", b"1234").unwrap();
    for _ in 0..3 {
        assert!(client::verify(&mut element, b"9999").is_err());
    }
    assert_eq!(client::verify(&mut element, b"1234").unwrap_err().status(), Some(StatusWord::PIN_BLOCKED));
    client::unblock(&mut element, made.puk.expose_secret_bytes(), b"5678").unwrap();
}

fn a_second_process_on_the_same_flash_is_refused() {
    let bench = Bench::new();
    let mut first = bench.start();
    client::select(&mut first).unwrap();
    let error = client::select(&mut bench.start()).unwrap_err();
    assert!(matches!(&error, ElementError::Link(reason) if reason.to_string().contains("in use")), "{error}");
    client::select(&mut first).unwrap();
}

fn no_frame_confuses_the_element() {
    let bench = Bench::new();
    let mut element = bench.start();
    let id = element.id();
    let mut response = [0; specie_element::apdu::MAX_RESPONSE];
    for frame in [&[][..], &[0x80], &[0xFF; 4], &[0; 3000], &[0x80; 65_535]] {
        let length = element.transmit(frame, &mut response).unwrap();
        assert!(length == 2 && response[..2] != [0x90, 0], "{:02X?}", &response[..length]);
    }
    assert_eq!(client::select(&mut element).unwrap().life_cycle, LifeCycle::Factory);
    assert_eq!(element.id(), id, "the process went on");
}

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
}

/// What the owner knows after the last answer, and what the command on its way would make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    next_index: u32,
    pin: Option<[u8; 4]>,
}

fn killed_at_any_moment_a_command_was_done_or_not() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut random = Random(seed);
    let bench = Bench::new();
    let mut element = bench.personalised();
    let mut known = Known { next_index: client::status(&mut element).unwrap().next_index, pin: None };
    let mut killed = 0;
    for _ in 0..60 {
        let (done, killer) = (channel::<()>(), element.id());
        let delay = Duration::from_micros(random.next() % 6_000);
        let id = killer.unwrap();
        let (ended, wait) = done;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            let _ = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status();
            let _ = wait.recv();
        });
        let next = loop {
            match one_command(&mut element, &known, &mut random) {
                Ok(next) => known = next,
                Err(next) => break next,
            }
        };
        ended.send(()).unwrap();
        killer.join().unwrap();
        killed += 1;
        known = recovered(&mut element, &known, &next);
    }
    assert_eq!(killed, 60);
}

/// Sends one command; `Ok` when it was answered, with what is true now, `Err` with what may be.
fn one_command(element: &mut impl Link, known: &Known, random: &mut Random) -> Result<Known, Known> {
    let mut next = known.clone();
    let outcome = if random.next().is_multiple_of(2) {
        let count = 1 + (random.next() % 32) as u8;
        next.next_index += u32::from(count);
        client::nonces(element, known.next_index, count).map(|nonces| assert_eq!(nonces.first(), known.next_index))
    } else {
        let pin = (1000 + random.next() % 9000).to_string();
        let pin: [u8; 4] = pin.as_bytes().try_into().unwrap();
        next.pin = Some(pin);
        client::change_pin(element, known.pin.as_ref().map_or(&b""[..], |pin| pin), &pin)
    };
    match outcome {
        Ok(()) => Ok(next),
        Err(ElementError::Link(_)) => Err(next),
        Err(other) => panic!("refused: {:?}", other.status()),
    }
}

/// Starts the element again and finds out which of the two is true.
fn recovered(element: &mut impl Link, before: &Known, after: &Known) -> Known {
    let Status { next_index, .. } = client::status(element).unwrap_or_else(|_| panic!("the element comes back"));
    assert!([before.next_index, after.next_index].contains(&next_index), "{next_index}: {before:?} {after:?}");
    let pin = [&before.pin, &after.pin].into_iter().find(|pin| match pin {
        Some(pin) => client::verify(element, pin).is_ok(),
        None => client::status(element).is_ok_and(|status| status.pin_tries_left.is_none()),
    });
    Known { next_index, pin: *pin.expect("the PIN is the old or the new one") }
}

fn process_and_simulated_flash_hold_the_same() {
    use embedded_storage::nor_flash::ReadNorFlash;
    use specie_element::entropy::EntropyFailure;
    use specie_element::sim::SimFlash;
    use specie_element::{Element, Platform};

    struct Counting(u8);
    impl Platform for Counting {
        fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
            self.0 += 1;
            *out = [self.0; 32];
            Ok(())
        }
        fn firmware(&self) -> [u8; 32] {
            [1; 32]
        }
    }
    fn drive(element: &mut impl Link) {
        fn done<T, E: std::fmt::Debug>(result: Result<T, ElementError<E>>) -> T {
            result.unwrap()
        }
        fn run<L: Link<Error: std::fmt::Debug>>(element: &mut L) {
            done(client::generate(element));
            for round in 0..40 {
                assert!(client::nonces(element, round, 1).is_err());
            }
        }
        struct Plain<'a, L>(&'a mut L);
        impl<L: Link> Link for Plain<'_, L> {
            type Error = ();
            fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ()> {
                self.0.transmit(command, response).map_err(|_| ())
            }
        }
        run(&mut Plain(element));
    }

    const PAGES: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let file = FileFlash::create(&folder.path().join("flash.bin"), PAGES * PAGE).unwrap();
    let mut on_file = Element::<_, _, 64>::new(file, Counting(0)).unwrap();
    let mut in_memory = Element::<_, _, 64>::new(SimFlash::<WORD, PAGE>::new(PAGES, 1), Counting(0)).unwrap();
    drive(&mut on_file);
    drive(&mut in_memory);
    let mut bytes = vec![0; PAGES * PAGE];
    on_file.into_flash().read(0, &mut bytes).unwrap();
    assert_eq!(bytes, in_memory.into_flash().bytes());
    assert!(software_element(FileFlash::create(&folder.path().join("small.bin"), PAGE).unwrap()).is_err());
}
