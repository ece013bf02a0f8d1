//! The software secure element: flash in a file, a process of its own, and the links to it.

mod flash;
mod frame;
mod process;
mod serve;

pub use flash::{FileFlash, FileFlashError, FlashFileError, PAGE, WORD};
pub use process::{ElementProcess, ElementProcessError, PATIENCE};
