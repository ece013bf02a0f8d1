//! Moments as documents and people write them: UTC, proleptic Gregorian.

use specie_core::Timestamp;

/// The last second that has a year of four digits.
const LAST_OF_9999: u64 = 253_402_300_799;

/// `2026-03-01 12:00:00 UTC`, or bare seconds where the year would have five digits.
pub fn show(moment: Timestamp) -> String {
    if moment.seconds() > LAST_OF_9999 {
        return format!("{} s after 1970-01-01 UTC", moment.seconds());
    }
    format!("{} UTC", date_time(moment).replace('T', " "))
}

/// The first moment, in UTC, of a date such as `2026-03-01`, from 1970 on (proleptic Gregorian).
pub fn midnight(date: &str) -> Option<Timestamp> {
    const DAYS_BEFORE_1970: u64 = 719_468;
    let mut parts = date.splitn(3, '-');
    let mut number = |digits| {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<u64>().ok())
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > days {
        return None;
    }
    // Years are counted from 1 March, in eras of 400 years, so that the leap day comes last.
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Timestamp::new((era * 146_097 + day_of_era).checked_sub(DAYS_BEFORE_1970)? * 86_400)
}

/// `2026-03-01T12:00:00` (ISO 8601); moments after the year 9999 are written as its last second.
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
        let last = Timestamp::new(u64::MAX >> 1).unwrap();
        assert_eq!(date_time(last), "9999-12-31T23:59:59");
        assert_eq!(show(Timestamp::new(1_767_225_599).unwrap()), "2025-12-31 23:59:59 UTC");
        assert_eq!(show(Timestamp::new(LAST_OF_9999).unwrap()), "9999-12-31 23:59:59 UTC");
        assert_eq!(show(last), "9223372036854775807 s after 1970-01-01 UTC");
    }

    #[test]
    fn reads_dates() {
        for (date, seconds) in [
            ("1970-01-01", 0),
            ("1999-12-31", 946_598_400),
            ("2000-02-29", 951_782_400),
            ("2026-03-01", 1_772_323_200),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(midnight(date), Timestamp::new(seconds), "{date}");
        }
        for wrong in
            ["1969-12-31", "2023-02-29", "2100-02-29", "2026-13-01", "2026-04-31", "2026-1-01", "2026-01-01Z", ""]
        {
            assert_eq!(midnight(wrong), None, "{wrong}");
        }
    }
}
