//! The heap of the device's firmware, and how much of it is taken. A crate of its own, so that it is compiled as the device's is: for
//! speed, and not for size like what allocates.

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::ptr::addr_of_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

use embedded_alloc::LlffHeap;

/// Bytes of the arena: five devices with their flash and a bank.
const SIZE: usize = 1 << 20;

/// Memory for the heap.
pub struct Arena(MaybeUninit<[u8; SIZE]>);

impl Arena {
    /// Nothing in it yet.
    #[allow(clippy::new_without_default, reason = "there is one, and it is a static")]
    pub const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }
}

/// Gives the heap its arena. To be called once, before anything else.
pub fn start(arena: &'static mut Arena) {
    // SAFETY: the arena is the heap's for ever; `main` calls this once, before anything is allocated.
    unsafe { HEAP.heap.init(addr_of_mut!(arena.0) as usize, SIZE) };
}

/// Bytes in use.
pub fn used() -> usize {
    HEAP.used.load(Ordering::Relaxed)
}

/// Forgets the highest count until now.
pub fn forget_peak() {
    HEAP.peak.store(used(), Ordering::Relaxed);
}

/// The most bytes in use since the peak was forgotten.
pub fn peak() -> usize {
    HEAP.peak.load(Ordering::Relaxed)
}

/// Does `work` with no more than `free` bytes of memory to be had.
pub fn within<T>(free: usize, work: impl FnOnce() -> T) -> T {
    HEAP.most.store(used() + free, Ordering::Relaxed);
    let done = work();
    HEAP.most.store(usize::MAX, Ordering::Relaxed);
    done
}

#[global_allocator]
static HEAP: Counted = Counted {
    heap: LlffHeap::empty(),
    used: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
    most: AtomicUsize::new(usize::MAX),
};

/// A heap that counts what was asked of it.
struct Counted {
    heap: LlffHeap,
    used: AtomicUsize,
    peak: AtomicUsize,
    most: AtomicUsize,
}

impl Counted {
    /// Nothing interrupts the program: it needs no operations in one piece, which cost more than they count.
    fn count(&self, used: usize) {
        self.used.store(used, Ordering::Relaxed);
        if used > self.peak.load(Ordering::Relaxed) {
            self.peak.store(used, Ordering::Relaxed);
        }
    }
}

// SAFETY: memory comes from the heap within and goes back there; counting touches none of it.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if used() + layout.size() > self.most.load(Ordering::Relaxed) {
            return core::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        let memory = unsafe { self.heap.alloc(layout) };
        if !memory.is_null() {
            self.count(used() + layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.count(used() - layout.size());
        // SAFETY: as in `alloc`.
        unsafe { self.heap.dealloc(memory, layout) };
    }
}
