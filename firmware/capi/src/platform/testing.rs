//! A platform in memory whose element never answers, and which may call back.

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::handle::{Device, specie_close, specie_output_count};
use crate::life::{specie_check, specie_open};

/// A flash of so many bytes.
const FLASH: usize = 8 * 2048;

/// Only ever reached by this pointer, as a C program would have it.
pub(crate) struct World(*mut Store);

/// Flash, and what happened when the element was asked.
struct Store {
    flash: Vec<u8>,
    fails: i32,
    target: *mut Device,
    called: Vec<Error>,
}

impl World {
    pub(crate) fn new() -> Self {
        let store = Store { flash: vec![0xFF; FLASH], fails: 0, target: ptr::null_mut(), called: Vec::new() };
        Self(Box::into_raw(Box::new(store)))
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform {
            size: size_of::<Platform>(),
            context: self.0.cast(),
            flash_length: FLASH as u32,
            flash_page: 2048,
            random_bits: 8,
            flash_read: Some(read),
            flash_program: Some(program),
            flash_erase: Some(erase),
            transmit: Some(transmit),
            random: Some(random),
        }
    }

    pub(crate) fn open(&self) -> *mut Device {
        let (platform, mut device) = (self.platform(), ptr::null_mut());
        // SAFETY: the platform is whole, and lives as long as the test.
        assert_eq!(unsafe { specie_open(&raw const platform, &raw mut device) }, Error::Ok);
        device
    }

    pub(crate) fn calls_back(&self, device: *mut Device) {
        self.store().target = device;
    }

    pub(crate) fn called_back(&self) -> Vec<Error> {
        self.store().called.clone()
    }

    #[allow(clippy::mut_from_ref, reason = "used for a moment each time, and never while the library is called")]
    fn store(&self) -> &mut Store {
        // SAFETY: the store lives as long as this, and no other reference does now.
        unsafe { &mut *self.0 }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: it came out of a box, and no device is used any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// # Safety
/// `context` is a store, and no other reference to it is in use.
unsafe fn store<'a>(context: *mut c_void) -> &'a mut Store {
    // SAFETY: as for this function.
    unsafe { &mut *context.cast() }
}

unsafe extern "C" fn read(context: *mut c_void, address: u32, bytes: *mut u8, length: usize) -> i32 {
    // SAFETY: the library gives as much room as it says.
    unsafe {
        let store = store(context);
        ptr::copy_nonoverlapping(store.flash[address as usize..][..length].as_ptr(), bytes, length);
        store.fails
    }
}

unsafe extern "C" fn program(context: *mut c_void, address: u32, bytes: *const u8, length: usize) -> i32 {
    assert!(address.is_multiple_of(16) && length.is_multiple_of(16));
    // SAFETY: the library gives as many bytes as it says.
    let (bytes, store) = unsafe { (core::slice::from_raw_parts(bytes, length), store(context)) };
    for (old, new) in store.flash[address as usize..].iter_mut().zip(bytes) {
        assert_eq!(*old, 0xFF);
        *old &= new;
    }
    store.fails
}

unsafe extern "C" fn erase(context: *mut c_void, address: u32) -> i32 {
    // SAFETY: the context is the store.
    let store = unsafe { store(context) };
    store.flash[address as usize..][..2048].fill(0xFF);
    store.fails
}

unsafe extern "C" fn transmit(
    context: *mut c_void,
    _command: *const u8,
    _length: usize,
    _answer: *mut u8,
    capacity: usize,
    _answer_length: *mut usize,
) -> i32 {
    assert!(capacity >= 1030);
    // SAFETY: the context is the store.
    let target = unsafe { store(context) }.target;
    if !target.is_null() {
        let mut count = 0;
        // SAFETY: the device is open, if busy.
        let called =
            unsafe { vec![specie_check(target), specie_output_count(target, &raw mut count), specie_close(target)] };
        // SAFETY: the context is the store.
        unsafe { store(context) }.called = called;
    }
    -7
}

unsafe extern "C" fn random(_context: *mut c_void, bytes: *mut u8, length: usize) -> i32 {
    for position in 0..length {
        // SAFETY: the library gives as much room as it says.
        unsafe { bytes.add(position).write((position as u8).wrapping_mul(97)) };
    }
    0
}

#[test]
fn large_pages_are_erased_once_and_whole() {
    let world = World::new();
    world.store().flash.fill(0);
    let Parts { mut flash, .. } = world.platform().into_parts().unwrap();
    assert_eq!(flash.capacity(), FLASH);
    flash.erase(0, FLASH as u32 / 2).unwrap();
    let (first, second) = world.store().flash.split_at(FLASH / 2);
    assert!(first.iter().all(|byte| *byte == 0xFF) && second.iter().all(|byte| *byte == 0));
    assert!(flash.erase(100, 200).is_err());
    assert!(flash.read(FLASH as u32 - 1, &mut [0; 2]).is_err());
    world.store().fails = 5;
    assert_eq!(flash.write(0, &[1; 16]), Err(CallbackError::Returned(5)));
}

#[test]
fn noise_leaves_nothing_behind() {
    let world = World::new();
    let mut noise = Noise { platform: world.platform(), bytes: [0; 64], left: 0 };
    let samples: Vec<_> = (0..64).map(|_| noise.sample().unwrap()).collect();
    assert!(samples.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(noise.bytes, [0; 64]);
}
