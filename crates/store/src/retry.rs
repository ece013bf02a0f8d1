//! Running again what another transaction undid: pauses that grow and differ, and an end.

use std::time::Duration;

use crate::sql::SqlError;

/// The first pause is up to this long, each other up to twice as long as the one before.
const FIRST: Duration = Duration::from_millis(5);

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses so far, and how many there may be.
pub(crate) struct Retry {
    pauses: u32,
    pauses_max: u32,
}

impl Retry {
    /// For a transaction that somebody waits for: about a second at most.
    pub(crate) const fn new() -> Self {
        Self { pauses: 0, pauses_max: 8 }
    }

    /// For a question that has to be answered before anything else can be: about half a minute.
    pub(crate) const fn patient() -> Self {
        Self { pauses: 0, pauses_max: 60 }
    }

    /// Waits, and tells whether to try once more.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn pause(&mut self) -> Result<bool, SqlError> {
        if self.pauses == self.pauses_max {
            return Ok(false);
        }
        let longest = FIRST.saturating_mul(1 << self.pauses.min(16)).min(LONGEST);
        self.pauses += 1;
        let random =
            getrandom::u32().map_err(|error| SqlError::Failed(format!("the system gives no randomness: {error}")))?;
        // From half of it on, so that those who collided do not meet again.
        std::thread::sleep(longest / 2 + (longest / 2).mul_f64(f64::from(random) / f64::from(u32::MAX)));
        Ok(true)
    }
}
