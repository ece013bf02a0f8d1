//! More than a service can do: who is let in, who is refused, what is left afterwards. Nothing is timed: bounds are small and counted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use specie_api::authorization::Psp;
use specie_api::bank::{Client, path};
use specie_api::client::{CallError, Http, Timeouts};
use specie_api::hexadecimal::HexArray;
use specie_api::idempotency::Key;
use specie_api::problem::{self, Problem};
use specie_bank::storage::{Storage, StorageError};
use specie_core::Timestamp;
use specie_core::group::encode_point;
use specie_core::signature::SigningKey;
use specie_server::bank::{CentralBank, open_bank};
use specie_server::key_file::read_key;
use specie_server::serving::ServingConfig;

use crate::device::TestDevice;
use crate::metrics::{scrape, sum};
use crate::rejections::{exchange, request};
use crate::world::{World, name};

fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

/// A PSP that asks the bank, from wherever it is.
#[derive(Clone)]
struct Caller {
    psp: &'static str,
    key: SigningKey,
    now: Timestamp,
    client: Client,
}

impl Caller {
    /// `psp`, which takes no for an answer unless it may pause for `pauses`.
    fn new(world: &World, psp: &'static str, pauses: Duration) -> Self {
        let key = read_key(&world.path(psp).join("psp.key")).unwrap();
        let timeouts = Timeouts { total: Duration::from_secs(120), pauses, ..Timeouts::default() };
        let http = Http::new(&format!("http://{}", world.bank_address()), timeouts).unwrap();
        Self { psp, key, now: world.now(), client: Client::new(http) }
    }

    fn register(&self, world: &World, seed: u8) -> impl FnOnce() -> Result<(), CallError> + Send + use<> {
        let (caller, identity) = (self.clone(), identity(world, seed));
        let key = Key::from_bytes(&[seed; 16]);
        move || {
            let mut signer = Psp { name: name(caller.psp), key: &caller.key, now: caller.now };
            caller.client.register_device(&mut signer, &key, &HexArray(identity)).map(drop)
        }
    }

    fn ask(&self) -> Result<(), CallError> {
        let mut signer = Psp { name: name(self.psp), key: &self.key, now: self.now };
        self.client.reserve(&mut signer).map(drop)
    }
}

fn identity(world: &World, seed: u8) -> [u8; 32] {
    encode_point(&TestDevice::new(seed, "north", "nobody", world.clock()).U())
}

/// Serves the bank anew within these bounds.
fn bounded(serving: ServingConfig) -> World {
    let mut world = World::new();
    // What PSPs ask by themselves, when they start, is over.
    for psp in ["north", "south"] {
        while sum(&scrape(world.metrics(psp)), "specie_background_runs_total", "reconcile") < 1.0 {
            thread::yield_now();
        }
    }
    world.serving = ServingConfig { metrics_address: world.serving.metrics_address, ..serving };
    world.kill_bank();
    world.restart_bank();
    world
}

/// Keeps every other writer waiting until it is dropped: work that takes long, as long as a test wants.
struct Held(Option<mpsc::Sender<()>>, Option<thread::JoinHandle<()>>);

