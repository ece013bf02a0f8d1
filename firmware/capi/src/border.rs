//! What C hands over, checked before it is believed; what goes back to it; and panics, which stay on this side.

use core::mem::align_of;
use core::ptr::{self, NonNull};
use core::slice;

use crate::error::Error;

/// Where one value goes back to C.
pub(crate) struct Out<T>(NonNull<T>);

/// Where bytes go back to C: a buffer with a capacity, and where their length goes.
pub(crate) struct Buffer {
    bytes: *mut u8,
    capacity: usize,
    length: Out<usize>,
}

impl<T> Out<T> {
    /// Where `pointer` points.
    ///
    /// # Safety
    /// Unless null or misaligned, `pointer` leads to memory for a `T` that the caller of the library owns, and that is
    /// left alone until the value is set or dropped.
    pub(crate) unsafe fn new(pointer: *mut T) -> Result<Self, Error> {
        let pointer = NonNull::new(pointer).filter(|pointer| pointer.as_ptr().addr().is_multiple_of(align_of::<T>()));
        pointer.map(Self).ok_or(Error::Pointer)
    }

    /// As [`Out::new`], where C may pass null to say that it does not care.
    ///
    /// # Safety
    /// As [`Out::new`].
    pub(crate) unsafe fn optional(pointer: *mut T) -> Result<Option<Self>, Error> {
        // SAFETY: as for this function.
        if pointer.is_null() { Ok(None) } else { unsafe { Self::new(pointer) }.map(Some) }
    }

    /// Writes the value.
    pub(crate) fn set(self, value: T) {
        // SAFETY: by `new`, this is memory for a `T`; nothing in it is dropped, and it need not be initialised.
        unsafe { self.0.as_ptr().write(value) };
    }
}

impl Buffer {
    /// The buffer at `bytes`; null is one without capacity.
    ///
    /// # Safety
    /// Unless null, `bytes` leads to `capacity` bytes that the caller of the library owns, and `length` is as in
    /// [`Out::new`]; they are left alone until the buffer is filled or dropped.
    pub(crate) unsafe fn new(bytes: *mut u8, capacity: usize, length: *mut usize) -> Result<Self, Error> {
        check_extent(bytes, capacity)?;
        if bytes.is_null() && capacity > 0 {
            return Err(Error::Pointer);
        }
        // SAFETY: as for this function.
        Ok(Self { bytes, capacity, length: unsafe { Out::new(length) }? })
    }

    /// How many bytes it takes.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Lets `fill` write to its first `N` bytes and say how many count. None of them may be of `lent`.
    pub(crate) fn fill_with<const N: usize>(
        self,
        lent: &[u8],
        fill: impl FnOnce(&mut [u8; N]) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        if self.capacity < N {
            self.length.set(N);
            return Err(Error::Capacity);
        }
        let (start, range) = (self.bytes.addr(), lent.as_ptr_range());
        if !lent.is_empty() && start < range.end.addr() && range.start.addr() < start + N {
            return Err(Error::Argument);
        }
        // SAFETY: by `new` there are `N` bytes there that C owns and leaves alone; they overlap nothing that is lent,
        // and hold something once they are zeroed.
        let bytes = unsafe {
            self.bytes.write_bytes(0, N);
            &mut *self.bytes.cast::<[u8; N]>()
        };
        self.length.set(fill(bytes)?);
        Ok(())
    }

    /// Copies `made` to it, if all of it fits; the length goes back either way.
    pub(crate) fn fill(self, made: &[u8]) -> Result<(), Error> {
        self.length.set(made.len());
        if made.len() > self.capacity {
            return Err(Error::Capacity);
        }
        if !made.is_empty() {
            // SAFETY: by `new` there are `capacity` bytes there that C owns; `made` lies in memory of this side.
            unsafe { ptr::copy_nonoverlapping(made.as_ptr(), self.bytes, made.len()) };
        }
        Ok(())
    }
}

/// Bytes that C lends until the function returns.
///
/// # Safety
/// Unless null, `pointer` leads to `length` bytes that nobody changes for as long as `'a`.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> Result<&'a [u8], Error> {
    check_extent(pointer, length)?;
    match (pointer.is_null(), length) {
        // In C an empty slice may be null.
        (_, 0) => Ok(&[]),
        (true, _) => Err(Error::Pointer),
        // SAFETY: it is not null, so by the caller's word there are `length` bytes there.
        (false, _) => Ok(unsafe { slice::from_raw_parts(pointer, length) }),
    }
}

/// Exactly `N` bytes.
///
/// # Safety
/// Unless null, `pointer` leads to `N` bytes.
pub(crate) unsafe fn array<const N: usize>(pointer: *const u8) -> Result<[u8; N], Error> {
    // SAFETY: as for this function.
    let bytes = unsafe { bytes(pointer, N) }?;
    bytes.try_into().map_err(|_| Error::Pointer)
}

/// UTF-8 text that C lends until the function returns.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(pointer: *const core::ffi::c_char, length: usize) -> Result<&'a str, Error> {
    // SAFETY: as for this function.
    let bytes = unsafe { bytes(pointer.cast(), length) }?;
    str::from_utf8(bytes).map_err(|_| Error::Argument)
}

