//! Frames on a serial line: one message each, found again after any loss.
//!
//! A frame is kind (u8), message, and their CRC-32 (ISO-HDLC, little-endian), stuffed with COBS (Cheshire and Baker, 1999)
//! and ended by a zero byte. `docs/spec/links.md` has the kinds.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use crate::device::leaves_memory;
use crc::{CRC_32_ISO_HDLC, Crc};

/// The longest message in a frame, in bytes.
pub const MESSAGE_MAX: usize = 8 * 1024;

/// Bytes of a frame besides the message: kind and checksum.
const OVERHEAD: usize = 5;

/// The most bytes of a stuffed frame, its end left out.
const STUFFED_MAX: usize = cobs::max_encoding_length(MESSAGE_MAX + OVERHEAD);

/// Bytes and frames that wait to be sent; a frame that makes them more is only taken when none waits.
const WAITING_MAX: usize = 10 * 1024;
const FRAMES_MAX: usize = 16;

/// By how many bytes the room for a frame grows: by its double it would take thrice its length meanwhile.
const GROWTH: usize = 512;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A frame that arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What kind of message it is.
    pub kind: u8,
    /// The message.
    pub message: Vec<u8>,
}

/// Finds frames in the bytes of a line. What is no frame is passed over.
#[derive(Default)]
pub struct Inbox {
    stuffed: Vec<u8>,
    /// The frame under way is too long, or there is no memory for it.
    skipping: bool,
}

/// Frames on their way out, in order.
#[derive(Default)]
pub struct Outbox {
    waiting: VecDeque<Vec<u8>>,
    /// Bytes of the first that were sent.
    sent: usize,
}

impl Frame {
    /// The frame as it travels; `None` where the message is too long.
    pub fn encode(kind: u8, message: &[u8]) -> Option<Vec<u8>> {
        if message.len() > MESSAGE_MAX {
            return None;
        }
        let mut check = CRC.digest();
        check.update(&[kind]);
        check.update(message);
        let check = check.finalize().to_le_bytes();
        let mut stuffed = vec![0; cobs::max_encoding_length(message.len() + OVERHEAD) + 1];
        let mut encoder = cobs::CobsEncoder::new(&mut stuffed);
        for part in [&[kind][..], message, &check] {
            encoder.push(part).ok()?;
        }
        let length = encoder.finalize();
        stuffed.truncate(length);
        stuffed.push(0);
        Some(stuffed)
    }

    fn decode(mut stuffed: Vec<u8>) -> Option<Self> {
        let length = cobs::decode_in_place(&mut stuffed).ok()?;
        let (body, check) = stuffed.get(..length)?.split_last_chunk::<4>()?;
        if CRC.checksum(body) != u32::from_le_bytes(*check) {
            return None;
        }
        let (&kind, body) = body.split_first()?;
        let length = body.len();
        stuffed.copy_within(1..=length, 0);
        stuffed.truncate(length);
        Some(Self { kind, message: stuffed })
    }
}

impl Inbox {
    /// Takes one byte from the line; a frame, where it was the last of one.
    pub fn receive(&mut self, byte: u8) -> Option<Frame> {
        if byte == 0 {
            let skipped = core::mem::take(&mut self.skipping);
            let stuffed = core::mem::take(&mut self.stuffed);
            return if skipped || stuffed.is_empty() { None } else { Frame::decode(stuffed) };
        }
        if !self.skipping {
            if self.stuffed.len() == self.stuffed.capacity() && !self.grow() {
                self.skipping = true;
                self.stuffed = Vec::new();
            } else {
                self.stuffed.push(byte);
            }
        }
        None
    }

    /// Makes room for more. A peer must not be able to use up the memory: neither by length, nor what operations need.
    fn grow(&mut self) -> bool {
        let step = GROWTH.min(STUFFED_MAX.saturating_sub(self.stuffed.len()));
        step > 0 && self.stuffed.try_reserve_exact(step).is_ok() && leaves_memory()
    }
}

impl Outbox {
    /// Lines up a message; whether it was taken. Where too much waits, or it is too long, it is not.
    pub fn push(&mut self, kind: u8, message: &[u8]) -> bool {
        let waiting: usize = self.waiting.iter().map(Vec::len).sum();
        if waiting > 0 && (waiting + message.len() > WAITING_MAX || self.waiting.len() == FRAMES_MAX) {
            return false;
        }
        let Some(frame) = Frame::encode(kind, message) else { return false };
        self.waiting.push_back(frame);
        true
    }

