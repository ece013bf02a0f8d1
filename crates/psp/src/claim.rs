//! Claim codes: what a customer types to enrol a device.

use specie_core::code::Code;
use specie_core::text::Name;
use specie_core::{hash, label};

/// A claim code: 25 digits, 125 bits. Good for one device.
pub type ClaimCode = Code<25>;

/// How a code for `customer` is stored and found.
pub(crate) fn code_hash(customer: &Name, code: &ClaimCode) -> [u8; 32] {
    hash::h32(label::CLAIM_CODE, &[customer.as_str().as_bytes(), code.expose_secret_digits()])
}
