//! The element on an emulated chip, and its flash between two power-ups.

use std::cell::RefCell;
use std::mem;

use embedded_storage::nor_flash::NorFlash;
use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::Link;
use specie_element::sim::Cut;
use specie_element::status::StatusWord;
use specie_emulation::{Controller, Counters, ElementChip, ElementSetup, Geometry, Operation, Watch};

use crate::subject::{PAGE, PAGES, SimulatedFlash, board};

/// Words in a page.
const WORDS: u64 = (PAGE / 4) as u64;

thread_local! {
    /// Chips that nobody uses at the moment: starting one takes ten times as long as resetting it.
    static IDLE: RefCell<Vec<ElementChip>> = const { RefCell::new(Vec::new()) };
}

/// What a chip's flash holds, and what will go wrong with it.
#[derive(Clone)]
pub(crate) struct EmulatedFlash {
    bytes: Vec<u8>,
    operations: u64,
    erases: u64,
    failures: u64,
    off: bool,
    power_cut: Option<(u64, Cut)>,
    failing: Option<(u64, Cut, bool)>,
    failing_read: Option<u64>,
    random: u64,
}

impl EmulatedFlash {
    pub(crate) fn new(length: usize, seed: u64) -> Self {
        Self {
            bytes: vec![0xFF; length],
            operations: 0,
            erases: 0,
            failures: 0,
            off: false,
            power_cut: None,
            failing: None,
            failing_read: None,
            random: seed,
        }
    }

    pub(crate) fn cut_power_after(&mut self, after: u64, cut: Cut) {
        self.power_cut = Some((after, cut));
    }

    pub(crate) fn is_off(&self) -> bool {
        self.off
    }

    pub(crate) fn power_up(&mut self) {
        *self = Self {
            off: false,
            power_cut: None,
            failing: None,
            failing_read: None,
            ..mem::replace(self, Self::new(0, 0))
        };
    }

    pub(crate) fn fail_after(&mut self, after: u64, cut: Cut, for_ever: bool) {
        self.failing = Some((after, cut, for_ever));
    }

