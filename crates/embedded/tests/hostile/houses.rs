//! Two devices with money, as flash images: to be opened as often as a test likes. The fuzzer opens them too.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use specie_core::encoding::{Decode, Encode};
use specie_core::enrolment::{Certificate, CertificateBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_element::client;
use specie_element::entropy::EntropyFailure;
use specie_element::sim::{Cut, SimError, SimFlash};
use specie_element::{Element, Platform};
use specie_embedded::device::{Parts, Random, Terms};
use specie_embedded::frame::{Frame, Inbox};
use specie_embedded::owner::{Command, Event, Reply, kind};
use specie_embedded::records::Records;
use specie_embedded::terminal::Terminal;
use specie_wallet::identity::Account;
use specie_wallet::withdrawal::Action;
use specie_wallet::{Change, Wallet};

use crate::bank::{Bank, NOW, amount, at, name, xts};

/// Notes and blanks of an element.
const RECORDS: usize = 64;
const ELEMENT_PAGES: usize = 8;
const PAGE: usize = 2048;
/// Pages of a wallet's records.
const PAGES: usize = 32;
const FIRMWARE: [u8; 32] = [0xF1; 32];

/// What each of them has, and how many blanks.
pub(crate) const VALUE: u64 = 38;
pub(crate) const BLANKS: u16 = 10;

type Sim = SimFlash<4, PAGE>;
type Chip = Element<Flash, Seeded, RECORDS>;
type Micro = Terminal<Flash, Socket, Seeded>;

/// What an element sits in.
#[derive(Clone)]
pub(crate) struct Socket {
    chip: Rc<RefCell<Option<Chip>>>,
    /// The next command is not understood.
    fails: Rc<Cell<bool>>,
    /// The element loses its power after the next command of this instruction, before it answers.
    breaks: Rc<Cell<Option<u8>>>,
    /// Instructions of the commands so far.
    heard: Rc<RefCell<Vec<u8>>>,
}

impl client::Link for Socket {
    type Error = &'static str;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, &'static str> {
        if self.fails.take() {
            return Err("not understood");
        }
        let mut chip = self.chip.borrow_mut();
        let length = chip.as_mut().ok_or("the socket is empty")?.process(command, response);
        self.heard.borrow_mut().push(command[1]);
        if self.breaks.get() == Some(command[1]) {
            self.breaks.take();
            let flash = chip.take().expect("there").into_flash();
            *chip = Some(Element::new(flash, Seeded(7)).expect("an element"));
            return Err("the power went off");
        }
        Ok(length)
    }
}

/// Flash that can be looked at while it is in use.
#[derive(Clone)]
pub(crate) struct Flash(Rc<RefCell<Sim>>);

impl Flash {
    fn new(sim: Sim) -> Self {
        Self(Rc::new(RefCell::new(sim)))
    }

    fn copy(&self) -> Sim {
        self.0.borrow().clone()
    }
}

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Seeded(u64);

/// A device without power.
#[derive(Clone)]
pub(crate) struct Image {
    flash: Sim,
    element: Sim,
    seed: u64,
}

/// A device with power, that knows the time.
pub(crate) struct House {
    pub(crate) terminal: Micro,
    flash: Flash,
    element: Flash,
    socket: Socket,
    seed: u64,
    from_owner: Inbox,
    from_peer: Inbox,
    /// Milliseconds since power-up.
    pub(crate) ms: u64,
}

/// The devices: made once.
pub(crate) fn images() -> &'static [Image; 2] {
    static IMAGES: OnceLock<[Image; 2]> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let mut bank = Bank::new();
        [Image::new(&mut bank, "ann", 1), Image::new(&mut bank, "bob", 2)]
    })
}

/// A device without a wallet, whose element is personalised.
pub(crate) fn blank_image() -> Image {
    let seed = 3;
    let mut element = Element::new(Flash::new(Sim::new(ELEMENT_PAGES, seed)), Seeded(seed)).expect("an element");
    personalise(&mut element);
    Image { flash: Sim::new(PAGES, seed), element: element.into_flash().copy(), seed }
}

/// The root key that all of them obey.
pub(crate) fn root() -> PublicKey {
    Bank::new().root.public()
}

pub(crate) fn terms(minor: u64) -> Terms {
    Terms { currency: xts(), amount: amount(minor), valid_seconds: 600, notes_max: 4, memo: None }
}

