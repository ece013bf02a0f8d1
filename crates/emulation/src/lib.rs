//! Emulated boards, for tests and measurements: nothing that is delivered depends on this crate.
//!
//! [`Image::build`] compiles a firmware from the workspace in `firmware/`. [`Setup::start`] runs it in QEMU as a
//! [`Machine`], with a file behind the memory that the firmware takes for flash ([`Flash`]), its UARTs on sockets
//! ([`Port`]), and a plugin inside the emulator that counts instructions, notes the stack's depth, and cuts the power at
//! the instruction or the flash operation that it is told ([`Watch`]). [`ElementChip`] puts that together for the secure
//! element; a [`Wire`] joins the UARTs of two machines.
//!
//! Every wait has an end, and no emulator outlives its [`Machine`]. What is missing on the computer is named in the
//! error ([`EmulationError::Missing`]).

mod board;
mod chip;
mod error;
mod flash;
mod image;
mod machine;
mod monitor;
mod plugin;
mod port;
mod size;
mod wire;

pub use board::Board;
pub use chip::{ElementChip, ElementSetup};
pub use error::EmulationError;
pub use flash::{Controller, Flash, Geometry, Operation};
pub use image::Image;
pub use machine::{Machine, Serial, Setup};
pub use plugin::{Counters, Cut, Watch};
pub use port::Port;
pub use size::Size;
pub use wire::Wire;
