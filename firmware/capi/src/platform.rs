//! What the library asks of the program in C: flash, secure element, noise.

use core::ffi::c_void;
use core::fmt;
use core::ptr;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use specie_element::client::Link;
use specie_element::entropy::{Entropy, MinEntropy, NoiseSource};
use specie_embedded::device::Parts;
use zeroize::Zeroize;

use crate::error::Error;

/// Everything that the library asks of the program, in one structure.
///
/// The structure is copied; `context` is handed to every function as it is and has to stay until the device is closed.
/// The functions are called only within calls of the library, by the thread that made the call, never two at once. They
/// must come back (no `longjmp`, no exceptions), must not call a function with the device that they are called for, and
/// keep no pointer that they are given. They return 0 when it was done, and anything else when it was not: that number
/// is told in the text of the failure.
///
/// The flash is NOR flash of `flash_length` bytes from address 0 on, which is the library's alone. Programming clears
/// bits, erasing sets a page to ones. After a power cut within a call a unit being programmed, or a page being erased,
/// may hold anything; everything else has to be as it was. The library programs whole units of 16 bytes, each once
/// between two times that it is erased, so it suits flashes with words of 1, 2, 4, 8 and 16 bytes. What it programs it
/// reads back.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Platform {
    /// `sizeof(specie_platform)`, by which versions of the structure are told apart.
    pub size: usize,
    /// Handed to every function.
    pub context: *mut c_void,
    /// Bytes of the flash: two pages at least. What is in it at once has room in half of it, a quarter of which is
    /// kept free; below 48 kB a wallet is cramped.
    pub flash_length: u32,
    /// Bytes of the pages that are erased: a power of two, 256 at least.
    pub flash_page: u32,
    /// Bits of min-entropy in each byte that `random` gives, 1 to 8. 8 suits a generator whose output was conditioned,
    /// like that of an operating system; a raw noise source has what its assessment says.
    pub random_bits: u32,
    /// Reads `length` bytes from `address` on.
    pub flash_read:
        Option<unsafe extern "C" fn(context: *mut c_void, address: u32, bytes: *mut u8, length: usize) -> i32>,
    /// Programs `length` bytes from `address` on; both are multiples of 16.
    pub flash_program:
        Option<unsafe extern "C" fn(context: *mut c_void, address: u32, bytes: *const u8, length: usize) -> i32>,
    /// Erases the page of `flash_page` bytes at `address`.
    pub flash_erase: Option<unsafe extern "C" fn(context: *mut c_void, address: u32) -> i32>,
    /// Sends a command APDU to the secure element and waits for its answer: at most `capacity` (at least 1030) bytes
    /// with the status word at their end, of which it writes the number to `answer_length`. When it fails, the library
    /// may have it send the same command again later. `specie_chip_transmit` does it for an element on a chip of its
    /// own.
    pub transmit: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            command: *const u8,
            length: usize,
            answer: *mut u8,
            capacity: usize,
            answer_length: *mut usize,
        ) -> i32,
    >,
    /// Fills `bytes` with noise. The library tests it (NIST SP 800-90B, §4.4) and hashes it before it uses it; a device
    /// whose noise failed the test gives `SPECIE_ERROR_RANDOMNESS` from then on.
    pub random: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut u8, length: usize) -> i32>,
}

/// What a function of the program returned instead of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallbackError {
    /// This.
    Returned(i32),
    /// An answer longer than the room for it.
    TooLong,
    /// Address or length out of line or out of bounds.
    Misused(NorFlashErrorKind),
}

/// The flash behind the functions of a platform.
///
/// Pages are told to the records as if they had [`Flash::ERASE_SIZE`] bytes, whatever size they have: the size is known
/// only when the program runs. The records erase halves of the flash as a whole and in order, so a page is erased when
/// its first part is, and nothing is left to do for its other parts.
pub(crate) struct Flash(Platform);

/// The element behind the function of a platform.
pub(crate) struct SecureElement(Platform);

/// Noise from the function of a platform, taken a few bytes at a time.
pub(crate) struct Noise {
    platform: Platform,
    bytes: [u8; 64],
    left: usize,
}

/// What the library makes a device of.
pub(crate) type PlatformParts = Parts<Flash, SecureElement, Entropy<Noise>>;

