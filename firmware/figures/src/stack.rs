//! How deep the stack grows: what is below it is painted, and looked at later.

use core::ptr::addr_of_mut;

use cortex_m::register::msp;

const PAINT: u32 = 0xA5A5_5A5A;

/// Below the stack pointer of [`paint`] itself nothing of it is in use; this is to be on the safe side.
const MARGIN: usize = 64;

unsafe extern "C" {
    // The end of the stack's memory, from the linker's layout.
    static mut _stack_end: u32;
}

/// Paints the stack's memory below what is in use.
#[inline(never)]
pub(crate) fn paint() {
    let mut at = addr_of_mut!(_stack_end);
    while at as usize + MARGIN < msp::read() as usize {
        // SAFETY: the word lies in the stack's memory, below all frames that there are: nobody uses it.
        unsafe { at.write_volatile(PAINT) };
        at = at.wrapping_add(1);
    }
}

/// The lowest address that was written to since [`paint`].
pub(crate) fn deepest() -> usize {
    let mut at = addr_of_mut!(_stack_end);
    // SAFETY: the word lies in the stack's memory; at the latest the frame of this function is not of one colour.
    while unsafe { at.read_volatile() } == PAINT {
        at = at.wrapping_add(1);
    }
    at as usize
}

/// Where the stack's frames end now.
pub(crate) fn pointer() -> usize {
    msp::read() as usize
}
