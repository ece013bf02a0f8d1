//! Frames: the changes of one step, with a checksum. Each change lies in the flash where the index points to it.
//!
//! A frame is the length of its body (u32), a checksum of generation, length and body (u32), the body, and padding to whole
//! words. A change is the length of its key (u8), whether it puts (u8: 1) or deletes (0), the length of its value (u16), key
//! and value. Integers are little-endian.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_storage::nor_flash::{NorFlash, NorFlashError};
use specie_wallet::Change;
use zeroize::Zeroizing;

use super::RecordsError;
use super::area::is_blank;

/// Bytes before a body.
const HEADER: usize = 8;

/// Bytes before a key.
const CHANGE_HEADER: usize = 4;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What lies at an address.
pub(super) enum Found {
    /// A frame; the address after it.
    Frame(u32),
    /// Nothing, up to the end of the area.
    End,
    /// Something that is no frame.
    Torn,
}

/// Where a change lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    at: u32,
    value_length: u16,
    key_length: u8,
    put: bool,
}

/// The frame of these changes.
pub(super) fn encode<F: NorFlash>(generation: u32, changes: &[Change]) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    let body: usize = changes.iter().map(|c| CHANGE_HEADER + c.key().len() + c.value().map_or(0, <[u8]>::len)).sum();
    let mut frame = Zeroizing::new(Vec::with_capacity(padded::<F>(HEADER + body)));
    frame.extend_from_slice(&u32::try_from(body).map_err(|_| RecordsError::TooLong)?.to_le_bytes());
    frame.extend_from_slice(&[0; 4]);
    for change in changes {
        let (key, value) = (change.key(), change.value());
        let key_length = u8::try_from(key.len()).map_err(|_| RecordsError::TooLong)?;
        let value_length = u16::try_from(value.map_or(0, <[u8]>::len)).map_err(|_| RecordsError::TooLong)?;
        frame.push(key_length);
        frame.push(u8::from(value.is_some()));
        frame.extend_from_slice(&value_length.to_le_bytes());
        frame.extend_from_slice(key);
        frame.extend_from_slice(value.unwrap_or_default());
    }
    let check = checksum(&[&generation.to_le_bytes(), &frame[..4], &frame[HEADER..]]);
    frame[4..HEADER].copy_from_slice(&check.to_le_bytes());
    frame.resize(padded::<F>(HEADER + body), 0xFF);
    Ok(frame)
}

/// What lies at `at`, in a log that ends at `end`.
pub(super) fn find<F: NorFlash>(flash: &mut F, generation: u32, at: u32, end: u32) -> Result<Found, RecordsError> {
    match frame(flash, generation, at, end)? {
        Some(next) => Ok(Found::Frame(next)),
        None if is_blank(flash, at, end)? => Ok(Found::End),
        None => Ok(Found::Torn),
    }
}

/// Whether a frame lies behind what is none at `at`: it was not torn then, since nothing follows what is torn, but damaged.
pub(super) fn goes_on<F: NorFlash>(flash: &mut F, generation: u32, at: u32, end: u32) -> Result<bool, RecordsError> {
    // Whoever pays chooses bytes that are stored, and may choose frames: where power may have been cut, only those count that
    // follow a change. Where it cannot have been, any does.
    let mut from = at + F::WRITE_SIZE as u32;
    if let Some((length, _)) = plausible_header(flash, at, end)? {
        let (mut change, body_end) = (at + HEADER as u32, at + HEADER as u32 + length);
        loop {
            let next = match (body_end - change) as usize {
                ..CHANGE_HEADER => None,
                _ => Some(Place::read(flash, change)?.end()).filter(|next| *next <= body_end),
            };
            let Some(next) = next else {
                // Cut off here, nothing follows.
                let cut = word_after::<F>(body_end.min(change + CHANGE_HEADER as u32));
                if is_blank(flash, cut, end)? {
                    return Ok(false);
                }
                break;
            };
            // Where the length is what was damaged.
            let word = word_after::<F>(next);
            if is_blank(flash, next, word)? && frame(flash, generation, word, end)?.is_some() {
                return Ok(true);
            }
            if next == body_end {
                from = word_after::<F>(body_end);
                break;
            }
            change = next;
        }
    }
    if is_blank(flash, from, end)? {
        return Ok(false);
    }
    any_frame(flash, generation, from, end)
}

/// Whether a power cut while the frame at `at` was programmed may leave what is there.
pub(super) fn may_be_cut_off<F: NorFlash>(flash: &mut F, at: u32, end: u32) -> Result<bool, RecordsError> {
    let length = plausible_header(flash, at, end)?.map_or(0, |(length, _)| length);
    is_blank(flash, word_after::<F>(at + HEADER as u32 + length), end)
}

