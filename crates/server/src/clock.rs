//! The time of a service, and its randomness: the only places where either comes from outside.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use specie_core::Timestamp;

/// Tells a service what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

/// The operating system gives no random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoEntropy;

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self::new(|| {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Timestamp::new(seconds).unwrap_or_default()
        })
    }

    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// 32 random bytes from the operating system.
///
/// # Errors
/// When it has none.
pub fn random_seed() -> Result<[u8; 32], NoEntropy> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| NoEntropy)?;
    Ok(seed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_calendar() {
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
