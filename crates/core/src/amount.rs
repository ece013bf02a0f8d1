//! Money and time, as the protocol counts them.

use core::fmt;

use crate::encoding::{DecodeError, Reader, Writer};

/// An amount of money in minor units of some currency, at most `2^63 - 1` so that every ledger can hold it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(u64);

/// A moment in whole seconds since 1970-01-01 UTC, at most `2^63 - 1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(u64);

const MAX: u64 = i64::MAX as u64;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(MAX);

    /// An amount of `minor` units, `None` above [`Amount::MAX`].
    pub const fn new(minor: u64) -> Option<Self> {
        if minor <= MAX { Some(Self(minor)) } else { None }
    }

    /// The number of minor units.
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, `None` above [`Amount::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0 + other.0)
    }

    /// The difference, `None` below zero.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(minor) => Some(Self(minor)),
            None => None,
        }
    }

    /// The sum of many, `None` above [`Amount::MAX`].
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    pub(crate) fn write<W: minicbor::encode::Write>(self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.uint(self.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(r.uint()?).ok_or(DecodeError::OutOfRange)
    }
}

impl Timestamp {
    /// 1970-01-01 UTC.
    pub const EPOCH: Self = Self(0);

    /// `seconds` since 1970-01-01 UTC, `None` above `2^63 - 1`.
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= MAX { Some(Self(seconds)) } else { None }
    }

    /// Seconds since 1970-01-01 UTC.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// `seconds` later, at the latest representable moment if that is beyond it.
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        match self.0.checked_add(seconds) {
            Some(sum) if sum <= MAX => Self(sum),
            _ => Self(MAX),
        }
    }

    pub(crate) fn write<W: minicbor::encode::Write>(self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.uint(self.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::new(r.uint()?).ok_or(DecodeError::OutOfRange)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_stop_at_the_largest() {
        assert_eq!(Amount::new(MAX + 1), None);
        assert_eq!(Amount::MAX.checked_add(Amount(1)), None);
        assert_eq!(Amount(1).checked_sub(Amount(2)), None);
        assert_eq!(Amount::checked_sum([Amount(MAX - 1), Amount(1)]), Some(Amount::MAX));
    }

    #[test]
    fn time_stops_at_the_latest() {
        assert_eq!(Timestamp::new(MAX + 1), None);
        assert_eq!(Timestamp(MAX).saturating_add(u64::MAX), Timestamp(MAX));
    }
}
