//! Fields that records and messages have in common.

use specie_core::Timestamp;
use specie_core::encoding::{DecodeError, Reader};
use specie_core::text::Name;

pub(crate) fn name(r: &mut Reader<'_>) -> Result<Name, DecodeError> {
    Name::new(r.text()?).ok_or(DecodeError::OutOfRange)
}

pub(crate) fn moment(r: &mut Reader<'_>) -> Result<Timestamp, DecodeError> {
    Timestamp::new(r.uint()?).ok_or(DecodeError::OutOfRange)
}
