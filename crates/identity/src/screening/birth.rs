//! Dates of birth, as exactly as they are known.

use core::fmt;

/// When somebody was born.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Birth {
    /// On a day.
    Day {
        /// Year.
        year: u16,
        /// Month, from 1.
        month: u8,
        /// Day of the month, from 1.
        day: u8,
    },
    /// In one of these years.
    Years {
        /// The first.
        from: u16,
        /// The last.
        to: u16,
    },
}

impl Birth {
    /// `1970-02-03`, `1970`, or `1970/1972` for one of the years between.
    pub fn parse(text: &str) -> Option<Self> {
        let year =
            |text: &str| (text.len() == 4).then(|| number(text)).flatten().filter(|year| (1850..=2200).contains(year));
        if let Some((from, to)) = text.split_once('/') {
            let (from, to) = (year(from)?, year(to)?);
            return (from <= to).then_some(Self::Years { from, to });
        }
        let mut parts = text.split('-');
        let first = year(parts.next()?)?;
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Some(Self::Years { from: first, to: first }),
            (Some(month), Some(day), None) => {
                let month = two_digits(month).filter(|month| (1..=12).contains(month))?;
                let day = two_digits(day).filter(|day| (1..=31).contains(day))?;
                Some(Self::Day { year: first, month, day })
            }
            _ => None,
        }
    }

    /// `Some(true)` when one of `listed` can be it, `Some(false)` when none can, `None` when nothing is known or the difference
    /// is one that clerks make: another day of the same year, or the year beside it.
    pub(crate) fn agrees_with(&self, listed: &[Self]) -> Option<bool> {
        if listed.iter().any(|birth| self.may_be(birth)) {
            return Some(true);
        }
        let far = |birth: &Self| {
            let ((from, to), (other_from, other_to)) = (self.years(), birth.years());
            to + 1 < other_from || other_to + 1 < from
        };
        (!listed.is_empty() && listed.iter().all(far)).then_some(false)
    }

    fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Day { .. }, Self::Day { .. }) => self == other,
            _ => {
                let ((from, to), (other_from, other_to)) = (self.years(), other.years());
                from <= other_to && other_from <= to
            }
        }
    }

    fn years(&self) -> (u16, u16) {
        match *self {
            Self::Day { year, .. } => (year, year),
            Self::Years { from, to } => (from, to),
        }
    }
}

impl fmt::Display for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day { year, month, day } => write!(f, "{year:04}-{month:02}-{day:02}"),
            Self::Years { from, to } if from == to => write!(f, "{from:04}"),
            Self::Years { from, to } => write!(f, "{from:04}/{to:04}"),
        }
    }
}

fn two_digits(text: &str) -> Option<u8> {
    (text.len() == 2).then(|| number(text)).flatten().and_then(|value| value.try_into().ok())
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_what_lists_write() {
        for text in ["1970-02-03", "1970", "1970/1972"] {
            assert_eq!(Birth::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "70", "1970-2-3", "1970-13-01", "1970-02", "1972/1970", "+970", "1970-02-03-04", "03.02.1970"]
        {
            assert_eq!(Birth::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_agrees_differs_or_says_nothing() {
        let birth = |text| Birth::parse(text).unwrap();
        let day = birth("1970-02-03");
        assert_eq!(day.agrees_with(&[]), None);
        assert_eq!(day.agrees_with(&[birth("1965"), birth("1970-02-03")]), Some(true));
        assert_eq!(day.agrees_with(&[birth("1969/1971")]), Some(true));
        assert_eq!(day.agrees_with(&[birth("1970-03-02")]), None, "day and month the other way round");
        assert_eq!(day.agrees_with(&[birth("1971-02-03")]), None, "the year beside it");
        assert_eq!(day.agrees_with(&[birth("1965"), birth("1972-02-03")]), Some(false));
    }
}
