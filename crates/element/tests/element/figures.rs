//! What the delivered chip needs: instructions for each command, stack, flash and memory, within what is promised of it.
//!
//! Only on a chip. The figures are printed; `cargo test -- --nocapture` shows them.

use specie_core::enrolment::CertificateBody;
use specie_element::client::{self, Wipe};
use specie_element::instruction::Purpose;
use specie_emulation::{ElementSetup, Geometry, Watch};

use crate::emulated::EmulatedElement;
use crate::support::*;

/// Instructions of a payment with change, at most.
const SPEND: u64 = 120_000;
/// Bytes of the image, at most.
const FLASH: u64 = 96 * 1024;
/// Bytes of memory, at most, the stack among them.
const MEMORY: u64 = 16 * 1024;

/// An element on the delivered chip, and what its commands cost.
struct Measured {
    element: TestElement,
    costs: Vec<Cost>,
    /// Bytes that are set aside for the stack.
    stack: u64,
}

/// What a command costs.
struct Cost {
    name: &'static str,
    instructions: u64,
    /// Bytes of stack, those of the main loop among them.
    stack: u64,
}

impl Measured {
    fn chip(&mut self) -> &mut EmulatedElement {
        match &mut self.element {
            TestElement::OnChip(element) => element,
            TestElement::InProcess(_) => unreachable!("only chips are measured"),
        }
    }

    /// Instructions from when the chip has the last command that was sent until it has the answer.
    fn note(&mut self, name: &'static str) -> u64 {
        let stack = self.stack;
        let machine = self.chip().chip().machine();
        let marks = machine.marks().unwrap();
        let [.., began, ended] = marks[..] else { panic!("no marks") };
        let left = machine.counters().unwrap().stack_left.unwrap();
        machine.forget_stack().unwrap();
        self.costs.push(Cost { name, instructions: ended - began, stack: stack - left });
        ended - began
    }

    /// For a command that waits for noise: how long it takes depends on where that comes from. Its stack must do all the same.
    fn pass_over(&mut self, name: &'static str) {
        self.note(name);
        let cost = self.costs.pop().expect("it was noted just now");
        assert!(cost.stack <= self.stack, "{name}: {} bytes of stack", cost.stack);
    }
}

#[test]
fn the_chip_keeps_within_what_is_promised() {
    let Some(board) = board() else { return };
    let setup = ElementSetup::delivered(board).unwrap();
    let size = setup.image().size().unwrap();
    let watch = Watch::nothing().marks().flash(Geometry::ELEMENT).stack(size.stack);
    let element = EmulatedElement::on(setup.watch(watch).start().unwrap());
    let element = TestElement::OnChip(Box::new(element));
    let mut measured = Measured { element, costs: Vec::new(), stack: size.stack };
    let spend = every_command(&mut measured);

    let stack = measured.costs.iter().map(|cost| cost.stack).max().unwrap();
    println!("{}: {} bytes of flash, {} of memory, {stack} of stack", board.name(), size.flash, size.memory);
    for Cost { name, instructions, stack } in &measured.costs {
        println!("{instructions:>12} instructions {stack:>6} bytes of stack: {name}");
    }
    assert!(size.flash <= FLASH && size.memory + size.stack <= MEMORY, "{size:?}");
    assert!(stack <= size.stack, "{stack} bytes of stack");
    assert!(spend <= SPEND, "{spend} instructions");
}

/// Does everything that an element can do; gives the instructions of a payment with change.
fn every_command(measured: &mut Measured) -> u64 {
    let world = World::new();
    let firmware = client::select(&mut measured.element).unwrap().firmware;
    measured.note("first command after a reset");
    let keys = client::generate(&mut measured.element).unwrap();
    measured.pass_over("GENERATE");
    let certificate = world.certify(CertificateBody { firmware, ..world.certificate(&keys) });
    client::personalise(&mut measured.element, &world.root.public().0, &PUK, &certificate).unwrap();
    measured.note("PERSONALISE");
    let (manifest, coins) = world.withdraw(&mut measured.element);
    measured.note("CLASS");
    manifest.load(&mut measured.element).unwrap();
    measured.note("MANIFEST");
    world.set_limits(&mut measured.element, &manifest, world.limits(&keys, 2)).unwrap();
    measured.note("LIMITS");
    client::enrol(&mut measured.element, &[5; 32], b"device").unwrap();
    measured.note("ENROL");
    client::sign_request(&mut measured.element, Purpose::Payee, &[6; 32]).unwrap();
    measured.note("SIGN REQUEST");
    client::nonces(&mut measured.element, 8, 1).unwrap();
    measured.note("NONCES, one");
    client::nonces(&mut measured.element, 9, 32).unwrap();
    measured.note("NONCES, 32");
    for coin in &coins {
        coin.register(&mut measured.element).unwrap();
    }
    measured.note("REGISTER");
    client::owner_tag(&mut measured.element, 3, &[1; 32], 40).unwrap();
    measured.note("OWNER TAG");
    client::change_pin(&mut measured.element, &[], b"123456").unwrap();
    measured.note("CHANGE PIN");
    client::verify(&mut measured.element, b"123456").unwrap();
    measured.note("VERIFY");
    client::unblock(&mut measured.element, &PUK, b"123456").unwrap();
    measured.note("UNBLOCK");
    let pay = coins[0].preimage(&[stranger(100, 1), coins[2].output(FACE - 100, 4)], 0);
    coins[0].spend(&mut measured.element, &pay, &[coins[2].own(1, 4)]).unwrap();
    let spend = measured.note("SPEND, with change");
    coins[0].spend(&mut measured.element, &pay, &[coins[2].own(1, 4)]).unwrap();
    measured.note("SPEND, again");
    coins[2].spend(&mut measured.element, &coins[2].preimage(&[stranger(200, 1)], 0), &[]).unwrap();
    measured.note("SPEND of what was received, without change");
    let blanks = &coins[3..8];
    let mut outputs: Vec<_> = blanks.iter().map(|blank| blank.output(10, 1)).collect();
    outputs.extend([stranger(FACE - 60, 1), stranger(5, 2), stranger(5, 3)]);
    let own: Vec<_> = blanks.iter().zip(0..).map(|(blank, output)| blank.own(output, 1)).collect();
    coins[1].spend(&mut measured.element, &coins[1].preimage(&outputs, 0), &own).unwrap();
    measured.note("SPEND, eight outputs, five of them own");
    client::forget(&mut measured.element, 0).unwrap();
    measured.note("FORGET");
    client::status(&mut measured.element).unwrap();
    measured.note("STATUS");
    client::totals(&mut measured.element, &[9; 32]).unwrap();
    measured.note("TOTALS");
    measured.chip().chip().power_cycle().unwrap();
    client::verify(&mut measured.element, b"123456").unwrap();
    measured.note("VERIFY, first after a reset");
    client::wipe(&mut measured.element, Wipe::EvenSo).unwrap();
    measured.note("WIPE");
    client::select(&mut measured.element).unwrap();
    spend
}
