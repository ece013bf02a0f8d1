//! The software secure element: flash in a file, a process of its own, and the link to it.

mod flash;
mod frame;
mod process;
mod software;

pub use flash::{FileFlash, FileFlashError, FlashFileError, PAGE, WORD};
pub use process::{ElementProcess, ElementProcessError, PATIENCE};
pub use software::{OperatingSystem, RECORDS, ServeError, create_flash, serve_element, software_element};