impl Image {
    fn new(bank: &mut Bank, label: &str, seed: u64) -> Self {
        let mut element = Element::new(Flash::new(Sim::new(ELEMENT_PAGES, seed)), Seeded(seed)).expect("an element");
        let U = personalise(&mut element);
        let mut records = Records::format(Sim::new(PAGES, seed)).expect("a flash");
        let step = Wallet::create(bank.root.public(), &mut element).expect("a wallet");
        let mut wallet = records.commit(step).expect("stored");
        let step = wallet.enrolled(Account { psp: name("psp"), account: name(label) });
        records.commit(step).expect("stored");
        if bank.headers.is_empty() {
            bank.publish(NOW);
        }
        let manifest = bank.manifest_under(bank.headers.last().expect("published"));
        let step = wallet.accept_manifest(&bank.headers, &manifest).expect("the manifest");
        records.commit(step).expect("stored");
        let limits = bank.limits(wallet.device());
        let step = wallet.accept_limits(&limits, &mut element).expect("limits");
        records.commit(step).expect("stored");
        let mut items = wallet.value_items(xts(), amount(VALUE), at(NOW)).expect("notes");
        items.extend(wallet.blank_items(xts(), BLANKS, amount(crate::bank::CAP), at(NOW)).expect("blanks"));
        let step = wallet.plan_withdrawal(&items, at(NOW), &[seed as u8; 32]).expect("a withdrawal");
        let id = records.commit(step).expect("stored");
        loop {
            let step = match wallet.withdrawal_action(&id) {
                Action::UseElement => wallet.withdraw_with_element(&id, at(NOW), &mut element),
                Action::Open { items } => wallet.withdrawal_opened(&id, label, &bank.open(label, &items, &U)),
                Action::Challenge { challenges, .. } => {
                    wallet.withdrawal_answered(&id, &bank.answer(label, &challenges))
                }
                Action::Acknowledge { .. } => wallet.withdrawal_acknowledged(&id),
                _ => break,
            };
            records.commit(step.expect("it goes on")).expect("stored");
        }
        Self { flash: records.into_flash(), element: element.into_flash().copy(), seed }
    }

    /// The same with so few bytes of flash left that nothing new may be begun.
    pub(crate) fn full(&self) -> Self {
        let mut records = Records::open(self.flash.clone()).expect("records");
        // A record of the device's own, which the wallet does not load.
        let space = records.space();
        let mut left = space.capacity - space.live - 6_000;
        let mut number = 0;
        while left > 100 {
            let length = left.min(4_000);
            let value = vec![0x55; length].into();
            records.apply(&[Change::Put { key: vec![0xF0, 0xFF, number], value }]).expect("room");
            left -= length;
            number += 1;
        }
        Self { flash: records.into_flash(), ..self.clone() }
    }

    /// Power, and the time.
    pub(crate) fn open(&self) -> House {
        let mut house = self.open_without_time();
        house.terminal.set_time(at(NOW), 0);
        house.terminal.poll(0);
        house
    }

    /// Power, and nobody who tells the time.
    pub(crate) fn open_without_time(&self) -> House {
        let (flash, element, seed) = (Flash::new(self.flash.clone()), Flash::new(self.element.clone()), self.seed);
        let chip = Element::new(element.clone(), Seeded(seed + 100)).expect("an element");
        let socket = Socket {
            chip: Rc::new(RefCell::new(Some(chip))),
            fails: Rc::default(),
            breaks: Rc::default(),
            heard: Rc::default(),
        };
        let parts = Parts { flash: flash.clone(), element: socket.clone(), random: Seeded(seed + 200) };
        let terminal = Terminal::new(parts);
        let (from_owner, from_peer) = (Inbox::default(), Inbox::default());
        House { terminal, flash, element, socket, seed, from_owner, from_peer, ms: 0 }
    }
}

impl House {
    /// It as it would be after a power cut.
    pub(crate) fn image(&self) -> Image {
        let [mut flash, mut element] = [self.flash.copy(), self.element.copy()];
        flash.power_up();
        element.power_up();
        Image { flash, element, seed: self.seed + 1_000 }
    }

    /// The power goes off after so many more writes to the element's flash, or to its own.
    pub(crate) fn cut_after(&mut self, of_element: bool, after: u64) {
        let flash = if of_element { &self.element } else { &self.flash };
        flash.0.borrow_mut().cut_power_after(after, Cut::Torn);
    }

    /// Whether the power went off.
    pub(crate) fn is_off(&self) -> bool {
        self.flash.0.borrow().is_off() || self.element.0.borrow().is_off()
    }

    /// Tells it something, where the power may go.
    pub(crate) fn try_tell(&mut self, command: &Command) {
        self.owner_bytes(&Frame::encode(kind::COMMAND, &command.encode()).expect("not too long"));
    }

    /// Pulls the element out.
    pub(crate) fn take_element(&mut self) -> Option<Chip> {
        self.socket.chip.take()
    }

