//! A device as C holds it: opaque, closed to a second call while there is a first, and beyond use after a panic.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use specie_core::Timestamp;
use specie_element::entropy::Entropy;
use specie_embedded::failure::Failure;
use specie_embedded::terminal::Terminal;

use crate::border::{self, Buffer, Out};
use crate::error::{Error, Fault};
use crate::platform::{Flash, Noise, SecureElement};
use crate::work::Work;

/// A device: a wallet, its flash, its secure element. `specie_open` makes one, `specie_close` ends it; the memory is
/// the library's. One thread at a time uses it.
pub struct Device(Guarded<Inside>);

/// A part of a failure, for `specie_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FailurePart {
    /// A stable code for machines: lower case with hyphens, at most 64 bytes.
    Code = 0,
    /// What happened, for people, in English.
    What = 1,
    /// What to do about it.
    Advice = 2,
}

/// Something that one call at a time may use.
pub(crate) struct Guarded<T> {
    busy: AtomicBool,
    /// The library panicked in the middle of a call.
    broken: AtomicBool,
    inside: UnsafeCell<T>,
}

/// What a device is made of.
pub(crate) struct Inside {
    pub(crate) terminal: Terminal<Flash, SecureElement, Entropy<Noise>>,
    /// What the last operation made, to be fetched by the program.
    pub(crate) outputs: Vec<Vec<u8>>,
    /// What needs the PSP, begun by a call.
    pub(crate) work: Work,
    /// Why the last operation that failed did.
    pub(crate) failure: Failure,
}

impl<T> Guarded<T> {
    pub(crate) fn new(inside: T) -> Self {
        Self { busy: AtomicBool::new(false), broken: AtomicBool::new(false), inside: UnsafeCell::new(inside) }
    }

    /// Runs `operation` unless another call is running; whether it panicked is noted. `even_broken`: also after that.
    pub(crate) fn enter<R>(&self, even_broken: bool, operation: impl FnOnce(&mut T) -> R) -> Result<R, Error> {
        if self.busy.swap(true, Ordering::Acquire) {
            return Err(Error::Busy);
        }
        let entered = if self.broken.load(Ordering::Relaxed) && !even_broken {
            Err(Error::Broken)
        } else {
            // SAFETY: `busy` was false and is true now, so nobody else has a reference to the inside until it is false
            // again.
            let inside = unsafe { &mut *self.inside.get() };
            border::caught(|| operation(inside)).ok_or(Error::Broken)
        };
        if matches!(entered, Err(Error::Broken)) {
            self.broken.store(true, Ordering::Relaxed);
        }
        self.busy.store(false, Ordering::Release);
        entered
    }

    /// Whether no call is running; none can begin any more then.
    fn retire(&self) -> bool {
        !self.busy.swap(true, Ordering::Acquire)
    }
}

impl Device {
    pub(crate) fn new(inside: Inside) -> Box<Self> {
        Box::new(Self(Guarded::new(inside)))
    }
}

/// What is behind a handle.
///
/// # Safety
/// Unless null, `handle` is one that the library gave out and that was not closed.
pub(crate) unsafe fn behind<'a, T>(handle: *const T) -> Result<&'a T, Error> {
    if handle.is_null() || !handle.is_aligned() {
        return Err(Error::Pointer);
    }
    // SAFETY: it leads to a live `T` by the caller's word; all that changes in it is in cells.
    Ok(unsafe { &*handle })
}

/// Runs an operation on a device, and keeps why it failed.
///
/// # Safety
/// As [`behind`].
pub(crate) unsafe fn operate(device: *const Device, operation: impl FnOnce(&mut Inside) -> Result<(), Fault>) -> Error {
    // SAFETY: as for this function.
    let device = match unsafe { behind(device) } {
        Ok(device) => device,
        Err(error) => return error,
    };
    let entered = device.0.enter(false, |inside| match operation(inside) {
        Ok(()) => Error::Ok,
        Err(fault) => {
            let number = fault.number();
            // That there is nothing, or too little room for it, is an answer and no failure.
            if !matches!(number, Error::Nothing | Error::Capacity) {
                inside.failure = fault.into_failure();
            }
            number
        }
    });
    entered.unwrap_or_else(|error| error)
}