    /// Bytes that may be sent now; empty where there are none.
    pub fn pending(&self) -> &[u8] {
        self.waiting.front().map_or(&[], |frame| &frame[self.sent..])
    }

    /// So many of the pending bytes were sent.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.waiting.front().is_some_and(|frame| self.sent >= frame.len()) {
            self.waiting.pop_front();
            self.sent = 0;
        }
    }

    /// Whether everything was sent.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Drops what has not begun to be sent.
    pub fn clear(&mut self) {
        self.waiting.truncate(usize::from(self.sent > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through(inbox: &mut Inbox, bytes: &[u8]) -> Vec<Frame> {
        bytes.iter().filter_map(|byte| inbox.receive(*byte)).collect()
    }

    #[test]
    fn the_longest_message_fits_and_a_longer_one_is_refused() {
        let longest = Frame::encode(1, &[0; MESSAGE_MAX]).unwrap();
        assert_eq!(through(&mut Inbox::default(), &longest).len(), 1);
        assert!(Frame::encode(1, &[0; MESSAGE_MAX + 1]).is_none());
        let mut inbox = Inbox::default();
        assert_eq!(through(&mut inbox, &[1; 3 * MESSAGE_MAX]), []);
        assert!(inbox.stuffed.capacity() <= STUFFED_MAX);
        assert_eq!(through(&mut inbox, &[0]), []);
        assert_eq!(through(&mut inbox, &longest).len(), 1, "the next frame is found");
    }

    #[test]
    fn an_outbox_is_bounded_and_keeps_order() {
        let mut outbox = Outbox::default();
        for number in 0..10 {
            assert!(outbox.push(number, &[number; 1000]));
        }
        assert!(!outbox.push(10, &[10; 1000]), "a peer that takes nothing must not use up the memory");
        let (mut inbox, mut kinds) = (Inbox::default(), Vec::new());
        while !outbox.is_empty() {
            let some = outbox.pending().len().min(7);
            kinds.extend(through(&mut inbox, &outbox.pending()[..some]).into_iter().map(|frame| frame.kind));
            outbox.sent(some);
        }
        assert_eq!(kinds, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn many_small_frames_do_not_use_up_the_memory() {
        let mut outbox = Outbox::default();
        let taken = (0..1_000).filter(|_| outbox.push(2, b"x")).count();
        assert_eq!(taken, FRAMES_MAX);
    }

    #[test]
    fn clearing_ends_no_frame_in_the_middle() {
        let mut outbox = Outbox::default();
        outbox.push(1, &[7; 20]);
        outbox.push(2, &[8; 20]);
        let first = outbox.pending()[..5].to_vec();
        outbox.sent(5);
        outbox.clear();
        let rest = outbox.pending().to_vec();
        outbox.sent(rest.len());
        assert!(outbox.is_empty());
        let frames = through(&mut Inbox::default(), &[first, rest].concat());
        assert_eq!(frames, [Frame { kind: 1, message: vec![7; 20] }]);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(messages in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..600)), 0..5)) {
            let bytes: Vec<u8> = messages.iter().flat_map(|(kind, message)| Frame::encode(*kind, message).unwrap()).collect();
            let frames: Vec<_> = through(&mut Inbox::default(), &bytes).into_iter().map(|f| (f.kind, f.message)).collect();
            prop_assert_eq!(frames, messages);
        }

        /// Whatever happens to one frame, no other message comes out of it, and the one after the next zero arrives.
        #[test]
        fn damage_is_noticed(message in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), xor in 1u8.., cut in any::<bool>()) {
            let mut bytes = Frame::encode(3, &message).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at); } else { bytes[at] ^= xor; }
            let mut inbox = Inbox::default();
            let mut frames = through(&mut inbox, &bytes);
            frames.extend(through(&mut inbox, &[0]));
            for frame in frames {
                prop_assert_eq!(frame, Frame { kind: 3, message: message.clone() });
            }
            prop_assert_eq!(through(&mut inbox, &Frame::encode(4, &message).unwrap()).len(), 1);
        }

        #[test]
        fn noise_does_no_harm(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut inbox = Inbox::default();
            through(&mut inbox, &noise);
            through(&mut inbox, &[0]);
            prop_assert_eq!(through(&mut inbox, &Frame::encode(4, b"x").unwrap()).len(), 1);
        }
    }
}
