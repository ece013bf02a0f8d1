//! Where things lie in the flash: pages, words, and the sizes that follow from them.

use crc::{CRC_32_ISCSI, Crc, Digest, Table};
use embedded_storage::nor_flash::{NorFlash, NorFlashError, ReadNorFlash};

use super::JournalError;

/// Longest payload of an entry under an index, in bytes.
pub const INDEX_PAYLOAD_MAX: usize = 66;
/// Longest payload of a single entry, in bytes.
pub const SINGLE_PAYLOAD_MAX: usize = 320;
/// Entries with the longest index payload that one batch may hold.
const BATCH_PAYLOADS: usize = 10;
/// Bytes of all single entries together, apart from padding.
const SINGLES_BYTES: usize = 1024;

/// Bytes of the header of a page, a frame and an entry, before padding to a word.
pub(super) const PAGE_HEADER: usize = 16;
pub(super) const FRAME_HEADER: usize = 8;
pub(super) const ENTRY_HEADER: usize = 8;

/// Longest word and shortest block of reading that is supported, in bytes.
const WORD_MAX: usize = 32;
const READ_BLOCK: usize = 64;

const MAGIC: u32 = 0x5350_4A31;
const CHECKSUM: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// `bytes` rounded up to whole words.
pub(super) const fn padded<F: NorFlash>(bytes: usize) -> usize {
    bytes.next_multiple_of(F::WRITE_SIZE)
}

/// Bytes of a frame that holds one entry with `payload` bytes and no mark.
const fn single_frame<F: NorFlash>(payload: usize) -> usize {
    padded::<F>(FRAME_HEADER) + padded::<F>(ENTRY_HEADER + payload)
}

/// Bytes of the frame that moves the tail: every page keeps so much for it.
pub(super) const fn tail_frame<F: NorFlash>() -> usize {
    single_frame::<F>(0)
}

/// Bytes of the longest frame.
pub(super) const fn frame_max<F: NorFlash>() -> usize {
    padded::<F>(FRAME_HEADER) + BATCH_PAYLOADS * (padded::<F>(ENTRY_HEADER + INDEX_PAYLOAD_MAX) + F::WRITE_SIZE)
}

/// Bytes of a page between its header and what is kept for the tail frame.
const fn usable<F: NorFlash>() -> usize {
    F::ERASE_SIZE.saturating_sub(padded::<F>(PAGE_HEADER) + tail_frame::<F>())
}

/// Bytes that a flash for `records` indices needs at least.
///
/// However the live entries lie, with this much one of the pages has room for the longest frame once every page was
/// compacted: no commit fails for lack of room that the directory does not refuse first.
pub const fn bytes_needed<F: NorFlash>(records: usize) -> usize {
    let live = records * (single_frame::<F>(INDEX_PAYLOAD_MAX) + F::WRITE_SIZE) + SINGLES_BYTES + 32 * F::WRITE_SIZE;
    let filled = usable::<F>().saturating_sub(frame_max::<F>());
    if filled == 0 {
        return usize::MAX;
    }
    let pages = live.div_ceil(filled) + 1;
    (if pages < 3 { 3 } else { pages }) * F::ERASE_SIZE
}

/// Number of pages, if this flash can hold a journal of `records` indices.
pub(super) fn pages<F: NorFlash>(flash: &F, records: usize) -> Result<u32, JournalError> {
    let word = F::WRITE_SIZE.is_power_of_two() && F::WRITE_SIZE <= WORD_MAX;
    let read = F::READ_SIZE.is_power_of_two() && F::READ_SIZE <= READ_BLOCK;
    let page = F::ERASE_SIZE <= 1 << 16 && F::ERASE_SIZE.is_multiple_of(F::WRITE_SIZE);
    if !word || !read || !page || flash.capacity() < bytes_needed::<F>(records) {
        return Err(JournalError::FlashUnfit);
    }
    u32::try_from(flash.capacity() / F::ERASE_SIZE).map_err(|_| JournalError::FlashUnfit)
}

pub(super) fn checksum() -> Digest<'static, u32, Table<1>> {
    static CHECK: Crc<u32, Table<1>> = CHECKSUM;
    CHECK.digest()
}

fn failed<E: NorFlashError>(error: E) -> JournalError {
    JournalError::Flash(error.kind())
}

