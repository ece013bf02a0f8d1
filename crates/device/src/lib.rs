//! Drives a wallet on a computer: links, wallet file, clock, software element.