/// A structure of numbers and pointers that C lends; a copy of it.
///
/// # Safety
/// Unless null or misaligned, `pointer` leads to a `T`. Every pattern of bits is a `T`.
pub(crate) unsafe fn structure<T: Copy>(pointer: *const T) -> Result<T, Error> {
    if pointer.is_null() || !pointer.addr().is_multiple_of(align_of::<T>()) {
        return Err(Error::Pointer);
    }
    // SAFETY: it is neither null nor misaligned, so by the caller's word there is a `T`.
    Ok(unsafe { pointer.read() })
}

/// Runs `operation`; `None` if it panicked.
#[cfg(not(target_os = "none"))]
pub(crate) fn caught<T>(operation: impl FnOnce() -> T) -> Option<T> {
    // What a panic left half done is never used again: the handle is broken then.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(operation)).ok()
}

/// Runs `operation`; a panic ends the program here (see [`crate::memory`]).
#[cfg(target_os = "none")]
pub(crate) fn caught<T>(operation: impl FnOnce() -> T) -> Option<T> {
    Some(operation())
}

/// No object is longer than half the address space, or goes round its end.
pub(crate) fn check_extent(pointer: *const u8, length: usize) -> Result<(), Error> {
    if isize::try_from(length).is_ok() && pointer.addr().checked_add(length).is_some() {
        Ok(())
    } else {
        Err(Error::Argument)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_empty_or_an_error() {
        // SAFETY: null leads nowhere, and says so.
        unsafe {
            assert_eq!(bytes(ptr::null(), 0), Ok(&[][..]));
            assert_eq!(bytes(ptr::null(), 1), Err(Error::Pointer));
            assert_eq!(array::<32>(ptr::null()), Err(Error::Pointer));
            assert_eq!(structure::<u32>(ptr::null()), Err(Error::Pointer));
            assert!(Out::<u32>::new(ptr::null_mut()).is_err());
            assert!(matches!(Out::<u32>::optional(ptr::null_mut()), Ok(None)));
        }
    }

    #[test]
    fn lengths_that_no_object_has_are_refused() {
        let byte = 0;
        // SAFETY: the lengths are refused before anything is read.
        unsafe {
            assert_eq!(bytes(&raw const byte, usize::MAX), Err(Error::Argument));
            assert_eq!(bytes(&raw const byte, isize::MAX as usize + 1), Err(Error::Argument));
            let mut length = 0;
            let mut byte = 0;
            assert!(Buffer::new(&raw mut byte, usize::MAX, &raw mut length).is_err());
        }
    }

    #[test]
    fn what_is_not_aligned_is_refused() {
        let mut words = [0_u32; 2];
        let between = (&raw mut words).cast::<u8>().wrapping_add(1).cast::<u32>();
        // SAFETY: the pointer is refused before it is used.
        unsafe {
            assert!(Out::new(between).is_err());
            assert!(structure(between.cast_const()).is_err());
        }
    }

    #[test]
    fn a_buffer_is_filled_whole_or_not_at_all() {
        let (mut buffer, mut length) = ([7_u8; 4], 0);
        let mut fill = |capacity, made: &[u8]| {
            // SAFETY: the buffer has at least `capacity` bytes.
            let filled =
                unsafe { Buffer::new((&raw mut buffer).cast(), capacity, &raw mut length) }.unwrap().fill(made);
            (filled, length, buffer)
        };
        assert_eq!(fill(4, &[1, 2, 3]), (Ok(()), 3, [1, 2, 3, 7]));
        assert_eq!(fill(2, &[9, 9, 9]), (Err(Error::Capacity), 3, [1, 2, 3, 7]));
        assert_eq!(fill(0, &[]), (Ok(()), 0, [1, 2, 3, 7]));
    }

    #[test]
    fn a_buffer_to_be_written_is_large_enough_and_apart_from_what_is_lent() {
        let mut bytes = [7_u8; 8];
        let start = (&raw mut bytes).cast::<u8>();
        let fill = |from: usize, capacity, lent: (usize, usize)| {
            let mut length = 0;
            // SAFETY: all of it lies within the bytes, and nobody else uses them now.
            let filled = unsafe {
                let lent = slice::from_raw_parts(start.add(lent.0).cast_const(), lent.1);
                let buffer = Buffer::new(start.add(from), capacity, &raw mut length).unwrap();
                buffer.fill_with::<4>(lent, |bytes| {
                    *bytes = [1, 2, 3, 4];
                    Ok(2)
                })
            };
            (filled, length)
        };
        assert_eq!(fill(4, 4, (0, 4)), (Ok(()), 2));
        assert_eq!(fill(4, 3, (0, 4)), (Err(Error::Capacity), 4));
        assert_eq!(fill(3, 4, (0, 4)), (Err(Error::Argument), 0));
        assert_eq!(fill(0, 4, (3, 4)), (Err(Error::Argument), 0));
        assert_eq!(fill(0, 4, (2, 1)), (Err(Error::Argument), 0));
        assert_eq!(fill(0, 4, (2, 0)), (Ok(()), 2));
        assert_eq!(bytes, [1, 2, 3, 4, 1, 2, 3, 4]);
    }

    #[test]
    fn panics_do_not_get_out() {
        assert_eq!(caught(|| 1), Some(1));
        assert_eq!(caught(|| -> u8 { panic!("as it should") }), None);
    }
}
