//! A secure element on a chip of its own: APDUs over a line that may lose bytes.

use alloc::boxed::Box;
use core::ffi::c_void;
use core::fmt;
use core::ptr;

use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::Link;
use specie_element::t1::reader::{Chip as Reader, Line};

use crate::border::{self, Buffer, Out};
use crate::error::Error;
use crate::handle::{Guarded, behind, close, retire};
use crate::memory;

/// A secure element on a chip of its own. `specie_chip_open` makes one, `specie_chip_close` ends it; the memory is the
/// library's.
pub struct Chip(Guarded<Reader<ChipLine>>);

/// A line to a chip: a UART with 115200 baud, 8 bits, no parity, one stop bit, or anything else that carries bytes in
/// order.
///
/// What is said of the functions of `specie_platform` holds for these too.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct LinePlatform {
    /// `sizeof(specie_line)`, by which versions of the structure are told apart.
    pub size: usize,
    /// Handed to every function.
    pub context: *mut c_void,
    /// Sends `length` bytes, and returns 0 once all are on their way.
    pub send: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, length: usize) -> i32>,
    /// Waits for a byte, `patience_ms` milliseconds at most, and writes it to `byte`. Returns 1 then, 0 where none came
    /// in that time, and anything else where the line does not work. This is where a watchdog is fed and the processor
    /// sleeps: a chip may take two minutes.
    pub receive: Option<unsafe extern "C" fn(context: *mut c_void, patience_ms: u32, byte: *mut u8) -> i32>,
}

/// A line to a chip over functions of the program.
pub(crate) struct ChipLine(LinePlatform);

/// The line does not work: what its function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineError(i32);

impl Line for ChipLine {
    type Error = LineError;

