//! Opening and making a device, and the PIN of its element.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_void;

use specie_core::signature::PublicKey;
use specie_element::client;
use specie_embedded::terminal::Terminal;
use specie_wallet::element::ElementFault;

use crate::border::{self, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, Inside, no_failure, operate};
use crate::memory;
use crate::platform::Platform;
use crate::work::Work;

/// Opens the device in a flash, as it was when the power went off.
///
/// `platform`: copied; what it must fulfil stands with it. `device`: where the handle goes, which the program owns and
/// ends with `specie_close`. There is one even where the flash holds no wallet or cannot be read: `specie_check` says
/// so.
///
/// `SPECIE_ERROR_ARGUMENT`: the structure has another size, or its flash or `random_bits` do not suit.
/// `SPECIE_ERROR_POINTER`: something in it is null.
///
/// # Safety
/// `platform` fulfils what is said with it, `device` leads to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_open(platform: *const Platform, device: *mut *mut Device) -> Error {
    let opened = || {
        memory::check_started()?;
        // SAFETY: as for this function.
        let (platform, out) = unsafe { (read_platform(platform)?, Out::new(device)?) };
        let parts = platform.into_parts()?;
        let opened = border::caught(|| {
            let terminal = Terminal::new(parts);
            Device::new(Inside { terminal, outputs: Vec::new(), work: Work::None, failure: no_failure() })
        });
        out.set(Box::into_raw(opened.ok_or(Error::Broken)?));
        Ok(())
    };
    match opened() {
        Ok(()) => Error::Ok,
        Err(error) => error,
    }
}

/// Whether the device has a wallet: `SPECIE_ERROR_OK`, or why not. `SPECIE_ERROR_NO_WALLET`: the flash holds none, and
/// `specie_create` makes one. `SPECIE_ERROR_STORAGE` and others: there is one, or may be; restart, and try again.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_check(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe { operate(device, |inside| inside.terminal.open_device().map(drop).map_err(Fault::from)) }
}

/// Makes an empty wallet around a personalised element, in a flash that holds none.
///
/// `root_key`: 32 bytes, the key of the central bank that the wallet obeys for ever.
/// `SPECIE_ERROR_REFUSED` with the code `wallet-exists`: there is one, and it stays.
///
/// # Safety
/// `device` is open, `root_key` leads to 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_create(device: *mut Device, root_key: *const u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let root = PublicKey(border::array(root_key)?);
            Ok(inside.terminal.create(root)?)
        })
    }
}

/// Tells the element its PIN, once after each time it got its power, if one is set. Wrong tries are counted by the
/// element.
///
/// # Safety
/// `device` is open, `pin` leads to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_pin(device: *mut Device, pin: *const u8, length: usize) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let pin = border::bytes(pin, length)?;
            let element = inside.terminal.open_device()?.element();
            element_done(client::verify(element, pin).map_err(ElementFault::from))
        })
    }
}

/// Sets the element's PIN. `old` is empty while none is set. Counts as `specie_pin`.
///
/// # Safety
/// `device` is open, `old` and `new_pin` lead to as many bytes as is said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_change_pin(
    device: *mut Device,
    old: *const u8,
    old_length: usize,
    new_pin: *const u8,
    new_length: usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (old, new) = (border::bytes(old, old_length)?, border::bytes(new_pin, new_length)?);
            let element = inside.terminal.open_device()?.element();
            element_done(client::change_pin(element, old, new).map_err(ElementFault::from))
        })
    }
}

fn element_done(done: Result<(), ElementFault>) -> Result<(), Fault> {
    done.map_err(|fault| Fault::Failure(fault.into()))
}

/// The platform, where it has the size that it has here: nothing behind the end of another one is read.
///
/// # Safety
/// Unless null, `platform` leads to a structure as long as its first field says.
unsafe fn read_platform(platform: *const Platform) -> Result<Platform, Error> {
    // SAFETY: the first field is a size, whatever follows.
    let size = unsafe { border::structure(platform.cast::<usize>()) }?;
    if size != size_of::<Platform>() {
        return Err(Error::Argument);
    }
    // SAFETY: it is as long as it is here. Addresses of functions are the program's to vouch for.
    unsafe { border::structure(platform) }
}

const _: () = assert!(align_of::<Platform>() == align_of::<*mut c_void>());

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::*;
    use crate::handle::{FailurePart, specie_close, specie_failure};
    use crate::platform::testing::World;

    #[test]
    fn an_empty_flash_has_no_wallet_and_an_element_that_answers_nothing_makes_none() {
        let world = World::new();
        let device = world.open();
        // SAFETY: the device is open, the key 32 bytes.
        unsafe {
            assert_eq!(specie_check(device), Error::NoWallet);
            assert_eq!(code(device), "no-wallet");
            assert_eq!(specie_create(device, ptr::null()), Error::Pointer);
            assert_eq!(specie_create(device, [0; 32].as_ptr()), Error::Element);
            assert_eq!(code(device), "element-unreachable");
            assert_eq!(specie_check(device), Error::NoWallet);
            assert_eq!(specie_close(device), Error::Ok);
        }
    }

    #[test]
    fn platforms_that_make_no_sense_are_refused() {
        let world = World::new();
        let good = world.platform();
        let mut device = ptr::null_mut();
        let mut refused = |platform: Platform, error| {
            // SAFETY: the structure is whole.
            assert_eq!(unsafe { specie_open(&raw const platform, &raw mut device) }, error);
            assert!(device.is_null());
        };
        refused(Platform { size: good.size - 1, ..good }, Error::Argument);
        refused(Platform { flash_page: 0, ..good }, Error::Argument);
        refused(Platform { flash_page: 3000, ..good }, Error::Argument);
        refused(Platform { flash_length: good.flash_page, ..good }, Error::Argument);
        refused(Platform { random_bits: 9, ..good }, Error::Argument);
        refused(Platform { random_bits: 0, ..good }, Error::Argument);
        refused(Platform { flash_read: None, ..good }, Error::Pointer);
        refused(Platform { random: None, ..good }, Error::Pointer);
        // SAFETY: null is refused.
        unsafe {
            assert_eq!(specie_open(ptr::null(), &raw mut device), Error::Pointer);
            assert_eq!(specie_open(&raw const good, ptr::null_mut()), Error::Pointer);
        }
    }

    #[test]
    fn a_callback_cannot_call_and_cannot_close() {
        let world = World::new();
        let device = world.open();
        world.calls_back(device);
        // SAFETY: the device is open.
        unsafe {
            assert_eq!(specie_create(device, [0; 32].as_ptr()), Error::Element);
            assert_eq!(world.called_back(), [Error::Busy, Error::Busy, Error::Busy]);
            assert_eq!(specie_close(device), Error::Ok);
        }
    }

    fn code(device: *mut Device) -> std::string::String {
        let (mut buffer, mut length) = ([0; 64], 0);
        // SAFETY: the device is open.
        let told = unsafe {
            specie_failure(device, FailurePart::Code as u32, buffer.as_mut_ptr(), buffer.len(), &raw mut length)
        };
        assert_eq!(told, Error::Ok);
        std::string::String::from_utf8(buffer[..length].to_vec()).unwrap()
    }
}
