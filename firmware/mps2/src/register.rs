//! Registers and memory by address.

/// A word at a fixed address, and those after it.
#[derive(Clone, Copy)]
pub(crate) struct Register(usize);

impl Register {
    /// The word at `address`, which is one of a [`Board`](crate::Board)'s constants, lies beyond one within the same
    /// device, or is a register of the processor itself.
    pub(crate) const fn at(address: usize) -> Self {
        Self(address)
    }

    /// The register `offset` bytes further.
    pub(crate) const fn offset(self, offset: usize) -> Self {
        Self(self.0 + offset)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: by `at`, this is an aligned word of a device or of memory that no Rust object lies in.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: as in `read`.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    /// Copies `out.len()` bytes of memory from here on.
    pub(crate) fn copy_to(self, out: &mut [u8]) {
        // SAFETY: the caller checked that so many bytes of the board's memory follow; no Rust object lies there, so
        // none overlaps `out`.
        unsafe { core::ptr::copy_nonoverlapping(self.0 as *const u8, out.as_mut_ptr(), out.len()) }
    }
}
