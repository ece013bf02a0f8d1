//! A test of what only shows on a processor: copying and filling memory, and a stack that is too deep.

use core::arch::asm;
use core::hint::black_box;

use crate::nor::Memory;

/// Exit status of an emulator in which everything was right.
const RIGHT: u32 = 42;
/// Exit status of one in which something was not.
const WRONG: u32 = 1;

/// Longest piece of memory that is tried.
const LENGTH: usize = 80;
/// Bytes around it, which have to stay as they are.
const MARGIN: usize = 8;
const ALL: usize = LENGTH + 2 * MARGIN;

/// Runs the test that the first word of `memory` chooses: zero for copying, anything else for the stack.
pub fn run(memory: &Memory) -> ! {
    if memory.first_word() != 0 {
        let depth = descend(1);
        exit(if depth == 0 { RIGHT } else { WRONG });
    }
    exit(if copies() && fills() { RIGHT } else { WRONG })
}

/// Every length and alignment, to the right and to the left, also of pieces that overlap.
fn copies() -> bool {
    let every = |check: fn(usize, usize, usize) -> bool| {
        (0..=LENGTH).all(|length| (0..8).all(|from| (0..8).all(|to| check(length, from, to))))
    };
    let apart = every(|length, from, to| {
        let (source, mut target) = (pattern(1), pattern(101));
        let before = target;
        target[to..to + length].copy_from_slice(&source[from..from + length]);
        holds(&target, &before, &source, length, from, to)
    });
    let overlapping = every(|length, from, to| {
        let mut bytes = pattern(1);
        let before = bytes;
        bytes.copy_within(from..from + length, to);
        holds(&bytes, &before, &before, length, from, to)
    });
    apart && overlapping
}

fn fills() -> bool {
    (0..=LENGTH).all(|length| {
        (0..8).all(|to| {
            [0, 0xA5].iter().all(|&value| {
                let mut target = pattern(1);
                let before = target;
                target[to..to + length].fill(black_box(value));
                (0..ALL)
                    .all(|at| black_box(target[at]) == if (to..to + length).contains(&at) { value } else { before[at] })
            })
        })
    })
}

/// Whether `target` is as it was `before`, but for `length` bytes at `to`, which are those of `source` at `from`.
fn holds(target: &[u8; ALL], before: &[u8; ALL], source: &[u8; ALL], length: usize, from: usize, to: usize) -> bool {
    (0..ALL).all(|at| {
        let wanted = if (to..to + length).contains(&at) { source[at - to + from] } else { before[at] };
        black_box(target[at]) == wanted
    })
}

fn pattern(first: u8) -> [u8; ALL] {
    core::array::from_fn(|at| black_box(first.wrapping_add(at as u8)))
}

/// Goes deeper than any stack.
#[inline(never)]
fn descend(depth: u32) -> u32 {
    let room = black_box([depth; 64]);
    if depth == u32::MAX { 0 } else { descend(depth + 1).wrapping_add(black_box(room[3])) }
}

/// Ends the emulator, with semihosting.
fn exit(status: u32) -> ! {
    const EXIT_EXTENDED: u32 = 0x20;
    const APPLICATION_EXIT: u32 = 0x2_0026;
    let reason = [APPLICATION_EXIT, status];
    // SAFETY: the emulator reads the two words, and the program ends.
    unsafe { asm!("bkpt 0xAB", in("r0") EXIT_EXTENDED, in("r1") reason.as_ptr()) };
    crate::stop()
}
