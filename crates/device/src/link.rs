//! How messages travel between devices: files and pipes, QR codes, TCP.

mod compact;
pub mod file;
pub mod qr;
pub mod tcp;

pub use compact::compact;

/// The longest message that any route carries, in bytes: eight chains of the most transfers stay below it.
pub const MESSAGE_MAX: usize = 4 << 20;
