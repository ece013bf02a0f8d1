//! The secure element and the link to it: software in a process of its own, with its flash in a file, or a chip.

mod address;
mod chip;
mod either;
mod flash;
mod frame;
mod process;
mod software;

pub use address::{ChipAddress, ChipAddressError, ElementAddress, ElementAddressError};
pub use chip::{CHIP_PATIENCE, ChipElement, ChipElementError};
pub use either::{DeviceElement, DeviceElementError};
pub use flash::{FileFlash, FileFlashError, FlashFileError, PAGE, WORD};
pub use process::{ElementProcess, ElementProcessError, PATIENCE};
pub use software::{OperatingSystem, RECORDS, ServeError, create_flash, serve_element, software_element};