    /// Puts an element in.
    pub(crate) fn put_element(&mut self, chip: Option<Chip>) {
        self.socket.chip.replace(chip);
    }

    /// The element does not understand the next command.
    pub(crate) fn fail_next(&mut self) {
        self.socket.fails.set(true);
    }

    /// The element loses its power after the next command of this instruction, before it answers.
    pub(crate) fn break_after(&mut self, instruction: u8) {
        self.socket.breaks.set(Some(instruction));
    }

    /// Instructions that the element got since this was asked last.
    pub(crate) fn heard(&mut self) -> Vec<u8> {
        self.socket.heard.take()
    }

    /// What it holds, in minor units.
    pub(crate) fn total(&mut self) -> u64 {
        let device = self.terminal.device().expect("a wallet");
        device.wallet().balance(xts(), at(NOW)).total().minor()
    }

    /// What the flash holds.
    pub(crate) fn stored(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let Ok(mut records) = Records::open(self.flash.copy()) else { return BTreeMap::new() };
        let all = (0..records.count()).map(|position| records.record(position).expect("read").expect("there"));
        all.map(|(key, value)| (key, value.to_vec())).collect()
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.ms += ms;
        self.terminal.poll(self.ms);
    }

    pub(crate) fn owner_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.terminal.owner_byte(*byte, self.ms));
    }

    pub(crate) fn peer_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.terminal.peer_byte(*byte, self.ms));
    }

    /// A frame from the other device.
    pub(crate) fn peer_frame(&mut self, kind: u8, message: &[u8]) {
        self.peer_bytes(&Frame::encode(kind, message).expect("not too long"));
    }

    /// Whatever it has for its owner now.
    pub(crate) fn owner_frames(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let bytes = self.terminal.owner_pending().to_vec();
            self.terminal.owner_sent(bytes.len());
            frames.extend(bytes.iter().filter_map(|byte| self.from_owner.receive(*byte)));
            if bytes.is_empty() {
                return frames;
            }
        }
    }

    /// Whatever it has for the other device now.
    pub(crate) fn peer_frames(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let bytes = self.terminal.peer_pending().to_vec();
            self.terminal.peer_sent(bytes.len());
            frames.extend(bytes.iter().filter_map(|byte| self.from_peer.receive(*byte)));
            if bytes.is_empty() {
                return frames;
            }
        }
    }

    /// Tells it something; everything else that it had to say is lost.
    pub(crate) fn tell(&mut self, command: &Command) -> Reply {
        self.owner_bytes(&Frame::encode(kind::COMMAND, &command.encode()).expect("not too long"));
        let frames = self.owner_frames();
        let mut replies = frames.iter().filter(|frame| frame.kind == kind::REPLY);
        let (number, reply) = Reply::decode(&replies.next_back().expect("a reply").message).expect("a reply");
        assert_eq!(number, command.number());
        reply
    }

    /// What happened since it was last asked.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..16 {
            self.terminal.poll(self.ms);
            let frames = self.owner_frames();
            events.extend(frames.iter().filter_map(|frame| Event::decode(&frame.message).ok()));
        }
        events
    }

    /// The code with which it refuses.
    pub(crate) fn refusal(&mut self, command: &Command) -> String {
        match self.tell(command) {
            Reply::Failed(told) => {
                assert!(!told.what.is_empty() && !told.advice.is_empty() && !told.money_moved, "{told:?}");
                told.code
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The request that it makes.
    pub(crate) fn request(&mut self, minor: u64) -> Vec<u8> {
        match self.tell(&Command::Request(terms(minor))) {
            Reply::Made(request) => request,
            other => panic!("no request: {other:?}"),
        }
    }

    /// Pays at most this much next.
    pub(crate) fn pay_next(&mut self, minor: u64) {
        assert_eq!(self.tell(&Command::PayNext { currency: xts(), limit: amount(minor) }), Reply::Done);
    }
}

/// Gives the identity.
fn personalise(element: &mut Chip) -> [u8; 32] {
    let keys = client::generate(element).expect("keys");
    let body = CertificateBody {
        maker: name("maker"),
        series: name("series"),
        firmware: FIRMWARE,
        U: keys.identity,
        A: PublicKey(keys.authentication),
    };
    let certificate = Certificate::sign(body, &SigningKey::from_seed(&[9; 32])).to_vec();
    assert!(Certificate::decode(&certificate).is_ok());
    client::personalise(element, &root().0, b"87654321", &certificate).expect("personalised");
    keys.identity
}

impl Seeded {
    fn next(&mut self) -> u64 {
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
        FIRMWARE
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
