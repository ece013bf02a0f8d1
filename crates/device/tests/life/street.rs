//! Microcontrollers on a street: terminals with flash and elements of their own, wired to each other and to their owners,
//! on a clock that only this program turns.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use specie_api::client::{Http, Timeouts};
use specie_core::Timestamp;
use specie_device::gateway::Gateway;
use specie_element::client::Link;
use specie_element::entropy::EntropyFailure;
use specie_element::sim::{Cut, SimError, SimFlash};
use specie_element::t1::reader::Line;
use specie_element::{Element, Platform};
use specie_embedded::device::{Parts, Random};
use specie_embedded::owner::{Command, Event, Reply, Status};
use specie_embedded::synchronisation::Keep;
use specie_embedded::terminal::Terminal;

use crate::town::{Town, amount};

const PAGE: usize = 4096;
/// Pages of a wallet's records.
const RECORD_PAGES: usize = 32;
/// Notes and blanks of an element.
const RECORDS: usize = 256;
/// Pages of an element's flash.
const ELEMENT_PAGES: usize = 16;

type Sim = SimFlash<4, PAGE>;
type Micro = Terminal<Flash, Chip, Seeded>;

/// Flash that outlives the program that uses it.
#[derive(Clone)]
pub(crate) struct Flash(Rc<RefCell<Sim>>);

impl Flash {
    fn new(pages: usize, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Sim::new(pages, seed))))
    }
}

impl ErrorType for Flash {
    type Error = SimError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimError> {
        self.0.borrow_mut().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimError> {
        self.0.borrow_mut().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimError> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        out.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()));
        Ok(())
    }
}

impl Platform for Seeded {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        self.fill(out)
    }

    fn firmware(&self) -> [u8; 32] {
        [0x5E; 32]
    }
}

/// The element's chip: it loses what it does not store when the power goes.
pub(crate) struct Chip(Element<Flash, Seeded, RECORDS>);

impl Link for Chip {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        self.0.transmit(command, response)
    }
}

/// A device: what survives a power cut, and what does not.
struct House {
    flash: Flash,
    element: Flash,
    seed: u64,
    /// `None` while there is no power.
    terminal: Option<Micro>,
    /// When the power came, in milliseconds.
    since: u64,
    /// Bytes from the owner, and for the owner.
    to_owner: Vec<u8>,
}

/// Everybody, and the two lines' other ends.
pub(crate) struct Street {
    houses: Vec<House>,
    /// Milliseconds since the world began.
    ms: u64,
    /// Of so many bytes between devices, one is lost, changed or doubled; 0: none.
    trouble: u64,
    random: Seeded,
    /// Unix seconds at the beginning.
    epoch: u64,
}

pub(crate) type Shared = Rc<RefCell<Street>>;

/// The owner's end of a house's line.
pub(crate) struct OwnerLine {
    street: Shared,
    house: usize,
}

impl Street {
    /// `count` devices of customers `m0`, `m1`, …, enrolled and with money.
    pub(crate) fn new(town: &Town, count: usize, keep: Keep) -> Shared {
        let now = town.provider.clock.now();
        let street = Self { houses: Vec::new(), ms: 0, trouble: 0, random: Seeded(7), epoch: now.seconds() };
        let street = Rc::new(RefCell::new(street));
        for house in 0..count {
            let who = format!("m{house}");
            let customer = town.customer(&who, 10_000, "standard");
            let element = Flash::new(ELEMENT_PAGES, house as u64);
            let mut chip = Chip(Element::new(element.clone(), Seeded(1_000 + house as u64)).unwrap());
            town.personalise(&mut chip);
            let flash = Flash::new(RECORD_PAGES, house as u64);
            let seed = 2_000 + house as u64;
            let house_here = House { flash, element, seed, terminal: None, since: 0, to_owner: Vec::new() };
            street.borrow_mut().houses.push(house_here);
            power_up(&street, house);
            let mut gateway = owner(&street, house);
            assert_eq!(gateway.command(&Command::Create(town.root())).unwrap(), Reply::Done);
            tell_time(&street, house);
            let claim_code = town.claim_code(&customer);
            assert_eq!(gateway.command(&Command::Enrol { customer: who, claim_code }).unwrap(), Reply::Done);
            assert_eq!(wait(&mut gateway, Some(&psp(town))), Event::Enrolled);
            synchronise(&street, town, house, keep);
        }
        street
    }

    /// Lets one of `trouble` bytes between the devices be lost, changed or doubled.
    pub(crate) fn trouble(&mut self, trouble: u64) {
        self.trouble = trouble;
    }

    /// A millisecond passes.
    fn pass(&mut self) {
        self.ms += 1;
        for house in 0..self.houses.len() {
            let ms = self.ms;
            let House { terminal: Some(terminal), since, to_owner, .. } = &mut self.houses[house] else { continue };
            terminal.poll(ms - *since);
            // About 1 Mbit/s.
            let bytes: Vec<u8> = terminal.owner_pending().iter().take(100).copied().collect();
            terminal.owner_sent(bytes.len());
            to_owner.extend(bytes);
            let bytes: Vec<u8> = terminal.peer_pending().iter().take(100).copied().collect();
            terminal.peer_sent(bytes.len());
            for byte in bytes {
                self.carry(house ^ 1, byte);
            }
        }
    }

