//! Drives a wallet on a computer: links, wallet file, clock, software element.

pub mod durable;
pub mod element;
pub mod entropy;
pub mod link;
pub mod maker;
#[cfg(test)]
mod testing;
