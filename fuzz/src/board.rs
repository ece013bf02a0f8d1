//! What a program in C gives its wallet: a flash in memory and an element, by functions and a pointer.

use core::ffi::c_void;
use core::{ptr, slice};

use specie_capi::error::Error;
use specie_capi::handle::{Device, specie_close};
use specie_capi::life::{specie_check, specie_create, specie_open};
use specie_capi::platform::Platform;
use specie_element::apdu::MAX_RESPONSE;

use crate::{Element, lives};

/// Bytes of the flash and of its pages.
const FLASH: usize = 32 * 1024;
const PAGE: usize = 2048;

/// A device in C: only ever reached by pointers, as there.
pub struct Board {
    inside: *mut Inside,
    device: *mut Device,
}

struct Inside {
    flash: Vec<u8>,
    element: Element,
    /// So many more operations of the flash work.
    works: Option<u32>,
    random: u64,
}

impl Board {
    /// A device whose element is in the middle of its life; a wallet is made where that works.
    pub fn new(moment: u8) -> Self {
        let inside = Inside { flash: vec![0xFF; FLASH], element: lives().element(moment), works: None, random: 1 };
        let mut board = Self { inside: Box::into_raw(Box::new(inside)), device: ptr::null_mut() };
        board.open();
        // SAFETY: the device is open. An element that is not personalised makes no wallet.
        unsafe { specie_create(board.device, [2; 32].as_ptr()) };
        board
    }

    /// The handle.
    pub fn device(&self) -> *mut Device {
        self.device
    }

    /// From now on the flash fails after so many operations.
    pub fn fail_after(&mut self, operations: u32) {
        self.inside().works = Some(operations);
    }

    /// Takes the power and gives it back: what there was, is there.
    pub fn restart(&mut self) {
        self.inside().works = None;
        // SAFETY: the device is open.
        let before = unsafe { specie_check(self.device) };
        self.close();
        self.open();
        // SAFETY: the device is open.
        let after = unsafe { specie_check(self.device) };
        // One that could not be read may be readable now.
        assert!(before != Error::Ok || after == Error::Ok, "{before:?} before, {after:?} after");
    }

    fn open(&mut self) {
        let platform = Platform {
            size: size_of::<Platform>(),
            context: self.inside.cast(),
            flash_length: FLASH as u32,
            flash_page: PAGE as u32,
            random_bits: 8,
            flash_read: Some(read),
            flash_program: Some(program),
            flash_erase: Some(erase),
            transmit: Some(transmit),
            random: Some(random),
        };
        // SAFETY: the platform is whole, and outlives the device.
        let opened = unsafe { specie_open(&raw const platform, &raw mut self.device) };
        assert_eq!(opened, Error::Ok);
    }

    fn close(&mut self) {
        // SAFETY: the device is open, and not used again.
        assert_eq!(unsafe { specie_close(self.device) }, Error::Ok);
    }

    fn inside(&mut self) -> &mut Inside {
        // SAFETY: no function of the platform runs now.
        unsafe { &mut *self.inside }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.close();
        // SAFETY: it came out of a box, and the device is gone.
        drop(unsafe { Box::from_raw(self.inside) });
    }
}

impl Inside {
    fn works(&mut self) -> bool {
        match &mut self.works {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// # Safety
/// `context` is of a board, and nobody else uses it now.
unsafe fn inside<'a>(context: *mut c_void) -> &'a mut Inside {
    // SAFETY: as for this function.
    unsafe { &mut *context.cast() }
}

unsafe extern "C" fn read(context: *mut c_void, address: u32, bytes: *mut u8, length: usize) -> i32 {
    // SAFETY: the library gives as much room as it says.
    let (inside, bytes) = unsafe { (inside(context), slice::from_raw_parts_mut(bytes, length)) };
    bytes.copy_from_slice(&inside.flash[address as usize..][..length]);
    0
}

unsafe extern "C" fn program(context: *mut c_void, address: u32, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the library gives as many bytes as it says.
    let (inside, bytes) = unsafe { (inside(context), slice::from_raw_parts(bytes, length)) };
    for (at, byte) in (address as usize..).zip(bytes) {
        if at.is_multiple_of(16) && !inside.works() {
            return 1;
        }
        assert_eq!(inside.flash[at], 0xFF, "programmed twice");
        inside.flash[at] = *byte;
    }
    0
}

unsafe extern "C" fn erase(context: *mut c_void, address: u32) -> i32 {
    // SAFETY: the context is of a board.
    let inside = unsafe { inside(context) };
    if !inside.works() {
        return 2;
    }
    inside.flash[address as usize..][..PAGE].fill(0xFF);
    0
}

unsafe extern "C" fn transmit(
    context: *mut c_void,
    command: *const u8,
    length: usize,
    answer: *mut u8,
    capacity: usize,
    answer_length: *mut usize,
) -> i32 {
    // SAFETY: the library gives as many bytes, and as much room, as it says.
    let (inside, command, answer) = unsafe {
        (inside(context), slice::from_raw_parts(command, length), slice::from_raw_parts_mut(answer, capacity))
    };
    assert!(capacity >= MAX_RESPONSE);
    let answered = inside.element.process(command, answer);
    // SAFETY: the library gives a place for it.
    unsafe { answer_length.write(answered) };
    0
}

unsafe extern "C" fn random(context: *mut c_void, bytes: *mut u8, length: usize) -> i32 {
    // SAFETY: the library gives as much room as it says.
    let (inside, bytes) = unsafe { (inside(context), slice::from_raw_parts_mut(bytes, length)) };
    for byte in bytes {
        inside.random = inside.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (inside.random >> 33) as u8;
    }
    0
}
