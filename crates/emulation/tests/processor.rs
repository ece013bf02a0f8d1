//! What only shows on the processors themselves.
//!
//! Only where the environment variable `SPECIE_CHIP` names a board.

#![allow(clippy::unwrap_used, missing_docs)]

use std::os::unix::fs::FileExt;
use std::time::Duration;

use specie_emulation::{Board, EmulationError, Image, Machine, Setup};

const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the test that `word` chooses.
/// The board to run on, or that there is none.
fn chosen() -> Option<Board> {
    let board = Board::chosen();
    if board.is_none() {
        println!("SPECIE_CHIP names no board: nothing was run");
    }
    board
}

fn start(board: Board, word: u32) -> (Machine, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let memory = directory.path().join("memory");
    let file = std::fs::File::create(&memory).unwrap();
    file.set_len(16 << 20).unwrap();
    file.write_all_at(&word.to_le_bytes(), 0).unwrap();
    let image = Image::selftest(board).unwrap();
    (Setup::new(&image).memory(memory).semihosting().start().unwrap(), directory)
}

#[test]
fn memory_is_copied_and_filled_at_every_alignment() {
    let Some(board) = chosen() else { return };
    assert_eq!(start(board, 0).0.await_exit(PATIENCE).unwrap(), 42);
}

/// A stack that is too deep runs into no memory: the processor stops, and changes no variable before.
#[test]
fn a_stack_that_is_too_deep_stops_the_processor() {
    let Some(board) = chosen() else { return };
    let ended = start(board, 1).0.await_exit(PATIENCE);
    assert!(matches!(&ended, Err(EmulationError::Ended { output, .. }) if output.contains("Lockup")), "{ended:?}");
}
