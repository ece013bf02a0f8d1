//! How much of a board an image takes, from its ELF file.

use crate::board::Board;
use crate::error::EmulationError;

/// More than any firmware has of working memory.
const WORKING_MEMORY: u64 = 2 << 20;

/// Bytes that an image takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Of flash: code, constants, and what the variables begin with.
    pub flash: u64,
    /// Of memory, the stack aside: variables.
    pub memory: u64,
    /// Set aside for the stack.
    pub stack: u64,
}

/// Fields of an ELF file of 32 bits, little-endian.
mod elf {
    pub(super) const MAGIC: &[u8] = b"\x7fELF\x01\x01";
    pub(super) const PROGRAM_HEADERS: usize = 28;
    pub(super) const PROGRAM_HEADER_LENGTH: usize = 42;
    pub(super) const PROGRAM_HEADER_COUNT: usize = 44;
    /// In a program header.
    pub(super) const TYPE: usize = 0;
    pub(super) const OFFSET: usize = 4;
    pub(super) const ADDRESS: usize = 8;
    pub(super) const FILE_LENGTH: usize = 16;
    pub(super) const MEMORY_LENGTH: usize = 20;
    pub(super) const LOAD: u32 = 1;
}

impl Size {
    pub(crate) fn of(file: &[u8], board: Board) -> Result<Self, EmulationError> {
        Self::read(file, board)
            .ok_or_else(|| EmulationError::Build { what: "the image".into(), output: "no ELF file".into() })
    }

    fn read(file: &[u8], board: Board) -> Option<Self> {
        if !file.starts_with(elf::MAGIC) {
            return None;
        }
        let half = |at: usize| Some(usize::from(u16::from_le_bytes(*file.get(at..)?.first_chunk()?)));
        let word = |at: usize| Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?));
        let headers = word(elf::PROGRAM_HEADERS)? as usize;
        let length = half(elf::PROGRAM_HEADER_LENGTH)?;
        let mut size = Self { flash: 0, memory: 0, stack: 0 };
        let mut first_variable = u64::MAX;
        let mut initial_stack = None;
        for header in (0..half(elf::PROGRAM_HEADER_COUNT)?).map(|number| headers + number * length) {
            let field = |field: usize| word(header + field).map(u64::from);
            if word(header + elf::TYPE)? != elf::LOAD {
                continue;
            }
            let (address, stored) = (field(elf::ADDRESS)?, field(elf::FILE_LENGTH)?);
            size.flash += stored;
            if address >= board.stack() && address < board.stack() + WORKING_MEMORY {
                size.memory += field(elf::MEMORY_LENGTH)?;
                first_variable = first_variable.min(address);
            } else if initial_stack.is_none() && stored >= 4 {
                // The table of exceptions comes first, and the initial stack pointer is its first word.
                initial_stack = word(field(elf::OFFSET)? as usize).map(u64::from);
            }
        }
        size.stack = initial_stack?.checked_sub(board.stack())?;
        // Variables lie above the stack, so that one that is too deep runs into nothing.
        (first_variable >= board.stack() + size.stack).then_some(size)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An ELF file with these segments: address, bytes in the file, bytes in memory. The first holds the initial stack
    /// pointer.
    fn image(stack: u32, segments: &[(u32, u32, u32)]) -> Vec<u8> {
        let mut file = vec![0; 52 + 32 * segments.len()];
        file[..6].copy_from_slice(elf::MAGIC);
        file[elf::PROGRAM_HEADERS..][..4].copy_from_slice(&52u32.to_le_bytes());
        file[elf::PROGRAM_HEADER_LENGTH..][..2].copy_from_slice(&32u16.to_le_bytes());
        file[elf::PROGRAM_HEADER_COUNT..][..2].copy_from_slice(&(segments.len() as u16).to_le_bytes());
        let data = file.len() as u32;
        for (number, &(address, stored, all)) in segments.iter().enumerate() {
            let mut set = |field: usize, value: u32| {
                file[52 + 32 * number + field..][..4].copy_from_slice(&value.to_le_bytes());
            };
            set(elf::TYPE, elf::LOAD);
            set(elf::OFFSET, data);
            set(elf::ADDRESS, address);
            set(elf::FILE_LENGTH, stored);
            set(elf::MEMORY_LENGTH, all);
        }
        file.extend(stack.to_le_bytes());
        file
    }

    #[test]
    fn code_constants_and_variables_are_told_apart() {
        let file = image(0x2000_1000, &[(0, 1_000, 1_000), (1_000, 500, 500), (0x2000_1000, 24, 4_096)]);
        let size = Size::of(&file, Board::An386).unwrap();
        assert_eq!(size, Size { flash: 1_524, memory: 4_096, stack: 0x1000 });
    }

    #[test]
    fn rejects_variables_below_the_stack_and_what_is_no_image() {
        let file = image(0x2000_1000, &[(0, 1_000, 1_000), (0x2000_0F00, 0, 4_096)]);
        assert!(Size::of(&file, Board::An386).is_err());
        assert!(Size::of(&file[..60], Board::An386).is_err());
        assert!(Size::of(b"#!/bin/sh", Board::An386).is_err());
    }
}
