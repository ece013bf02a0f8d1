//! Copying and filling memory, in place of what the compiler's library has.

core::arch::global_asm!(include_str!("memory.s"), options(raw));
