//! Two houses: in each a board with the device's firmware and one with the element's, wired to each other; the two devices
//! wired to each other, and each to its owner.

use std::path::PathBuf;
use std::time::Duration;

use specie_api::client::{Http, Timeouts};
use specie_core::Timestamp;
use specie_device::gateway::Gateway;
use specie_embedded::device::Terms;
use specie_embedded::owner::{Command, Event, Reply, Status, Summary};
use specie_embedded::synchronisation::Keep;
use specie_emulation::{Board, Cut, ElementSetup, Flash, Geometry, Image, Machine, Port, Serial, Setup, Watch, Wire};

use crate::town::{Town, amount};

/// The flash of the device's firmware.
const DEVICE: Geometry = Geometry { page: 4096, pages: 12 };

/// UARTs of the device's board.
const OWNER: usize = 0;

/// How long a synchronisation may take: chips are emulated at a few dozen million instructions a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// The board that `SPECIE_BOARD` names.
pub(crate) fn board() -> Option<Board> {
    let name = std::env::var("SPECIE_BOARD").ok()?;
    Some(Board::from_name(&name).unwrap_or_else(|| panic!("SPECIE_BOARD={name} is no board")))
}

pub(crate) fn keep(value: u64, blanks: u16) -> Keep {
    Keep { value: amount(value), blanks, blank_cap: None }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// A device and its element.
pub(crate) struct House {
    device: Machine,
    element: Machine,
    gateway: Gateway<Port>,
    _wires: Vec<std::rc::Rc<Wire>>,
}

impl House {
    /// Two of them, whose devices are wired to each other; enrolled, with money.
    pub(crate) fn pair(town: &Town, board: Board, wanted: Keep) -> [Self; 2] {
        let name = format!("device-{}", board.name());
        let image = Image::build(board, &format!("specie-{name}"), &name).unwrap();
        Self::pair_of(town, [image.clone(), image], wanted)
    }

    /// The same with these programs on the devices' boards.
    pub(crate) fn pair_of(town: &Town, images: [Image; 2], wanted: Keep) -> [Self; 2] {
        let street = std::rc::Rc::new(Wire::new().unwrap());
        let mut houses = street.ends().into_iter().enumerate().map(|(number, peer)| {
            let mut house = Self::new(town, &images[number], number, peer);
            house._wires.push(street.clone());
            house.move_in(town, number, wanted);
            house
        });
        [houses.next().unwrap(), houses.next().unwrap()]
    }

    fn new(town: &Town, image: &Image, number: usize, peer: Serial) -> Self {
        let board = image.board();
        let (element_memory, device_memory) =
            (town.folder.path().join(format!("element{number}")), town.folder.path().join(format!("device{number}")));
        town.personalise(&mut ElementSetup::delivered(board).unwrap().memory(&element_memory).start().unwrap());
        let wire = Wire::new().unwrap();
        let [host, chip] = wire.ends();
        let noise = || Serial::Source(PathBuf::from("/dev/urandom"));
        let element = Setup::new(&Image::element(board).unwrap());
        let element = element.serial(chip).serial(noise()).memory(element_memory);
        let element = element.watch(Watch::nothing().cuts_at_instructions()).start().unwrap();
        Flash::open(&device_memory, DEVICE).unwrap();
        let stack = image.size().unwrap().stack;
        let device = Setup::new(image).serial(Serial::Port).serial(host).serial(peer).serial(noise());
        let device = device.memory(device_memory).watch(Watch::nothing().cuts_at_instructions().stack(stack));
        let device = device.start().unwrap();
        let gateway = Gateway::new(device.port(OWNER).unwrap().clone());
        Self { device, element, gateway, _wires: vec![std::rc::Rc::new(wire)] }
    }

    fn move_in(&mut self, town: &Town, number: usize, wanted: Keep) {
        let who = format!("e{number}");
        let customer = town.customer(&who, 10_000, "standard");
        assert_eq!(self.command(&Command::Create(town.root())), Reply::Done);
        self.tell_time();
        let claim_code = town.claim_code(&customer);
        assert_eq!(self.command(&Command::Enrol { customer: who, claim_code }), Reply::Done);
        assert_eq!(self.wait(Some(&psp(town)), PATIENCE), Event::Enrolled);
        let summary = self.synchronise(town, wanted);
        assert!(summary.failures.is_empty(), "{summary:?}");
    }

    pub(crate) fn command(&mut self, command: &Command) -> Reply {
        self.gateway.command(command).unwrap()
    }

    /// As [`House::command`], where the power may go.
    pub(crate) fn try_command(&mut self, command: &Command) -> Option<Reply> {
        self.gateway.command_within(command, Duration::from_secs(3)).ok()
    }

    pub(crate) fn wait(&mut self, psp: Option<&Http>, patience: Duration) -> Event {
        self.gateway.wait(psp, patience).unwrap()
    }

    /// Waits until something of this kind happens. A receipt may come twice, and so may what follows from it.
    pub(crate) fn wait_for(&mut self, kind: impl Fn(&Event) -> bool) -> Event {
        for _ in 0..20 {
            let event = self.wait(None, Duration::from_secs(60));
            if kind(&event) {
                return event;
            }
            println!("meanwhile: {event:?}");
        }
        panic!("it never happened");
    }

    /// Says how the device is, and what it told that nobody listened to.
    pub(crate) fn explain(&mut self) {
        println!("{:?}", self.status());
        for _ in 0..20 {
            match self.gateway.wait(None, Duration::from_secs(2)) {
                Ok(event) => println!("it told: {event:?}"),
                Err(_) => break,
            }
        }
    }

    /// Makes a request. An element that lost its power meanwhile does not understand its host at first: the same again, as the
    /// device advises.
    pub(crate) fn ask_for(&mut self, terms: &Terms) {
        for _ in 0..3 {
            match self.command(&Command::Request(*terms)) {
                Reply::Made(_) => return,
                Reply::Failed(told) if told.code == "element-unreachable" => println!("once more: {}", told.what),
                other => panic!("{other:?}"),
            }
        }
        panic!("the element cannot be reached");
    }

    pub(crate) fn status(&mut self) -> Status {
        match self.command(&Command::Status) {
            Reply::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn synchronise(&mut self, town: &Town, wanted: Keep) -> Summary {
        assert_eq!(self.command(&Command::Synchronise(wanted)), Reply::Done);
        loop {
            match self.wait(Some(&psp(town)), PATIENCE) {
                Event::Synchronised(summary) => return summary,
                other => println!("before the end of a synchronisation: {other:?}"),
            }
        }
    }

    pub(crate) fn tell_time(&mut self) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(self.command(&Command::Time(Timestamp::new(now).unwrap())), Reply::Done);
    }

    /// The power of one of the two chips is cut after so many instructions.
    pub(crate) fn cut_after(&mut self, of_element: bool, instructions: u64) {
        let machine = if of_element { &mut self.element } else { &mut self.device };
        machine.plan(Some(Cut::Instruction(instructions))).unwrap();
    }

    /// Waits for the cut; whether it came.
    pub(crate) fn await_cut(&mut self, of_element: bool, patience: Duration) -> bool {
        let machine = if of_element { &mut self.element } else { &mut self.device };
        let cut = machine.await_cut(patience).unwrap();
        machine.plan(None).unwrap();
        cut
    }

    /// Both chips have power again.
    pub(crate) fn power_up(&mut self) {
        for machine in [&mut self.element, &mut self.device] {
            machine.plan(None).unwrap();
            machine.power_up().unwrap();
        }
    }

    pub(crate) fn power_off(&mut self) {
        self.device.power_off().unwrap();
    }

    pub(crate) fn element_off(&mut self) {
        self.element.power_off().unwrap();
    }

    /// Bytes that are no frames on the owner's line.
    pub(crate) fn babble(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(64) {
            self.device.port(OWNER).unwrap().send(part).unwrap();
        }
    }

    /// Bytes of the device's stack that were never written.
    pub(crate) fn stack_left(&self) -> Option<u64> {
        self.device.counters().unwrap().stack_left
    }
}

fn psp(town: &Town) -> Http {
    Http::new(&format!("http://{}", town.psp_address()), Timeouts::default()).unwrap()
}
