//! Moments as documents write them: ISO 8601, UTC, proleptic Gregorian.

use specie_core::Timestamp;

/// The last second that has a year of four digits.
const LAST_OF_9999: u64 = 253_402_300_799;

/// `2026-03-01T12:00:00`; moments after the year 9999 are written as its last second.
pub(crate) fn date_time(moment: Timestamp) -> String {
    let seconds = moment.seconds().min(LAST_OF_9999);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a day counted from 1970-01-01. Years are counted from 1 March, in eras of 400 years, so that the leap
/// day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn knows_the_calendar() {
        for (day, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2025-12-31", 1_767_139_200),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31", 253_402_214_400),
        ] {
            assert_eq!(date_time(Timestamp::new(seconds).unwrap()), format!("{day}T00:00:00"));
        }
        assert_eq!(date_time(Timestamp::new(u64::MAX >> 1).unwrap()), "9999-12-31T23:59:59");
    }
}