impl Held {
    /// `None` where the database makes nobody wait.
    fn new(world: &World) -> Option<Self> {
        let central: Arc<CentralBank> = open_bank(&world.bank_config(), world.clock()).unwrap();
        if central.bank.storage().0.is_on_server() {
            return None;
        }
        let ((release, released), (hold, held)) = (mpsc::channel(), mpsc::channel());
        let holding = thread::spawn(move || {
            let work = |_: &mut dyn specie_bank::storage::Tx| {
                hold.send(()).unwrap();
                let _ = released.recv();
                Ok::<_, StorageError>(())
            };
            central.bank.storage().transact(work).unwrap();
        });
        held.recv().unwrap();
        Some(Self(Some(release), Some(holding)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.take());
        self.1.take().unwrap().join().unwrap();
    }
}

/// Scrapes until `count` lines of the bank are as they should be; no scrape may show more than `queued_max` that wait.
fn await_counts(world: &World, at_work: f64, queued: f64, shed: f64, queued_max: f64) {
    loop {
        let shown = scrape(world.bank_metrics());
        assert!(shown["specie_requests_at_work"] <= at_work && shown["specie_requests_queued"] <= queued_max);
        let now = [
            shown["specie_requests_at_work"],
            shown["specie_requests_queued"],
            sum(&shown, "specie_requests_shed_total", "full"),
        ];
        if now == [at_work, queued, shed] {
            return;
        }
        thread::yield_now();
    }
}

#[test]
fn a_psp_that_floods_waits_for_itself_and_another_is_served() {
    let bounds = ServingConfig {
        requests_at_work: number(2),
        queued_per_client: 3,
        queued: 8,
        queue_seconds: number(600),
        ..ServingConfig::default()
    };
    let world = bounded(bounds);
    let (flood, other) = (Caller::new(&world, "north", Duration::ZERO), Caller::new(&world, "south", Duration::ZERO));
    let Some(held) = Held::new(&world) else { return };
    let flooding: Vec<_> = (100..112).map(|seed| thread::spawn(flood.register(&world, seed))).collect();
    await_counts(&world, 2.0, 3.0, 7.0, 3.0);
    let others: Vec<_> = (120..123).map(|seed| thread::spawn(other.register(&world, seed))).collect();
    await_counts(&world, 2.0, 6.0, 7.0, 6.0);
    // Whoever only wants to know whether the service lives hears it.
    assert_eq!(exchange(world.bank_address(), &request("GET", "/healthz", &[], b"")).0, 200);
    drop(held);
    for one in others {
        one.join().unwrap().unwrap();
    }
    let ended: Vec<_> = flooding.into_iter().map(|one| one.join().unwrap()).collect();
    let refused: Vec<_> = (100..).zip(&ended).filter_map(|(seed, ended)| Some((seed, ended.as_ref().err()?))).collect();
    assert_eq!(refused.len(), 7);
    for (_, error) in &refused {
        assert!(
            error.is(&problem::OVERLOADED) && error.may_retry() && !error.problem().unwrap().money_moved,
            "{error}"
        );
    }
    // After the burst the same requests are done.
    for (seed, _) in refused {
        flood.register(&world, seed)().unwrap();
    }
    await_counts(&world, 0.0, 0.0, 7.0, 0.0);
}

#[test]
fn what_waited_too_long_is_not_worked_on() {
    let bounds = ServingConfig { requests_at_work: number(1), queue_seconds: number(1), ..ServingConfig::default() };
    let world = bounded(bounds);
    let caller = Caller::new(&world, "north", Duration::ZERO);
    let Some(held) = Held::new(&world) else { return };
    let first = thread::spawn(caller.register(&world, 100));
    await_counts(&world, 1.0, 0.0, 0.0, 0.0);
    let late = caller.register(&world, 101)().unwrap_err();
    assert!(late.is(&problem::OVERLOADED), "{late}");
    drop(held);
    first.join().unwrap().unwrap();
    await_counts(&world, 0.0, 0.0, 0.0, 0.0);
    let central = open_bank(&world.bank_config(), world.clock()).unwrap();
    let known = |seed| central.bank.storage().read(|view| view.device(&identity(&world, seed))).unwrap().is_some();
    assert!(known(100) && !known(101));
    assert_eq!(sum(&scrape(world.bank_metrics()), "specie_requests_shed_total", "too-late"), 1.0);
}

#[test]
fn a_name_without_its_signature_uses_up_nothing_of_whose_it_is() {
    let world = bounded(ServingConfig { requests_per_second: Some(number(1)), ..ServingConfig::default() });
    let honest = Caller::new(&world, "north", Duration::ZERO);
    // As many as would use up what the PSP has saved, three times.
    let forger = Caller { key: SigningKey::from_seed(&[77; 32]), ..honest.clone() };
    for _ in 0..30 {
        assert!(forger.ask().unwrap_err().is(&problem::UNAUTHENTICATED));
    }
    let late = Caller { now: honest.now.saturating_add(601), ..honest.clone() };
    for _ in 0..30 {
        assert!(late.ask().unwrap_err().is(&problem::REQUEST_TIME));
    }
    for _ in 0..10 {
        honest.ask().unwrap();
    }
    // Its own requests do.
    let limited = (0..10_000).find_map(|_| honest.ask().err()).expect("a limit");
    assert!(limited.is(&problem::RATE_LIMITED) && limited.may_retry(), "{limited}");
    Caller::new(&world, "south", Duration::ZERO).ask().unwrap();
    // Who comes when it is told to, is served.
    let patient = Caller::new(&world, "north", Duration::from_secs(60));
    for _ in 0..3 {
        patient.ask().unwrap();
    }
    assert!(sum(&scrape(world.bank_metrics()), "specie_requests_shed_total", "rate") >= 1.0);
}

/// Sends a part, and gives what comes until the server closes.
fn send_and_wait(address: SocketAddr, part: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(part).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    answer
}

#[test]
fn slow_and_half_open_clients_are_cut_and_hold_no_place() {
    let bounds = ServingConfig {
        requests_at_work: number(1),
        queued: 0,
        header_seconds: number(1),
        body_seconds: number(1),
        ..ServingConfig::default()
    };
    let world = bounded(bounds);
    let address = world.bank_address();
    // Each holds a connection while others are served; all are cut.
    let slow: Vec<_> = [&b""[..], b"GET /v1/st", b"GET /v1/status HTTP/1.1\r\nhost: bank\r\n"]
        .into_iter()
        .map(|part| thread::spawn(move || send_and_wait(address, part)))
        .collect();
    let head = b"POST /v1/devices HTTP/1.1\r\nhost: bank\r\nconnection: close\r\ncontent-length: 10\r\n\r\n{";
    let body = thread::spawn(move || send_and_wait(address, head));
    for _ in 0..10 {
        assert_eq!(exchange(address, &request("GET", path::STATUS, &[], b"")).0, 200);
    }
    for one in slow {
        let answer = String::from_utf8(one.join().unwrap()).unwrap();
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    let answer = String::from_utf8(body.join().unwrap()).unwrap();
    let problem: Problem = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert!(problem.is(&problem::TOO_SLOW), "{answer}");
    assert_eq!(sum(&scrape(world.bank_metrics()), "specie_requests_shed_total", "slow"), 1.0);
    // One that asks on and on and never reads is cut, too: its writing fails instead of waiting for ever.
    let mut deaf = TcpStream::connect(address).unwrap();
    let question = b"GET /v1/manifests HTTP/1.1\r\nhost: bank\r\n\r\n".repeat(100);
    while deaf.write_all(&question).is_ok() {}
    assert_eq!(exchange(address, &request("GET", path::STATUS, &[], b"")).0, 200);
}

#[test]
fn connections_are_bounded_and_free_again() {
    let bounds = ServingConfig { connections: number(2), header_seconds: number(1), ..ServingConfig::default() };
    let world = bounded(bounds);
    let idle: Vec<_> = (0..2).map(|_| TcpStream::connect(world.bank_address()).unwrap()).collect();
    // It waits until one of them is cut.
    assert_eq!(exchange(world.bank_address(), &request("GET", path::STATUS, &[], b"")).0, 200);
    drop(idle);
    let alone = bounded(ServingConfig { connections_per_address: Some(number(1)), ..ServingConfig::default() });
    let mut first = TcpStream::connect(alone.bank_address()).unwrap();
    let mut second = TcpStream::connect(alone.bank_address()).unwrap();
    assert_eq!(second.read(&mut [0; 1]).unwrap_or(0), 0, "one more than its share");
    first.write_all(&request("GET", path::STATUS, &[], b"")).unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}
