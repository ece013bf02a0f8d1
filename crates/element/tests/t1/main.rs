//! T=1 from end to end: a host and a chip over a line that loses, changes, repeats and delays bytes, sides that lose their
//! power, and sides that are hostile.
#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

mod hostile;
mod lossy;
mod resets;
mod wire;
