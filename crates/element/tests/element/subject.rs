//! The element under test: in this process over a simulated flash, or, where the environment variable `SPECIE_CHIP` names
//! a board (`an386`, `an505`), on an emulated chip, with flash that lasts over its power cuts.
//!
//! A test takes a flash, powers an element up with it, sends commands, and takes the flash back: it cannot tell which
//! of the two it has. What would take too long on a chip is sampled there ([`sample`]).

use std::convert::Infallible;
use std::sync::OnceLock;

use specie_element::client::Link;
use specie_element::entropy::EntropyFailure;
use specie_element::sim::{Cut, SimFlash};
use specie_element::{Element, Platform};
use specie_emulation::Board;

use crate::emulated::{EmulatedElement, EmulatedFlash};

pub(crate) const RECORDS: usize = 16;
pub(crate) const FIRMWARE: [u8; 32] = [0xF1; 32];
pub(crate) const PAGE: usize = 2048;
pub(crate) const PAGES: usize = 8;

pub(crate) type SimulatedFlash = SimFlash<4, PAGE>;
pub(crate) type ElementInProcess = Element<SimulatedFlash, TestPlatform, RECORDS>;

/// Draws always the same, so that what is done again after a power cut comes out the same. The chip's does too.
pub(crate) struct TestPlatform;

impl Platform for TestPlatform {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = [7; 32];
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        FIRMWARE
    }
}

/// The board with the chip to be tested, if one is.
pub(crate) fn board() -> Option<Board> {
    static BOARD: OnceLock<Option<Board>> = OnceLock::new();
    *BOARD.get_or_init(Board::chosen)
}

/// A flash with nothing in it.
pub(crate) fn flash() -> Flash {
    match board() {
        None => Flash::Simulated(SimulatedFlash::new(PAGES, 1)),
        Some(_) => Flash::Emulated(EmulatedFlash::new(PAGES * PAGE, 1)),
    }
}

pub(crate) fn power_up(flash: Flash) -> TestElement {
    match flash {
        Flash::Simulated(flash) => TestElement::InProcess(Box::new(Element::new(flash, TestPlatform).unwrap())),
        Flash::Emulated(flash) => TestElement::OnChip(Box::new(EmulatedElement::power_up(flash))),
    }
}

/// Takes the power away and gives it back.
pub(crate) fn restart(element: TestElement) -> TestElement {
    power_up(element.into_flash())
}

/// An element.
pub(crate) enum TestElement {
    InProcess(Box<ElementInProcess>),
    OnChip(Box<EmulatedElement>),
}

impl TestElement {
    /// Carries out a command; `response` has room for any answer.
    pub(crate) fn process(&mut self, command: &[u8], response: &mut [u8]) -> usize {
        match self {
            Self::InProcess(element) => element.process(command, response),
            Self::OnChip(element) => element.process(command, response),
        }
    }

    /// Takes the power away.
    pub(crate) fn into_flash(self) -> Flash {
        match self {
            Self::InProcess(element) => Flash::Simulated(element.into_flash()),
            Self::OnChip(element) => Flash::Emulated(element.into_flash()),
        }
    }
}

impl Link for TestElement {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.process(command, response))
    }
}

/// A flash, with what will go wrong with it. See [`SimFlash`] for what each of its functions does.
#[derive(Clone)]
pub(crate) enum Flash {
    Simulated(SimulatedFlash),
    Emulated(EmulatedFlash),
}

/// Calls the same function of both.
macro_rules! both {
    ($self:expr, $flash:ident => $call:expr) => {
        match $self {
            Self::Simulated($flash) => $call,
            Self::Emulated($flash) => $call,
        }
    };
}

impl Flash {
    pub(crate) fn cut_power_after(&mut self, after: u64, cut: Cut) {
        both!(self, flash => flash.cut_power_after(after, cut));
    }

    pub(crate) fn is_off(&self) -> bool {
        both!(self, flash => flash.is_off())
    }

    pub(crate) fn power_up(&mut self) {
        both!(self, flash => flash.power_up());
    }

    pub(crate) fn fail_after(&mut self, after: u64, cut: Cut, for_ever: bool) {
        both!(self, flash => flash.fail_after(after, cut, for_ever));
    }

    pub(crate) fn fail_read_after(&mut self, after: u64) {
        both!(self, flash => flash.fail_read_after(after));
    }

    pub(crate) fn operations(&self) -> u64 {
        both!(self, flash => flash.operations())
    }

    pub(crate) fn failures(&self) -> u64 {
        both!(self, flash => flash.failures())
    }

    /// How often pages were erased, all together.
    pub(crate) fn erases(&self) -> u64 {
        match self {
            Self::Simulated(flash) => flash.erases().iter().map(|&times| u64::from(times)).sum(),
            Self::Emulated(flash) => flash.erases(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        both!(self, flash => flash.bytes())
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        both!(self, flash => flash.bytes_mut())
    }
}
