//! The heap: an arena of fixed size.
//!
//! Nothing new is begun where too little of it is free (`specie_embedded::device`). Where memory runs out all the same, the
//! program stops and starts anew from what is stored.

use core::mem::MaybeUninit;
use core::ptr::addr_of_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Memory for the heap.
pub struct Arena<const SIZE: usize>(MaybeUninit<[u8; SIZE]>);

impl<const SIZE: usize> Arena<SIZE> {
    /// An arena, to be put into a `static mut`.
    pub const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }
}

impl<const SIZE: usize> Default for Arena<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives the heap its arena: the first time only.
pub fn start<const SIZE: usize>(arena: &'static mut Arena<SIZE>) {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if !STARTED.swap(true, Ordering::Relaxed) {
        // SAFETY: the arena is ours for ever, and this is done once, before anything is allocated.
        unsafe { HEAP.init(addr_of_mut!(arena.0) as usize, SIZE) };
    }
}

/// Bytes of the arena that are in use.
pub fn used() -> usize {
    HEAP.used()
}
