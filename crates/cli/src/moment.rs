//! Moments as people read them.

use specie_core::Timestamp;
use specie_server::clock::midnight;

/// `2026-03-01 12:00:00 UTC` (proleptic Gregorian), or bare seconds where the year would have five digits.
pub(crate) fn show(moment: Timestamp) -> String {
    const LAST_OF_9999: u64 = 253_402_300_799;
    let seconds = moment.seconds();
    if seconds > LAST_OF_9999 {
        return format!("{seconds} s after 1970-01-01 UTC");
    }
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Until when something counts.
pub(crate) fn until(last: Option<Timestamp>) -> String {
    last.map_or_else(|| "without end".to_owned(), |last| format!("until {}", show(last)))
}

/// The first moment of a day such as `2031-04-30`, in UTC.
pub(crate) fn parse_first_of(day: &str) -> Result<Timestamp, String> {
    midnight(day).ok_or_else(|| "a date is written like 2031-04-30".to_owned())
}

/// The last moment of a day such as `2031-04-30`, in UTC.
pub(crate) fn parse_last_of(day: &str) -> Result<Timestamp, String> {
    Ok(parse_first_of(day)?.saturating_add(86_399))
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
    use super::*;

    #[test]
    fn knows_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(show(Timestamp::new(seconds).unwrap()), text);
        }
    }
}