/// As [`operate`], for an operation that makes something: what the one before made is dropped first.
///
/// # Safety
/// As [`behind`].
pub(crate) unsafe fn make(device: *const Device, operation: impl FnOnce(&mut Inside) -> Result<(), Fault>) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            inside.outputs = Vec::new();
            operation(inside)
        })
    }
}

/// Looks at a device without changing why the last operation failed; also after a panic.
///
/// # Safety
/// As [`behind`].
pub(crate) unsafe fn look(device: *const Device, look: impl FnOnce(&mut Inside) -> Result<(), Error>) -> Error {
    // SAFETY: as for this function.
    let entered = unsafe { behind(device) }.and_then(|device| {
        let broken = device.0.broken.load(Ordering::Relaxed);
        device.0.enter(true, |inside| {
            if broken && inside.failure.code != Error::Broken.code() {
                inside.failure = Failure { money_moved: true, ..Error::Broken.into() };
            }
            look(inside)
        })
    });
    match entered {
        Ok(Ok(())) => Error::Ok,
        Ok(Err(error)) | Err(error) => error,
    }
}

/// Ends what is behind a handle that came out of a box.
///
/// # Safety
/// As [`behind`]; the handle is not used again.
pub(crate) unsafe fn close<T>(handle: *mut T, guard: impl FnOnce(&T) -> bool) -> Error {
    // SAFETY: as for this function.
    match unsafe { behind(handle) } {
        Ok(behind) if guard(behind) => {}
        Ok(_) => return Error::Busy,
        Err(error) => return error,
    }
    // SAFETY: the handle came out of a box, and nobody is inside or will be.
    let owned = unsafe { Box::from_raw(handle) };
    match border::caught(|| drop(owned)) {
        Some(()) => Error::Ok,
        None => Error::Broken,
    }
}

/// Whether nobody is in a guarded thing; nobody will be.
pub(crate) fn retire<T>(guarded: &Guarded<T>) -> bool {
    guarded.retire()
}

/// Ends a device. What is under way in it goes on when it is opened again.
///
/// `device`: not to be used again, unless the answer is `SPECIE_ERROR_BUSY`: then it was called from one of its own
/// callbacks, and the device is as it was. Null does nothing but give `SPECIE_ERROR_POINTER`.
///
/// # Safety
/// `device` came from `specie_open` and was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_close(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe { close(device, |device| retire(&device.0)) }
}

/// Tells a part of why the last operation of this device that failed did, as text: `part` is a `specie_failure_part`.
///
/// It stays until another operation fails; asking changes nothing. Before the first failure the code is `ok`. Calls
/// that give `SPECIE_ERROR_BUSY`, `SPECIE_ERROR_CAPACITY` or `SPECIE_ERROR_NOTHING` leave it as it was. `buffer`,
/// `capacity`, `length`: as in `specie_output`.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_failure(
    device: *const Device,
    part: u32,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            let failure = &inside.failure;
            buffer.fill(match part {
                part if part == FailurePart::Code as u32 => failure.code.as_bytes(),
                part if part == FailurePart::What as u32 => failure.what.as_bytes(),
                part if part == FailurePart::Advice as u32 => failure.advice.as_bytes(),
                _ => return Err(Error::Argument),
            })
        })
    }
}

/// Whether money moved, or may have, in the last operation of this device that failed. Where it may have, the same call
/// again completes it, and moves nothing twice.
///
/// # Safety
/// `device` is open, `moved` leads to a `bool`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_money_moved(device: *const Device, moved: *mut bool) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            Out::new(moved)?.set(inside.failure.money_moved);
            Ok(())
        })
    }
}

/// Tells what an error number means, as text: `part` is a `specie_failure_part`. For `SPECIE_ERROR_NO_WALLET` and above
/// `specie_failure` knows more. `SPECIE_ERROR_ARGUMENT`: there is no such number. `buffer`, `capacity`, `length`: as in
/// `specie_output`.
///
/// # Safety
/// `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_error_text(
    error: i32,
    part: u32,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    let Some(error) = Error::ALL.iter().find(|known| **known as i32 == error) else { return Error::Argument };
    let text = match part {
        part if part == FailurePart::Code as u32 => error.code(),
        part if part == FailurePart::What as u32 => error.what(),
        part if part == FailurePart::Advice as u32 => error.advice(),
        _ => return Error::Argument,
    };
    // SAFETY: as for this function.
    match unsafe { Buffer::new(buffer, capacity, length) }.and_then(|buffer| buffer.fill(text.as_bytes())) {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// Tells how many things the last operation made, in the order in which they are handed over.
///
/// `specie_request`, `specie_pay` and others make messages. They stay with the device until the next operation that
/// makes something, `specie_outputs_drop` or `specie_close`.
///
/// # Safety
/// `device` is open, `count` leads to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_output_count(device: *const Device, count: *mut usize) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            Out::new(count)?.set(inside.outputs.len());
            Ok(())
        })
    }
}

