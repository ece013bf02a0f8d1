//! One half of the flash: a header, and a log of frames.

use embedded_storage::nor_flash::NorFlash;

use super::RecordsError;
use super::log::{any_frame, checksum, equals, flash_error, overhead, padded};

/// What a header begins with.
const MAGIC: [u8; 4] = *b"Spr1";

/// Bytes of a header: magic, generation (u32 little-endian), checksum of both.
const HEADER: usize = 12;

/// Generation of an area that was formatted.
pub(super) const FIRST_GENERATION: u32 = 1;

/// Longest word that is supported, in bytes.
pub(super) const WORD_MAX: usize = 16;

/// A half of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    start: u32,
    size: u32,
}

impl Area {
    /// Both halves.
    pub(super) fn both<F: NorFlash>(flash: &F) -> Result<[Self; 2], RecordsError> {
        let pages = flash.capacity() / F::ERASE_SIZE;
        let size = u32::try_from(pages / 2 * F::ERASE_SIZE).map_err(|_| RecordsError::FlashUnfit)?;
        let words = F::WRITE_SIZE.is_power_of_two() && F::WRITE_SIZE <= WORD_MAX && F::READ_SIZE <= F::WRITE_SIZE;
        if size == 0 || !words || !F::ERASE_SIZE.is_multiple_of(F::WRITE_SIZE) || F::READ_SIZE != 1 {
            return Err(RecordsError::FlashUnfit);
        }
        Ok([Self { start: 0, size }, Self { start: size, size }])
    }

    /// The other half.
    pub(super) fn other(self) -> Self {
        Self { start: if self.start == 0 { self.size } else { 0 }, size: self.size }
    }

    /// The address after it.
    pub(super) fn end(self) -> u32 {
        self.start + self.size
    }

    /// Its bytes.
    #[cfg(test)]
    pub(super) fn size(self) -> u32 {
        self.size
    }

    /// Where its log begins.
    pub(super) fn first_frame<F: NorFlash>(self) -> u32 {
        self.start + padded::<F>(HEADER) as u32
    }

    /// Bytes of its log.
    pub(super) fn capacity<F: NorFlash>(self) -> usize {
        (self.end() - self.first_frame::<F>()) as usize - overhead::<F>()
    }

    /// Erases it. Pages at its end that are blank already are not worn.
    pub(super) fn erase<F: NorFlash>(self, flash: &mut F) -> Result<(), RecordsError> {
        let (page, mut end) = (F::ERASE_SIZE as u32, self.end());
        while end > self.start && is_blank(flash, end - page, end)? {
            end -= page;
        }
        // Page by page: between two, a cut leaves an area that has no header, or an old one.
        for at in (self.start..end).step_by(F::ERASE_SIZE) {
            flash.erase(at, at + page).map_err(flash_error)?;
        }
        if is_blank(flash, self.start, end)? { Ok(()) } else { Err(RecordsError::NotWritten) }
    }

    /// Brings it into use.
    pub(super) fn open<F: NorFlash>(self, flash: &mut F, generation: u32) -> Result<(), RecordsError> {
        let header = padded_header(generation);
        let header = &header[..padded::<F>(HEADER)];
        flash.write(self.start, header).map_err(flash_error)?;
        if equals(flash, self.start, header)? { Ok(()) } else { Err(RecordsError::NotWritten) }
    }

    /// Whether it is blank.
    pub(super) fn is_blank<F: NorFlash>(self, flash: &mut F) -> Result<bool, RecordsError> {
        is_blank(flash, self.start, self.end())
    }

    /// Its generation, where it has a header.
    pub(super) fn generation<F: NorFlash>(self, flash: &mut F) -> Result<Option<u32>, RecordsError> {
        let mut header = [0; HEADER];
        flash.read(self.start, &mut header).map_err(flash_error)?;
        let generation = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        Ok((header == encode(generation)).then_some(generation))
    }

    /// Whether it is blank, or shows nothing but the first header, cut off in some word.
    fn is_hardly_begun<F: NorFlash>(self, flash: &mut F) -> Result<bool, RecordsError> {
        let mut at = self.start;
        for word in padded_header(FIRST_GENERATION)[..padded::<F>(HEADER)].chunks(F::WRITE_SIZE) {
            let right = equals(flash, at, word)?;
            at += F::WRITE_SIZE as u32;
            if !right {
                return is_blank(flash, at, self.end());
            }
        }
        Ok(false)
    }
}

/// Whether a flash without a right header never had one: it is blank, or a first format was cut off, maybe more than once.
pub(super) fn is_unused<F: NorFlash>(flash: &mut F, [first, second]: [Area; 2]) -> Result<bool, RecordsError> {
    if !second.is_hardly_begun(flash)? {
        return Ok(false);
    }
    if first.is_hardly_begun(flash)? {
        return Ok(true);
    }
    // The first page reads as anything where its erasing was cut off: beside a header cut off in the second area, and only
    // there, such a page never held records.
    Ok(!second.is_blank(flash)?
        && is_blank(flash, first.start + F::ERASE_SIZE as u32, first.end())?
        && !any_frame(flash, FIRST_GENERATION, first.first_frame::<F>(), first.end())?)
}

fn padded_header(generation: u32) -> [u8; HEADER.next_multiple_of(WORD_MAX)] {
    let mut header = [0xFF; HEADER.next_multiple_of(WORD_MAX)];
    header[..HEADER].copy_from_slice(&encode(generation));
    header
}

fn encode(generation: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&generation.to_le_bytes());
    let check = checksum(&[&header[..8]]);
    header[8..].copy_from_slice(&check.to_le_bytes());
    header
}

/// Whether everything from `from` to before `to` is erased.
pub(super) fn is_blank<F: NorFlash>(flash: &mut F, from: u32, to: u32) -> Result<bool, RecordsError> {
    let mut bytes = [0; 64];
    let mut at = from;
    while at < to {
        let part = &mut bytes[..((to - at) as usize).min(64)];
        flash.read(at, part).map_err(flash_error)?;
        if part.iter().any(|&byte| byte != 0xFF) {
            return Ok(false);
        }
        at += part.len() as u32;
    }
    Ok(true)
}