impl Platform {
    /// The parts of a device, where the structure makes sense.
    pub(crate) fn into_parts(self) -> Result<PlatformParts, Error> {
        let complete = self.flash_read.is_some()
            && self.flash_program.is_some()
            && self.flash_erase.is_some()
            && self.transmit.is_some()
            && self.random.is_some();
        if !complete {
            return Err(Error::Pointer);
        }
        let page = self.flash_page as usize;
        let pages = page.is_power_of_two() && page >= Flash::ERASE_SIZE && self.flash_length / 2 >= self.flash_page;
        let bits = u8::try_from(self.random_bits).ok().and_then(MinEntropy::from_bits).ok_or(Error::Argument)?;
        if !pages || self.size != size_of::<Self>() {
            return Err(Error::Argument);
        }
        let noise = Noise { platform: self, bytes: [0; 64], left: 0 };
        Ok(Parts { flash: Flash(self), element: SecureElement(self), random: Entropy::with_min_entropy(noise, bits) })
    }
}

impl ErrorType for Flash {
    type Error = CallbackError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), CallbackError> {
        check_read(self, address, bytes.len()).map_err(CallbackError::Misused)?;
        let Platform { context, flash_read: Some(read), .. } = self.0 else { return Err(ABSENT) };
        // SAFETY: the program promises that the function fits its description; the bytes are ours and writable.
        checked(unsafe { read(context, address, bytes.as_mut_ptr(), bytes.len()) })
    }

    fn capacity(&self) -> usize {
        // Two halves of whole pages.
        let two_pages = 2 * self.0.flash_page as usize;
        self.0.flash_length as usize / two_pages * two_pages
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 16;
    const ERASE_SIZE: usize = 256;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), CallbackError> {
        check_erase(self, from, to).map_err(CallbackError::Misused)?;
        let Platform { context, flash_page, flash_erase: Some(erase), .. } = self.0 else { return Err(ABSENT) };
        for part in (from..to).step_by(Self::ERASE_SIZE) {
            if part.is_multiple_of(flash_page) {
                // SAFETY: the program promises that the function fits its description.
                checked(unsafe { erase(context, part) })?;
            }
        }
        Ok(())
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), CallbackError> {
        check_write(self, address, bytes.len()).map_err(CallbackError::Misused)?;
        let Platform { context, flash_program: Some(program), .. } = self.0 else { return Err(ABSENT) };
        // SAFETY: the program promises that the function fits its description; the bytes are there to be read.
        checked(unsafe { program(context, address, bytes.as_ptr(), bytes.len()) })
    }
}

impl Link for SecureElement {
    type Error = CallbackError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, CallbackError> {
        let Platform { context, transmit: Some(transmit), .. } = self.0 else { return Err(ABSENT) };
        let mut length = 0;
        // SAFETY: the program promises that the function fits its description; command and response are there for as
        // long as the call.
        let returned = unsafe {
            transmit(
                context,
                command.as_ptr(),
                command.len(),
                response.as_mut_ptr(),
                response.len(),
                ptr::from_mut(&mut length),
            )
        };
        checked(returned)?;
        if length > response.len() { Err(CallbackError::TooLong) } else { Ok(length) }
    }
}

impl NoiseSource for Noise {
    fn sample(&mut self) -> Option<u8> {
        let Platform { context, random: Some(random), .. } = self.platform else { return None };
        if self.left == 0 {
            // SAFETY: the program promises that the function fits its description; the bytes are ours and writable.
            let returned = unsafe { random(context, self.bytes.as_mut_ptr(), self.bytes.len()) };
            checked(returned).ok()?;
            self.left = self.bytes.len();
        }
        self.left -= 1;
        // No sample stays behind.
        Some(core::mem::take(&mut self.bytes[self.left]))
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl NorFlashError for CallbackError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misused(kind) => *kind,
            Self::Returned(_) | Self::TooLong => NorFlashErrorKind::Other,
        }
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(number) => write!(f, "the function of the platform returned {number}"),
            Self::TooLong => f.write_str("the function of the platform told of more bytes than there is room for"),
            Self::Misused(kind) => write!(f, "{kind}"),
        }
    }
}

/// Never seen: [`Platform::into_parts`] takes no structure without all its functions.
const ABSENT: CallbackError = CallbackError::Returned(-1);

fn checked(returned: i32) -> Result<(), CallbackError> {
    if returned == 0 { Ok(()) } else { Err(CallbackError::Returned(returned)) }
}

#[cfg(test)]
#[path = "platform/testing.rs"]
pub(crate) mod testing;
