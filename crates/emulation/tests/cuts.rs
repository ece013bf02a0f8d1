//! The power goes off where it is told to, and counts are exact.
//!
//! Only where the environment variable `SPECIE_CHIP` names a board.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use specie_element::client;
use specie_element::instruction::LifeCycle;
use specie_emulation::{Board, Counters, Cut, ElementChip, ElementSetup, Geometry, Operation, Watch};

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The board to run on, or that there is none.
fn chosen() -> Option<Board> {
    let board = Board::chosen();
    if board.is_none() {
        println!("SPECIE_CHIP names no board: nothing was run");
    }
    board
}

fn start(board: Board, watch: Watch) -> ElementChip {
    let setup = ElementSetup::conformance(board).unwrap();
    setup.watch(watch.flash(Geometry::CONFORMANCE)).start().unwrap()
}

/// GENERATE on an empty chip, with this cut; gives the counts since it was planned, and the flash.
fn cut_generate(chip: &mut ElementChip, cut: Cut) -> (Counters, Vec<u8>) {
    let erased = vec![0xFF; Geometry::CONFORMANCE.bytes() as usize];
    chip.power_cycle_with(|flash| flash.write(0, &erased)).unwrap();
    // A chip that waits carries out instructions too.
    chip.machine().hold().unwrap();
    let before = chip.machine().counters().unwrap();
    chip.machine().plan(Some(cut)).unwrap();
    chip.machine().release().unwrap();
    assert!(client::generate(chip).is_err());
    assert!(chip.machine().await_cut(PATIENCE).unwrap());
    let after = chip.machine().counters().unwrap();
    let counted = Counters {
        instructions: after.instructions - before.instructions,
        operations: after.operations - before.operations,
        stores: after.stores - before.stores,
        ..after
    };
    (counted, chip.flash().unwrap().bytes().unwrap())
}

#[test]
fn a_cut_leaves_just_what_was_stored_before() {
    let Some(board) = chosen() else { return };
    let mut chip = start(board, Watch::nothing());
    // The first thing done to an empty flash: its first page is erased, whose words are ones already, and given a header.
    let words = Geometry::CONFORMANCE.page / 4;
    for stores in [1, 2, 3] {
        let (counted, flash) = cut_generate(&mut chip, Cut::Store(words + stores - 1));
        assert_eq!((counted.stores, counted.operations), (words + stores, 1 + stores));
        assert_eq!(counted.last_store, Some(4 * (stores - 1)));
        let written = 4 * stores as usize;
        assert!(flash[..written].iter().any(|&byte| byte != 0xFF));
        assert!(flash[written..].iter().all(|&byte| byte == 0xFF));
    }
    assert_eq!(life_cycle_after(&mut chip), LifeCycle::Factory);
}

#[test]
fn an_operation_is_cut_before_it_or_within() {
    let Some(board) = chosen() else { return };
    let mut chip = start(board, Watch::nothing());
    let (counted, flash) = cut_generate(&mut chip, Cut::Operation(0));
    assert_eq!((counted.operations, counted.stores), (1, 0));
    assert!(flash.iter().all(|&byte| byte == 0xFF));
    assert_eq!(chip.flash().unwrap().last_operation().unwrap(), Some(Operation::Erase { at: 0 }));
    let (counted, _) = cut_generate(&mut chip, Cut::Within(0, 100));
    assert_eq!((counted.operations, counted.stores, counted.last_store), (1, 100, Some(396)));
    // A word has one store, however many are asked for.
    let (counted, flash) = cut_generate(&mut chip, Cut::Within(1, 100));
    assert_eq!(counted.operations, 2);
    let Some(Operation::Program { at: 0, word }) = chip.flash().unwrap().last_operation().unwrap() else { panic!() };
    assert_eq!(flash[..4], word);
    assert_eq!(life_cycle_after(&mut chip), LifeCycle::Factory);
}

/// A block of the emulator's has at most so many instructions (QEMU's `TCG_MAX_INSNS`).
const BLOCK_MAX: u64 = 512;

#[test]
fn a_cut_comes_before_the_instruction_that_is_named() {
    let Some(board) = chosen() else { return };
    let mut chip = start(board, Watch::nothing().cuts_at_instructions());
    for after in [1_000, 54_321, 400_000] {
        let (counted, _) = cut_generate(&mut chip, Cut::Instruction(after));
        // A chip that is held stops within a block of the emulator's, of which some was counted.
        assert!((after..after + BLOCK_MAX).contains(&counted.instructions), "{} after {after}", counted.instructions);
    }
    // How far it was then depends on how long the chip waited for noise: the keys are journalled, or there are none.
    assert!(matches!(life_cycle_after(&mut chip), LifeCycle::Factory | LifeCycle::Generated));
}

#[test]
fn a_reset_keeps_the_flash_and_counts_are_repeatable() {
    let Some(board) = chosen() else { return };
    let spans = [(), ()].map(|()| {
        let mut chip = start(board, Watch::nothing().marks());
        client::generate(&mut chip).unwrap();
        chip.power_cycle().unwrap();
        assert_eq!(client::select(&mut chip).unwrap().life_cycle, LifeCycle::Generated);
        let marks = chip.machine().marks().unwrap();
        marks.chunks(2).map(|mark| mark[1] - mark[0]).collect::<Vec<_>>()
    });
    assert_eq!(spans[0].len(), 2);
    assert_eq!(spans[0], spans[1]);
}

/// Life cycle after the power is back.
fn life_cycle_after(chip: &mut ElementChip) -> LifeCycle {
    chip.power_cycle().unwrap();
    client::select(chip).unwrap().life_cycle
}