    fn send(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        let LinePlatform { context, send: Some(send), .. } = self.0 else { return Err(LineError(-1)) };
        // SAFETY: the program promises that the function fits its description; the bytes are there to be read.
        match unsafe { send(context, bytes.as_ptr(), bytes.len()) } {
            0 => Ok(()),
            failed => Err(LineError(failed)),
        }
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, LineError> {
        let LinePlatform { context, receive: Some(receive), .. } = self.0 else { return Err(LineError(-1)) };
        let mut byte = 0;
        // SAFETY: the program promises that the function fits its description; the byte is ours and writable.
        match unsafe { receive(context, patience_ms, ptr::from_mut(&mut byte)) } {
            1 => Ok(Some(byte)),
            0 => Ok(None),
            failed => Err(LineError(failed)),
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the function of the line returned {}", self.0)
    }
}

/// Prepares to talk to a chip. Nothing is sent before the first command.
///
/// `line`: copied. `token`: marks what is sent first, so that the chip's answer to an earlier life of the program is
/// not taken for one to this: a random number, or a count of power-ups. `chip`: where the handle goes, which the
/// program owns and ends with `specie_chip_close`.
///
/// # Safety
/// `line` fulfils what is said with it, `chip` leads to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_chip_open(line: *const LinePlatform, token: u32, chip: *mut *mut Chip) -> Error {
    let opened = || {
        memory::check_started()?;
        // SAFETY: as for this function; nothing behind the end of a structure of another version is read.
        let (line, out) = unsafe {
            if border::structure(line.cast::<usize>())? != size_of::<LinePlatform>() {
                return Err(Error::Argument);
            }
            (border::structure(line)?, Out::new(chip)?)
        };
        if line.send.is_none() || line.receive.is_none() {
            return Err(Error::Pointer);
        }
        let made = border::caught(|| Box::new(Chip(Guarded::new(Reader::new(ChipLine(line), token)))));
        out.set(Box::into_raw(made.ok_or(Error::Broken)?));
        Ok(())
    };
    match opened() {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// Sends a command APDU and waits for the answer: made to be called from `transmit` of `specie_platform`.
///
/// `answer`, `capacity`: where the answer goes, apart from the command, and at least 1030 bytes. They may hold anything
/// when this fails. `answer_length`: where the number of its bytes goes.
/// `SPECIE_ERROR_CAPACITY`, `SPECIE_ERROR_ARGUMENT`: the buffer is too small, or not apart; nothing was sent.
/// `SPECIE_ERROR_ELEMENT`: the chip gave no answer, and whether it carried the command out is unknown. The same again
/// is harmless, except for PINs, of which each try counts.
///
/// # Safety
/// `chip` is open, `command` leads to `length` bytes, `answer` to `capacity` bytes, `answer_length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_chip_transmit(
    chip: *mut Chip,
    command: *const u8,
    length: usize,
    answer: *mut u8,
    capacity: usize,
    answer_length: *mut usize,
) -> Error {
    let transmitted = || {
        // SAFETY: as for this function.
        let (chip, command, buffer) = unsafe {
            (behind(chip.cast_const())?, border::bytes(command, length)?, Buffer::new(answer, capacity, answer_length)?)
        };
        buffer.fill_with::<MAX_RESPONSE>(command, |response| {
            let length = chip.0.enter(false, |reader| reader.transmit(command, response).ok())?;
            length.filter(|length| *length <= MAX_RESPONSE).ok_or(Error::Element)
        })
    };
    match transmitted() {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// Ends the talk to a chip, as `specie_close` ends a device. Close the device that uses it first.
///
/// # Safety
/// `chip` came from `specie_chip_open` and was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_chip_close(chip: *mut Chip) -> Error {
    // SAFETY: as for this function.
    unsafe { close(chip, |chip| retire(&chip.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that nobody answers at; it tries to get into the chip that it is for.
    struct Silence {
        chip: *mut Chip,
        tried: u32,
    }

    /// # Safety
    /// `context` is a silence, and nobody else uses it now.
    unsafe fn silence<'a>(context: *mut c_void) -> &'a mut Silence {
        // SAFETY: as for this function.
        unsafe { &mut *context.cast() }
    }

    unsafe extern "C" fn send(context: *mut c_void, bytes: *const u8, length: usize) -> i32 {
        // SAFETY: the context is a silence.
        let silence = unsafe { silence(context) };
        let (mut answer, mut answered) = ([0; MAX_RESPONSE], 0);
        let (answer, capacity) = (answer.as_mut_ptr(), answer.len());
        // SAFETY: the chip is open, if busy; the bytes are there.
        unsafe {
            let inner = specie_chip_transmit(silence.chip, bytes, length, answer, capacity, &raw mut answered);
            assert_eq!(inner, Error::Busy);
            assert_eq!(specie_chip_close(silence.chip), Error::Busy);
        }
        silence.tried += 1;
        0
    }

    unsafe extern "C" fn receive(_context: *mut c_void, _patience_ms: u32, _byte: *mut u8) -> i32 {
        0
    }

    #[test]
    fn a_chip_that_is_silent_is_given_up_and_cannot_be_entered_twice() {
        let context = Box::into_raw(Box::new(Silence { chip: ptr::null_mut(), tried: 0 }));
        let (send, receive) = (Some(send as _), Some(receive as _));
        let line = LinePlatform { size: size_of::<LinePlatform>(), context: context.cast(), send, receive };
        let mut chip = ptr::null_mut();
        let (mut answer, mut length) = ([0; MAX_RESPONSE], 0);
        // SAFETY: the line is whole and outlives the chip; the buffers are there.
        unsafe {
            assert_eq!(specie_chip_open(&raw const line, 1, &raw mut chip), Error::Ok);
            (*context).chip = chip;
            let command = [0x80, 0x32, 0, 0];
            let transmitted =
                specie_chip_transmit(chip, command.as_ptr(), 4, answer.as_mut_ptr(), answer.len(), &raw mut length);
            assert_eq!(transmitted, Error::Element);
            assert_eq!(specie_chip_close(chip), Error::Ok);
            assert!(Box::from_raw(context).tried > 1);
        }
    }
}