/// Reads any bytes, whatever block the flash reads in.
pub(super) fn read<F: ReadNorFlash>(flash: &mut F, mut address: u32, mut out: &mut [u8]) -> Result<(), JournalError> {
    if F::READ_SIZE == 1 {
        return flash.read(address, out).map_err(failed);
    }
    let mut block = [0; READ_BLOCK];
    while !out.is_empty() {
        let start = address - address % READ_BLOCK as u32;
        let skip = (address - start) as usize;
        let count = out.len().min(READ_BLOCK - skip);
        flash.read(start, &mut block).map_err(failed)?;
        let (now, later) = out.split_at_mut(count);
        now.copy_from_slice(&block[skip..skip + count]);
        address += count as u32;
        out = later;
    }
    Ok(())
}

/// Programs `bytes` from a word boundary on; what is left of the last word stays erased.
pub(super) fn program<F: NorFlash>(flash: &mut F, address: u32, bytes: &[u8]) -> Result<(), JournalError> {
    let (words, rest) = bytes.split_at(bytes.len() - bytes.len() % F::WRITE_SIZE);
    if !words.is_empty() {
        flash.write(address, words).map_err(failed)?;
    }
    if !rest.is_empty() {
        let mut last = [0xFF; WORD_MAX];
        last[..rest.len()].copy_from_slice(rest);
        flash.write(address + words.len() as u32, &last[..F::WRITE_SIZE]).map_err(failed)?;
    }
    Ok(())
}

/// Clears every bit of one mark word, and reads it back.
pub(super) fn clear_mark<F: NorFlash>(flash: &mut F, address: u32) -> Result<(), JournalError> {
    flash.write(address, &[0; WORD_MAX][..F::WRITE_SIZE]).map_err(failed)?;
    if is_marked(flash, address)? { Ok(()) } else { Err(JournalError::NotWritten) }
}

/// Whether any bit of a mark word is cleared.
pub(super) fn is_marked<F: NorFlash>(flash: &mut F, address: u32) -> Result<bool, JournalError> {
    let mut word = [0; WORD_MAX];
    read(flash, address, &mut word[..F::WRITE_SIZE])?;
    Ok(word[..F::WRITE_SIZE].iter().any(|&byte| byte != 0xFF))
}

/// Whether a page is erased.
pub(super) fn is_blank<F: ReadNorFlash + NorFlash>(flash: &mut F, page: u32) -> Result<bool, JournalError> {
    let mut block = [0; READ_BLOCK];
    let start = page * F::ERASE_SIZE as u32;
    for offset in (0..F::ERASE_SIZE).step_by(READ_BLOCK) {
        let count = READ_BLOCK.min(F::ERASE_SIZE - offset);
        read(flash, start + offset as u32, &mut block[..count])?;
        if block[..count].iter().any(|&byte| byte != 0xFF) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Erases a page and reads it back.
pub(super) fn erase<F: NorFlash>(flash: &mut F, page: u32) -> Result<(), JournalError> {
    let start = page * F::ERASE_SIZE as u32;
    flash.erase(start, start + F::ERASE_SIZE as u32).map_err(failed)?;
    if is_blank(flash, page)? { Ok(()) } else { Err(JournalError::NotErased) }
}

/// The header of a page: which turn of the ring it belongs to, and the oldest turn alive when it was opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) generation: u32,
    pub(super) tail: u32,
}

impl PageHeader {
    pub(super) fn read<F: NorFlash>(flash: &mut F, page: u32) -> Result<Option<Self>, JournalError> {
        let mut bytes = [0; PAGE_HEADER];
        read(flash, page * F::ERASE_SIZE as u32, &mut bytes)?;
        let word = |at: usize| bytes[4 * at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let header = Self { generation: word(1), tail: word(2) };
        let sound = word(0) == MAGIC && header.to_bytes() == bytes && header.tail <= header.generation;
        Ok(sound.then_some(header))
    }

    pub(super) fn write<F: NorFlash>(self, flash: &mut F, page: u32) -> Result<(), JournalError> {
        program(flash, page * F::ERASE_SIZE as u32, &self.to_bytes())?;
        if Self::read(flash, page)? == Some(self) { Ok(()) } else { Err(JournalError::NotWritten) }
    }

    fn to_bytes(self) -> [u8; PAGE_HEADER] {
        let mut bytes = [0; PAGE_HEADER];
        let check = {
            let mut digest = checksum();
            for word in [MAGIC, self.generation, self.tail] {
                digest.update(&word.to_be_bytes());
            }
            digest.finalize()
        };
        for (slot, word) in bytes.chunks_exact_mut(4).zip([MAGIC, self.generation, self.tail, check]) {
            slot.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}