/// Whether a frame begins at any word from `from` to before `end`.
pub(super) fn any_frame<F: NorFlash>(
    flash: &mut F,
    generation: u32,
    from: u32,
    end: u32,
) -> Result<bool, RecordsError> {
    for at in (from..end).step_by(F::WRITE_SIZE) {
        if frame(flash, generation, at, end)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// First and last address of the body of the frame at `at`.
pub(super) fn body<F: NorFlash>(flash: &mut F, at: u32) -> Result<(u32, u32), RecordsError> {
    let (length, _) = read_header(flash, at)?;
    Ok((at + HEADER as u32, at + HEADER as u32 + length))
}

/// Whether the flash holds `bytes` at `at`.
pub(super) fn equals<F: NorFlash>(flash: &mut F, at: u32, bytes: &[u8]) -> Result<bool, RecordsError> {
    let mut read = [0; 64];
    let mut at = at;
    for part in bytes.chunks(64) {
        let read = &mut read[..part.len()];
        flash.read(at, read).map_err(flash_error)?;
        if read != part {
            return Ok(false);
        }
        at += part.len() as u32;
    }
    Ok(true)
}

/// `length` rounded up to whole words.
pub(super) fn padded<F: NorFlash>(length: usize) -> usize {
    length.next_multiple_of(F::WRITE_SIZE)
}

/// Bytes that a record takes at most besides its change, when it is copied into a frame of its own.
pub(super) fn overhead<F: NorFlash>() -> usize {
    HEADER + F::WRITE_SIZE - 1
}

/// CRC-32 (ISO-HDLC) over `parts`.
pub(super) fn checksum(parts: &[&[u8]]) -> u32 {
    let mut digest = CRC.digest();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

pub(super) fn flash_error<E: NorFlashError>(error: E) -> RecordsError {
    RecordsError::Flash(error.kind())
}

impl Place {
    /// The change at `at`, in a frame that was checked.
    pub(super) fn read<F: NorFlash>(flash: &mut F, at: u32) -> Result<Self, RecordsError> {
        let mut header = [0; CHANGE_HEADER];
        flash.read(at, &mut header).map_err(flash_error)?;
        let [key_length, put, low, high] = header;
        Ok(Self { at, value_length: u16::from_le_bytes([low, high]), key_length, put: put == 1 })
    }

    pub(super) fn is_put(&self) -> bool {
        self.put
    }

    /// Bytes of the change.
    pub(super) fn length(&self) -> usize {
        CHANGE_HEADER + usize::from(self.key_length) + usize::from(self.value_length)
    }

    /// The address after it.
    pub(super) fn end(&self) -> u32 {
        self.at + self.length() as u32
    }

    pub(super) fn key<F: NorFlash>(&self, flash: &mut F) -> Result<Vec<u8>, RecordsError> {
        let mut key = vec![0; usize::from(self.key_length)];
        flash.read(self.at + CHANGE_HEADER as u32, &mut key).map_err(flash_error)?;
        Ok(key)
    }

    pub(super) fn value<F: NorFlash>(&self, flash: &mut F) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
        let mut value = Zeroizing::new(vec![0; usize::from(self.value_length)]);
        let at = self.at + CHANGE_HEADER as u32 + u32::from(self.key_length);
        flash.read(at, &mut value).map_err(flash_error)?;
        Ok(value)
    }

    /// How the key of this change compares to `key`.
    pub(super) fn compare_key<F: NorFlash>(&self, flash: &mut F, key: &[u8]) -> Result<Ordering, RecordsError> {
        let mut own = [0; u8::MAX as usize];
        let own = &mut own[..usize::from(self.key_length)];
        flash.read(self.at + CHANGE_HEADER as u32, own).map_err(flash_error)?;
        Ok((*own).cmp(key))
    }
}

fn read_header<F: NorFlash>(flash: &mut F, at: u32) -> Result<(u32, u32), RecordsError> {
    let mut header = [0; HEADER];
    flash.read(at, &mut header).map_err(flash_error)?;
    let [a, b, c, d, e, f, g, h] = header;
    Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
}

/// Length and checksum of a frame at `at`, where the length is one that fits.
fn plausible_header<F: NorFlash>(flash: &mut F, at: u32, end: u32) -> Result<Option<(u32, u32)>, RecordsError> {
    let Some(room) = ((end - at) as usize).checked_sub(HEADER) else { return Ok(None) };
    Ok(Some(read_header(flash, at)?).filter(|(length, _)| *length as usize <= room && *length > 0))
}

/// The address after the frame at `at`, if there is one.
fn frame<F: NorFlash>(flash: &mut F, generation: u32, at: u32, end: u32) -> Result<Option<u32>, RecordsError> {
    let Some((length, check)) = plausible_header(flash, at, end)? else { return Ok(None) };
    let (mut from, body_end) = (at + HEADER as u32, at + HEADER as u32 + length);
    // First, since it tells most of what is no frame with a few reads.
    if !is_well_formed(flash, from, body_end)? {
        return Ok(None);
    }
    let mut digest = CRC.digest();
    digest.update(&generation.to_le_bytes());
    digest.update(&length.to_le_bytes());
    let mut bytes = [0; 64];
    while from < body_end {
        let part = &mut bytes[..((body_end - from) as usize).min(64)];
        flash.read(from, part).map_err(flash_error)?;
        digest.update(part);
        from += part.len() as u32;
    }
    Ok((digest.finalize() == check).then_some(word_after::<F>(body_end)))
}

/// The address of the first word that begins at `at` or after it.
fn word_after<F: NorFlash>(at: u32) -> u32 {
    padded::<F>(at as usize) as u32
}

/// Whether a body is changes from end to end.
fn is_well_formed<F: NorFlash>(flash: &mut F, from: u32, to: u32) -> Result<bool, RecordsError> {
    let mut at = from;
    while at < to {
        if ((to - at) as usize) < CHANGE_HEADER {
            return Ok(false);
        }
        let change = Place::read(flash, at)?;
        if change.length() > (to - at) as usize {
            return Ok(false);
        }
        at = change.end();
    }
    Ok(true)
}