    pub(crate) fn fail_read_after(&mut self, after: u64) {
        self.failing_read = Some(after);
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    pub(crate) fn erases(&self) -> u64 {
        self.erases
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// What the controller of the chip's flash is told.
    fn controller(&mut self) -> Controller {
        let countdown = |after: u64| u32::try_from(after).unwrap();
        let (fails_after, cut, fails_for_ever) =
            self.failing.map_or((None, Cut::Clean, false), |(after, cut, ever)| (Some(countdown(after)), cut, ever));
        let tear = match (cut, self.random() % 2) {
            (Cut::Clean, _) => u32::MAX,
            // Most of a page is erased, or nothing; most of a word is programmed, or half of it.
            (Cut::Torn, 0) => (self.random() % WORDS) as u32,
            (Cut::Torn, _) => self.random() as u32,
        };
        let read_fails_after = self.failing_read.map(countdown);
        if fails_after.is_none() && read_fails_after.is_none() {
            return Controller::default();
        }
        Controller { fails_after, fails_for_ever, tear, read_fails_after, ..Controller::default() }
    }

    /// Where within the operation the power goes off.
    fn plan(&mut self) -> Option<specie_emulation::Cut> {
        self.power_cut.map(|(after, cut)| match (cut, self.random() % 2) {
            (Cut::Clean, _) | (Cut::Torn, 0) => specie_emulation::Cut::Operation(after),
            (Cut::Torn, _) => specie_emulation::Cut::Within(after, 1 + self.random() % (WORDS - 1)),
        })
    }

    /// The power went off in the middle of `operation`: words are whole in emulation, and pages erased in order. Real
    /// flash leaves less behind.
    fn tear(&mut self, operation: Operation) {
        let mut model = SimulatedFlash::new(PAGES, self.random());
        model.bytes_mut().copy_from_slice(&self.bytes);
        model.cut_power_after(0, Cut::Torn);
        let torn = match operation {
            Operation::Program { at, word } => {
                // Where it was programmed already: it was erased before, for nothing is programmed twice.
                let stored = &mut model.bytes_mut()[at as usize..][..4];
                if stored == word {
                    stored.fill(0xFF);
                }
                model.write(at as u32, &word)
            }
            Operation::Erase { at } => model.erase(at as u32, at as u32 + PAGE as u32),
        };
        assert!(torn.is_err() && model.is_off());
        self.bytes.copy_from_slice(model.bytes());
    }
}

/// An element on a chip, from power-up to power-off.
pub(crate) struct EmulatedElement {
    chip: Option<ElementChip>,
    flash: EmulatedFlash,
    before: Counters,
    /// Whether others may use the chip afterwards.
    shared: bool,
}

impl EmulatedElement {
    /// An element on a chip that was started otherwise, and has no flash to be taken out.
    pub(crate) fn on(mut chip: ElementChip) -> Self {
        let before = chip.machine().counters().unwrap();
        Self { chip: Some(chip), flash: EmulatedFlash::new(0, 0), before, shared: false }
    }

    /// The chip, between power-up and power-off.
    pub(crate) fn chip(&mut self) -> &mut ElementChip {
        self.chip.as_mut().unwrap()
    }

    pub(crate) fn power_up(mut flash: EmulatedFlash) -> Self {
        let idle = IDLE.with_borrow_mut(Vec::pop);
        let mut chip = idle.unwrap_or_else(start);
        let controller = flash.controller();
        let restarted = chip.power_cycle_with(|file| {
            file.write(0, &flash.bytes)?;
            file.set_controller(&controller)
        });
        restarted.unwrap();
        let before = chip.machine().counters().unwrap();
        chip.machine().plan(flash.plan()).unwrap();
        Self { chip: Some(chip), flash, before, shared: true }
    }

    /// Where the power is off, or goes off before there is an answer, the answer is that the flash failed, as that of an
    /// element in this process is.
    pub(crate) fn process(&mut self, command: &[u8], response: &mut [u8]) -> usize {
        let chip = self.chip.as_mut().unwrap();
        let mut answer = [0; MAX_RESPONSE];
        let length = match chip.transmit(command, &mut answer) {
            Ok(length) => length,
            Err(error) => {
                let is_on = chip.machine().is_on();
                assert!(matches!(is_on, Ok(false)), "the chip gives no answer: {error}, {is_on:?}");
                answer[..2].copy_from_slice(&StatusWord::FLASH_FAILED.to_bytes());
                2
            }
        };
        response[..length].copy_from_slice(&answer[..length]);
        length
    }

    pub(crate) fn into_flash(mut self) -> EmulatedFlash {
        let mut chip = self.chip.take().unwrap();
        let mut flash = mem::replace(&mut self.flash, EmulatedFlash::new(0, 0));
        flash.off = !chip.machine().is_on().unwrap();
        let file = chip.flash().unwrap();
        flash.bytes = file.bytes().unwrap();
        flash.failures += u64::from(file.failures().unwrap());
        let after = chip.machine().counters().unwrap();
        let (operations, stores) = (after.operations - self.before.operations, after.stores - self.before.stores);
        flash.operations += operations;
        if flash.off {
            flash.failures += 1;
            if matches!(flash.power_cut, Some((_, Cut::Torn))) {
                flash.tear(file.last_operation().unwrap().unwrap());
            }
        } else if flash.failing.is_none() {
            flash.erases += (stores - operations) / (WORDS - 1);
        }
        flash.power_cut = None;
        IDLE.with_borrow_mut(|idle| idle.push(chip));
        flash
    }
}

impl Drop for EmulatedElement {
    fn drop(&mut self) {
        if let Some(chip) = self.chip.take().filter(|_| self.shared) {
            IDLE.with_borrow_mut(|idle| idle.push(chip));
        }
    }
}

fn start() -> ElementChip {
    let setup = ElementSetup::conformance(board().expect("a board was chosen")).unwrap();
    setup.watch(Watch::nothing().flash(Geometry::CONFORMANCE)).start().unwrap()
}