    /// Carries a byte to a device, if it has power.
    fn carry(&mut self, to: usize, byte: u8) {
        let troubled = self.trouble > 0 && self.random.next().is_multiple_of(self.trouble);
        let what = self.random.next();
        let bytes = match (troubled, what % 3) {
            (false, _) => vec![byte],
            (true, 0) => vec![],
            (true, 1) => vec![byte ^ (1 << (what >> 8 & 7))],
            (true, _) => vec![byte, byte],
        };
        let ms = self.ms;
        if let Some(House { terminal: Some(terminal), since, .. }) = self.houses.get_mut(to) {
            bytes.into_iter().for_each(|byte| terminal.peer_byte(byte, ms - *since));
        }
    }

    /// The power is cut at the `after`-th next operation of a flash of this house: the wallet's, or the element's.
    pub(crate) fn cut_after(&mut self, house: usize, of_element: bool, after: u64) {
        let house = &self.houses[house];
        let flash = if of_element { &house.element } else { &house.flash };
        flash.0.borrow_mut().cut_power_after(after, Cut::Torn);
    }

    /// Whether a house's power is off.
    pub(crate) fn is_dark(&self, house: usize) -> bool {
        let house = &self.houses[house];
        house.flash.0.borrow().is_off() || house.element.0.borrow().is_off()
    }

    pub(crate) fn device_key(&mut self, house: usize) -> specie_core::signature::PublicKey {
        self.houses[house].terminal.as_mut().unwrap().device().unwrap().wallet().device()
    }

    /// Noise on both lines of a device.
    pub(crate) fn babble(&mut self, house: usize, bytes: usize) {
        let ms = self.ms;
        for _ in 0..bytes {
            let (byte, other) = (self.random.next() as u8, self.random.next() as u8);
            let House { terminal: Some(terminal), since, .. } = &mut self.houses[house] else { continue };
            terminal.peer_byte(byte, ms - *since);
            terminal.owner_byte(other, ms - *since);
        }
    }

    pub(crate) fn holding(&mut self, house: usize, now: Timestamp) -> u64 {
        let device = self.houses[house].terminal.as_mut().unwrap().device().unwrap();
        device.wallet().balance(crate::town::currency(), now).total().minor()
    }
}

/// Cuts a house off, and gives it power again.
pub(crate) fn power_up(street: &Shared, house: usize) {
    let mut street = street.borrow_mut();
    let ms = street.ms;
    let house = &mut street.houses[house];
    house.terminal = None;
    house.flash.0.borrow_mut().power_up();
    house.element.0.borrow_mut().power_up();
    house.to_owner.clear();
    house.seed += 10_000;
    let element = Chip(Element::new(house.element.clone(), Seeded(house.seed)).unwrap());
    let parts = Parts { flash: house.flash.clone(), element, random: Seeded(house.seed + 5_000) };
    house.terminal = Some(Terminal::new(parts));
    house.since = ms;
}

/// The owner of a house, at its line.
pub(crate) fn owner(street: &Shared, house: usize) -> Gateway<OwnerLine> {
    Gateway::new(OwnerLine { street: street.clone(), house })
}

pub(crate) fn tell_time(street: &Shared, house: usize) {
    let now = now(street);
    assert_eq!(owner(street, house).command(&Command::Time(now)).unwrap(), Reply::Done);
}

pub(crate) fn now(street: &Shared) -> Timestamp {
    let street = street.borrow();
    Timestamp::new(street.epoch + street.ms / 1000).unwrap()
}

pub(crate) fn wait(gateway: &mut Gateway<OwnerLine>, psp: Option<&Http>) -> Event {
    gateway.wait(psp, std::time::Duration::from_secs(20)).unwrap()
}

pub(crate) fn psp(town: &Town) -> Http {
    Http::new(&format!("http://{}", town.psp_address()), Timeouts::default()).unwrap()
}

pub(crate) fn synchronise(street: &Shared, town: &Town, house: usize, keep: Keep) -> specie_embedded::owner::Summary {
    let mut gateway = owner(street, house);
    assert_eq!(gateway.command(&Command::Synchronise(keep)).unwrap(), Reply::Done);
    loop {
        match wait(&mut gateway, Some(&psp(town))) {
            Event::Synchronised(summary) => return summary,
            other => println!("before the end of a synchronisation: {other:?}"),
        }
    }
}

pub(crate) fn status(street: &Shared, house: usize) -> Status {
    match owner(street, house).command(&Command::Status).unwrap() {
        Reply::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

/// So many milliseconds pass.
pub(crate) fn let_pass(street: &Shared, ms: u64) {
    (0..ms).for_each(|_| street.borrow_mut().pass());
}

pub(crate) fn keep(value: u64, blanks: u16) -> Keep {
    Keep { value: amount(value), blanks, blank_cap: None }
}

impl Line for OwnerLine {
    type Error = String;

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut street = self.street.borrow_mut();
        let ms = street.ms;
        let house = &mut street.houses[self.house];
        let Some(terminal) = &mut house.terminal else { return Err("no power".into()) };
        bytes.iter().for_each(|byte| terminal.owner_byte(*byte, ms - house.since));
        Ok(())
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, String> {
        let mut street = self.street.borrow_mut();
        for _ in 0..patience_ms {
            let bytes = &mut street.houses[self.house].to_owner;
            if !bytes.is_empty() {
                return Ok(Some(bytes.remove(0)));
            }
            street.pass();
        }
        Ok(None)
    }
}
