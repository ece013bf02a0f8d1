//! The system clock, the only one of the project that is read outside the servers.

use std::time::{SystemTime, UNIX_EPOCH};

use specie_core::Timestamp;

/// What the system clock says; the beginning of 1970 where it is before that.
pub fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::new(seconds).unwrap_or(Timestamp::EPOCH)
}
