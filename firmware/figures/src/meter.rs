//! What is measured, and how it is told.
//!
//! A line for each thing: its name, and the bytes of stack and heap that it took at most beyond what was in use before.
//! Then, in hexadecimal, the instructions of the commands that the element carried out meanwhile. The LED is written
//! before and after each of them too, and what the element put on the stack does not count: it has a chip of its own.
//!
//! ```text
//! pay, stack 8120, heap 20040, element 26 22
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use specie_mps2::{Led, Uart};

use crate::stack;

/// Measures.
pub(crate) struct Meter {
    report: RefCell<Uart>,
    led: RefCell<Led>,
    commands: RefCell<Vec<u8>>,
    /// Between the marks of [`Meter::measure`].
    measuring: Cell<bool>,
    /// The lowest address on the stack that was written to.
    deepest: Cell<usize>,
}

impl Meter {
    pub(crate) fn new(mut report: Uart, led: Led) -> Self {
        report.open_unwatched();
        Self {
            report: RefCell::new(report),
            led: RefCell::new(led),
            commands: RefCell::new(Vec::with_capacity(64)),
            measuring: Cell::new(false),
            deepest: Cell::new(usize::MAX),
        }
    }

    /// Measures `work` under this name.
    pub(crate) fn measure<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        self.commands.borrow_mut().clear();
        self.deepest.set(usize::MAX);
        let (used, below) = (specie_counting::used(), stack::pointer());
        specie_counting::forget_peak();
        stack::paint();
        self.measuring.set(true);
        self.mark(true);
        let done = called(work);
        self.mark(false);
        self.measuring.set(false);
        self.look_at_stack();
        let (stack, heap) = (below.saturating_sub(self.deepest.get()), specie_counting::peak() - used);
        let mut line = format!("{name}, stack {stack}, heap {heap}, element");
        self.commands.borrow().iter().for_each(|command| line += &format!(" {command:02x}"));
        self.say(&line);
        done
    }

    /// What an element does; if anything is measured, apart from it.
    pub(crate) fn command<T>(&self, instruction: u8, carry_out: impl FnOnce() -> T) -> T {
        if !self.measuring.get() {
            return carry_out();
        }
        self.commands.borrow_mut().push(instruction);
        self.mark(true);
        self.look_at_stack();
        let done = carry_out();
        stack::paint();
        self.mark(false);
        done
    }

    fn look_at_stack(&self) {
        self.deepest.set(self.deepest.get().min(stack::deepest()));
    }

    /// Nothing more is measured.
    pub(crate) fn end(&self) {
        self.say("end");
    }

    fn mark(&self, working: bool) {
        self.led.borrow_mut().set(working);
    }

    fn say(&self, line: &str) {
        let mut report = self.report.borrow_mut();
        for byte in String::from(line).bytes().chain([b'\n']) {
            while !report.put(byte) {}
        }
    }
}

/// A call of its own: what it puts on the stack is not there before.
#[inline(never)]
fn called<T>(work: impl FnOnce() -> T) -> T {
    work()
}
