//! What the commands answer, taken apart.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::instruction::{LifeCycle, MAX_CERTIFICATE, MAX_NONCES, STATUS_LENGTH, TOTALS_LENGTH};

/// Answer to SELECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Version of the command set.
    pub version: u8,
    /// Where the element stands in its life.
    pub life_cycle: LifeCycle,
    /// Identity of the firmware.
    pub firmware: [u8; 32],
}

/// Answer to GENERATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// U, the identity that a double spend reveals.
    pub identity: [u8; 32],
    /// A, the Ed25519 key that signs requests.
    pub authentication: [u8; 32],
}

/// Answer to IDENTITY: the maker's certificate in its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    bytes: [u8; MAX_CERTIFICATE],
    length: usize,
}

impl Certificate {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_CERTIFICATE];
        bytes.get_mut(..answer.len())?.copy_from_slice(answer);
        Some(Self { bytes, length: answer.len() })
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Answer to ENROL (protocol §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// R.
    pub commitment: [u8; 32],
    /// s.
    pub response: [u8; 32],
    /// Signature by A of the attestation (`specie_core::attestation`).
    pub attestation: [u8; 64],
}

impl Enrolment {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let (proof, attestation) = answer.split_at_checked(64)?;
        let (commitment, response) = proof.split_at(32);
        Some(Self {
            commitment: commitment.try_into().ok()?,
            response: response.try_into().ok()?,
            attestation: attestation.try_into().ok()?,
        })
    }
}

/// Answer to NONCES: consecutive indices with a commitment K3 for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonces {
    first: u32,
    commitments: [[u8; 32]; MAX_NONCES],
    count: usize,
}

impl Nonces {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let (first, rest) = answer.split_first_chunk::<4>()?;
        let (points, []) = rest.as_chunks::<32>() else {
            return None;
        };
        let mut commitments = [[0; 32]; MAX_NONCES];
        commitments.get_mut(..points.len())?.copy_from_slice(points);
        Some(Self { first: u32::from_be_bytes(*first), commitments, count: points.len() })
    }

    /// The first index.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// K3 of the first index, of the next, and so on.
    pub fn commitments(&self) -> &[[u8; 32]] {
        &self.commitments[..self.count]
    }

    /// Every index with its K3.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8; 32])> {
        (self.first..).zip(self.commitments())
    }
}

/// Answer to MANDATE with P1 1. Amounts are minor units, times Unix seconds; without a mandate all is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MandateUse {
    /// Sequence of the mandate held.
    pub sequence: u64,
    /// When the period began.
    pub period_began: u64,
    /// Let go since.
    pub in_period: u64,
    /// Let go in all.
    pub spent: u64,
}

impl MandateUse {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let ([sequence, period_began, in_period, spent], []) = answer.as_chunks::<8>() else { return None };
        let long = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        Some(Self {
            sequence: long(sequence),
            period_began: long(period_began),
            in_period: long(in_period),
            spent: long(spent),
        })
    }
}

/// Answer to STATUS. Amounts are minor units, times Unix seconds; what is not held is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where the element stands in its life.
    pub life_cycle: LifeCycle,
    /// Wrong PINs left before it blocks; `None`: no PIN is set.
    pub pin_tries_left: Option<u8>,
    /// The index that NONCES hands out next.
    pub next_index: u32,
    /// Records in use.
    pub records_used: u32,
    /// Records free.
    pub records_free: u32,
    /// Sequence of the manifest held.
    pub manifest_sequence: u64,
    /// The latest signed time seen.
    pub time_floor: u64,
    /// Sequence of the limits held.
    pub limits_sequence: u64,
    /// Most that one payment may let go.
    pub max_payment: u64,
    /// Most that may be let go between two synchronisations.
    pub max_cumulative: u64,
    /// Most that may be held.
    pub max_holding: u64,
    /// When the limits run out.
    pub valid_until: u64,
    /// Let go since the last synchronisation.
    pub spent: u64,
    /// Held and expected.
    pub held: u64,
}

impl Status {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let answer: &[u8; STATUS_LENGTH] = answer.try_into().ok()?;
        let (words, longs) = answer[2..].split_at(12);
        let word = |at: usize| words[4 * at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let long = |at: usize| longs[8 * at..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Some(Self {
            life_cycle: LifeCycle::from_u8(answer[0])?,
            pin_tries_left: (answer[1] != 0xFF).then_some(answer[1]),
            next_index: word(0),
            records_used: word(1),
            records_free: word(2),
            manifest_sequence: long(0),
            time_floor: long(1),
            limits_sequence: long(2),
            max_payment: long(3),
            max_cumulative: long(4),
            max_holding: long(5),
            valid_until: long(6),
            spent: long(7),
            held: long(8),
        })
    }
}

/// Answer to TOTALS (`docs/spec/totals.md`).
#[derive(Clone, PartialEq, Eq)]
pub struct Totals {
    /// Sequence of the limits held; 0 for none.
    pub limits_sequence: u64,
    /// What is held and expected.
    pub held: OpenTotal,
    /// What was let go since these limits came.
    pub spent: OpenTotal,
    /// By A, over nonce, sequence and both commitments.
    pub signature: [u8; 64],
}

/// A commitment and how it opens.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct OpenTotal {
    /// In minor units.
    pub total: u64,
    /// r.
    pub blinding: [u8; 32],
    /// C = total·H + r·G.
    pub commitment: [u8; 32],
}

impl Totals {
    pub(super) fn from_answer(answer: &[u8]) -> Option<Self> {
        let answer: &[u8; TOTALS_LENGTH] = answer.try_into().ok()?;
        let (numbers, rest) = answer.split_first_chunk::<24>()?;
        let (fields, signature) = rest.split_last_chunk()?;
        let [limits_sequence, held, spent] = numbers.as_chunks().0 else { return None };
        let [limits_sequence, held, spent] = [limits_sequence, held, spent].map(|number| u64::from_be_bytes(*number));
        let [held_r, held_point, spent_r, spent_point] = fields.as_chunks().0 else { return None };
        Some(Self {
            limits_sequence,
            held: OpenTotal { total: held, blinding: *held_r, commitment: *held_point },
            spent: OpenTotal { total: spent, blinding: *spent_r, commitment: *spent_point },
            signature: *signature,
        })
    }
}
