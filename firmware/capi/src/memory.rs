//! Memory, and the end of a program that has a defect.
//!
//! On a chip the library has a heap of its own, in an arena that the program gives it once. On a computer the operating
//! system has both: the arena is not looked at, and a panic comes back as `SPECIE_ERROR_BROKEN`.

#[cfg(target_os = "none")]
use crate::border;
use crate::border::{Buffer, Out};
use crate::error::Error;

/// Version of this interface: functions, structures and numbers of this header. It grows with every change that a
/// program compiled before would not survive.
pub const SPECIE_INTERFACE: u32 = 1;

/// Gives the library its memory; called once, first of all, before any other function.
///
/// `arena`, `length`: memory that is the library's from now on and for ever, in bytes. On a chip it is the heap of all
/// handles; how much a device takes grows with what it holds, and 43 kB are enough for a dozen notes and blanks. On a
/// computer it is not used and may be null.
///
/// `on_panic`: called on a chip when the library finds a defect of its own, or when the arena is used up. It must not
/// come back and must not call the library, but for `specie_memory`: it restarts the chip. Should it come back, or be
/// null, the library executes an undefined instruction. Where the defect is, it is not told: that would take some 12 kB
/// of flash. On a computer it is never called.
///
/// On a chip all functions are called by one thread, or never by two at once, and not by interrupts.
///
/// `SPECIE_ERROR_POINTER`, `SPECIE_ERROR_ARGUMENT`: the arena is null, goes round the end of memory, or holds less than
/// 8 kB.
/// `SPECIE_ERROR_UNDER_WAY`: it was called before.
///
/// # Safety
/// What is said above of the arena holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_start(
    arena: *mut u8,
    length: usize,
    on_panic: Option<unsafe extern "C" fn()>,
) -> Error {
    // SAFETY: as for this function.
    match unsafe { home::start(arena, length, on_panic) } {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// How much of the arena is in use and free, in bytes; both 0 on a computer. The free bytes need not lie in one piece.
///
/// # Safety
/// Both point to a `size_t`, or are null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_memory(used: *mut usize, free: *mut usize) -> Error {
    // SAFETY: as for this function.
    let (used, free) = match unsafe { (Out::optional(used), Out::optional(free)) } {
        (Ok(used), Ok(free)) => (used, free),
        _ => return Error::Pointer,
    };
    let (in_use, left) = home::memory();
    used.into_iter().for_each(|out| out.set(in_use));
    free.into_iter().for_each(|out| out.set(left));
    Error::Ok
}

/// The version of this interface that the library has: `SPECIE_INTERFACE` of its header.
#[unsafe(no_mangle)]
pub extern "C" fn specie_interface() -> u32 {
    SPECIE_INTERFACE
}

/// The version of the software, as text. `buffer`, `capacity`, `length`: as in `specie_output`.
///
/// # Safety
/// `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_version(buffer: *mut u8, capacity: usize, length: *mut usize) -> Error {
    // SAFETY: as for this function.
    let filled = unsafe { Buffer::new(buffer, capacity, length) };
    match filled.and_then(|buffer| buffer.fill(env!("CARGO_PKG_VERSION").as_bytes())) {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// What is called at a panic.
type PanicHook = unsafe extern "C" fn();

/// Whether there is memory to work with.
pub(crate) fn check_started() -> Result<(), Error> {
    if home::started() { Ok(()) } else { Err(Error::NotStarted) }
}

#[cfg(target_os = "none")]
/// The least memory that anything can be done with.
const ARENA_MIN: usize = 8 * 1024;

/// A chip.
#[cfg(target_os = "none")]
mod home {
    use core::cell::Cell;
    use core::panic::PanicInfo;

    use critical_section::Mutex;
    use embedded_alloc::LlffHeap;

    use super::{ARENA_MIN, Error, PanicHook, border};

    #[global_allocator]
    static HEAP: LlffHeap = LlffHeap::empty();

    static STARTED: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));
    static ON_PANIC: Mutex<Cell<Option<PanicHook>>> = Mutex::new(Cell::new(None));

    /// # Safety
    /// As [`super::specie_start`].
    pub(super) unsafe fn start(arena: *mut u8, length: usize, on_panic: Option<PanicHook>) -> Result<(), Error> {
        border::check_extent(arena, length)?;
        if arena.is_null() {
            return Err(Error::Pointer);
        }
        if length < ARENA_MIN {
            return Err(Error::Argument);
        }
        if critical_section::with(|section| STARTED.borrow(section).replace(true)) {
            return Err(Error::UnderWay);
        }
        critical_section::with(|section| ON_PANIC.borrow(section).set(on_panic));
        // SAFETY: by the caller's word the arena is the library's for ever; this is reached once, before anything is
        // allocated.
        unsafe { HEAP.init(arena.expose_provenance(), length) };
        Ok(())
    }

    pub(super) fn memory() -> (usize, usize) {
        if started() { (HEAP.used(), HEAP.free()) } else { (0, 0) }
    }

    pub(super) fn started() -> bool {
        critical_section::with(|section| STARTED.borrow(section).get())
    }

    #[panic_handler]
    fn panicked(_: &PanicInfo<'_>) -> ! {
        if let Some(hook) = critical_section::with(|section| ON_PANIC.borrow(section).take()) {
            // SAFETY: the program gave the hook for this.
            unsafe { hook() };
        }
        cortex_m::asm::udf()
    }
}

/// A computer.
#[cfg(not(target_os = "none"))]
mod home {
    use super::{Error, PanicHook};

    /// # Safety
    /// None: nothing is looked at.
    #[allow(clippy::unnecessary_wraps, reason = "on a chip it can fail")]
    pub(super) unsafe fn start(_arena: *mut u8, _length: usize, _on_panic: Option<PanicHook>) -> Result<(), Error> {
        Ok(())
    }

    pub(super) fn memory() -> (usize, usize) {
        (0, 0)
    }

    pub(super) fn started() -> bool {
        true
    }
}
