//! Moments as people read them.

use specie_aml::calendar::midnight;
pub(crate) use specie_aml::calendar::show;
use specie_core::Timestamp;

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