/// Copies something that the last operation made.
///
/// `index`: from 0. `buffer`, `capacity`: the program's buffer and its bytes; the buffer may be null if it has none.
/// `length`: where the number of bytes goes that there are.
/// `SPECIE_ERROR_CAPACITY`: the buffer has less; nothing is in it, and the same with a larger one works.
/// `SPECIE_ERROR_NOTHING`: there is nothing at this index.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_output(
    device: *const Device,
    index: usize,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            buffer.fill(inside.outputs.get(index).ok_or(Error::Nothing)?)
        })
    }
}

/// Drops what the last operation made, where memory is short. The wallet keeps what it still needs.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_outputs_drop(device: *const Device) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            inside.outputs = Vec::new();
            Ok(())
        })
    }
}

/// A moment, where it is one.
pub(crate) fn moment(unix_seconds: u64) -> Result<Timestamp, Error> {
    Timestamp::new(unix_seconds).ok_or(Error::Argument)
}

/// No failure yet.
pub(crate) fn no_failure() -> Failure {
    Failure {
        code: Error::Ok.code(),
        what: Error::Ok.what().to_owned(),
        advice: Error::Ok.advice(),
        money_moved: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::specie_check;
    use crate::platform::testing::World;

    fn code(device: *const Device) -> std::vec::Vec<u8> {
        let (mut buffer, mut length) = ([0; 64], 0);
        // SAFETY: the device is open.
        let told = unsafe { specie_failure(device, 0, buffer.as_mut_ptr(), buffer.len(), &raw mut length) };
        assert_eq!(told, Error::Ok);
        buffer[..length].to_vec()
    }

    #[test]
    fn after_a_panic_a_device_can_only_be_looked_at_and_closed() {
        let world = World::new();
        let device = world.open();
        let mut moved = false;
        // SAFETY: the device is open, until it is closed.
        unsafe {
            assert_eq!(code(device), b"ok");
            assert_eq!(operate(device, |_| panic!("as it should")), Error::Broken);
            assert_eq!(specie_check(device), Error::Broken);
            assert_eq!(code(device), b"defect");
            assert_eq!(specie_money_moved(device, &raw mut moved), Error::Ok);
            assert!(moved, "nobody knows");
            assert_eq!(specie_close(device), Error::Ok);
        }
        // What was stored is there.
        let device = world.open();
        // SAFETY: the device is open, until it is closed.
        unsafe {
            assert_eq!(specie_check(device), Error::NoWallet);
            assert_eq!(specie_close(device), Error::Ok);
        }
    }

    #[test]
    fn outputs_stay_until_something_else_is_made() {
        let world = World::new();
        let device = world.open();
        let (mut buffer, mut length, mut count) = ([0; 4], 0, 0);
        // SAFETY: the device is open, until it is closed; the buffer is there.
        unsafe {
            let made = make(device, |inside| {
                inside.outputs = alloc::vec![alloc::vec![1, 2, 3], alloc::vec![], alloc::vec![9; 5]];
                Ok(())
            });
            assert_eq!(made, Error::Ok);
            assert_eq!(specie_output_count(device, &raw mut count), Error::Ok);
            let mut copy = |index| {
                (specie_output(device, index, buffer.as_mut_ptr(), buffer.len(), &raw mut length), length, buffer)
            };
            assert_eq!((count, copy(0)), (3, (Error::Ok, 3, [1, 2, 3, 0])));
            assert_eq!(copy(1).1, 0);
            assert_eq!(copy(2), (Error::Capacity, 5, [1, 2, 3, 0]));
            assert_eq!(copy(3).0, Error::Nothing);
            assert_eq!(make(device, |_| Err(Error::Argument.into())), Error::Argument);
            assert_eq!(copy(0).0, Error::Nothing);
            assert_eq!(code(device), b"bad-argument");
            assert_eq!(specie_close(device), Error::Ok);
        }
    }
}
