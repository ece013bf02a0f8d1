//! A chip behind a UNIX socket: an element on simulated flash that speaks T=1 in a thread of its own. A connection is its
//! power. It can be made to fail as chips and cables do.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use specie_device::element::{ChipAddress, ElementAddress, OperatingSystem};
use specie_element::Element;
use specie_element::apdu::MAX_RESPONSE;
use specie_element::journal::bytes_needed;
use specie_element::sim::SimFlash;
use specie_element::t1::CHARACTER_WAITING_MS;
use specie_element::t1::card::{Card, Event};

const RECORDS: usize = 256;
const PAGE: usize = 4096;

type Flash = SimFlash<4, PAGE>;
type ServedElement = Element<Flash, OperatingSystem, RECORDS>;

/// A chip that is served until this value is dropped.
pub(crate) struct ServedChip {
    pub(crate) socket: PathBuf,
    pub(crate) whims: Arc<Whims>,
}

/// What a chip or its cable does besides what it should.
#[derive(Default)]
pub(crate) struct Whims {
    /// The cable is pulled when so many bytes more have passed, both ways together; 0: it is not.
    pub(crate) pulled_after: AtomicI64,
    /// Hears everything and says nothing.
    pub(crate) stalls: AtomicBool,
    /// Says something else all the time.
    pub(crate) babbles: AtomicBool,
    /// One byte in so many is lost; 0: none.
    pub(crate) loses_one_in: AtomicU64,
    /// Bytes that were lost so far.
    pub(crate) lost: AtomicU64,
    ends: AtomicBool,
}

impl ServedChip {
    /// A chip fresh from the factory, at a socket that does not exist yet.
    pub(crate) fn start(socket: &Path) -> Self {
        let flash = Flash::new(bytes_needed::<Flash>(RECORDS).div_ceil(PAGE), 1);
        let whims = Arc::new(Whims::default());
        let listener = UnixListener::bind(socket).unwrap();
        let served = Self { socket: socket.to_owned(), whims: whims.clone() };
        std::thread::spawn(move || serve(&listener, flash, &whims));
        served
    }

    pub(crate) fn address(&self) -> ElementAddress {
        ElementAddress::Chip(self.chip_address())
    }

    pub(crate) fn chip_address(&self) -> ChipAddress {
        ChipAddress::Socket(self.socket.clone())
    }
}

impl Drop for ServedChip {
    fn drop(&mut self) {
        self.whims.ends.store(true, Ordering::Relaxed);
        // Lets it see that.
        let _ = UnixStream::connect(&self.socket);
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn serve(listener: &UnixListener, flash: Flash, whims: &Whims) {
    let flash = Mutex::new(Some(flash));
    for stream in listener.incoming() {
        if whims.ends.load(Ordering::Relaxed) {
            return;
        }
        let mut stream = stream.unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(CHARACTER_WAITING_MS.into()))).unwrap();
        let mut flash = flash.lock().unwrap();
        let mut element = ServedElement::new(flash.take().unwrap(), OperatingSystem).unwrap();
        power_up(&mut stream, &mut element, whims);
        *flash = Some(element.into_flash());
    }
}

/// Serves over one connection until it ends.
pub(crate) fn power_up(stream: &mut (impl Read + Write), element: &mut ServedElement, whims: &Whims) {
    let mut card = Card::new();
    let mut response = [0; MAX_RESPONSE];
    let mut seed = 1;
    loop {
        let mut byte = [0];
        let mut event = match stream.read(&mut byte) {
            Ok(0) => return,
            Ok(_) if whims.takes_away(&mut seed) => continue,
            Ok(_) => card.receive(byte[0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => card.silence(),
            Err(_) => return,
        };
        if event == Event::Command {
            let length = element.process(card.command(), &mut response);
            card.answer(&response[..length]);
            event = Event::Send;
        }
        if whims.ends.load(Ordering::Relaxed) || whims.is_pulled(1) {
            return;
        }
        if whims.stalls.load(Ordering::Relaxed) {
            continue;
        }
        if whims.babbles.load(Ordering::Relaxed) && stream.write_all(&[0xA5; 64]).is_err() {
            return;
        }
        if event == Event::Send {
            for &byte in card.outgoing() {
                if whims.is_pulled(1) {
                    return;
                }
                if !whims.takes_away(&mut seed) && stream.write_all(&[byte]).is_err() {
                    return;
                }
            }
        }
    }
}

impl Whims {
    /// Whether the cable is pulled by the time so many bytes more have passed.
    fn is_pulled(&self, bytes: i64) -> bool {
        let left = self.pulled_after.load(Ordering::Relaxed);
        if left == 0 {
            return false;
        }
        self.pulled_after.store((left - bytes).max(0), Ordering::Relaxed);
        left <= bytes
    }

    /// Whether the next byte is lost.
    fn takes_away(&self, seed: &mut u64) -> bool {
        let one_in = self.loses_one_in.load(Ordering::Relaxed);
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lost = one_in > 0 && (*seed >> 33).is_multiple_of(one_in);
        self.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        lost
    }
}
